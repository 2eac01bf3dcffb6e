"""Learn the byte-pair merges of mini's tokenizer from scene captions and Flickr8k captions.

    python data/train_tokenizer.py --photos ../shared/data/flickr8k --out clipsearch/models/mini

writes ``bpe_simple_vocab.txt.gz`` in the format of open_clip's SimpleTokenizer (Sennrich et al. 2016, on
UTF-8 bytes).
"""

import argparse
import gzip
import itertools
import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from random import Random

from open_clip.tokenizer import bytes_to_unicode
from scenes.captions import training_caption
from scenes.places import PLACES, TIMES, WEATHERS
from scenes.scene import random_scene
from scenes.things import COLOURS, things

VOCABULARY = 6000  # 2 x 256 bytes, the merges, 2 special tokens
_WORD = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|[^\s\w]+")

Symbols = tuple[str, ...]
Pair = tuple[str, str]


def vocabulary_words() -> list[str]:
    """Every phrase of the scene vocabulary, so that each of its words gets a token of its own."""
    found = list(COLOURS)
    for thing in things().values():
        found += [thing.name, thing.plural, *thing.synonyms, *thing.categories]
    for place in PLACES.values():
        found += [*place.where, *place.nouns]
    for phrases in (*TIMES.values(), *WEATHERS.values()):
        found += phrases
    return found


def count_words(photos: Path, scenes: int) -> Counter[str]:
    """Lower-case words and their frequency over both sources."""
    rng = Random(11)
    texts = [training_caption(random_scene(seed, "train"), rng) for seed in range(scenes)]
    for line in (photos / "captions.jsonl").read_text().splitlines():
        record = json.loads(line)
        if record["split"] == "train":
            texts += record["captions"]
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(_WORD.findall(text.lower()))
    for phrase in vocabulary_words():
        for word in _WORD.findall(phrase.lower()):
            counts[word] += 50
    return counts


def _merge(word: Symbols, pair: Pair) -> Symbols:
    out, i = list[str](), 0
    while i < len(word):
        if i + 1 < len(word) and (word[i], word[i + 1]) == pair:
            out.append(word[i] + word[i + 1])
            i += 2
        else:
            out.append(word[i])
            i += 1
    return tuple(out)


def learn_merges(counts: Counter[str], wanted: int) -> list[Pair]:
    """The ``wanted`` most frequent successive pair merges; ties go to the alphabetically first pair."""
    byte = bytes_to_unicode()
    words: list[Symbols] = []
    weights: list[int] = []
    for text, weight in sorted(counts.items()):
        letters = [byte[b] for b in text.encode()]
        words.append((*letters[:-1], letters[-1] + "</w>"))
        weights.append(weight)
    totals: Counter[Pair] = Counter()
    where: defaultdict[Pair, set[int]] = defaultdict(set)
    for index, word in enumerate(words):
        for pair in itertools.pairwise(word):
            totals[pair] += weights[index]
            where[pair].add(index)
    merges: list[Pair] = []
    while len(merges) < wanted and totals:
        best = min(totals, key=lambda pair: (-totals[pair], pair))
        merges.append(best)
        for index in where.pop(best):
            old, new = words[index], _merge(words[index], best)
            for pair in itertools.pairwise(old):
                totals[pair] -= weights[index]
            for pair in itertools.pairwise(new):
                totals[pair] += weights[index]
                where[pair].add(index)
            words[index] = new
        del totals[best]
        if len(merges) % 500 == 0:
            totals = Counter({pair: n for pair, n in totals.items() if n > 0})
    return merges


def write_merges(path: Path, merges: list[Pair]) -> None:
    """Gzip without time stamp or trailing newline (a last empty line would count as a merge)."""
    text = "\n".join(["#version: clipsearch mini", *(" ".join(pair) for pair in merges)])
    with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
        packed.write(text.encode())


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder with captions.jsonl")
    parser.add_argument("--out", type=Path, required=True, help="model folder")
    parser.add_argument("--scenes", type=int, default=30000)
    args = parser.parse_args()
    merges = learn_merges(count_words(args.photos, args.scenes), VOCABULARY - 2 * 256 - 2)
    args.out.mkdir(parents=True, exist_ok=True)
    write_merges(args.out / "bpe_simple_vocab.txt.gz", merges)
    print(f"{len(merges)} merges")


if __name__ == "__main__":
    main()
