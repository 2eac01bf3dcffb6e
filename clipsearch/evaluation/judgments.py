"""What is known to be right: which pictures answer which texts, from captions in the index or from a file.

A file is one of
    *.tsv     a line a judgment: query, picture and, if any, grade, between tabs; a first line `query<TAB>picture...`
              is a heading
    *.jsonl   a line a judgment: {"query": "a red car", "picture": "cars/3.jpg", "grade": 2}
              or a line a picture: {"file": "cars/3.jpg", "captions": ["a red car in the rain", "a wet car"]}

A picture is named by its path in the index, or by as much of that path's end as is unambiguous. Without a grade it is
1; 0 says that the picture is no answer, as is what nobody judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clipsearch.errors import QueryError
from clipsearch.evaluation.collection import Collection, drawn
from clipsearch.evaluation.ranks import Judged, judged
from clipsearch.store.sql import quote

Line = tuple[str, str, float]
"""A text, a picture's name, a grade."""

_HIGHEST_GRADE = 100
"""The gain of an answer is 2 to the power of its grade, which must stay a number."""


@dataclass(frozen=True, slots=True, eq=False)
class Judgments:
    """Texts, and the pictures that answer them: `pairs.queries` are rows of `texts`, `pairs.documents` ids of
    pictures. `notes` say what could not be used."""

    texts: tuple[str, ...]
    pairs: Judged
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Truth:
    """Where to take from what is right.

    Attributes:
        captions: the column of the index that holds captions, as text or as lists of text.
        judgments: a file of judgments instead, see above.
        classes: a folder with a folder of pictures for each class.
        sample: how many captioned pictures, and how many pictures of classes, are drawn at most.
    """

    captions: str = "caption"
    judgments: Path | None = None
    classes: Path | None = None
    sample: int = 1000


def from_column(collection: Collection, column: str, sample: int) -> Judgments | None:
    """The captions of at most `sample` pictures drawn at random, from a column of text or of lists of text; None where
    no picture has any.

    Raises:
        QueryError: there is no such column, or it holds no text.
    """
    name = quote(column)
    if column.lower() not in (field.lower() for field in collection.snapshot.catalog.schema.names):
        raise QueryError(
            f"The index has no column {column!r}; name one that holds captions, or give a file with --judgments."
        )
    table = collection.snapshot.catalog.query(f"SELECT id, {name} FROM images WHERE {name} IS NOT NULL ORDER BY id")
    of_picture: dict[int, list[str]] = {}
    pictures = collection.of(table.column(0).to_numpy()).tolist()
    for picture, value in zip(pictures, table.column(1).to_pylist(), strict=True):
        of_picture.setdefault(picture, []).extend(_captions(value, column))
    captioned = np.array(sorted(picture for picture, texts in of_picture.items() if texts), np.int64)
    pairs = [(text, picture) for picture in drawn(captioned, sample).tolist() for text in of_picture[picture]]
    return _numbered([text for text, _ in pairs], [p for _, p in pairs], [1.0] * len(pairs)) if pairs else None


def judgments_of(collection: Collection, truth: Truth) -> Judgments | None:
    """The judgments of a file, where one is given, else the captions of a column."""
    if truth.judgments is not None:
        return from_file(collection, truth.judgments)
    return from_column(collection, truth.captions, truth.sample)


def _captions(value: Any, column: str) -> list[str]:
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in texts):
        raise QueryError(f"Column {column!r} holds no text; name one that holds captions.")
    return [text.strip() for text in texts if text.strip()]


def from_file(collection: Collection, path: Path) -> Judgments:
    """The judgments of a file, see above.

    Raises:
        QueryError: it cannot be read, says something else, or names no picture of the index.
    """
    lines = read_judgments(path)
    known = collection.named(picture for _, picture, _ in lines)
    found = [line for line in lines if line[1] in known]
    if not found:
        raise QueryError(
            f"None of the pictures that {path} names is in the index, the first being {lines[0][1]!r}; name them by "
            f'their paths, as `clipsearch sql "select path from images"` prints them.'
        )
    missing = len({picture for _, picture, _ in lines} - known.keys())
    notes = (
        (f"{missing:,} of the pictures in {path.name} are not in the index, or not by one name.",) if missing else ()
    )
    pictures = collection.of([known[picture] for _, picture, _ in found]).tolist()
    return _numbered([text for text, _, _ in found], pictures, [grade for _, _, grade in found], notes)


def _numbered(
    texts: Sequence[str], pictures: Sequence[int], grades: Sequence[float], notes: tuple[str, ...] = ()
) -> Judgments:
    """Equal texts are one query."""
    rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    return Judgments(tuple(rows), judged([rows[text] for text in texts], pictures, grades), notes)


def read_judgments(path: Path) -> list[Line]:
    """The lines of a file of judgments; at least one.

    Raises:
        QueryError: it cannot be read, or a line is neither a judgment nor a picture with its captions.
    """
    parse = {".tsv": _tabbed, ".jsonl": _object}.get(path.suffix.lower())
    if parse is None:
        raise QueryError(f"{path} is neither .tsv nor .jsonl; write the judgments in one of these formats.")
    try:
        text = path.expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError(f"The judgments in {path} cannot be read: {error}; give a UTF-8 text file.") from None
    lines: list[Line] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not (number == 1 and line.lower().startswith("query\tpicture")):
            try:
                lines += parse(line)
            except (ValueError, TypeError, KeyError, IndexError):
                raise QueryError(
                    f"Line {number} of {path} is no judgment; each line has a query, a picture and a grade of 0 to 100 "
                    f'(.tsv), or is {{"query": ..., "picture": ..., "grade": ...}} or '
                    f'{{"file": ..., "captions": [...]}} (.jsonl).'
                ) from None
    if not lines:
        raise QueryError(f"{path} holds no judgments; write one a line.")
    return lines


def _tabbed(line: str) -> Iterator[Line]:
    query, picture, *rest = line.split("\t")
    yield _line(query, picture, float(rest[0]) if rest else 1.0)


def _object(line: str) -> Iterator[Line]:
    found = json.loads(line)
    if "captions" in found:
        texts = found["captions"]
        for text in texts if isinstance(texts, list) else [texts]:
            yield _line(text, found["file"], 1.0)
    else:
        yield _line(found["query"], found["picture"], float(found.get("grade", 1)))


def _line(query: object, picture: object, grade: float) -> Line:
    if not isinstance(query, str) or not isinstance(picture, str):
        raise TypeError
    if not query.strip() or not picture.strip() or not 0 <= grade <= _HIGHEST_GRADE:
        raise ValueError
    return query.strip(), picture.strip(), grade
