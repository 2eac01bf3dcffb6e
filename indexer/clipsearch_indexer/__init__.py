"""Sources of pictures into index segments.

    resolve -> roots -> plan -> candidates -> prepare -> batches -> (clipsearch.store) segments -> publish

`build` is the way in, and `import_vectors` for vectors that are there already.
"""

from clipsearch_indexer.build import build
from clipsearch_indexer.progress import Progress
from clipsearch_indexer.vectors import import_vectors

__all__ = ["Progress", "build", "import_vectors"]
