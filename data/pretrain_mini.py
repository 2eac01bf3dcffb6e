"""First part of mini's training: both towers learn from what the teachers say of photos, captions and words.

    python data/pretrain_mini.py --photos ../shared/data --teacher ../shared/teacher --work /tmp/mini

The image tower has the teacher's shape, so each of its blocks has one to learn from.  First the shallow blocks learn
theirs on small pieces of photos; then the deep ones on whole views, at first each from what the teacher's block before
it saw, then from what its own says, with the vector of the whole asked for as well.  Beside, the text tower answers
captions, and every word the teacher knows, with the teachers' vectors.  Writes `shallow.pt`, then `pretrained.pt`.
"""

import argparse
import json
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import torch
from mini_data import SIDE, normalise, planes
from numpy.typing import NDArray
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from photo_views import VIEWS, Photos, crop, load_training, view
from teacher import SHALLOW, Deep, Shallow, compiled, load_teacher
from torch import Tensor, nn
from torch.nn import functional
from train_mini import MODEL_CONFIG, mini_tokenizer

from clipsearch.training.average import Average
from clipsearch.training.schedule import warmup_cosine
from clipsearch.training.text_tower import encode_text
from clipsearch_indexer.chunks import one_ahead

PIECES, PIECE = 32, 96
VIEWS_A_STEP, TEXTS_A_STEP = 64, 64
REPORT_EVERY = 50


def blocks_of(trunk: nn.Module) -> list[nn.Module]:
    """Stem, blocks and head, each the counterpart of one of the teacher's maps."""
    stem, head = nn.Sequential(trunk.conv_stem, trunk.bn1), nn.Sequential(trunk.conv_head, trunk.bn2)
    return [stem, *(block for stage in trunk.blocks for block in stage), head]


def change(before: Tensor, after: Tensor) -> Tensor:
    """What a block of the teacher does to its map, where it adds to one; else what it makes."""
    return after - before if before.shape == after.shape else after


@torch.no_grad()
def begin(blocks: list[nn.Module], before: Tensor, wanted: list[Tensor]) -> None:
    """Set the last normalisation of each block to the mean and spread of what it has to say."""
    for block, target in zip(blocks, wanted, strict=True):
        made = change(before, target)
        last = [layer for layer in block.modules() if isinstance(layer, nn.BatchNorm2d)][-1]
        last.weight.copy_(made.std((0, 2, 3)))
        last.bias.copy_(made.mean((0, 2, 3)))
        before = target


def unlikeness(found: Tensor, wanted: Tensor, before: Tensor) -> Tensor:
    """Squared error as a share of what the teacher's block changes, mean of the channels; 0 is the same."""
    spread = change(before, wanted).var((0, 2, 3))
    return ((found - wanted).square().mean((0, 2, 3)) / (spread + 0.1 * spread.mean())).mean()


def chain(blocks: list[nn.Module], x: Tensor, wanted: list[Tensor], own: bool) -> tuple[list[Tensor], Tensor]:
    """How unlike the teacher each block is, and the last map; blocks are given their own maps or the teacher's."""
    errors, given, before = [], x, x
    for block, target in zip(blocks, wanted, strict=True):
        found = block(given)
        errors.append(unlikeness(found, target, before))
        given, before = found if own else target, target
    return errors, given


def signed(pixels: NDArray[np.uint8]) -> Tensor:
    """(n, side, side, 3) in 0..255 as the teacher reads them, (n, 3, side, side) in -1..1."""
    return planes(pixels) / 127.5 - 1


def seen(pixels: NDArray[np.uint8]) -> Tensor:
    """The same as mini reads them."""
    return normalise(planes(pixels))


def pieces(photos: Photos, step: int) -> NDArray[np.uint8]:
    """Small pieces of views, (32, 96, 96, 3)."""
    rng, out = Random(f"pieces {step}"), np.empty((PIECES, PIECE, PIECE, 3), np.uint8)
    for index, photo in enumerate(rng.sample(range(len(photos)), PIECES)):
        whole = crop(photos.pictures[photo], view(photo, rng.randrange(VIEWS)), SIDE)
        y, x = rng.randrange(SIDE - PIECE), rng.randrange(SIDE - PIECE)
        out[index] = whole[y : y + PIECE, x : x + PIECE]
    return out


def learn_shallow(mini: CLIP, photos: Photos, teacher: nn.Module, steps: int) -> None:
    """Stem and shallow blocks, each from the teacher's map before it."""
    blocks, shown = blocks_of(mini.visual.trunk)[: SHALLOW + 1], Shallow(teacher)
    schedule = Schedule([p for block in blocks for p in block.parameters()], 1e-2, 0.0, steps)
    mini.train()
    for step, pixels in enumerate(one_ahead(map(partial(pieces, photos), range(steps)))):
        with torch.inference_mode():
            maps = shown(signed(pixels))
        first, *later = (each.clone() for each in maps)
        if step == 0:
            begin(blocks, first.new_zeros(1), [first, *later])
        stem = blocks[0](seen(pixels))
        errors = [unlikeness(stem, first, first.new_zeros(1)), *chain(blocks[1:], first, later, own=False)[0]]
        schedule.step(step, torch.stack(errors).sum())
        if (step + 1) % REPORT_EVERY == 0:
            print(f"shallow step {step + 1:4d} of {steps}  {told(errors)}", flush=True)


def told(errors: list[Tensor]) -> str:
    """Errors in a few letters."""
    return " ".join(f"{error.item():.3f}" for error in errors)


class Schedule:
    """AdamW with a warm-up and a cosine."""

    def __init__(self, parameters: list[nn.Parameter], lr: float, decay: float, steps: int) -> None:
        self.parameters, self.lr, self.steps = parameters, lr, steps
        self.optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=decay)

    def step(self, step: int, loss: Tensor) -> None:
        """One step down the gradient of `loss`."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr * warmup_cosine(step / self.steps, 0.05)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 100.0)
        self.optimizer.step()


@dataclass(frozen=True)
class Taught:
    """The teachers' vectors: of each view, and of texts."""

    images: NDArray[np.float16]
    texts: list[str]
    text_vectors: NDArray[np.float16]


def load_taught(folder: Path, captions: list[list[str]]) -> Taught:
    """What teacher_space.py wrote."""
    texts = [text for each in captions for text in each] + json.loads((folder / "taught_words.json").read_text())
    vectors = np.concatenate([np.load(folder / f"taught_{what}.npy") for what in ("texts", "words")])
    return Taught(np.load(folder / "taught_images.npy"), texts, vectors)


@dataclass(frozen=True)
class Lesson:
    """What a step of the second part is made on."""

    pixels: NDArray[np.uint8]
    vectors: Tensor
    tokens: Tensor
    text_vectors: Tensor


def lesson(photos: Photos, taught: Taught, tokenizer: SimpleTokenizer, step: int) -> Lesson:
    """Views of as many photos, and texts."""
    rng = Random(f"lesson {step}")
    shown = [(photo, rng.randrange(VIEWS)) for photo in rng.sample(range(len(photos)), VIEWS_A_STEP)]
    texts = [rng.randrange(len(taught.texts)) for _ in range(TEXTS_A_STEP)]
    return Lesson(
        np.stack([crop(photos.pictures[p], view(p, v), SIDE) for p, v in shown]),
        torch.from_numpy(taught.images[[p * VIEWS + v for p, v in shown]]).float(),
        tokenizer([taught.texts[text] for text in texts]),
        torch.from_numpy(taught.text_vectors[texts]).float(),
    )


def learn_deep(
    mini: CLIP, photos: Photos, taught: Taught, teacher: nn.Module, args: argparse.Namespace
) -> dict[str, Tensor]:
    """The other blocks, the vector, the text tower; returns mini's averaged weights."""
    trunk = mini.visual.trunk
    every = blocks_of(trunk)
    shallow, blocks = nn.Sequential(*every[: SHALLOW + 1]).requires_grad_(False), every[SHALLOW + 1 :]
    look = compiled(shallow, (VIEWS_A_STEP, 3, SIDE, SIDE))
    show = compiled(Deep(teacher), (VIEWS_A_STEP, 32, SIDE // 8, SIDE // 8))
    schedule = Schedule([p for p in mini.parameters() if p.requires_grad], args.lr, 0.02, args.steps)
    average, began = Average(mini, 0.995), time.perf_counter()
    mini.train()
    shallow.eval()
    lessons = map(partial(lesson, photos, taught, mini_tokenizer()), range(args.steps))
    for step, now in enumerate(one_ahead(lessons)):
        x = look(seen(now.pixels).contiguous().numpy())[0]
        wanted = [torch.from_numpy(found).contiguous(memory_format=torch.channels_last) for found in show(x).values()]
        given = torch.from_numpy(x).contiguous(memory_format=torch.channels_last)
        if step == 0:
            begin(blocks, given, wanted)
        errors, last = chain(blocks, given, wanted, own=step > args.alone * args.steps)
        images = 1 - functional.cosine_similarity(trunk.forward_head(last), now.vectors).mean()
        texts = 1 - functional.cosine_similarity(encode_text(mini, now.tokens), now.text_vectors).mean()
        schedule.step(step, torch.stack(errors).sum() + 3 * images + 2 * texts)
        average.update(mini, step + 1)
        if (step + 1) % REPORT_EVERY == 0:
            rate = (step + 1) * VIEWS_A_STEP / (time.perf_counter() - began)
            print(
                f"deep step {step + 1:4d} of {args.steps}  {told(errors)}  "
                f"images {images:.3f} texts {texts:.3f}  {rate:.0f} views/s",
                flush=True,
            )
        if (step + 1) % 200 == 0:
            torch.save(average.state, args.work / "pretrained.pt")
    return average.state


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder with flickr8k, coco and imagenette")
    parser.add_argument("--teacher", type=Path, required=True, help="folder with both teachers")
    parser.add_argument("--work", type=Path, required=True, help="folder that the teachers' vectors are in")
    parser.add_argument("--shallow-steps", type=int, default=700)
    parser.add_argument("--steps", type=int, default=1300)
    parser.add_argument("--alone", type=float, default=0.3, help="share of the steps with the teacher's maps given")
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    photos, teacher = load_training(args.photos), load_teacher(args.teacher)
    mini = CLIP(**MODEL_CONFIG).to(memory_format=torch.channels_last)
    shallow = args.work / "shallow.pt"
    if not shallow.exists():
        learn_shallow(mini, photos, teacher, args.shallow_steps)
        torch.save(mini.state_dict(), shallow)
    mini.load_state_dict(torch.load(shallow))
    taught = load_taught(args.work, photos.captions)
    torch.save(learn_deep(mini, photos, taught, teacher, args), args.work / "pretrained.pt")


if __name__ == "__main__":
    main()
