"""Pictures and what is said of them, found in folders, lists and Parquet files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clipsearch.errors import SourceError
from clipsearch.pictures.parquet import PICTURE_SUFFIXES, SHARD_SUFFIXES
from clipsearch.training.captions import LIST_SUFFIXES, Split, captions_beside, listed_captions

_LISTS = tuple(f"{stem}{suffix}" for stem in ("captions", "metadata") for suffix in LIST_SUFFIXES)
_SHARE_KEPT_ASIDE = 20
_MOST_KEPT_ASIDE = 1000


@dataclass(frozen=True, slots=True)
class Cell:
    """A picture inside a Parquet file: `row` counts within the row group."""

    shard: Path
    row_group: int
    row: int
    column: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A picture and its captions, at least one. `name` is what a teacher may call it: its path, or that in the row."""

    picture: Path | Cell
    captions: tuple[str, ...]
    name: str
    split: Split = "train"


def read_pairs(
    sources: Sequence[Path], *, image_column: str | None = None, caption_column: str | None = None
) -> list[Pair]:
    """Find the pairs of all sources, in an order that does not change.

    A source is
        a folder with a list in it: captions.jsonl, captions.csv, captions.tsv, or metadata.* as Hugging Face calls it;
        a list itself: a line for each picture, with its file relative to the list or to `images/` beside it, and its
            caption or captions (clipsearch.training.captions says under which names);
        a Parquet file: a column of pictures and one of captions;
        a folder without a list: pictures with a .txt of the same name beside them, a caption on each line; Parquet
            files in it count, too.

    A list or a Parquet file may have a `split`: what is `dev`, `val` or `validation` is kept aside, `test` left out.
    Pictures without a caption are left out.

    Raises:
        SourceError: A source is not there, is none of these, or has no pairs.
    """
    pairs: list[Pair] = []
    for source in sources:
        found = list(_pairs(source, image_column, caption_column))
        if not found:
            raise SourceError(
                f"{source} has no pictures with captions: put a .txt beside each picture, or a captions.jsonl with "
                '{"file": ..., "captions": [...]} on each line into the folder.'
            )
        pairs += found
    return pairs


def keep_aside(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Split pairs into those to train on and those to validate on.

    By their own `split` where any is for validation; else one picture in twenty, at most 1,000, chosen by a digest of
    its name, so that a picture stays on its side when others come.
    """
    train = [pair for pair in pairs if pair.split == "train"]
    aside = [pair for pair in pairs if pair.split == "validation"]
    if aside:
        return train, aside
    count = min(_MOST_KEPT_ASIDE, len(train) // _SHARE_KEPT_ASIDE)
    drawn = set(sorted(range(len(train)), key=lambda row: _digest(train[row].name))[:count])
    return (
        [pair for row, pair in enumerate(train) if row not in drawn],
        [pair for row, pair in enumerate(train) if row in drawn],
    )


def _digest(name: str) -> bytes:
    return hashlib.blake2b(os.fsencode(Path(name).name), digest_size=8).digest()


def _pairs(source: Path, image_column: str | None, caption_column: str | None) -> Iterator[Pair]:
    from clipsearch.training.shards import shard_pairs

    match _kind(source):
        case "list":
            yield from _listed(source)
        case "shard":
            yield from shard_pairs(source, image_column, caption_column)
        case "folder":
            for file in _files(source):
                if file.suffix.lower() in SHARD_SUFFIXES:
                    yield from shard_pairs(file, image_column, caption_column)
                elif captions := captions_beside(file):
                    yield Pair(file, captions, str(file))


def _kind(source: Path) -> Literal["list", "shard", "folder"]:
    if source.is_dir():
        return "list" if _list_in(source) else "folder"
    if not source.is_file():
        raise SourceError(f"{source} is not there; check its name.")
    if source.suffix.lower() in SHARD_SUFFIXES:
        return "shard"
    if source.suffix.lower() in LIST_SUFFIXES:
        return "list"
    raise SourceError(
        f"{source} is neither a folder, a Parquet file nor a list (.jsonl, .csv, .tsv); name one of these."
    )


def _list_in(folder: Path) -> Path | None:
    return next((folder / name for name in _LISTS if (folder / name).is_file()), None)


def _listed(source: Path) -> Iterator[Pair]:
    file = (_list_in(source) or source) if source.is_dir() else source
    homes = (file.parent, file.parent / "images")
    for name, captions, split in listed_captions(file):
        if captions and split:
            picture = next((home / name for home in homes if (home / name).is_file()), homes[0] / name)
            yield Pair(picture, captions, str(picture), split)


def _files(folder: Path) -> Iterable[Path]:
    """Pictures and Parquet files below a folder, by name; nothing hidden."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in PICTURE_SUFFIXES | SHARD_SUFFIXES:
                yield Path(place, name)
