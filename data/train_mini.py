"""Second part of mini's training: CLIP's loss on photos and painted scenes; writes the model folder.

    python data/render_train.py --out /tmp/mini
    python data/train_mini.py --work /tmp/mini --photos ../shared/data --out clipsearch/models/mini

Begins from what pretrain_mini.py wrote, whose teachers' vectors of photos go on being taught beside the captions.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from mini_data import CONTEXT, MEAN, SIDE, STD, Batches, load_paintings
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from photo_views import Photos, load_training
from teacher import compiled
from torch import Tensor, distributed, nn

from clipsearch.training import Recipe
from clipsearch.training.folder import write_model
from clipsearch.training.learner import make_learner
from clipsearch.training.loop import Step, train
from clipsearch.training.workers import agree
from clipsearch.types import Preprocessing

REPORT_EVERY, WRITE_EVERY = 50, 250
SHALLOW_STAGES = 3

MODEL_CONFIG: dict[str, Any] = {
    "embed_dim": 256,
    "vision_cfg": {
        "timm_model_name": "mobilenetv2_100",
        "timm_pool": "avg",
        "timm_proj": "",
        "image_size": SIDE,
    },
    "text_cfg": {"context_length": CONTEXT, "vocab_size": 6000, "width": 192, "heads": 4, "layers": 3},
}
MERGES = Path(__file__).parents[1] / "clipsearch/models/mini/bpe_simple_vocab.txt.gz"
PREPROCESSING = Preprocessing(SIDE, SIDE, "squash", mean=MEAN, std=STD)


def mini_tokenizer() -> SimpleTokenizer:
    """What train_tokenizer.py learnt."""
    return SimpleTokenizer(bpe_path=str(MERGES), context_length=CONTEXT)


def pretrained(work: Path) -> CLIP:
    """The dual encoder as pretrain_mini.py left it."""
    model = CLIP(**MODEL_CONFIG).to(memory_format=torch.channels_last)
    model.load_state_dict(torch.load(work / "pretrained.pt"))
    return model


class Settled(nn.Module):
    """Layers that learn no more, as they run fastest on one core."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.run = compiled(layers, (-1, 3, -1, -1), INFERENCE_NUM_THREADS=1)

    def forward(self, pixels: Tensor) -> Tensor:
        """(n, 3, side, side) to (n, 32, side / 8, side / 8)."""
        found = torch.from_numpy(self.run(pixels.contiguous().numpy())[0].copy())
        return found.contiguous(memory_format=torch.channels_last)


def settle_shallow(model: CLIP) -> None:
    """Keep stem and shallow blocks as they are: they took most of the time and have least to learn."""
    trunk = model.visual.trunk
    trunk.conv_stem = Settled(nn.Sequential(trunk.conv_stem, trunk.bn1, *trunk.blocks[:SHALLOW_STAGES]))
    trunk.bn1 = nn.Identity()
    for stage in range(SHALLOW_STAGES):
        trunk.blocks[stage] = nn.Identity()


def captioned(photos: Photos) -> Photos:
    """Those with captions, which come first."""
    captions = [each for each in photos.captions if each]
    return Photos(photos.pictures[: len(captions)], captions)


def print_step(step: Step, loss: float) -> None:
    """One line for each report; `loss` is the mean since the last one."""
    print(
        f"step {step.step:6d}  {100 * step.progress:5.1f} %  loss {loss:.3f}  "
        f"scale {step.scale:.1f}  {step.pairs_per_second:.0f} pairs/s",
        flush=True,
    )


def work(worker: int, workers: int, meeting: str, args: argparse.Namespace) -> None:
    """One of the run's processes; the first writes the model folder."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=worker, world_size=workers)
    torch.manual_seed(args.seed)
    photos, taught = captioned(load_training(args.photos)), np.load(args.work / "taught_images.npy", mmap_mode="r")
    batches = Batches(load_paintings(args.work), photos, taught, mini_tokenizer(), args.seed, worker, workers)
    model, began = pretrained(args.work), time.perf_counter()
    whole = {name: value.clone() for name, value in model.state_dict().items()}
    settle_shallow(model)
    recipe = Recipe(lr=args.lr, warmup=0.03, precision="float32", ema=0.99, teacher_weight=args.teacher_weight)
    learner = make_learner(model, recipe, args.lr)

    def progress(step: int) -> float:
        if args.minutes is None:
            return step / args.steps
        return agree(time.perf_counter() - began) / (60 * args.minutes)

    losses: list[float] = []
    for step in train(learner, batches, recipe, args.lr, progress):
        losses.append(step.loss)
        if worker == 0 and step.step % REPORT_EVERY == 0:
            print_step(step, fmean(losses[-REPORT_EVERY:]))
        if worker == 0 and step.step % WRITE_EVERY == 0:
            write_model(args.out, MODEL_CONFIG, PREPROCESSING, whole | learner.weights())
    if worker == 0:
        write_model(args.out, MODEL_CONFIG, PREPROCESSING, whole | learner.weights())
        print(f"{len(losses)} steps")
    distributed.destroy_process_group()


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder of paintings and of what the teachers say")
    parser.add_argument("--photos", type=Path, required=True, help="folder with flickr8k, coco and imagenette")
    parser.add_argument("--out", type=Path, required=True, help="model folder")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float)
    length.add_argument("--steps", type=int, default=0)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--teacher-weight", type=float, default=2.0)
    parser.add_argument("--workers", type=int, default=2, help="processes of one thread")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        run = partial(work, workers=args.workers, meeting=f"{folder}/meeting", args=args)
        with ProcessPoolExecutor(args.workers, mp_context=get_context("spawn")) as pool:
            list(pool.map(run, range(args.workers)))


if __name__ == "__main__":
    main()
