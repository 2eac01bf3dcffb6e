"""Which names in a folder are pictures, which are Parquet, and which are nobody's pictures."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal

from clipsearch.pictures.parquet import PICTURE_SUFFIXES, SHARD_SUFFIXES

FileKind = Literal["picture", "shard"]

_JUNK = frozenset(
    {
        "$recycle.bin",
        "recycler",
        "system volume information",
        "lost+found",
        "__macosx",
        "@eadir",
        "@recycle",
        "@recently-snapshot",
        "@tmp",
        "#recycle",
        "#snapshot",
        "node_modules",
        "__pycache__",
    }
)


def file_kind(name: str) -> FileKind | None:
    """Tell by its extension what a file is; None for what cannot be indexed."""
    suffix = PurePath(name).suffix.lower()
    if suffix in PICTURE_SUFFIXES:
        return "picture"
    return "shard" if suffix in SHARD_SUFFIXES else None


def is_skipped(name: str) -> bool:
    """Whether a file or directory is hidden, or left behind by an operating system, a NAS or a developer's tool."""
    return name.startswith(".") or name.lower() in _JUNK
