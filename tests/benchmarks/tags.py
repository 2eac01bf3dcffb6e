"""How many suggested tags occur in what people said of the pictures, by standing and by score.

    python -m tests.benchmarks.tags ../shared/data/flickr8k --model mini

from the repository's root. The pictures are those that a folder sets aside, at most 1,000; the vocabulary are the words
that ten captions or more of all its pictures have, without the most common ones.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import clipsearch
from clipsearch.labels import suggest_tags
from clipsearch.models import load_encoder
from clipsearch.training.pairs import Pair, read_pairs

TAGS, PICTURES, LEAST = 8, 1000, 10
COMMON = (
    "a an the of in on at is are with and to his her their it by for from into over up down out as two three while "
    "through that this near one some its another other there who has being next be him each onto they off"
)


def words(caption: str) -> set[str]:
    """The words of a caption that say something."""
    return set(re.findall("[a-z]+", caption.lower())) - set(COMMON.split())


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--model", default="mini")
    asked = parser.parse_args()
    pairs = read_pairs([asked.pairs.resolve()])
    counts = Counter(word for pair in pairs for caption in pair.captions for word in words(caption))
    vocabulary = [word for word, count in counts.most_common() if count >= LEAST]
    shown = [pair for pair in pairs if pair.split != "train" and isinstance(pair.picture, Path)][:PICTURES]
    with tempfile.TemporaryDirectory() as folder:
        report(Path(folder), shown, vocabulary, asked.model)


def report(folder: Path, pairs: Sequence[Pair], vocabulary: Sequence[str], model: str) -> None:
    """Index the pictures, and print the shares."""
    encoder = load_encoder(model)
    clipsearch.build([str(pair.picture) for pair in pairs], folder / "p.index", encoder=encoder)
    files = [str(pair.picture) for pair in pairs]
    found = suggest_tags(folder / "p.index", files, vocabulary, k=len(vocabulary), encoder=encoder)
    print("| words ordered by | of the first 8, in the captions | pictures that have the commonest |\n|---|---|---|")
    for name, key in (("score", lambda tag: -tag.score), ("standing", lambda tag: -(tag.standing or 0))):
        best = [[tag.word for tag in sorted(tags, key=key)[:TAGS]] for tags in found]
        right = sum(
            word in words(" ".join(pair.captions)) for pair, tags in zip(pairs, best, strict=True) for word in tags
        )
        (word, count), *_ = Counter(word for tags in best for word in tags).most_common(1)
        print(f"| {name} | {right / (TAGS * len(pairs)):.1%} | {count / len(pairs):.0%} ({word}) |")


if __name__ == "__main__":
    main()
