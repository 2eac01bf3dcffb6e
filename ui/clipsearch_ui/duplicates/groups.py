"""Groups of duplicates as they are found: any number of them, in a file without a name."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from dataclasses import asdict
from itertools import pairwise
from tempfile import TemporaryFile
from threading import Lock
from weakref import finalize

from clipsearch.types import Copy, DuplicateGroup

_AT_ONCE = 512


class Groups:
    """Groups in the order they came in. One thread adds, others look; in memory are eight bytes a group.

    Attributes:
        spare: how many pictures there are beside those to keep.
        spare_bytes: how many bytes these have.
    """

    def __init__(self) -> None:
        self._file, self._lock = TemporaryFile(), Lock()  # noqa: SIM115 - closed with the last who looks at it
        finalize(self, self._file.close)
        self._ends = array("q", [0])
        self.spare = self.spare_bytes = 0

    def __len__(self) -> int:
        return len(self._ends) - 1

    def add(self, group: DuplicateGroup) -> None:
        """Put a group behind the others."""
        line = json.dumps(asdict(group)).encode("ascii")
        with self._lock:
            self._file.seek(self._ends[-1])
            self._file.write(line)
            self.spare += len(group.also)
            self.spare_bytes += group.spare_bytes
            self._ends.append(self._ends[-1] + len(line))

    def between(self, start: int, stop: int) -> list[DuplicateGroup]:
        """The groups from one place to another, or as far as there are any."""
        return [_group(line) for line in self._lines(start, stop)]

    def __iter__(self) -> Iterator[DuplicateGroup]:
        for start in range(0, len(self), _AT_ONCE):
            yield from self.between(start, start + _AT_ONCE)

    def lines(self) -> Iterator[bytes]:
        """Each group as a line of JSON, without its end."""
        for start in range(0, len(self), _AT_ONCE):
            yield from self._lines(start, start + _AT_ONCE)

    def _lines(self, start: int, stop: int) -> list[bytes]:
        with self._lock:
            ends = self._ends[start : stop + 1]
            if len(ends) < 2:
                return []
            self._file.seek(ends[0])
            read = self._file.read(ends[-1] - ends[0])
        return [read[one - ends[0] : other - ends[0]] for one, other in pairwise(ends)]


def _group(line: bytes) -> DuplicateGroup:
    read = json.loads(line)
    return DuplicateGroup(Copy(**read["keep"]), tuple(Copy(**copy) for copy in read["also"]), read["because"])
