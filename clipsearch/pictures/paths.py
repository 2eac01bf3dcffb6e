"""The bytes behind a path."""

from __future__ import annotations

from pathlib import Path

from clipsearch.errors import PictureError


def read_file(path: Path) -> bytes:
    """Read a whole file; raise `PictureError` ("missing" or "unreadable") where that fails."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PictureError("missing", "The file is no longer there; index its folder again.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in a path that came out of a Parquet column
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise PictureError("unreadable", f"The file cannot be read ({why}); check its permissions.") from error
