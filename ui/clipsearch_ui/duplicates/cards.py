"""What the page says of each picture of a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clipsearch.names import to_stored
from clipsearch.types import Because, Copy, DuplicateGroup
from clipsearch_ui.address import address
from clipsearch_ui.engine import Engine
from clipsearch_ui.text import pictures, size

MOST_COPIES = 24
"""Of a group with more, so many are drawn beside the one to keep."""

_REASONS: dict[Because, str] = {
    "pixels": "the most pixels",
    "sharpness": "the sharpest",
    "age": "the oldest file",
    "order": "indexed first",
}

_ROWS = "SELECT id, root, path, content_hash FROM images WHERE id IN ({ids})"

Row = dict[str, Any]


def cards(engine: Engine, groups: Sequence[DuplicateGroup], first: int) -> list[dict[str, Any]]:
    """What the script draws of groups, the first of which has this number."""
    shown = [(group.keep, *group.also[:MOST_COPIES]) for group in groups]
    ids = sorted(copy.id for copies in shown for copy in copies)
    found = engine.index.sql(_ROWS.format(ids=", ".join(map(str, ids)))).to_pylist() if ids else []
    rows = {row["id"]: row for row in found}
    return [
        {
            "number": number,
            "about": f"{pictures(1 + len(group.also))}, {size(group.spare_bytes)} could go",
            "copies": [_card(engine, copy, rows, group) for copy in copies],
            "more": 1 + len(group.also) - len(copies),
        }
        for number, (group, copies) in enumerate(zip(groups, shown, strict=True), first)
    ]


def _card(engine: Engine, copy: Copy, rows: dict[int, Row], group: DuplicateGroup) -> dict[str, Any]:
    row = rows.get(copy.id)
    place = to_stored(copy.path)
    folder, _, name = (row["path"] if row else place).rpartition("/")
    return {
        "id": copy.id,
        "keep": copy is group.keep,
        "note": _note(copy, rows, group) if row else "gone since",
        "thumbnail": address(engine.key, "thumbnails", copy.id, row["content_hash"]) if row else "",
        "name": name,
        "folder": f"{row['root']}/{folder}" if row else folder,
        "place": place,
        "facts": f"{copy.width} × {copy.height} · {size(copy.bytes)}",  # noqa: RUF001 - so people write it
    }


def _note(copy: Copy, rows: dict[int, Row], group: DuplicateGroup) -> str:
    if copy is group.keep:
        return _REASONS[group.because]
    kept = rows.get(group.keep.id)
    if kept is not None and rows[copy.id]["content_hash"] == kept["content_hash"]:
        return "equal byte for byte"
    return f"similarity {copy.similarity:.3f}"
