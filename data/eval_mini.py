"""Measure a model folder on held-out painted scenes and, where given, on Flickr8k's dev photos.

    python data/eval_mini.py clipsearch/models/mini --photos ../shared/data/flickr8k

The folder is loaded by plain open_clip; similarity is the cosine of the features.
"""

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from open_clip.tokenizer import SimpleTokenizer
from PIL import Image
from scenes.captions import evaluation_caption
from scenes.painter import paint_sharp
from scenes.places import PLACES
from scenes.scene import Scene, random_scene
from scenes.things import things
from scenes.words import article

from clipsearch.evaluation.metrics import DEPTHS
from clipsearch.evaluation.ranks import Judged, judged, measures_among

FIRST_SEED = 1_000_000  # far from the training seeds
Matrix = NDArray[np.float32]


class Encoder:
    """A model folder as features of pictures and texts, (n, dim) float32 of length 1."""

    def __init__(self, folder: Path) -> None:
        model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
        self.model, self.preprocess = model.eval(), preprocess
        context = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]["text_cfg"]["context_length"]
        self.tokenizer = SimpleTokenizer(bpe_path=str(folder / "bpe_simple_vocab.txt.gz"), context_length=context)

    @torch.inference_mode()
    def images(self, pictures: list[Image.Image]) -> Matrix:
        """Features of pictures."""
        parts = [
            self.model.encode_image(torch.stack([self.preprocess(p) for p in pictures[i : i + 64]]), normalize=True)
            for i in range(0, len(pictures), 64)
        ]
        return np.asarray(torch.cat(parts).float())

    @torch.inference_mode()
    def texts(self, texts: list[str]) -> Matrix:
        """Features of texts."""
        parts = [
            self.model.encode_text(self.tokenizer(texts[i : i + 256]), normalize=True)
            for i in range(0, len(texts), 256)
        ]
        return np.asarray(torch.cat(parts).float())


def auc(scores: Matrix, present: NDArray[np.bool_]) -> float:
    """Chance that a random positive scores above a random negative (ties count half)."""
    positive, negative = scores[present], scores[~present]
    above = (positive[:, None] > negative).mean()
    return float(above + 0.5 * (positive[:, None] == negative).mean())


def eval_picture(scene: Scene) -> Image.Image:
    """The scene at an everyday size, about 480 x 360 pixels' area."""
    root = scene.aspect**0.5
    return paint_sharp(scene, round(416 * root), round(416 / root))


def presence(encoder: Encoder, images: Matrix, scenes: list[Scene], seed: int) -> tuple[float, float]:
    """Mean per-thing AUC of "is it in the picture", and accuracy of present against a random absent thing."""
    names = list(things())
    prompts = [f"{lead}{article(name)}" for lead in ("", "a picture of ", "a picture with ") for name in names]
    features = encoder.texts(prompts).reshape(3, len(names), -1).mean(axis=0)
    scores = images @ (features / np.linalg.norm(features, axis=1, keepdims=True)).T
    drawn = np.array([[name in {item.thing for item in scene.items} for name in names] for scene in scenes])
    curves = [auc(scores[:, k], drawn[:, k]) for k in range(len(names)) if drawn[:, k].any()]
    rng, right = Random(seed), []
    for row, column in np.argwhere(drawn):
        absent = rng.choice(np.flatnonzero(~drawn[row]).tolist())
        right.append(scores[row, column] > scores[row, absent])
    return float(np.mean(curves)), float(np.mean(right))


def place_accuracy(encoder: Encoder, images: Matrix, scenes: list[Scene]) -> float:
    """Zero-shot choice among all backgrounds by the mean of their noun phrases."""
    centres = [encoder.texts([*place.nouns, *place.where]).mean(axis=0) for place in PLACES.values()]
    chosen = (images @ np.stack(centres).T).argmax(axis=1)
    return float(np.mean([list(PLACES)[k] == scene.place for k, scene in zip(chosen, scenes, strict=True)]))


def show(title: str, queries: Matrix, pairs: Judged, documents: Matrix) -> None:
    """Print one line of recalls; ties count against."""
    found = measures_among(queries, pairs, documents)
    print(f"{title:34s}" + "  ".join(f"R@{k} {found[f'R@{k}']:.3f}" for k in DEPTHS))


def measure_scenes(encoder: Encoder, count: int, first_seed: int) -> None:
    """Print all figures on held-out scenes."""
    scenes = [random_scene(first_seed + index, "held-out") for index in range(count)]
    with ProcessPoolExecutor(2) as pool:
        pictures = list(pool.map(eval_picture, scenes, chunksize=25))
    start = time.perf_counter()
    images = encoder.images(pictures)
    print(f"{count} held-out scenes, {count / (time.perf_counter() - start):.0f} pictures/s without decoding")
    texts, own = encoder.texts([evaluation_caption(scene) for scene in scenes]), range(count)
    show("scenes, text to image", texts, judged(own, own, [1.0] * count), images)
    show("scenes, image to text", images, judged(own, own, [1.0] * count), texts)
    mean_auc, accuracy = presence(encoder, images, scenes, first_seed)
    print(f"{'is it in the picture':34s}AUC {mean_auc:.3f}  present against absent {accuracy:.3f}")
    print(f"{'which background of ' + str(len(PLACES)):34s}accuracy {place_accuracy(encoder, images, scenes):.3f}")


def measure_photos(encoder: Encoder, folder: Path) -> None:
    """Print recalls on the dev split: every caption to its photo, every photo to any of its captions."""
    records = [json.loads(line) for line in (folder / "captions.jsonl").read_text().splitlines()]
    dev = [record for record in records if record["split"] == "dev"]
    images = encoder.images([Image.open(folder / "images" / record["file"]).convert("RGB") for record in dev])
    texts = encoder.texts([text for record in dev for text in record["captions"]])
    owners = [row for row, record in enumerate(dev) for _ in record["captions"]]
    pairs = judged(range(len(texts)), owners, [1.0] * len(texts))
    show("photos (dev), text to image", texts, pairs, images)
    show("photos (dev), image to text", images, pairs.swapped()[1], texts)


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="model folder")
    parser.add_argument("--scenes", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="seed of the first held-out scene")
    parser.add_argument("--photos", type=Path, help="folder of Flickr8k")
    args = parser.parse_args()
    encoder = Encoder(args.model)
    measure_scenes(encoder, args.scenes, args.seed)
    if args.photos:
        measure_photos(encoder, args.photos)


if __name__ == "__main__":
    main()
