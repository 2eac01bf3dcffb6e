"""How quickly this machine indexes: whole runs with each engine, each in a process of its own.

For example
    [row] = bench_index(models=["mini"], engines=["onnx"])
    print(row.images_per_second, row.share)
"""

from clipsearch_indexer.bench.pictures import SIZES, make_pictures
from clipsearch_indexer.bench.run import IndexBench, bench_index

__all__ = ["SIZES", "IndexBench", "bench_index", "make_pictures"]
