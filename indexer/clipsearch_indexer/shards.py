"""Parquet files of a run's sources: which rows of each are to be looked at."""

from __future__ import annotations

from pathlib import Path

from clipsearch.errors import ShardDamaged, SourceError
from clipsearch.names import from_stored
from clipsearch.pictures.parquet import inspect_shard
from clipsearch_indexer.candidates import Shard
from clipsearch_indexer.plan import Plan
from clipsearch_indexer.roots import Targets
from clipsearch_indexer.settings import Settings


def shards_to_do(plan: Plan, targets: Targets, settings: Settings) -> tuple[list[Shard], list[str]]:
    """Parquet files with rows to look at, and notes on those that were left out.

    Raises:
        SourceError: a Parquet file named by the user cannot be used.
    """
    bases = {target.root: target.base for target in targets.targets}
    named = {(t.root, file) for t in targets.targets if t.kind == "shards" for file in t.files}
    with_pictures = plan.counts()[0] > 0
    shards, notes = [], []
    for root, path, mtime_ns in plan.shards():
        is_named = (root, path) in named
        try:
            shard = _shard(plan, root, bases[root], path, mtime_ns, settings)
        except SourceError as error:
            if is_named:
                raise
            notes.append(str(error))
            if isinstance(error, ShardDamaged):
                plan.mark_damaged(root, path, str(error))
            continue
        if shard.layout.kind == "path" and with_pictures and not is_named:
            # Its pictures would be found twice: as files, and as rows of this table.
            notes.append(
                f"{path} names pictures by path; its columns were left out. To use them, index it by itself: "
                f"clipsearch index {shard.base / from_stored(path)}"
            )
            continue
        shards.append(shard)
    return shards, notes


def _shard(plan: Plan, root: str, base: Path, path: str, mtime_ns: int, settings: Settings) -> Shard:
    layout = inspect_shard(
        base / from_stored(path), image_column=settings.image_column, caption_column=settings.caption_column
    )
    stored = plan.shard_rows(root, path)
    if settings.retry_failures:
        stored = {place: row for place, row in stored.items() if row.id is not None}
    for place in [p for p in stored if p[0] >= len(layout.group_rows) or p[1] >= layout.group_rows[p[0]]]:
        plan.mark_vanished(root, path, stored.pop(place), place)
    total = sum(layout.group_rows)
    current = sum(row.mtime_ns == mtime_ns for row in stored.values()) if layout.kind != "path" else 0
    return Shard(root, base, path, mtime_ns, layout, stored, total - current, total, settings.keep_missing)
