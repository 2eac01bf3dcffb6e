"""An indexing run in a process of its own, slow enough to be killed in every phase.

    python slow_run.py FOLDER INDEX [SECONDS A BATCH]

Prints one line a batch (pictures embedded so far) and, at the end, the report as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from toy import ToyEncoder

import clipsearch
from clipsearch.types import Pixels, Vectors
from clipsearch_indexer import pace

pace.PUBLISH_SHARE = 0  # publish after every batch, however long that takes


class SlowEncoder(ToyEncoder):
    """Takes its time, and says how far it is."""

    def __init__(self, pause: float) -> None:
        super().__init__()
        self.pause = pause

    def encode_images(self, pixels: Pixels) -> Vectors:
        time.sleep(self.pause)
        print(f"embedding {len(pixels)}", flush=True)
        return super().encode_images(pixels)


def main(folder: str, index: str, pause: str = "0.004") -> None:
    report = clipsearch.build(
        Path(folder), index, encoder=SlowEncoder(float(pause)), workers=1, batch_size=8, publish_every=0
    )
    print("report", json.dumps(asdict(report), default=str), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
