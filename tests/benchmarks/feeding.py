"""How many pictures a second could reach a model: `python -m tests.benchmarks.feeding [--pictures 3000]`.

A GPU is as quick as what it is fed by. This indexes JPEGs of 640 x 480 with an encoder that takes no time, and prints
the processor time that a picture costs the decoders, of which there is one a core, and the process with the model, of
which there is one. Run it from the root of the repository.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np

import clipsearch
from clipsearch.pictures import isolated
from clipsearch.types import Pixels, Preprocessing, Vectors
from clipsearch_indexer.bench.pictures import make_pictures
from clipsearch_indexer.timing import Timing

RUNS = 5
DIM = 512
PREPROCESSING = Preprocessing(224, 224)


class NoEncoder:
    """Answers with drawn vectors at once."""

    name = fingerprint = "no-encoder"
    dim, preprocessing, logit_scale, logit_bias = DIM, PREPROCESSING, 100.0, None
    batch_size = 256

    def __init__(self) -> None:
        self._drawn = np.random.default_rng(0)

    def encode_images(self, pixels: Pixels) -> Vectors:
        """Unit vectors, float32 [n, 512]."""
        drawn = self._drawn.normal(size=(len(pixels), DIM)).astype(np.float32)
        return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)

    def encode_texts(self, texts: list[str]) -> Vectors:
        """The same for texts."""
        return self.encode_images(np.empty((len(texts), 0)))


@contextmanager
def own_time(spent: list[float]) -> Iterator[None]:
    """Add the processor time of this process, all its threads, while an index's pictures go through it."""
    whole = Timing.whole

    @contextmanager
    def watched(timing: Timing) -> Iterator[None]:
        before = time.process_time()
        with whole(timing):
            yield
        spent.append(time.process_time() - before)

    Timing.whole = watched  # type: ignore[method-assign]
    try:
        yield
    finally:
        Timing.whole = whole  # type: ignore[method-assign]


def decoders_time() -> float:
    """Processor time of the decoders that there were so far, which end now."""
    isolated._end_spare()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=3000)
    parser.add_argument("--call", type=int, default=256, help="pictures a call; the first few take new memory")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    given = parser.parse_args()
    own, decoding = [], []
    with tempfile.TemporaryDirectory() as place:
        pictures = Path(place, "pictures")
        make_pictures(pictures, given.pictures, sizes=[(640, 480)])
        for number in range(RUNS):
            before = decoders_time()
            with own_time(own):
                index = Path(place, f"{number}")
                clipsearch.build(pictures, index, encoder=NoEncoder(), workers=given.workers, batch_size=given.call)
            decoding.append(decoders_time() - before)
    ours, theirs = (1000 * median(spent) / given.pictures for spent in (own, decoding))
    print(f"{given.pictures:,} pictures, {given.call} a call, {given.workers} decoders; medians of {RUNS}\n")
    print("| of a picture | ms of a processor | pictures a second |\n|---|---|---|")
    print(f"| a decoder, for each core | {theirs:.2f} | {1000 / theirs:,.0f} |")
    print(f"| the process with the model | {ours:.2f} | {1000 / ours:,.0f} |")
    print(f"\nThe process with the model keeps up with {theirs / ours:.0f} decoders.")


if __name__ == "__main__":
    main()
