"""A space of pictures and texts over the frozen teachers' features: the space mini learns to live in.

    python data/teacher_space.py --photos ../shared/data --teacher ../shared/teacher --features /tmp/mini

Trains, with CLIP's loss on Flickr8k's and COCO's captions, a linear head over MobileNetV2's pooled features and a
small convolution over static word vectors with another; prints recalls on Flickr8k's dev photos; and writes the
vectors of every view (`taught_images.npy`), every caption (`taught_texts.npy`) and every word the static vectors have
(`taught_words.npy`, `taught_words.json`), float16 (n, 256) of length 1.
"""

import argparse
import json
import re
from pathlib import Path
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from photo_views import FULL, VIEWS, crop, load_captioned, load_training, view
from safetensors.torch import load_file
from teacher_features import BATCH, features, pooling
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from clipsearch.evaluation.metrics import DEPTHS
from clipsearch.evaluation.ranks import judged, measures_among
from clipsearch.training.average import Average
from clipsearch.training.losses import clip_loss
from clipsearch.training.schedule import warmup_cosine

DIM, LONGEST = 256, 40


class Words(nn.Module):
    """Captions as vectors: static vectors of word pieces, a convolution over three of them, the strongest and the mean
    answer of each filter, a linear head."""

    def __init__(self, folder: Path, width: int = 512) -> None:
        super().__init__()
        vectors = load_file(str(folder / "model.safetensors"))["embeddings"].float()
        # Its lengths are how much a piece tells (Zipf weighting); only their scale is changed, to near 1 a number.
        self.pieces = nn.Embedding.from_pretrained(vectors * (8 / vectors.norm(dim=1).mean()), padding_idx=0)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.filters = nn.Conv1d(vectors.shape[1], width, 3, padding=1)
        self.drop, self.head = nn.Dropout(0.2), nn.Linear(2 * width + vectors.shape[1], DIM)

    def tokens(self, texts: list[str]) -> Tensor:
        """Ids of word pieces, (n, 40) int64, 0 where a text has ended."""
        out = torch.zeros(len(texts), LONGEST, dtype=torch.int64)
        for row, found in enumerate(self.tokenizer.encode_batch(texts, add_special_tokens=False)):
            ids = found.ids[:LONGEST]
            out[row, : len(ids)] = torch.tensor(ids)
        return out

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, 256) of any length."""
        tokens = tokens[:, : int((tokens > 0).sum(1).max())]
        there = (tokens > 0).unsqueeze(1)
        pieces = self.drop(self.pieces(tokens)).transpose(1, 2) * there
        found = functional.relu(self.filters(pieces)) * there
        count = there.sum(2).clamp(min=1)
        parts = found.amax(2), found.sum(2) / count, pieces.sum(2) / count
        return self.head(self.drop(torch.cat(parts, 1)))


class Space(nn.Module):
    """Both heads and the temperature."""

    def __init__(self, folder: Path, features: Tensor) -> None:
        super().__init__()
        self.words = Words(folder)
        self.norm = nn.BatchNorm1d(features.shape[1], affine=False, momentum=None)
        self.norm(features)  # fixes mean and spread of each feature
        self.drop, self.head = nn.Dropout(0.2), nn.Linear(features.shape[1], DIM)
        self.log_scale = nn.Parameter(torch.tensor(1 / 0.07).log())

    def images(self, pooled: Tensor) -> Tensor:
        """(n, 1280) features to (n, 256) of any length."""
        self.norm.eval()
        return self.head(self.drop(self.norm(pooled)))


def train(space: Space, pooled: Tensor, tokens: list[Tensor], args: argparse.Namespace) -> None:
    """CLIP's loss, a random view and a random caption of every photo each epoch."""
    optimizer = torch.optim.AdamW(space.parameters(), lr=args.lr, weight_decay=args.decay)
    average = Average(space, 0.99)
    photos, rng = len(tokens), Random(args.seed)
    steps = args.epochs * (photos // args.batch)
    for step in range(steps):
        if step % (photos // args.batch) == 0:
            order = rng.sample(range(photos), photos)
        rows, order = order[: args.batch], order[args.batch :]
        for group in optimizer.param_groups:
            group["lr"] = args.lr * warmup_cosine(step / steps, 0.05)
        space.train()
        images = space.images(pooled[[row * VIEWS + rng.randrange(6) for row in rows]])
        texts = space.words(torch.stack([tokens[row][rng.randrange(len(tokens[row]))] for row in rows]))
        loss = clip_loss(images, texts, space.log_scale)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update(space, step + 1)
        if (step + 1) % (steps // 10) == 0:
            print(f"step {step + 1} of {steps}, loss {loss.item():.3f}", flush=True)
    space.load_state_dict(average.state)


def measure(space: Space, dev: Tensor, captions: list[list[str]]) -> None:
    """Print recalls among the dev photos."""
    images, texts = vectors(space, dev, [text for each in captions for text in each])
    owners = [row for row, each in enumerate(captions) for _ in each]
    pairs = judged(range(len(owners)), owners, [1.0] * len(owners))
    for title, found in (
        ("text to image", measures_among(texts, pairs, images)),
        ("image to text", measures_among(images, pairs.swapped()[1], texts)),
    ):
        print(f"teachers' space, {title:16s}" + "  ".join(f"R@{k} {found[f'R@{k}']:.3f}" for k in DEPTHS))


@torch.inference_mode()
def vectors(space: Space, pooled: Tensor, texts: list[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Unit vectors of features and of texts."""
    space.eval()
    images = functional.normalize(space.images(pooled), dim=1)
    found = [space.words(space.words.tokens(texts[i : i + 512])) for i in range(0, len(texts), 512)]
    return np.asarray(images), np.asarray(functional.normalize(torch.cat(found), dim=1))


def dev_features(args: argparse.Namespace) -> tuple[Tensor, list[list[str]]]:
    """MobileNetV2's pooled features of the dev photos, (1000, 1280), and the captions."""
    photos, model = load_captioned(args.photos / "flickr8k", "dev"), pooling(args.teacher)
    squares = np.stack([crop(picture, view(0, 0), FULL) for picture in photos.pictures])
    parts = [features(model, squares[start : start + BATCH]) for start in range(0, len(squares), BATCH)]
    return torch.from_numpy(np.concatenate(parts)), photos.captions


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder with flickr8k, coco and imagenette")
    parser.add_argument("--teacher", type=Path, required=True, help="folder with both teachers")
    parser.add_argument("--features", type=Path, required=True, help="folder written by teacher_features.py")
    parser.add_argument("--epochs", type=int, default=45)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--decay", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    captions = [each for each in load_training(args.photos).captions if each]  # photos without any come last
    pooled = torch.from_numpy(np.load(args.features / "pooled.npy")).float()
    space = Space(args.teacher / "potion-base-4m", pooled[: len(captions) * VIEWS])
    train(space, pooled, [space.words.tokens(each) for each in captions], args)
    measure(space, *dev_features(args))
    images, texts = vectors(space, pooled, [text for each in captions for text in each])
    np.save(args.features / "taught_images.npy", images.astype(np.float16))
    np.save(args.features / "taught_texts.npy", texts.astype(np.float16))
    words = [f"a photo of {word}" for word in space.words.tokenizer.get_vocab() if re.fullmatch("[a-z]{3,}", word)]
    np.save(args.features / "taught_words.npy", vectors(space, pooled[:1], words)[1].astype(np.float16))
    (args.features / "taught_words.json").write_text(json.dumps(words))


if __name__ == "__main__":
    main()
