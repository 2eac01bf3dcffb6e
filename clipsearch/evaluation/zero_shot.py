"""How well pictures are recognised by the names of their classes alone (Radford et al. 2021, section 3.1): a folder
holds a folder for each class, whose name is the class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clipsearch.errors import PictureError, QueryError
from clipsearch.evaluation.metrics import confusion, top_accuracy
from clipsearch.evaluation.retrieval import WORST
from clipsearch.evaluation.subject import Subject
from clipsearch.evaluation.types import ClassAccuracy, Mistake, Shown, ZeroShot
from clipsearch.names import to_stored
from clipsearch.pictures import content_hash, read_file, read_picture
from clipsearch.query.embed import image_vectors
from clipsearch.query.templates import TEMPLATES
from clipsearch.store.sql import literal
from clipsearch.types import Vectors

_TOP = 5
_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Pictures with their classes: `names` of the classes, the file and id (None where not in the index) of each
    picture, its class as a row of `names`, its vector; and how many files could not be read."""

    names: tuple[str, ...]
    pictures: tuple[Shown, ...]
    classes: NDArray[np.int64]
    vectors: Vectors
    unreadable: int


def class_folders(folder: Path) -> list[Path]:
    """The folders of the classes, by name.

    Raises:
        QueryError: there are fewer than two.
    """
    found = sorted(p for p in folder.expanduser().iterdir() if p.is_dir()) if folder.expanduser().is_dir() else []
    if len(found) < 2:
        raise QueryError(f"{folder} does not hold a folder for each of two or more classes; name one that does.")
    return found


def labelled(subject: Subject, folder: Path, sample: int) -> Labelled:
    """At most `sample` pictures of a folder of class folders, as many of each class, drawn at random but always the
    same. Those that are in the index, whatever their names, are not embedded again.

    Raises:
        QueryError: there are fewer than two classes, or no picture can be read.
    """
    folders = class_folders(folder)
    files = [(path, row) for row, place in enumerate(folders) for path in _drawn(place, -(-sample // len(folders)))]
    pictures: list[Shown] = []
    classes: list[int] = []
    vectors: list[NDArray[np.float32]] = []
    for start in range(0, len(files), _AT_ONCE):
        subject.tell("looking at classes", len(classes), len(files))
        for shown, row, vector in _embedded(subject, files[start : start + _AT_ONCE]):
            pictures.append(shown)
            classes.append(row)
            vectors.append(vector)
    if not vectors:
        raise QueryError(f"No file in the folders of {folder} can be read as a picture; name another folder.")
    names = tuple(to_stored(place.name).replace("_", " ") for place in folders)
    found = np.array(classes, np.int64)
    return Labelled(names, tuple(pictures), found, np.stack(vectors), len(files) - len(found))


def _drawn(folder: Path, count: int) -> list[Path]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    if len(files) <= count:
        return files
    return [files[i] for i in np.sort(np.random.default_rng(0).choice(len(files), count, replace=False))]


def _embedded(subject: Subject, files: Sequence[tuple[Path, int]]) -> Iterator[tuple[Shown, int, NDArray[np.float32]]]:
    contents = [(path, row, content) for path, row in files if (content := _content(path))]
    hashes = [content_hash(content) for _, _, content in contents]
    known = _known(subject, hashes)
    wanted = subject.encoder.preprocessing
    new = []
    for (path, row, content), digest in zip(contents, hashes, strict=True):
        if digest in known:
            vector = subject.collection.vectors_of(np.array([known[digest]]))[0]
            yield Shown(known[digest], to_stored(str(path))), row, vector.astype(np.float32)
            continue
        try:
            new.append((path, row, read_picture(content, draft=(wanted.width, wanted.height)).image))
        except PictureError:
            continue
    if new:
        encoded = image_vectors(subject.encoder, [image for _, _, image in new])
        for (path, row, _), vector in zip(new, encoded, strict=True):
            yield Shown(None, to_stored(str(path))), row, vector


def _content(path: Path) -> bytes | None:
    try:
        return read_file(path)
    except PictureError:
        return None


def _known(subject: Subject, hashes: Sequence[str]) -> dict[str, int]:
    listed = ", ".join(map(literal, hashes)) or "NULL"
    found = subject.collection.snapshot.catalog.query(
        f"SELECT content_hash, min(id) FROM images WHERE content_hash IN ({listed}) GROUP BY content_hash"
    )
    return dict(zip(found.column(0).to_pylist(), found.column(1).to_pylist(), strict=True))


def zero_shot(subject: Subject, found: Labelled) -> ZeroShot:
    """Recognise labelled pictures by their classes' names in prompt templates, whose vectors are averaged (Radford et
    al. 2021, section 3.1.4)."""
    count = len(found.names)
    prompts = [template.format(name) for template in TEMPLATES for name in found.names]
    by_template = subject.embedded(prompts).reshape(len(TEMPLATES), count, -1)
    mean = by_template.mean(axis=0)
    scores = found.vectors @ (mean / np.linalg.norm(mean, axis=1, keepdims=True)).T
    cells = confusion(found.classes, scores.argmax(axis=1), count)
    alone = [top_accuracy(found.vectors @ template.T, found.classes) for template in by_template]
    return ZeroShot(
        pictures=len(found.classes),
        unreadable=found.unreadable,
        top1=top_accuracy(scores, found.classes),
        top5=top_accuracy(scores, found.classes, _TOP) if count > _TOP else None,
        classes=tuple(_class(found.names, row, cells[row]) for row in range(count)),
        confusion=tuple(tuple(row) for row in cells.tolist()),
        templates=dict(zip(TEMPLATES, alone, strict=True)),
        worst=_worst(found, scores),
    )


def _class(names: Sequence[str], row: int, cells: NDArray[np.int64]) -> ClassAccuracy:
    others = np.where(np.arange(len(cells)) == row, -1, cells)
    mistaken = names[int(others.argmax())] if others.max() > 0 else None
    total = int(cells.sum())
    return ClassAccuracy(names[row], total, float(cells[row] / total) if total else float("nan"), mistaken)


def _worst(found: Labelled, scores: NDArray[np.float32]) -> tuple[Mistake, ...]:
    predicted = scores.argmax(axis=1)
    rows = np.arange(len(scores))
    margins = scores[rows, predicted] - scores[rows, found.classes]
    latest = [row for row in np.argsort(-margins, kind="stable")[:WORST] if predicted[row] != found.classes[row]]
    return tuple(
        Mistake(
            found.pictures[row],
            found.names[found.classes[row]],
            found.names[predicted[row]],
            float(margins[row]),
        )
        for row in latest
    )
