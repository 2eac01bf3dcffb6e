"""Do prompt templates help, and up to how many words? `python tests/benchmarks/templates.py [PHOTOS]`

Queries are runs of one to six words out of captions; a picture is relevant where one of its captions has that run of
words. Prints mean average precision without and with templates, and for whole captions how often their own picture
comes first: on the shipped gallery, and on PHOTOS where given, a folder of pictures with a `captions.jsonl` of {"file",
"split", "captions"}, of which the split `dev` is used.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

import clipsearch
from clipsearch.cli.commands.demo import gallery_folder
from clipsearch.models import load_encoder
from clipsearch.query.embed import image_vectors
from clipsearch.query.mixing import unit
from clipsearch.query.templates import TEMPLATES

_LITTLE = set(
    re.findall(
        "[a-z]+",
        """a an and are as at be behind by for from front has her his in into is it near next of on one or out over
        some that the their there three through to two under up while with""",
    )
)
_AT_MOST = 250


def gallery(encoder):
    """Captions and vectors of the shipped gallery."""
    with tempfile.TemporaryDirectory() as place:
        clipsearch.build(gallery_folder(), Path(place) / "index", model="mini", offline=True)
        with clipsearch.open(Path(place) / "index", encoder=encoder) as index:
            rows = index.sql("select id, caption from images where caption is not null").to_pylist()
            vectors = index.vectors([row["id"] for row in rows]).astype(np.float32)
    return [[row["caption"].lower()] for row in rows], vectors


def photos(folder, encoder):
    """Captions and vectors of the photos of the split `dev`."""
    rows = [json.loads(line) for line in (folder / "captions.jsonl").read_text().splitlines()]
    rows = [row for row in rows if row["split"] == "dev"]
    captions = [[caption.lower() for caption in row["captions"]] for row in rows]
    files = {file.name: file for file in folder.rglob("*.jpg")}
    return captions, image_vectors(encoder, [files[row["file"]] for row in rows])


def runs(captions, length):
    """Runs of so many words that begin and end in a word that means something, with the pictures they fit."""
    found = defaultdict(set)
    for picture, sentences in enumerate(captions):
        for sentence in sentences:
            words = re.findall("[a-z]+", sentence)
            for start in range(len(words) - length + 1):
                run = words[start : start + length]
                if run[0] not in _LITTLE and run[-1] not in _LITTLE:
                    found[" ".join(run)].add(picture)
    least = max(2, 5 - length)
    few = {run: pictures for run, pictures in found.items() if least <= len(pictures) <= 0.3 * len(captions)}
    return dict(sorted(few.items())[:: max(1, len(few) // _AT_MOST)])


def precision(queries, pictures, relevant):
    """Average precision of each query."""
    order = np.argsort(-(queries @ pictures.T), axis=1)
    found = np.take_along_axis(relevant, order, axis=1)
    at = found.cumsum(axis=1) / np.arange(1, found.shape[1] + 1)
    return np.array([at[i][found[i]].mean() for i in range(len(queries))])


def compare(name, captions, pictures, encoder):
    """Print one line for each number of words."""
    for length in range(1, 7):
        asked = runs(captions, length)
        relevant = np.array([np.isin(np.arange(len(captions)), list(fits)) for fits in asked.values()])
        if len(asked) < 5:
            continue
        bare = precision(encoder.encode_texts(list(asked)), pictures, relevant)
        prompted = [unit(encoder.encode_texts([t.format(text) for t in TEMPLATES]).mean(axis=0)) for text in asked]
        gain = precision(np.stack(prompted), pictures, relevant) - bare
        error = gain.std() / len(gain) ** 0.5
        print(f"{name:<10}{length:>6}{len(asked):>9}{bare.mean():>8.3f}{gain.mean():>+9.3f} +-{error:.3f}", flush=True)
    sentences = [one[0].rstrip(".") for one in captions]
    prompted = [unit(encoder.encode_texts([t.format(text) for t in TEMPLATES]).mean(axis=0)) for text in sentences]
    bare, templated = (own_first(q, pictures) for q in (encoder.encode_texts(sentences), np.stack(prompted)))
    print(f"{name:<10} whole{len(sentences):>9}   own picture first: {bare:.3f}, with templates {templated:.3f}")


def own_first(queries, pictures):
    """The share of captions whose own picture comes first."""
    return float(((queries @ pictures.T).argmax(axis=1) == np.arange(len(queries))).mean())


if __name__ == "__main__":
    mini = load_encoder("mini", device="cpu", offline=True)
    print(f"{'pictures':<10}{'words':>6}{'queries':>9}{'mAP':>8}{'gain':>9}")
    compare("gallery", *gallery(mini), mini)
    if len(sys.argv) > 1:
        compare("photos", *photos(Path(sys.argv[1]), mini), mini)
