"""Search pictures by meaning.

    import clipsearch

    clipsearch.build("~/Pictures", "photos.index")
    index = clipsearch.open("photos.index")
    for hit in index.search("two dogs in the snow", k=5):
        print(hit.score, hit.path)

    from clipsearch import image, text

    index.search(text("horse") + 0.5 * image("savanna.jpg") - 0.4 * text("grass"), where="width > 2000")

Importing this costs nothing: torch, FAISS and DuckDB are loaded when they are first needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clipsearch.errors import ClipsearchError
    from clipsearch.evaluation import evaluate
    from clipsearch.labels import (
        label,
        label_from_examples,
        score,
        score_from_ratings,
        suggest_tags,
        update_columns,
    )
    from clipsearch.query.filters import Filter
    from clipsearch.query.index import Index
    from clipsearch.query.index import Index as open  # noqa: A004, N813 - clipsearch.open(...) is the API
    from clipsearch.query.results import Results
    from clipsearch.query.terms import Query, image, stored, text, vector
    from clipsearch.store.check import repair, verify
    from clipsearch.store.every_space import list_spaces
    from clipsearch.store.switching import drop_space, switch_spaces
    from clipsearch.training import train
    from clipsearch.types import Encoder, Hit, IndexReport
    from clipsearch_indexer import add_space, build, import_vectors

__version__ = "0.1.0"

__all__ = [
    "ClipsearchError",
    "Encoder",
    "Filter",
    "Hit",
    "Index",
    "IndexReport",
    "Query",
    "Results",
    "add_space",
    "build",
    "drop_space",
    "evaluate",
    "image",
    "import_vectors",
    "label",
    "label_from_examples",
    "list_spaces",
    "open",
    "repair",
    "score",
    "score_from_ratings",
    "stored",
    "suggest_tags",
    "switch_spaces",
    "text",
    "train",
    "update_columns",
    "vector",
    "verify",
]

_HOMES = {
    "ClipsearchError": ("clipsearch.errors", "ClipsearchError"),
    "Encoder": ("clipsearch.types", "Encoder"),
    "Filter": ("clipsearch.query.filters", "Filter"),
    "Hit": ("clipsearch.types", "Hit"),
    "Index": ("clipsearch.query.index", "Index"),
    "IndexReport": ("clipsearch.types", "IndexReport"),
    "Query": ("clipsearch.query.terms", "Query"),
    "Results": ("clipsearch.query.results", "Results"),
    "add_space": ("clipsearch_indexer", "add_space"),
    "build": ("clipsearch_indexer", "build"),
    "drop_space": ("clipsearch.store.switching", "drop_space"),
    "evaluate": ("clipsearch.evaluation", "evaluate"),
    "image": ("clipsearch.query.terms", "image"),
    "import_vectors": ("clipsearch_indexer", "import_vectors"),
    "label": ("clipsearch.labels", "label"),
    "label_from_examples": ("clipsearch.labels", "label_from_examples"),
    "score": ("clipsearch.labels", "score"),
    "score_from_ratings": ("clipsearch.labels", "score_from_ratings"),
    "list_spaces": ("clipsearch.store.every_space", "list_spaces"),
    "open": ("clipsearch.query.index", "Index"),
    "repair": ("clipsearch.store.check", "repair"),
    "suggest_tags": ("clipsearch.labels", "suggest_tags"),
    "stored": ("clipsearch.query.terms", "stored"),
    "switch_spaces": ("clipsearch.store.switching", "switch_spaces"),
    "text": ("clipsearch.query.terms", "text"),
    "train": ("clipsearch.training", "train"),
    "update_columns": ("clipsearch.labels", "update_columns"),
    "vector": ("clipsearch.query.terms", "vector"),
    "verify": ("clipsearch.store.check", "verify"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'clipsearch' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)
