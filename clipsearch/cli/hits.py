"""Answers to queries on a terminal, as paths, as JSON and as tables for other programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipsearch.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from clipsearch.query.results import Results
    from clipsearch.types import Hit

_COLUMNS = ("score", "relevance", "id", "path", "caption", "size")
_CAPTIONS_FIRST = ("score", "relevance", "caption", "id", "path")
_RIGHT = ("score", "relevance", "id", "size")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one query found, and the part of it that is shown. `asked` is the query as it was typed."""

    asked: Mapping[str, Any]
    found: Results
    shown: Results

    @property
    def name(self) -> str:
        """One of many queries, as its line or file names it."""
        return str(self.asked.get("text", self.asked.get("image")))

    @property
    def hidden(self) -> int:
        """How many hits are not shown."""
        return len(self.found) - len(self.shown)


@dataclass(frozen=True, slots=True)
class Output:
    """The form of the answer: a table to read where nothing else is chosen.

    Raises:
        UsageError: more than one is chosen.
    """

    json: bool
    csv: bool
    parquet: Path | None
    paths: bool
    null: bool

    def __post_init__(self) -> None:
        chosen = {"--json": self.json, "--csv": self.csv, "--parquet": self.parquet is not None}
        chosen["--paths"] = self.paths or self.null
        names = [name for name, wanted in chosen.items() if wanted]
        if len(names) > 1:
            raise UsageError(f"{' and '.join(names)} exclude each other; choose one.")

    def print(self, answers: Sequence[Answer], index: Path, *, many: bool, of_captions: bool = False) -> None:
        """Print the answer to a query, or to `many`: then JSON is one line a query, and tables begin with the query.
        Where captions were searched, tables to read have them before the pictures."""
        from clipsearch.cli.output import print_csv, write_parquet
        from clipsearch.cli.render import json_text, plain

        if self.json and many:
            for answer in answers:
                print(json.dumps(plain(_as_json(answer, index))))
        elif self.json:
            print(json_text(_as_json(answers[0], index)))
        elif self.csv:
            print_csv(_table(answers, many=many))
        elif self.parquet is not None:
            write_parquet(_table(answers, many=many), self.parquet)
        elif self.paths or self.null:
            print_paths([hit for answer in answers for hit in answer.shown], end=b"\0" if self.null else b"\n")
        elif many:
            _print_many(answers, _CAPTIONS_FIRST if of_captions else _COLUMNS)
        elif len(answers[0].shown) or not len(answers[0].found):
            print_hits(answers[0].shown, _CAPTIONS_FIRST if of_captions else _COLUMNS)


def print_paths(hits: Sequence[Hit], *, end: bytes) -> None:
    """Paths as the bytes the file system knows, whatever their encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(b"".join(os.fsencode(hit.path) + end for hit in hits))
    sys.stdout.buffer.flush()


def print_hits(hits: Sequence[Hit], columns: Sequence[str] = _COLUMNS) -> None:
    """Score, relevance, id, path, caption and size of each hit, or those of them that are named."""
    from clipsearch.cli.render import print_table

    print_table(columns, [_cells(hit, columns) for hit in hits], right=_RIGHT)


def print_notes(answers: Sequence[Answer], *, next_page: bool) -> None:
    """Say on standard error what is not shown, and with `next_page` how to go on."""
    hidden = sum(answer.hidden for answer in answers)
    if answers and answers[0].found.plan.survivors == 0:
        print("No picture passes the filter; `clipsearch sql` shows what there is to filter by.", file=sys.stderr)
    if hidden and not any(len(answer.shown) for answer in answers):
        print(f"Nothing relevant; --all lists the {hidden:,} nearest.", file=sys.stderr)
    elif hidden:
        print(f"{hidden:,} more below the cut-off are not shown; --all lists them.", file=sys.stderr)
    if next_page and answers[0].found.cursor is not None:
        print(f"Next page: --page {answers[0].found.cursor}", file=sys.stderr)


def _print_many(answers: Sequence[Answer], columns: Sequence[str]) -> None:
    from clipsearch.cli.render import print_table

    rows = [[answer.name, *_cells(hit, columns)] for answer in answers for hit in answer.shown]
    print_table(["query", *columns], rows, right=_RIGHT)


def _cells(hit: Hit, columns: Sequence[str]) -> list[object]:
    relevance = "" if hit.relevance is None else f"{hit.relevance:.2f}"
    width, height = hit.metadata["width"], hit.metadata["height"]
    size = f"{width}x{height}" if width else ""  # unknown of a vector that was imported without its picture
    cells = {"score": f"{hit.score:.3f}", "relevance": relevance, "id": hit.id, "path": hit.path, "size": size}
    cells["caption"] = hit.metadata["caption"]
    return [cells[name] for name in columns]


def _as_json(answer: Answer, index: Path) -> dict[str, Any]:
    hits = [
        {"id": hit.id, "path": hit.path, "score": hit.score, "relevance": hit.relevance}
        | {"relative_path": hit.metadata["path"]}
        | {name: value for name, value in hit.metadata.items() if name not in ("id", "path")}
        for hit in answer.shown
    ]
    return {
        "query": answer.asked,
        "index": str(index),
        "hits": hits,
        "hidden": answer.hidden,
        "cursor": answer.found.cursor,
    }


def _table(answers: Sequence[Answer], *, many: bool) -> pa.Table:
    import pyarrow as pa

    tables = []
    for answer in answers:
        table = answer.shown.to_arrow()
        query = pa.array([answer.name] * len(table), pa.string())
        tables.append(table.add_column(0, "query", query) if many else table)
    return pa.concat_tables(tables)
