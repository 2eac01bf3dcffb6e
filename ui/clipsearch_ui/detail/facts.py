"""What the index knows of one picture, as names and values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from clipsearch.names import to_stored
from clipsearch.store.schema import ROW_SCHEMA, VIEWED
from clipsearch_ui.detail.cells import clamped, in_words, moment
from clipsearch_ui.detail.world_map import place_in_words
from clipsearch_ui.text import size

LABELS = "labels"
"""The column that holds what a picture was labelled with, where there is one."""

_OURS = {*ROW_SCHEMA.names, *VIEWED, LABELS}


def facts(row: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, str]]:
    """Names and values of what every picture has, and of every further column of its source; empty ones are left out.

    Args:
        row: the picture's row of the `images` view.
        folder: the folder that its file is in.
    """
    latitude, longitude = row["latitude"], row["longitude"]
    ours = (
        ("Path", row["path"]),
        ("Folder", to_stored(str(folder))),
        ("Size", _size(row)),
        ("Format", row["format"]),
        ("Taken", _time(row["taken_at"], "")),
        ("Camera", row["camera"]),
        ("Place", "" if latitude is None or longitude is None else place_in_words(latitude, longitude)),
        ("File changed", _time(row["mtime"], " UTC")),
        ("Indexed", _time(row["indexed_at"], " UTC")),
        ("Id", str(row["id"])),
    )
    further = ((name, in_words(value)) for name, value in row.items() if name not in _OURS)
    return ((name, value) for name, value in (*ours, *further) if value)


def place_on_disk(row: Mapping[str, Any], file: Path) -> str:
    """Where a picture is, as text: its file, or its Parquet file with row group and row."""
    inside = "" if row["file"] else f"#{row['row_group']}/{row['row']}"
    return to_stored(str(file)) + inside


def labels(row: Mapping[str, Any], computed: Iterable[str] = ()) -> list[str]:
    """What a picture was labelled with: texts, or texts with a score, from the column `labels` of its source, and from
    each of the sets of `computed` columns that is one of labels."""
    given = row.get(LABELS)
    own = given if isinstance(given, list) else []
    ours = ({"label": row.get(name), "score": row.get(f"{name}_probability")} for name in computed)
    return [label for one in (*own, *(one for one in ours if isinstance(one["label"], str))) if (label := _label(one))]


def listed(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values as an HTML list; long values open at a click."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{clamped(value)}</dd>" for name, value in pairs)
    return f'<dl class="facts">{rows}</dl>'


def _label(label: object) -> str:
    if isinstance(label, Mapping):
        score = label.get("score")
        name = in_words(label.get("label"))
        return f"{name} {score:.2f}" if name and isinstance(score, float | int) else name
    return label.strip() if isinstance(label, str) else ""


def _size(row: Mapping[str, Any]) -> str:
    width, height, count = row["width"], row["height"], row["bytes"]
    pixels = f"{width:,} x {height:,} pixels" if width and height else ""
    return ", ".join(part for part in (pixels, size(count) if count is not None else "") if part)


def _time(value: datetime | None, zone: str) -> str:
    return moment(value) + zone if value else ""
