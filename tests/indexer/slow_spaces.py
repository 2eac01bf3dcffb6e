"""An indexing run with two models in a process of its own, slow enough to be killed while the second space follows.

    python slow_spaces.py FOLDER INDEX

Prints a line for each batch of the second model and, at the end, `done`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import clipsearch
from clipsearch.types import Pixels, Vectors
from clipsearch_indexer import pace
from tests.query.two_spaces import OtherEncoder
from tests.toy import ToyEncoder

pace.PUBLISH_SHARE = 0  # publish after every batch, however long that takes


class SlowEncoder(OtherEncoder):
    """Takes its time, and says how far it is."""

    def encode_images(self, pixels: Pixels) -> Vectors:
        print(f"embedding {len(pixels)}", flush=True)
        time.sleep(0.02)
        return super().encode_images(pixels)


def main(folder: str, index: str) -> None:
    models = [ToyEncoder(), SlowEncoder()]
    clipsearch.build(Path(folder), index, encoder=models, workers=1, batch_size=8, publish_every=0)
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
