"""Sources of pictures into index segments.

    resolve -> roots -> plan -> candidates -> prepare -> batches -> (clipsearch.store) segments -> publish

`build` is the way in, `import_vectors` for vectors that are there already, `add_space` for a further model.
"""

from clipsearch_indexer.build import build
from clipsearch_indexer.progress import Progress
from clipsearch_indexer.spaces import add_space
from clipsearch_indexer.vectors import import_vectors

__all__ = ["Progress", "add_space", "build", "import_vectors"]
