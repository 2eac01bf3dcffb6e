"""Every error clipsearch raises on purpose.

    ClipsearchError
    ├── UsageError              the call itself is wrong (the command line exits with 2)
    ├── IndexNotFound           no index where one was looked for
    ├── IndexBusy               another process is writing to the index
    ├── IndexDamaged            a file of the index is missing or fails its checksum
    ├── DiskFull                there is no room left to write the index
    ├── SourceError             a folder or Parquet source cannot be indexed at all
    │   └── ShardDamaged        a Parquet file cannot be read
    ├── PictureError            one picture cannot be read; a run records it and goes on
    ├── ModelError              a model cannot be named, found, downloaded or loaded
    │   ├── ModelUnavailable    its weights are neither here nor downloadable
    │   └── ModelMismatch       it is not the model the index was made with
    └── QueryError              a query or an SQL statement cannot be answered

Messages are one sentence that says what to do next. Libraries raise; only the command line prints.
"""

from __future__ import annotations

from typing import Literal

FailureReason = Literal[
    "empty",
    "unreadable",
    "not a picture",
    "truncated",
    "corrupt",
    "too large",
    "too slow",
    "crashed",
    "missing",
    "bad vector",
]


class ClipsearchError(Exception):
    """Base of everything raised on purpose by clipsearch."""


class UsageError(ClipsearchError):
    """The call itself is wrong: contradictory or missing arguments."""


class IndexNotFound(ClipsearchError):
    """There is no index where one was looked for."""


class IndexBusy(ClipsearchError):
    """Another process is writing to the index."""


class IndexDamaged(ClipsearchError):
    """A file of the index is missing or does not match its checksum."""


class DiskFull(ClipsearchError):
    """There is no room left on the disk that the index is being written to."""


class SourceError(ClipsearchError):
    """A source cannot be indexed at all."""


class ShardDamaged(SourceError):
    """A Parquet file cannot be read, or breaks off in the middle."""


class PictureError(ClipsearchError):
    """One picture cannot be read.

    `reason` is one of a few fixed words that can be grouped and filtered by; `str(error)` is the whole sentence.
    """

    def __init__(self, reason: FailureReason, message: str) -> None:
        super().__init__(message)
        self.reason: FailureReason = reason


class ModelError(ClipsearchError):
    """A model cannot be named, found, downloaded or loaded."""


class ModelUnavailable(ModelError):
    """The weights of a model are neither on this machine nor downloadable."""


class ModelMismatch(ModelError):
    """The model in hand is not the model the index was made with."""


class QueryError(ClipsearchError):
    """A query or an SQL statement cannot be answered."""
