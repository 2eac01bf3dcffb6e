"""Vectors that others made into index segments.

    tables -> compare -> (look, unit, rows) -> (clipsearch.store) segments -> publish

`import_vectors` is the way in.
"""

from clipsearch_indexer.vectors.run import import_vectors

__all__ = ["import_vectors"]
