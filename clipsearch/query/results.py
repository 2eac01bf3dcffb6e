"""What a search answers: hits with their metadata, kept in columns until somebody looks at them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clipsearch.names import from_stored, to_stored
from clipsearch.query.relevance import CUT_OFF
from clipsearch.store.nearest import Plan
from clipsearch.store.records import rows_at
from clipsearch.types import Hit, Ids

_ROWS_AT_A_TIME = 1024


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Results(Sequence[Hit]):
    """Hits in their order, as a sequence; `to_arrow` gives all of them as one table without a Python object each.

    Attributes:
        ids: int64 [n].
        scores: cosine of query and picture, float32 [n]; over several spaces as in `clipsearch.query.fusion`.
        relevances: 0..1, float32 [n]; None where the index cannot say.
        metadata: the columns of the `images` view, one row a hit.
        plan: how the search was done.
        cursor: what to give to `search` for the next page; None where there is no more.
    """

    ids: Ids
    scores: NDArray[np.float32]
    relevances: NDArray[np.float32] | None
    metadata: pa.Table
    plan: Plan
    cursor: str | None
    _roots: Mapping[str, Path]

    @property
    def relevant(self) -> Results:
        """Only the hits at or above the relevance cut-off; all of them where the index cannot say."""
        kept = np.flatnonzero(self._above)
        return self if len(kept) == len(self) else self._taken(kept)

    @property
    def nothing_relevant(self) -> bool:
        """Whether there are hits and none of them is relevant: what was asked for is not there."""
        return len(self) > 0 and not self._above.any()

    @property
    def _above(self) -> NDArray[np.bool_]:
        return np.ones(len(self), np.bool_) if self.relevances is None else self.relevances >= CUT_OFF

    def to_arrow(self) -> pa.Table:
        """One row a hit: `id`, `path`, `score` and `relevance` as in `Hit`, then the columns of the `images` view, of
        which `path` is called `relative_path`."""
        columns = {
            "id": self.metadata["id"],
            "path": pa.array(_storable(place(row, self._roots)) for row in self._places()),
            "score": pa.array(self.scores),
            "relevance": pa.nulls(len(self), pa.float32()) if self.relevances is None else pa.array(self.relevances),
            "relative_path": self.metadata["path"],
        }
        for name in self.metadata.column_names:
            if name not in ("id", "path"):
                columns[_free(name, columns)] = self.metadata[name]
        return pa.table(columns)

    def __len__(self) -> int:
        return len(self.ids)

    if TYPE_CHECKING:
        # Only there: `typing` keeps overloads, and with them all of DuckDB, alive beyond the end of the program, of
        # which DuckDB complains on standard error once torch is loaded.
        @overload
        def __getitem__(self, place: int) -> Hit: ...
        @overload
        def __getitem__(self, place: slice) -> Results: ...

    def __getitem__(self, place: int | slice) -> Hit | Results:
        if isinstance(place, slice):
            return self._taken(np.arange(len(self))[place])
        position = range(len(self))[place]
        return self._hit(position, {name: self.metadata[name][position].as_py() for name in self.metadata.column_names})

    def __iter__(self) -> Iterator[Hit]:
        for start in range(0, len(self), _ROWS_AT_A_TIME):
            for offset, row in enumerate(self.metadata.slice(start, _ROWS_AT_A_TIME).to_pylist()):
                yield self._hit(start + offset, row)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Results({list(self[:3])}{f' and {len(self) - 3} more' if len(self) > 3 else ''})"

    def _hit(self, position: int, row: dict[str, Any]) -> Hit:
        relevance = None if self.relevances is None else float(self.relevances[position])
        return Hit(row["id"], float(self.scores[position]), place(row, self._roots), row, relevance)

    def _taken(self, positions: NDArray[np.intp]) -> Results:
        return replace(
            self,
            ids=self.ids[positions],
            scores=self.scores[positions],
            relevances=None if self.relevances is None else self.relevances[positions],
            metadata=rows_at(self.metadata, positions),
        )

    def _places(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.metadata.select(["root", "path", "file"]).to_pylist()
        return rows


def place(row: Mapping[str, Any], roots: Mapping[str, Path]) -> str:
    """Where a row's picture is found: an absolute file path, or `<parquet file>#<row group>/<row>`."""
    return str(roots[row["root"]] / from_stored(row["file"] or row["path"]))


def _storable(path: str) -> str:
    """A path as text that Arrow takes, whatever bytes the file system has in it."""
    return to_stored(path)


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """A Parquet source's own `score` or `relevance` under a name that is free."""
    while name in taken:
        name = f"source_{name}"
    return name
