"""Merging segments, so that many small batches do not stay many small folders.

Adjacent published segments are merged the way a log-structured merge tree does it (O'Neil et al. 1996): a newer run is
folded into the next older segment once it has grown to half its size, so each row is rewritten O(log n) times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from clipsearch.store.catalog import Catalog
from clipsearch.store.layout import Layout
from clipsearch.store.manifest import Manifest, SegmentRef
from clipsearch.store.schema import FAILURE_SCHEMA, ROW_SCHEMA, folded
from clipsearch.store.segments import (
    FAILURES,
    REMOVALS,
    ROWS,
    SegmentDraft,
)
from clipsearch.store.vectors import load_vectors
from clipsearch.types import Ids, StoredVectors

LARGEST = 1_000_000
"""Rows above which a segment is left as it is."""

_FEWEST = 16
_BATCH = 16384


def tail_to_merge(segments: Sequence[SegmentRef]) -> list[SegmentRef]:
    """The newest adjacent segments worth merging now, in log order; empty when there are too few."""
    taken: list[SegmentRef] = []
    total = 0
    for segment in reversed(segments):
        if total + segment.rows > LARGEST or (taken and segment.rows > 2 * max(total, 1)):
            break
        taken.append(segment)
        total += segment.rows
    return taken[::-1] if len(taken) >= _FEWEST else []


def runs_to_compact(segments: Sequence[SegmentRef]) -> list[list[SegmentRef]]:
    """All segments as adjacent runs of at most `LARGEST` rows each (or one segment)."""
    runs: list[list[SegmentRef]] = []
    total = 0
    for segment in segments:
        if not runs or total + segment.rows > LARGEST:
            runs.append([])
            total = 0
        runs[-1].append(segment)
        total += segment.rows
    return runs


def merge_segments(
    layout: Layout, manifest: Manifest, catalog: Catalog, run: Sequence[SegmentRef]
) -> SegmentRef | None:
    """Write one segment with the live rows of `run`, adjacent segments of a published version.

    Rows that were replaced or removed are dropped; so are removals when nothing older is left for them to act on.
    Returns None where the segments' columns have types that do not go together.
    """
    schema = _common_schema(layout, run)
    if schema is None:
        return None
    draft = SegmentDraft(layout, run[0].first, run[-1].last, manifest.model.dim)
    try:
        for rows, vectors in _live_rows(layout, catalog, run):
            draft.append(_conform(rows, schema), vectors)
        oldest = run[0].first == manifest.segments[0].first
        removals = _concat(layout, run, REMOVALS)
        return draft.commit(
            removals.slice(0, 0) if oldest else removals,
            _standing(catalog, _concat(layout, run, FAILURES)),
            model=manifest.model,
            roots=manifest.roots,
            next_id=manifest.next_id,
            empty_schema=schema,
        )
    except pa.ArrowInvalid:  # a value that the common type cannot hold
        draft.discard()
        return None
    except BaseException:
        draft.discard()
        raise


def live_offsets(catalog: Catalog, segment: str) -> tuple[Ids, Ids]:
    """Ids and vector offsets (both int64 [n], by offset) of the rows of a segment that the catalog still points at."""
    table = catalog.arrow(
        f"SELECT id, segment_offset FROM pictures WHERE segment = '{segment}' ORDER BY segment_offset"
    ).read_all()
    return table["id"].to_numpy(), table["segment_offset"].to_numpy()


def _live_rows(layout: Layout, catalog: Catalog, run: Sequence[SegmentRef]) -> Iterator[tuple[pa.Table, StoredVectors]]:
    for segment in run:
        _, offsets = live_offsets(catalog, segment.name)
        vectors = load_vectors(layout, segment.name)
        start = 0
        with pq.ParquetFile(layout.segments / segment.name / ROWS) as file:
            for batch in file.iter_batches(_BATCH):
                first, last = np.searchsorted(offsets, (start, start + batch.num_rows))
                live = offsets[first:last]
                yield pa.table(batch).take(pa.array(live - start)), np.asarray(vectors[live])
                start += batch.num_rows


def _common_schema(layout: Layout, run: Sequence[SegmentRef]) -> pa.Schema | None:
    schemas = [pq.read_schema(layout.segments / s.name / ROWS).remove_metadata() for s in run if s.rows]
    spelling: dict[str, str] = {}
    schemas = [pa.schema([f.with_name(spelling.setdefault(folded(f.name), f.name)) for f in s]) for s in schemas]
    try:
        common = pa.unify_schemas([ROW_SCHEMA, *schemas], promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return None
    # Arrow holds text and bytes in bytes, the catalog in text.
    text_as_bytes = any(
        pa.types.is_string(f.type) and not pa.types.is_string(common.field(f.name).type) for s in schemas for f in s
    )
    return None if text_as_bytes else common


def _conform(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    present = {folded(name): column for name, column in zip(rows.column_names, rows.columns, strict=True)}
    columns = [
        present[folded(field.name)].cast(field.type)
        if folded(field.name) in present
        else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _concat(layout: Layout, run: Sequence[SegmentRef], name: str) -> pa.Table:
    return pa.concat_tables([pq.read_table(layout.segments / s.name / name) for s in run])


def _standing(catalog: Catalog, failures: pa.Table) -> pa.Table:
    """Of recorded failures, those the catalog still lists: inside one merged segment there is no before and after."""
    if failures.num_rows == 0:
        return failures
    standing = {(row["root"], row["path"], row["failed_at"]) for row in catalog.failures()}
    keep = [(row["root"], row["path"], row["failed_at"]) in standing for row in failures.to_pylist()]
    return failures.filter(pa.array(keep, pa.bool_())).cast(FAILURE_SCHEMA)


def removed_ids(layout: Layout, segments: Sequence[str]) -> Ids:
    """Ids that the given segments remove, int64 [n]."""
    found = [pc.drop_null(pq.read_table(layout.segments / s / REMOVALS)["id"]).to_numpy() for s in segments]
    return np.concatenate([np.empty(0, np.int64), *found])
