"""Computed columns in the catalog: columns of `pictures` under a name of their own, shown in `images` by their name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from clipsearch.store.duck import Connection
from clipsearch.store.manifest import ComputedRef
from clipsearch.store.schema import COMPUTED, VIEWED, folded
from clipsearch.store.sql import quote

_HIDDEN = ("mtime_ns", "image_column", "perceptual_hash", "segment", "segment_offset")


def apply_computed(
    db: Connection, folder: Path, wanted: Sequence[ComputedRef], before: Sequence[ComputedRef], fresh: Sequence[str]
) -> None:
    """Make a catalog that has the sets `before` have the sets `wanted`, whose files are in `folder`.

    Rows of the segments `fresh` have no values of the sets that stay, and get them.
    """
    for ref in before:
        if ref not in wanted:
            for column in ref.columns:
                db.execute(f"ALTER TABLE pictures DROP COLUMN {_stored(column)}")
    for ref in wanted:
        file = str(folder / ref.file.name)
        if ref not in before:
            _add(db, ref, file)
        elif fresh:
            _fill(db, ref, file, "list_contains($segments, pictures.segment)", segments=list(fresh))


def _add(db: Connection, ref: ComputedRef, file: str) -> None:
    described = db.execute("DESCRIBE SELECT * FROM read_parquet($file)", {"file": file}).fetchall()
    kinds = {name: kind for name, kind, *_ in described}
    for column in ref.columns:
        db.execute(f"ALTER TABLE pictures ADD COLUMN {_stored(column)} {kinds[column]}")
    _fill(db, ref, file, "true")


def _fill(db: Connection, ref: ComputedRef, file: str, condition: str, **parameters: object) -> None:
    values = ", ".join(f"{_stored(column)} = computed.{quote(column)}" for column in ref.columns)
    db.execute(
        f"UPDATE pictures SET {values} FROM read_parquet($file) AS computed "
        f"WHERE pictures.id = computed.id AND {condition}",
        {"file": file, **parameters},
    )


def define_images(db: Connection, computed: Iterable[ComputedRef] = ()) -> None:
    """Define the view `images`. A column that a source brought later under the name of a computed one becomes
    `source_NAME` there, as one does that is named like a column of ours."""
    ours = {folded(column): column for ref in computed for column in ref.columns}
    names = [name for name, *_ in db.execute("DESCRIBE pictures").fetchall()]
    taken = {folded(name) for name in names}
    shown = {_stored(column): quote(column) for column in ours.values()}
    for name in names:
        if folded(name) in ours:
            free = f"source_{name}"
            while folded(free) in taken | ours.keys():
                free = f"source_{free}"
            taken.add(folded(free))
            shown[quote(name)] = quote(free)
    left_out = ", ".join((*_HIDDEN, *shown))
    # An index made before there was such a column may have one of a source by its name.
    viewed = {made: name for name, made in VIEWED.items() if name not in taken}
    further = ", ".join(f"{made} AS {name}" for made, name in (viewed | shown).items())
    db.execute(f"CREATE OR REPLACE VIEW images AS SELECT * EXCLUDE ({left_out}), {further} FROM pictures")


def _stored(column: str) -> str:
    return quote(COMPUTED + column)
