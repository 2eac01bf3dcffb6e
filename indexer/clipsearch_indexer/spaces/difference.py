"""What a space lacks of the main one, and what it has too much: two catalogs joined in a scratch DuckDB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clipsearch.store.duck import open_writer, select, stream
from clipsearch.store.records import rows_at
from clipsearch.store.schema import COMPUTED, ROW_SCHEMA, STORED_COLUMNS
from clipsearch.store.sql import literal, quote
from clipsearch.types import Ids

_CHUNK = 4096

# A row has the same vector as long as what was embedded is the same. A row that was written again says so by its time.
_EMBEDDED = {"pictures": "content_hash", "captions": "caption"}
_HAS_ANY = {"pictures": "w.content_hash IS NOT NULL", "captions": "trim(w.caption) <> ''"}

_TABLES = """
CREATE TABLE renewed AS
SELECT o.id, o.segment, o.segment_offset FROM own.pictures o JOIN whole.pictures w USING (id)
WHERE w.{embedded} IS NOT DISTINCT FROM o.{embedded}
  AND (w.indexed_at, w.root, w.path) IS DISTINCT FROM (o.indexed_at, o.root, o.path)
ORDER BY o.segment, o.segment_offset;

CREATE TABLE missing AS
SELECT w.id, w.root, w.path, w.file, w.shard, w.row_group, w.row, w.image_column, w.content_hash, w.bytes, w.mtime_ns,
       w.caption
FROM whole.pictures w LEFT JOIN own.pictures o USING (id)
WHERE {has_any} AND (o.id IS NULL OR w.{embedded} IS DISTINCT FROM o.{embedded})
ORDER BY w.root, w.shard NULLS FIRST, w.row_group, w.row, w.path;

CREATE TABLE gone AS
SELECT id FROM own.pictures WHERE id NOT IN (SELECT id FROM whole.pictures w WHERE {kept}) ORDER BY id;
"""


class Difference:
    """How the published catalog `own` of a space differs from that of the main one, `whole`."""

    def __init__(self, scratch: Path, whole: Path, own: Path, of: Literal["pictures", "captions"]) -> None:
        scratch.parent.mkdir(exist_ok=True)
        scratch.unlink(missing_ok=True)
        self._db = open_writer(scratch)
        for name, catalog in (("whole", whole), ("own", own)):
            self._db.execute(f"ATTACH {literal(str(catalog))} AS {name} (READ_ONLY)")
        kept = "true" if of == "pictures" else _HAS_ANY[of]
        self._db.execute(_TABLES.format(embedded=_EMBEDDED[of], has_any=_HAS_ANY[of], kept=kept))
        described = self._db.execute("DESCRIBE whole.pictures").fetchall()
        names = [name for name, *_ in described if name not in STORED_COLUMNS and not name.startswith(COMPUTED)]
        self._columns = ", ".join(quote(name) for name in names)

    def close(self) -> None:
        """Let go of the scratch database."""
        self._db.close()

    def gone(self) -> list[int]:
        """Ids that the main space has no more, or nothing to embed of."""
        return [i for (i,) in self._db.execute("SELECT id FROM gone").fetchall()]

    def renewed(self) -> Iterator[tuple[Ids, list[str], NDArray[np.int64]]]:
        """Ids whose metadata has changed and whose vector has not, with the segment and the offset it lies at, in
        portions."""
        with self._db.cursor() as db:
            for batch in stream(db, "SELECT * FROM renewed", _CHUNK):
                yield batch["id"].to_numpy(), batch["segment"].to_pylist(), batch["segment_offset"].to_numpy()

    def count(self, without: Sequence[str] = ()) -> int:
        """How many pictures are to be embedded, those of the roots `without` left out."""
        [(count,)] = self._db.execute(f"SELECT count(*) FROM missing WHERE {_not_in(without)}").fetchall()
        return int(count)

    def missing(self, without: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
        """What says where to find the pictures (or captions) to be embedded, those of the roots `without` left out;
        files first, then rows of Parquet files in their order."""
        with self._db.cursor() as db:
            for batch in stream(db, f"SELECT * FROM missing WHERE {_not_in(without)}", _CHUNK):
                yield from batch.to_pylist()

    def unseen(self) -> int:
        """How many rows of the main space have nothing that could be embedded: vectors imported without pictures."""
        [(count,)] = self._db.execute(
            "SELECT count(*) FROM whole.pictures w LEFT JOIN own.pictures o USING (id) "
            "WHERE w.content_hash IS NULL AND o.id IS NULL"
        ).fetchall()
        return int(count)

    def failures(self) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
        """Failures the main space has recorded and this one has not, and (root, path) of those it has too much."""
        new = select(self._db, "SELECT * FROM whole.failures EXCEPT SELECT * FROM own.failures ORDER BY root, path")
        healed = self._db.execute(
            "SELECT root, path FROM own.failures EXCEPT SELECT root, path FROM whole.failures ORDER BY ALL"
        ).fetchall()
        return new.to_pylist(), healed

    def rows(self, ids: Sequence[int]) -> pa.Table:
        """The rows of the main space with these ids, in their order, with its columns."""
        listed = ", ".join(map(str, ids)) or "NULL"
        found = select(self._db, f"SELECT {self._columns} FROM whole.pictures WHERE id IN ({listed})")
        there = found["id"].to_numpy()
        places = np.argsort(there)
        ordered = rows_at(found, places[np.searchsorted(there, np.asarray(ids, np.int64), sorter=places)])
        known = {name: ROW_SCHEMA.field(name) for name in ROW_SCHEMA.names}
        return ordered.cast(pa.schema([known.get(field.name, field) for field in ordered.schema]))


def _not_in(roots: Sequence[str]) -> str:
    return f"root NOT IN ({', '.join(map(literal, roots))})" if roots else "true"
