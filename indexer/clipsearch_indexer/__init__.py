"""Sources of pictures into index segments.

    resolve -> roots -> plan -> candidates -> prepare -> batches -> (clipsearch.store) segments -> publish

`build` is the way in.
"""

from clipsearch_indexer.build import build
from clipsearch_indexer.progress import Progress

__all__ = ["Progress", "build"]
