"""Commands that look: `info`, `failures`, `sql`, `models`."""

from __future__ import annotations

import csv as csv_format
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from clipsearch.cli.options import (
    Device,
    DeviceOption,
    Engine,
    EngineOption,
    IndexOption,
    JsonOption,
    OfflineOption,
    ProgressKind,
    ProgressOption,
)
from clipsearch.errors import UsageError


def info(index: IndexOption = None, json: JsonOption = False) -> None:
    """Say what an index holds, which model made it, and where its pictures are."""
    from dataclasses import asdict

    from clipsearch.cli.locate import find_index
    from clipsearch.cli.render import json_text, plural, print_table, search_index, size
    from clipsearch.query.index import Index

    with Index(find_index(index)) as opened:
        found = opened.info()
    if json:
        print(json_text(asdict(found)))
        return
    print(f"{found.path}: {plural(found.pictures, 'picture')}, {plural(found.failures, 'failure')}")
    print(f"model {found.model} ({found.dim} dimensions, fingerprint {found.fingerprint[:12]})")
    print(f"engine on the CPU: {found.engine or 'to be measured when many pictures are embedded'}")
    held = f"{plural(found.segments, 'segment')}, {size(found.bytes)}"
    print(f"version {found.version}, published {found.published_at}, {held}")
    print(f"search: {search_index(found.trained)}\n")
    rows = [[r.alias, r.pictures, "online" if r.online else "offline", r.path] for r in found.roots]
    print_table(["root", "pictures", "state", "folder"], rows, right=["pictures"])


def failures(
    retry: Annotated[bool, typer.Option("--retry", help="Try to index them again now.")] = False,
    index: IndexOption = None,
    device: DeviceOption = Device.auto,
    engine: EngineOption = Engine.auto,
    offline: OfflineOption = False,
    progress: ProgressOption = ProgressKind.auto,
    json: JsonOption = False,
) -> None:
    """List pictures that could not be read, each with its reason."""
    from clipsearch.cli.locate import find_index
    from clipsearch.cli.render import json_text, plural, print_table
    from clipsearch.query.index import Index

    place = find_index(index)
    with Index(place) as opened:
        found = opened.failures()
        sources = _sources(found, {root.alias: root.path for root in opened.info().roots})
    if retry and sources:
        _retry(place, sources, progress, device=device.value, engine=engine.value, offline=offline, as_json=json)
        return
    if json:
        print(json_text({"failures": found}))
    elif not found:
        print("No failures.")
    else:
        print_table(
            ["reason", "root", "path", "message"], [[f["reason"], f["root"], f["path"], f["message"]] for f in found]
        )
        print(f"\n{plural(len(found), 'failure')}. Try again with `clipsearch failures --retry`.", file=sys.stderr)


def _sources(found: Sequence[dict[str, Any]], roots: dict[str, Path]) -> list[str]:
    """Files behind failures; a failed row of a Parquet file stands for the file."""
    import re

    from clipsearch.names import from_stored

    files = [(f["root"], re.sub(r"#\d+/\d+$", "", f["path"])) for f in found]
    return [str(roots[root] / from_stored(path)) for root, path in dict.fromkeys(files)]


def _retry(
    place: Path,
    sources: Sequence[str],
    progress: ProgressKind,
    *,
    device: str,
    engine: str,
    offline: bool,
    as_json: bool,
) -> None:
    from clipsearch.cli.commands.index import print_report
    from clipsearch.cli.progress import shown_progress
    from clipsearch_indexer import build

    with shown_progress(progress) as listen:
        report = build(
            sources, place, device=device, engine=engine, offline=offline, retry_failures=True, progress=listen
        )
    print_report(report, as_json=as_json)


def sql(
    statement: Annotated[str, typer.Argument(metavar="SELECT", help="One DuckDB SELECT; the main view is `images`.")],
    index: IndexOption = None,
    json: JsonOption = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Ask the metadata catalog in SQL. Read-only, and without access to files or network."""
    from clipsearch.cli.locate import find_index
    from clipsearch.cli.render import json_text, print_table
    from clipsearch.query.index import Index

    if json and csv:
        raise UsageError("--json and --csv exclude each other; choose one.")
    with Index(find_index(index)) as opened:
        table = opened.sql(statement)
    # A result may have two columns of one name, so rows are lists here and not dictionaries.
    rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    if json:
        print(json_text({"rows": [dict(zip(table.column_names, row, strict=True)) for row in rows]}))
    elif csv:
        csv_format.writer(sys.stdout, lineterminator="\n").writerows([table.column_names, *rows])
    else:
        print_table(table.column_names, rows)


def models(json: JsonOption = False) -> None:
    """List the model presets: licence, languages, size, published retrieval, measured speed."""
    from dataclasses import asdict

    from clipsearch.cli.render import json_text, print_table
    from clipsearch.models import PRESETS, preset_table

    if json:
        print(json_text({"models": [asdict(preset) for preset in PRESETS.values()]}))
        return
    rows = preset_table()
    # What is a sentence or a long name would not fit into a row of a terminal.
    columns = [title for title in rows[0] if title not in ("Model", "In short")]
    print_table(columns, [[row[title] for title in columns] for row in rows], right=columns[3:])
    for row in rows:
        print(f"\n{row['Preset']}: {row['Model']}\n  {row['In short']}")
    print("\nAny other model of open_clip: ARCHITECTURE/TAG, ARCHITECTURE:CHECKPOINT, hf-hub:ORG/NAME or a folder.")
    print("Any dual encoder of transformers (pip install 'clipsearch[hf]'): hf:ORG/NAME or a folder.")
