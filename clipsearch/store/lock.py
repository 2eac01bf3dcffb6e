"""One writer at a time; readers hold leases that keep their version's files on the disk."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from clipsearch.errors import IndexBusy, UsageError
from clipsearch.store.layout import Layout

try:
    import fcntl
except ImportError:  # Windows refuses to delete an open file, which is all a lease is for.
    fcntl = None  # type: ignore[assignment]


@contextmanager
def writer_lock(layout: Layout) -> Iterator[None]:
    """Hold the index for writing. The operating system lets go of it if this process dies.

    Raises:
        IndexBusy: another process holds it; the message names it.
        UsageError: the index directory cannot be written to.
    """
    from filelock import FileLock, Timeout  # readers need none

    lock = FileLock(layout.lock)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise IndexBusy(f"{layout.path} is being written by {_holder(layout)}; wait for it or stop it.") from None
    except OSError as error:
        raise UsageError(
            f"{layout.path} cannot be written to ({error.strerror}); name another place with --index DIR."
        ) from None
    try:
        layout.holder.write_text(
            json.dumps(
                {
                    "pid": os.getpid(),
                    "host": socket.gethostname(),
                    "since": datetime.now().isoformat(timespec="seconds"),
                    "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200],
                }
            )
        )
        yield
    finally:
        layout.holder.unlink(missing_ok=True)
        lock.release()


def _holder(layout: Layout) -> str:
    try:
        held = json.loads(layout.holder.read_text())
        return f"process {held['pid']} on {held['host']} since {held['since']} (`{held['command']}`)"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def take_lease(path: Path) -> IO[bytes] | None:
    """Open a manifest with a shared lock that keeps its version from being collected; closing it lets go.

    Returns None when the file was collected in between; the caller then looks at `CURRENT` again.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_SH)
        except OSError:  # a file system without locks: better a reader without a lease than none
            return file
        if os.fstat(file.fileno()).st_nlink == 0:
            file.close()
            return None
    return file


def collect(path: Path) -> bool:
    """Delete a manifest nobody has a lease on. Returns whether it is gone."""
    try:
        with path.open("rb") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
                return True
        path.unlink()
        return True
    except FileNotFoundError:
        return True
    except OSError:  # somebody reads it
        return False
