"""The embedding spaces of an index: which there are, where each lies, and which of them answer a query.

photos.index/
  spaces.json                  what is below says; absent while the index itself is its only space
  spaces/NAME/                 a further space: an index directory of its own

Every space is a complete index directory whose rows have the same ids as those of the others. One of them may be the
directory itself. The first that answers is the *main* one: its catalog is what filters, facets, metadata and failures
are read from, and what an indexing run compares the sources with.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from itertools import chain, count
from math import isfinite
from pathlib import Path
from typing import Literal

import msgspec

from clipsearch.errors import ClipsearchError, IndexDamaged, QueryError
from clipsearch.store.layout import Layout, replacing
from clipsearch.store.manifest import published_version, read_manifest

FILE, FOLDER = "spaces.json", "spaces"
CAPTIONS = "captions"
"""The name of the space of captions, which no model's space may have."""

_HERE = "."
_AGAIN = "~"
"""What no name has, before the number of the folder of a name that was used before."""
_UNSAFE = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Space:
    """An embedding space.

    Attributes:
        name: what it is called: the model's name made safe for a folder, or `captions`.
        of: what its vectors are of: `pictures`, or `captions`, the texts of column `caption`.
        folder: its index directory relative to the whole index: `.` or `spaces/NAME`.
    """

    name: str
    of: Literal["pictures", "captions"]
    folder: str


@dataclass(frozen=True, slots=True)
class Spaces:
    """The spaces of an index.

    Attributes:
        spaces: all there are. One may lack pictures the main one has: those not embedded in it yet, or without a
            caption; it may even be empty.
        answering: names and weights (above 0) of those that answer where a query names none, all of pictures, at least
            one; the first is the main one.
    """

    spaces: tuple[Space, ...]
    answering: tuple[tuple[str, float], ...]

    @property
    def main(self) -> Space:
        """The space that metadata is read from."""
        return self.named(self.answering[0][0])

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all."""
        return tuple(space.name for space in self.spaces)

    def named(self, name: str) -> Space:
        """The space of that name, or of the model of that name.

        Raises:
            QueryError: there is none; the message lists those there are.
        """
        for space in self.spaces:
            if space.name in (name, space_name(name)):
                return space
        raise QueryError(f"The index has no space {name!r}; those it has are: {', '.join(self.names)}.")


def path_of(index: Path, space: Space) -> Path:
    """The index directory of a space of the index at `index`."""
    return index if space.folder == _HERE else index / space.folder


def space_name(model: str) -> str:
    """What the space of a model is called: its name as the user gave it, with a dash for what no folder should have;
    of a path, the last part."""
    architecture, colon, checkpoint = model.rpartition(":")
    stem = Path(checkpoint).name if Path(checkpoint).is_absolute() else checkpoint
    name = _UNSAFE.sub("-", f"{architecture}{colon}{stem}").strip("-.") or "model"
    return f"{name}-model" if name == CAPTIONS else name


def read_spaces(index: Path) -> Spaces:
    """The spaces of the index at `index`.

    Raises:
        IndexNotFound: there is no index.
        IndexDamaged: `spaces.json`, or, where there is none, the published manifest cannot be read.
    """
    path = index / FILE
    try:
        found = msgspec.convert(json.loads(path.read_bytes()), Spaces)
    except (FileNotFoundError, NotADirectoryError):
        return _only_itself(index)
    except (ValueError, msgspec.ValidationError, OSError):
        raise _damaged(path, index) from None
    if not _is_sound(found):
        raise _damaged(path, index)
    return found


def spaces_on_disk(index: Path) -> Spaces:
    """As `read_spaces`, but where `spaces.json` is damaged or lost while its spaces are there, what the folders say:
    their names, and that the index itself is the main space or, where it is none, the first by name.

    Raises:
        IndexDamaged: there is no space.
    """
    folders = sorted(path for path in (index / FOLDER).glob("*") if Layout(path).current.is_file())
    try:
        if folders and not (index / FILE).exists():
            raise _damaged(index / FILE, index)
        return read_spaces(index)
    except ClipsearchError:
        here = (Space(_model_name(index), "pictures", _HERE),) if Layout(index).segments.is_dir() else ()
        found = (*here, *(_space_in(folder) for folder in folders))
        pictures = [space for space in found if space.of == "pictures"]
        if not pictures:
            raise IndexDamaged(
                f"{index} has no space of pictures that can be read; index your pictures anew."
            ) from None
        return Spaces(found, ((pictures[0].name, 1.0),))


def free_folder(index: Path, name: str) -> str:
    """The folder for a new space: one that readers of a space of that name, dropped before, do not have open."""
    candidates = (f"{FOLDER}/{name}{mark}" for mark in chain([""], (f"{_AGAIN}{n}" for n in count(2))))
    return next(folder for folder in candidates if not (index / folder).exists())


def _space_in(folder: Path) -> Space:
    name = folder.name.split(_AGAIN)[0]
    return Space(name, "captions" if name == CAPTIONS else "pictures", f"{FOLDER}/{folder.name}")


def _model_name(index: Path) -> str:
    """The name of the space that is the index itself; of one whose manifest is lost, some name."""
    try:
        return _only_itself(index).main.name
    except ClipsearchError:
        return "first"


def write_spaces(index: Path, spaces: Spaces) -> None:
    """Replace what `read_spaces` says, in one step. Only the holder of the index's lock may."""
    with replacing(index / FILE, Layout(index).tmp) as draft:
        draft.write_text(json.dumps(asdict(spaces), indent=1) + "\n")


def main_folder(index: Path) -> Path:
    """The index directory of the main space, which is `index` itself where there are no others.

    Raises:
        IndexDamaged: `spaces.json` cannot be read.
    """
    return path_of(index, read_spaces(index).main) if (index / FILE).exists() else index


def whole_of(folder: Path) -> Path:
    """The index that a folder is a space of, or the folder itself where it is none."""
    index = folder.parent.parent
    return index if folder.parent.name == FOLDER and (index / FILE).exists() else folder


def _only_itself(index: Path) -> Spaces:
    layout = Layout(index)
    name = space_name(read_manifest(layout.manifest(published_version(layout))).model.name)
    return Spaces((Space(name, "pictures", _HERE),), ((name, 1.0),))


def _is_sound(found: Spaces) -> bool:
    kinds = {space.name: space.of for space in found.spaces}
    folders = {space.folder for space in found.spaces}
    return (
        len(kinds) == len(folders) == len(found.spaces)
        and len(dict(found.answering)) == len(found.answering) > 0
        and all(_is_inside(folder) for folder in folders)
        and all(kinds.get(name) == "pictures" and isfinite(w) and w > 0 for name, w in found.answering)
    )


def _is_inside(folder: str) -> bool:
    return folder == _HERE or (
        folder.startswith(f"{FOLDER}/") and Path(folder).name not in ("", "..") and folder.count("/") == 1
    )


def _damaged(path: Path, index: Path) -> IndexDamaged:
    return IndexDamaged(f"{path} is damaged; run `clipsearch repair --index {index}`.")
