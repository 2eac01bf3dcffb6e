"""Values and tables as text."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clipsearch.types import ImportReport, IndexReport, RunTiming, TrainedInfo


def size(count: float) -> str:
    """A number of bytes as a person reads it: 1.2 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def plural(count: int, noun: str) -> str:
    """A number with its noun: 1 picture, 2 pictures."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def index_line(report: IndexReport | ImportReport) -> str:
    """What there is after a run: how many pictures, made with which model."""
    how = "Interrupted; what was done is kept. " if report.interrupted else ""
    return f"{how}{plural(report.total, 'picture')} in the index, made with {report.model}."


def time_lines(timing: RunTiming) -> list[str]:
    """Where a run's time went, and what held it up."""
    return [
        f"Time: the model waited for pictures {timing.wait:.0%}, embedded {timing.encode:.0%}, waited for the disk "
        f"{timing.write:.0%}; {plural(timing.workers, 'decoder')} read {timing.read:.0%} of the time, decoded "
        f"{timing.decode:.0%}.",
        timing.bottleneck,
    ]


def search_index(trained: TrainedInfo | None) -> str:
    """What searching an index is like: the kind of search index, and what was measured when it was made."""
    if trained is None:
        return "exact, every vector is looked at"
    return (
        f"{trained.recipe}, {trained.probes} of {trained.lists:,} lists; recall of the ten nearest "
        f"{trained.recall_pictures:.3f} by picture, {trained.recall_texts:.3f} by text; {trained.milliseconds:.1f} ms "
        f"a query, {trained.bytes_per_vector:.0f} bytes a vector"
    )


def one_line(value: object) -> str:
    """A value as one line of printable text: a file name may hold newlines and control characters."""
    text = "" if value is None else str(value)
    return "".join(c if c.isprintable() or "\udc80" <= c <= "\udcff" else repr(c)[1:-1] for c in text)


def json_text(value: object) -> str:
    """JSON for anything a catalog column may hold."""
    return json.dumps(plain(value), indent=2)


def plain(value: Any) -> Any:
    """JSON's own types: dates in ISO 8601, bytes in Base64, not-a-number and infinities as null."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if value == value and abs(value) != float("inf") else None
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes():
            return base64.b64encode(value).decode()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return str(value)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """A table for a terminal; elsewhere lines of tab-separated values, never cut short."""
    if not sys.stdout.isatty():
        print("\t".join(columns))
        for row in rows:
            print("\t".join(one_line(value) for value in row))
        return
    from rich.console import Console  # takes as long to load as a search
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        # The end of a path says more than its beginning; folding shows both.
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(value)) for value in row))
    Console().print(table)
