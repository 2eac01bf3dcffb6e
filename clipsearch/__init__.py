"""Search pictures by meaning.

    import clipsearch

    clipsearch.build("~/Pictures", "photos.index")
    index = clipsearch.open("photos.index")
    for hit in index.search("two dogs in the snow", k=5):
        print(hit.score, hit.path)

Importing this costs nothing: torch, FAISS and DuckDB are loaded when they are first needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clipsearch.errors import ClipsearchError
    from clipsearch.query.index import Index
    from clipsearch.query.index import Index as open  # noqa: A004, N813 - clipsearch.open(...) is the API
    from clipsearch.store.check import repair, verify
    from clipsearch.types import Encoder, Hit, IndexReport
    from clipsearch_indexer import build

__version__ = "0.1.0"

__all__ = [
    "ClipsearchError",
    "Encoder",
    "Hit",
    "Index",
    "IndexReport",
    "build",
    "open",
    "repair",
    "verify",
]

_HOMES = {
    "ClipsearchError": ("clipsearch.errors", "ClipsearchError"),
    "Encoder": ("clipsearch.types", "Encoder"),
    "Hit": ("clipsearch.types", "Hit"),
    "Index": ("clipsearch.query.index", "Index"),
    "IndexReport": ("clipsearch.types", "IndexReport"),
    "build": ("clipsearch_indexer", "build"),
    "open": ("clipsearch.query.index", "Index"),
    "repair": ("clipsearch.store.check", "repair"),
    "verify": ("clipsearch.store.check", "verify"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'clipsearch' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)
