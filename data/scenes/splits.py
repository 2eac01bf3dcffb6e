"""Which combinations of things and backgrounds are kept out of training.

A combination is decided by a hash of its two names, so the split needs no stored list and does
not move when the vocabulary grows.
"""

import hashlib
from collections.abc import Iterable

HELD_OUT_SHARE = 0.12

# Combinations the demo queries ask for; no training scene shows them.
DEMO_PAIRS: frozenset[tuple[str, str]] = frozenset(
    {
        ("dog", "snow"),
        ("car", "beach"),
        ("rocket", "space"),
        ("cat", "room"),
        ("balloon", "city street"),
        ("sailboat", "open sea"),
        ("horse", "meadow"),
        ("shark", "underwater"),
        ("camel", "desert"),
        ("butterfly", "forest"),
        ("cow", "farm"),
        ("ufo", "city at night"),
    }
)


def _share(first: str, second: str) -> float:
    """Deterministic number in [0, 1) for an unordered pair of names."""
    digest = hashlib.sha256("|".join(sorted((first, second))).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def held_out(first: str, second: str) -> bool:
    """Whether a thing-background or thing-thing combination is kept for evaluation."""
    return (first, second) in DEMO_PAIRS or _share(first, second) < HELD_OUT_SHARE


def combinations(things: Iterable[str], place: str) -> list[tuple[str, str]]:
    """All thing-background and thing-thing pairs of one scene."""
    names = list(things)
    pairs = [(name, place) for name in names]
    pairs += [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    return pairs


def is_training_scene(things: Iterable[str], place: str) -> bool:
    """Whether none of the scene's combinations is held out."""
    return not any(held_out(*pair) for pair in combinations(things, place))
