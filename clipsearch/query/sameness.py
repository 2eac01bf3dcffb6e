"""Whether two pictures are one picture saved twice: resized, compressed again, trimmed, brightened."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clipsearch.errors import QueryError
from clipsearch.store.snapshot import Snapshot
from clipsearch.types import Ids

LEAST_COSINE = 0.93
"""Below this cosine of two embeddings pictures are not the same, however alike they look in 64 bits."""

_BITS = 20.0
"""How many of the 64 bits may differ where the embeddings are equal."""

_BITS_PER_COSINE = 150.0
"""How many bits fewer may differ for each 1.0 that the cosine is below 1."""

_COUNTS = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.uint8)


def same_picture(
    cosines: ArrayLike,
    hashes: NDArray[np.int64],
    others: NDArray[np.int64],
    *,
    threshold: float = LEAST_COSINE,
) -> NDArray[np.bool_]:
    """Whether pictures are near-duplicates of others, by what two independent witnesses say together.

    Args:
        cosines: cosine of the two embeddings, float [...].
        hashes: perceptual hash of the one, int64 [...].
        others: perceptual hash of the other, int64 [...].
        threshold: the least cosine, -1..1.

    All broadcast against one another. The embedding knows what is shown, but takes two pictures of a motif for one; the
    hash knows where light and dark are, but trimming a picture moves them. So the closer the embeddings, the more bits
    may differ: at most 20 - 150 (1 - cosine). Both numbers and the default threshold are fitted to made copies of
    photos (`tests/benchmarks/duplicates.py`, docs/duplicates.md).
    """
    agreed = np.asarray(cosines, dtype=np.float32)
    allowed = _BITS - _BITS_PER_COSINE * (1 - agreed)
    same: NDArray[np.bool_] = (agreed >= threshold) & (differing_bits(hashes, others) <= allowed)
    return same


SEEN = "content_hash IS NOT NULL"
"""SQL condition on a picture: somebody has seen it. Vectors may be imported without their pictures."""


def differing_bits(hashes: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Hamming distance of perceptual hashes, int64 [...] against int64 [...], broadcast; uint8 [...], 0..64."""
    differing = np.asarray(np.bitwise_xor(hashes, others))
    counts = _COUNTS[np.ascontiguousarray(differing).reshape(-1, 1).view(np.uint8)]
    distances: NDArray[np.uint8] = counts.sum(axis=1, dtype=np.uint8).reshape(differing.shape)
    return distances


def perceptual_hashes(snapshot: Snapshot, ids: Sequence[int] | Ids) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Perceptual hashes of existing pictures, int64 [n], in the order of `ids`, and which of them were ever seen,
    bool [n]: of a vector that was imported without its picture the hash is 0 and means nothing.

    Raises:
        QueryError: a picture has none.
    """
    wanted = np.asarray(ids, dtype=np.int64)
    if not len(wanted):
        return np.empty(0, np.int64), np.empty(0, np.bool_)
    listed = ", ".join(map(str, wanted.tolist()))
    columns = f"perceptual_hash, {SEEN}"
    rows = snapshot.catalog.fetch(f"SELECT id, {columns} FROM pictures WHERE id IN ({listed})")
    found = {picture: (hash_ if seen else 0, seen) for picture, hash_, seen in rows}
    hashes, seen = zip(*(found[i] for i in wanted.tolist()), strict=True)
    require_hashes(sum(one is None for one in hashes))
    return np.array(hashes, dtype=np.int64), np.array(seen, dtype=np.bool_)


def require_hashes(missing: int) -> None:
    """Refuse to tell near-duplicates where pictures were written without a perceptual hash.

    Raises:
        QueryError: `missing` is above zero.
    """
    if missing:
        raise QueryError(
            f"Near-duplicates cannot be told: {missing:,} of the pictures asked about have no perceptual hash; index "
            f"their folders again into a new index with `clipsearch index FOLDER --index DIR`."
        )
