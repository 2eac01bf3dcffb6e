"""How long ten labels take on made-up vectors once a model is there, until they are published.

    python -m tests.benchmarks.labels --rows 100000

from the repository's root.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

import clipsearch
from clipsearch.labels.prompts import read_templates
from clipsearch.types import Vectors
from tests.made_up import made_index
from tests.toy import ToyEncoder

DIM, LABELS = 512, 10


class _Random(ToyEncoder):
    """The toy encoder, of `DIM` numbers; texts are directions at random."""

    def __init__(self) -> None:
        super().__init__()
        self.name, self.fingerprint, self.dim = "made up", "made-up-1", DIM

    def encode_texts(self, texts: list[str]) -> Vectors:
        found = np.random.default_rng(len(texts)).normal(size=(len(texts), DIM)).astype(np.float32)
        return found / np.linalg.norm(found, axis=1, keepdims=True)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    given = parser.parse_args()
    vectors = np.random.default_rng(0).normal(size=(given.rows, DIM)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "made-up.index"
        made_index(index, vectors).close()
        sentences = read_templates("simple")  # comes with open_clip, which a model would have loaded
        print(f"| {LABELS} labels, {given.rows:,} vectors of {DIM} | seconds |\n|---|---|")
        for title, each in (("the best of each picture", False), ("and a column for each label", True)):
            began = time.perf_counter()
            clipsearch.label(
                index, [f"thing {n}" for n in range(LABELS)], templates=sentences, each=each, encoder=_Random()
            )
            print(f"| {title} | {time.perf_counter() - began:.1f} |")


if __name__ == "__main__":
    main()
