"""The whole list of groups as a file, made when somebody asks for it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict
from io import StringIO
from pathlib import Path

from clipsearch_ui.duplicates.look import Look

_COLUMNS = ("group", "role", "because", "id", "path", "width", "height", "bytes", "similarity")


def as_json(look: Look, index: Path) -> Iterator[bytes]:
    """One JSON object as `clipsearch duplicates --json` prints it, a group a line, piece by piece."""
    groups, asked = look.groups, look.asked
    head = {"index": str(index), "level": asked.level, "threshold": asked.threshold}
    summary = {"groups": len(groups), "spare": groups.spare, "spare_bytes": groups.spare_bytes}
    yield json.dumps(head)[:-1].encode() + b', "groups": ['
    for number, line in enumerate(groups.lines()):
        yield (b",\n" if number else b"\n") + line
    yield b'\n], "summary": ' + json.dumps(summary).encode() + b"}\n"


def as_csv(look: Look) -> Iterator[bytes]:
    """A line for each picture of each group, the one to keep first; paths are the bytes they are on the disk."""
    lines = StringIO()
    writer = csv.DictWriter(lines, _COLUMNS, restval="")
    writer.writeheader()
    for number, group in enumerate(look.groups, 1):
        writer.writerow({"group": number, "role": "keep", "because": group.because} | asdict(group.keep))
        writer.writerows({"group": number, "role": "also"} | asdict(copy) for copy in group.also)
        yield lines.getvalue().encode("utf-8", "surrogateescape")
        lines.seek(0)
        lines.truncate()
    yield lines.getvalue().encode()
