"""Captions as people keep them: a text file beside a picture, or a list of files and captions."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from clipsearch.errors import SourceError

LIST_SUFFIXES = (".jsonl", ".csv", ".tsv")
Split = Literal["train", "validation"]

_FILE_NAMES = ("file", "file_name", "filename", "filepath", "file_path", "path", "image", "image_path", "img")
_CAPTION_NAMES = ("captions", "caption", "text", "texts", "title", "description", "sentence", "sentences")
_SPLITS: dict[str, Split] = {
    "": "train",
    "train": "train",
    "training": "train",
    "dev": "validation",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
}


def captions_beside(picture: Path) -> tuple[str, ...]:
    """The lines of the `.txt` that has a picture's name, without empty ones."""
    try:
        text = picture.with_suffix(".txt").read_text(encoding="utf-8-sig", errors="replace")
    except (OSError, ValueError):
        return ()
    return captions_of(text.splitlines())


def listed_captions(file: Path) -> Iterator[tuple[str, tuple[str, ...], Split | None]]:
    """Yield the file, the captions and the split of every line of a list; the split is None where it is for testing.

    JSON lines have one object each; CSV and TSV have a line of names first. The file is called `file`, `file_name`,
    `filepath`, `path`, `image`, ...; captions are `captions` (a list of sentences), `caption`, `text`, `title`, ....
    A file named on several lines of a CSV has several captions.

    Raises:
        SourceError: The list cannot be read, or a line of it names no file.
    """
    gathered: dict[str, tuple[tuple[str, ...], Split | None]] = {}
    for number, row in _rows(file):
        name = next((row[key] for key in _FILE_NAMES if isinstance(row.get(key), str) and row[key]), None)
        if name is None:
            raise SourceError(f"{file}, line {number}: it names no file; call it `file`, and captions `captions`.")
        captions = captions_of(next((row[key] for key in _CAPTION_NAMES if row.get(key)), ()))
        before, _ = gathered.get(name, ((), None))
        gathered[name] = (before + captions, split_of(row.get("split")))
    for name, (captions, split) in gathered.items():
        yield name, captions, split


def captions_of(value: object) -> tuple[str, ...]:
    """The sentences in a cell or a line: text, or a list of texts; blanks around them go, empty ones too."""
    texts = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    return tuple(text.strip() for text in texts if isinstance(text, str) and text.strip())


def split_of(value: object) -> Split | None:
    """Which side a `split` means; None for a test set and whatever else is not for training."""
    return _SPLITS.get(str(value or "").strip().lower())


def _rows(file: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            if file.suffix.lower() == ".jsonl":
                yield from _objects(file, lines)
            else:
                rows = csv.DictReader(lines, delimiter="\t" if file.suffix.lower() == ".tsv" else ",")
                yield from ((rows.line_num, row) for row in rows)
    except (OSError, UnicodeError, csv.Error) as error:
        raise SourceError(f"{file} cannot be read as a list of captions ({error}); write it as UTF-8.") from error


def _objects(file: Path, lines: Iterator[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise SourceError(f"{file}, line {number} is not JSON ({error}); correct it.") from error
            if not isinstance(row, dict):
                raise SourceError(f'{file}, line {number} is no object; write {{"file": ..., "captions": [...]}}.')
            yield number, row
