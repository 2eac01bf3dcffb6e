"""A reader in a process of its own: searches until told to stop, and checks every answer against the snapshot it is of.

    python reader.py INDEX

Prints `ready`, then at the end of its standard input a JSON object with what it saw.
"""

from __future__ import annotations

import json
import select
import sys
import time

import numpy as np
from toy import ToyEncoder

import clipsearch

COLOURS = ["red", "green", "blue", "white", "black", "orange"]


def check(index: clipsearch.Index, encoder: ToyEncoder, colour: str) -> None:
    """One search has to agree with brute force over all vectors of the same snapshot."""
    hits = index.search(colour, k=15)
    ids = [row["id"] for row in index.sql("select id from images").to_pylist()]
    assert len(ids) == len(index), (len(ids), len(index))
    assert len(hits) == min(15, len(ids))
    scores = index.vectors(ids).astype(np.float32) @ encoder.encode_texts([colour])[0]
    by_id = dict(zip(ids, scores.tolist(), strict=True))
    assert all(abs(hit.score - by_id[hit.id]) < 1e-5 for hit in hits)
    np.testing.assert_allclose([hit.score for hit in hits], np.sort(scores)[::-1][:15], atol=1e-5)
    for hit in hits:
        assert hit.path.endswith(hit.metadata["path"])


def main(path: str) -> None:
    encoder = ToyEncoder()
    long_lived = clipsearch.open(path, encoder=encoder)
    check(long_lived, encoder, "red")
    versions, slowest, searches = set(), 0.0, 0
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        colour = COLOURS[searches % len(COLOURS)]
        began = time.monotonic()
        if searches % 2:
            long_lived.refresh()
        check(long_lived, encoder, colour)
        with clipsearch.open(path, encoder=encoder) as fresh:
            check(fresh, encoder, colour)
            versions.add(fresh.info().version)
        slowest = max(slowest, time.monotonic() - began)
        searches += 2
    print(json.dumps({"versions": sorted(versions), "slowest": slowest, "searches": searches}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
