"""Hits for other programs, as CSV and as Parquet, and how a search was done."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipsearch.cli.new_file import new_file

if TYPE_CHECKING:
    import pyarrow as pa

    from clipsearch.store.nearest import Plan

CsvOption = Annotated[bool, typer.Option("--csv", help="Print CSV: score, relevance and every column.")]
ParquetOption = Annotated[
    Path | None,
    typer.Option(
        "--parquet",
        metavar="FILE",
        help="Write a new Parquet file: score, relevance and every column.",
        show_default=False,
    ),
]
ExplainOption = Annotated[
    bool, typer.Option("--explain", help="Say on standard error how the search was done and how long it took.")
]


def print_csv(hits: pa.Table) -> None:
    """Print a table of hits, as `Results.to_arrow` makes it, with a line of column names.

    Dates are ISO 8601, bytes Base64, lists and structures JSON; what is unknown is empty.
    """
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(hits.column_names)
    for batch in hits.to_batches(max_chunksize=1024):
        cells = (_cells(name, column) for name, column in zip(batch.schema.names, batch.columns, strict=True))
        writer.writerows(zip(*cells, strict=True))


def _cells(name: str, column: pa.Array) -> Iterator[object]:
    import numpy as np
    import pyarrow as pa

    from clipsearch.names import from_stored

    single = pa.types.is_float32(column.type)
    for value in column.to_pylist():
        if value is None:
            yield ""
        elif name == "path":  # a file name goes out as the bytes the file system knows
            yield from_stored(value)
        else:
            # The shortest decimal that is this float32: 0.31, not 0.3100000023841858.
            yield str(np.float32(value)) if single else _cell(value)


def _cell(value: Any) -> object:
    from clipsearch.cli.render import plain

    simple = plain(value)
    return json.dumps(simple, ensure_ascii=False) if isinstance(simple, bool | list | dict) else simple


def write_parquet(hits: pa.Table, target: Path) -> None:
    """Write a table of hits, as `Results.to_arrow` makes it, into a new Parquet file.

    Raises:
        UsageError: the file is there already, or its folder is not.
    """
    import pyarrow.parquet as pq

    with new_file(target, "--parquet") as file:
        pq.write_table(hits, file)


def print_explain(plan: Plan) -> None:
    """Print on standard error how a search was done: plan, survivors of the filter, candidates, milliseconds a step."""
    rows = [("plan", plan.name)]
    if plan.survivors is not None:
        rows.append(("survivors", f"{plan.survivors:,} passed the filter"))
    rows.append(("candidates", f"{plan.candidates:,} scored exactly"))
    rows += [(step, f"{ms:.2f} ms") for step, ms in plan.steps]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}", file=sys.stderr)
