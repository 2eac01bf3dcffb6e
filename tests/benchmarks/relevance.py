"""Does the relevance cut-off tell what is there from what is not? On the gallery, and on photos where given.

    python tests/benchmarks/relevance.py [--photos ../shared/data/flickr8k] [--model mini]

Every query is asked twice: of the whole collection, and of the collection without the pictures that match it. Queries
for what was never there come on top. Beside the cut-off stands a flat threshold on the cosine, with the value that is
best on these very queries, and with the one that is best on the other collection. `docs/relevance.md` has the tables.

PHOTOS is a folder with `images/` and `captions.jsonl`, one line a photo: {"file", "split", "captions"}; split "dev" is
used.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np

import clipsearch
from clipsearch.models import load_encoder
from clipsearch.models.probes import probe_texts
from clipsearch.pictures import fit, read_picture
from clipsearch.query.embed import text_vectors
from clipsearch.query.relevance import CUT_OFF, relevance
from clipsearch.store.background import Background, measure
from clipsearch.store.probes import Probes
from clipsearch.types import Encoder

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "data"))

from scenes.captions import evaluation_caption  # noqa: E402
from scenes.gallery_plan import gallery_scenes  # noqa: E402
from scenes.places import PLACES  # noqa: E402
from scenes.scene import Scene  # noqa: E402
from scenes.things import Thing, things  # noqa: E402
from scenes.words import article  # noqa: E402

GALLERY = ROOT / "clipsearch/gallery"
MADE_WITH = {"seed": 7, "each_demo": 4, "pictures": 500}  # data/make_gallery.py
TOP = 10  # hits looked at
Mask = np.ndarray


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked, a vector [dim], of what group, and which pictures match it, bool [n]."""

    group: str
    vector: np.ndarray
    matches: Mask
    by_text: bool = True


@dataclass(frozen=True, slots=True)
class Collection:
    """Pictures as vectors [n, dim] with queries about them."""

    name: str
    vectors: np.ndarray
    queries: list[Query]


@dataclass(frozen=True, slots=True)
class Answer:
    """The first hits of one query: cosine, relevance and whether each matches, [k]; `there` if anything matches."""

    group: str
    there: bool
    scores: np.ndarray
    relevances: np.ndarray
    matches: Mask


def embedded(encoder: Encoder, paths: Sequence[Path]) -> np.ndarray:
    """Vectors of picture files as an index stores them, float16 [n, dim]."""
    wanted = encoder.preprocessing
    parts = []
    for start in range(0, len(paths), 64):
        read = [read_picture(path, draft=(wanted.width, wanted.height)).image for path in paths[start : start + 64]]
        parts.append(encoder.encode_images(np.stack([fit(image, wanted) for image in read])))
    return np.concatenate(parts).astype(np.float16)


def listed() -> list[tuple[str, list[re.Pattern[str]]]]:
    """The queries of `relevance_queries.txt` with their words."""
    lines = Path(__file__).with_name("relevance_queries.txt").read_text().splitlines()
    found = []
    for line in (line for line in lines if line and not line.startswith("#")):
        query, _, words = line.partition(" = ")
        found.append((query, [re.compile(rf"\b({part})\b", re.I) for part in words.split(" & ") if part]))
    return found


def absurd(encoder: Encoder, count: int) -> list[Query]:
    """Queries that no picture of either collection matches."""
    vectors = text_vectors(encoder, [query for query, words in listed() if not words])
    return [Query("absurd", vector, np.zeros(count, bool)) for vector in vectors]


def scenes_of(paths: Sequence[Path]) -> list[Scene]:
    """What each gallery picture shows; the number in a file's name tells which scene it is."""
    rng = Random(f"gallery {MADE_WITH['seed']}")
    made = list(islice(gallery_scenes(rng, MADE_WITH["each_demo"], MADE_WITH["pictures"]), MADE_WITH["pictures"]))
    numbers = [int(re.sub(r"\D", "", re.sub(r"^P10", "", path.stem))) for path in paths]
    return [made[(number - 1000) // 7] for number in numbers]


def akin(one: Thing, other: Thing) -> bool:
    """Whether a picture of `other` answers a query for `one`: shared names, or one is a kind of the other."""
    shared = {one.name, *one.synonyms} & {other.name, *other.synonyms}
    return bool(shared) or one.name in other.name.split() or one.name in other.categories or other.name in one.name


def gallery(encoder: Encoder) -> Collection:
    """The shipped gallery: things, things in places, captions, and pictures with the same thing in the same place."""
    paths = sorted(path for path in GALLERY.glob("*/*.[jJ][pP]*[gG]") if path.parent.name != "awkward")
    vectors, scenes = embedded(encoder, paths), scenes_of(paths)
    shown = [{item.thing for item in scene.items} for scene in scenes]
    places = np.array([scene.place for scene in scenes])
    table = things()
    with_kind = {
        name: np.array([any(akin(thing, table[other]) for other in drawn) for drawn in shown])
        for name, thing in table.items()
    }
    pairs = sorted({(item.thing, scene.place) for scene in scenes for item in scene.items})[::3]
    texts = [article(name) for name in table]
    phrases = [f"{article(name)} {PLACES[place].where[0]}" for name, place in pairs]
    captions = [evaluation_caption(scene) for scene in scenes][::4]
    embedded_texts = text_vectors(encoder, [*texts, *phrases, *captions])
    masks = [("concept", mask) for mask in with_kind.values()]
    masks += [("phrase", with_kind[name] & (places == place)) for name, place in pairs]
    masks += [("caption", np.arange(len(paths)) == i) for i in range(0, len(paths), 4)]
    queries = [Query(group, v, mask) for (group, mask), v in zip(masks, embedded_texts, strict=True)]
    for i in range(0, len(paths), 3):
        same = np.array([bool(shown[i] & other) for other in shown]) & (places == places[i])
        if same.sum() > 1:
            queries.append(Query("picture", vectors[i].astype(np.float32), same, by_text=False))
    return Collection("gallery", vectors, [*queries, *absurd(encoder, len(paths))])


def photos(encoder: Encoder, folder: Path) -> Collection:
    """Photos by the words of their captions; a query counts as there if two captions of one photo say so."""
    records = [json.loads(line) for line in (folder / "captions.jsonl").read_text().splitlines()]
    dev = [record for record in records if record["split"] == "dev"]
    asked = [(query, words) for query, words in listed() if words]
    queries = []
    for vector, (_, words) in zip(text_vectors(encoder, [query for query, _ in asked]), asked, strict=True):
        said = np.array([sum(all(w.search(c) for w in words) for c in record["captions"]) for record in dev])
        if said.max() != 1:
            queries.append(Query("concept" if said.any() else "never there", vector, said > 0))
    vectors = embedded(encoder, [folder / "images" / record["file"] for record in dev])
    return Collection("photos", vectors, [*queries, *absurd(encoder, len(dev))])


def answer(query: Query, vectors: np.ndarray, kept: Mask, background: Background) -> Answer:
    """The best hits of a query among the pictures kept, but not the query picture itself."""
    scores = vectors @ query.vector
    allowed = kept if query.by_text else kept & (scores < 1 - 1e-3)
    best = np.argsort(np.where(allowed, -scores, np.inf), kind="stable")[: min(TOP, int(allowed.sum()))]
    found = relevance(background, query.vector, scores[best], vectors[best], int(allowed.sum()), has_text=query.by_text)
    assert found is not None
    return Answer(query.group, bool((query.matches & allowed).any()), scores[best], found, query.matches[best])


def answers(collection: Collection, probes: Probes) -> list[Answer]:
    """Every query on the whole collection, and on the collection without its matches, with statistics of each."""
    vectors = collection.vectors.astype(np.float32)
    whole = np.ones(len(vectors), bool)

    def measured(kept: Mask) -> Background:
        return measure(collection.vectors[kept], probes, rows=int(kept.sum()), next_id=len(vectors) + 1)

    background = measured(whole)
    found = []
    for query in collection.queries:
        found.append(answer(query, vectors, whole, background))
        if 0 < query.matches.sum() <= 0.3 * len(vectors):
            found.append(answer(query, vectors, ~query.matches, measured(~query.matches)))
    return found


def best_score(answer: Answer) -> float:
    return float(answer.scores.max())


def best_relevance(answer: Answer) -> float:
    return float(answer.relevances.max())


def auc(high: Sequence[float], low: Sequence[float]) -> float:
    """The chance that one of `high` is above one of `low`; ties count half."""
    a, b = np.asarray(high)[:, None], np.asarray(low)
    return float((a > b).mean() + 0.5 * (a == b).mean())


def flat_threshold(found: Iterable[Answer]) -> float:
    """The cosine that best tells queries with a match from those without: highest mean of the two shares got right."""
    there = np.array([best_score(a) for a in found if a.there])
    not_there = np.array([best_score(a) for a in found if not a.there])
    levels = np.unique(np.concatenate([there, not_there]))
    right = [(there >= level).mean() + (not_there < level).mean() for level in levels]
    return float(levels[int(np.argmax(right))])


def decision_row(name: str, found: Sequence[Answer], shown: Callable[[Answer], Mask]) -> str:
    """One line of the table of decisions: per query, then per hit."""
    there, not_there = [a for a in found if a.there], [a for a in found if not a.there]
    answered = np.mean([shown(a).any() for a in there])
    silent = np.mean([not shown(a).any() for a in not_there])
    hits = np.concatenate([shown(a) for a in found])
    matches = np.concatenate([a.matches for a in found])
    precision = (hits & matches).sum() / max(hits.sum(), 1)
    recall = (hits & matches).sum() / matches.sum()
    precision_of_queries = answered / max(answered + 1 - silent, 1e-9)
    return (
        f"| {name} | {answered:.2f} | {silent:.2f} | {precision_of_queries:.2f} | {(answered + silent) / 2:.3f} "
        f"| {precision:.2f} | {recall:.2f} |"
    )


def show(name: str, found: Sequence[Answer], thresholds: dict[str, float]) -> None:
    """Print both tables of one collection."""
    print(f"\n### {name}\n\n| queries | there | not there | answered | silent | AUC relevance | AUC cosine |")
    print("|---|---|---|---|---|---|---|")
    for group in dict.fromkeys(a.group for a in found):
        there = [a for a in found if a.group == group and a.there]
        not_there = [a for a in found if a.group == group and not a.there]
        partners = there or [a for a in found if a.there and a.group in ("concept", "phrase")]
        curves = [
            f"{auc([best(a) for a in partners], [best(a) for a in not_there]):.3f}"
            for best in (best_relevance, best_score)
        ]
        answered = f"{np.mean([best_relevance(a) >= CUT_OFF for a in there]):.2f}" if there else "-"
        silent = f"{np.mean([best_relevance(a) < CUT_OFF for a in not_there]):.2f}"
        print(f"| {group} | {len(there)} | {len(not_there)} | {answered} | {silent} | {' | '.join(curves)} |")
    counted = [a for a in found if a.group != "picture"]
    print("\n| cut-off | answered | silent | precision | balanced | precision of hits | recall of hits |")
    print("|---|---|---|---|---|---|---|")
    print(decision_row("none: ten pictures always", counted, lambda a: np.ones(len(a.scores), bool)))
    for level in (CUT_OFF, 0.5, 0.8, 0.9):
        print(decision_row(f"relevance {level}", counted, lambda a, level=level: a.relevances >= level))
    for origin, level in thresholds.items():
        kind = "best here" if origin == name else f"best on {origin}"
        print(decision_row(f"cosine {level:.3f}, {kind}", counted, lambda a, level=level: a.scores >= level))


def main() -> None:
    """Print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=ROOT.parent / "shared/data/flickr8k", help="skipped if absent")
    parser.add_argument("--model", default="mini")
    given = parser.parse_args()
    encoder = load_encoder(given.model, device="cpu", offline=True)
    probes = Probes(text_vectors(encoder, probe_texts()), "")
    print(f"clipsearch {clipsearch.__version__}, {given.model}, {len(probes.vectors)} probes")
    collections = [gallery(encoder)]
    if (given.photos / "captions.jsonl").exists():
        collections.append(photos(encoder, given.photos))
    found = {collection.name: answers(collection, probes) for collection in collections}
    thresholds = {name: flat_threshold([a for a in all_ if a.group != "picture"]) for name, all_ in found.items()}
    for name, all_ in found.items():
        show(name, all_, thresholds)


if __name__ == "__main__":
    main()
