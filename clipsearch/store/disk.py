"""A disk that is full or lets nobody write, told in a sentence."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clipsearch.errors import ClipsearchError, DiskFull, UsageError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)
_SAYS_FULL = ("no space left on device", "disk quota exceeded", "file too large", "not enough space on the disk")


@contextmanager
def disk_errors(index: Path) -> Iterator[None]:
    """Turn what the system, DuckDB, Arrow or FAISS raise in this context for want of space into `DiskFull`.

    Raises:
        DiskFull: there is no room left.
        UsageError: the folder or a file in it may not be written.
    """
    try:
        yield
    except ClipsearchError:
        raise
    except Exception as error:
        number = error.errno if isinstance(error, OSError) else None
        # DuckDB and FAISS have the system's message in their own, and no number.
        if number in _FULL or any(words in str(error).lower() for words in _SAYS_FULL):
            raise DiskFull(
                f"The disk is full while {index} is being written; free some space and start again: what was stored "
                "before is kept, and the next run goes on from there."
            ) from error
        if number in _CLOSED and isinstance(error, OSError) and str(index) in str(error.filename):
            raise UsageError(
                f"{index} cannot be written to ({error.strerror}); name another place with --index DIR."
            ) from error
        raise
