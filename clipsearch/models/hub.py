"""Files of the Hugging Face Hub: from the cache of this machine, else downloaded into it.

The cache is the usual one, shared with every other program (`HF_HOME` and `HF_HUB_CACHE` move it).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

# The Hub's library, which reads it when it is imported, would report versions of Python and torch with each download.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

_PATIENCE = 10.0
"""Seconds to wait for the Hub's first answer."""


class FetchFailed(Exception):
    """A file is not in the cache and could not be downloaded; the message is the reason, as half a sentence."""


def fetch(repo: str, filenames: Sequence[str], *, offline: bool) -> Path:
    """Return the local path of the first of `filenames` that `repo` has.

    A file in the cache is taken without touching the network, even if another one of `filenames` would be preferred.
    Raises FetchFailed.
    """
    cached = (cached_file(repo, filename) for filename in filenames)
    if found := next((path for path in cached if path), None):
        return found
    if offline:
        raise FetchFailed("nothing is downloaded in offline mode")
    return _download(repo, filenames)


def fetch_folder(repo: str, patterns: Sequence[str], *, known: str) -> Path:
    """Download every file of `repo` whose name matches one of `patterns`, as far as it is not in the cache.

    `known` is a file that the repository must have. All files are of one revision. Returns the folder they lie in.
    Raises FetchFailed.
    """
    from huggingface_hub import snapshot_download

    try:
        _ask(repo, known)
        return Path(snapshot_download(repo, allow_patterns=list(patterns)))
    except Exception as error:  # as in `_download`
        raise FetchFailed(_reason(repo, error)) from error


def cached_file(repo: str, filename: str) -> Path | None:
    """Where the cache has a file of `repo`, or None.

    The layout is documented (huggingface.co/docs/huggingface_hub/guides/manage-cache); the library's own function
    takes a third of a second to import, in every search.
    """
    from huggingface_hub import constants

    storage = Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"
    try:
        revision = (storage / "refs" / "main").read_text("utf-8").strip()
    except OSError:
        return None
    file = storage / "snapshots" / revision / filename
    return file if file.is_file() else None


def _download(repo: str, filenames: Sequence[str]) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    for filename in filenames:
        try:
            _ask(repo, filename)
            return Path(hf_hub_download(repo, filename))
        except LocalEntryNotFoundError as error:  # the line went dead after the first answer
            raise FetchFailed(_reason(repo, error)) from error
        except EntryNotFoundError:
            continue
        # Which exceptions mean "no connection" depends on the HTTP client, which differs between versions of the
        # Hub's library; and whatever it is, the file is not here.
        except Exception as error:
            raise FetchFailed(_reason(repo, error)) from error
    raise FetchFailed(f"the repository {repo} has no {' or '.join(filenames)}")


def _ask(repo: str, filename: str) -> None:
    """One question with a short patience: downloads alone retry a dead network for minutes."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    get_hf_file_metadata(hf_hub_url(repo, filename), timeout=_PATIENCE)


def _reason(repo: str, error: Exception) -> str:
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    if isinstance(error, GatedRepoError):
        return f"the repository {repo} asks you to log in and accept its terms first"
    if isinstance(error, RepositoryNotFoundError):
        return f"the Hugging Face Hub has no public repository {repo}"
    if isinstance(error, EntryNotFoundError) and not isinstance(error, LocalEntryNotFoundError):
        return f"the repository {repo} has not all the files of a model"
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full"
    if isinstance(error, HfHubHTTPError):
        return f"the Hugging Face Hub answered with an error: {str(error).splitlines()[0]}"
    if isinstance(error, PermissionError):
        return f"the cache folder cannot be written: {error.filename}"
    return "the Hugging Face Hub cannot be reached"
