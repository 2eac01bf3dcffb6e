"""Train mini from nothing on painted scenes and Flickr8k photos, and write the model folder.

    python data/render_train.py --out /tmp/mini
    python data/train_mini.py --scenes /tmp/mini --photos ../shared/data/flickr8k --out clipsearch/models/mini

The learning rate follows the share of ``--minutes`` that has passed, or of ``--steps`` where the
same number of steps is wanted on any machine.
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

import torch
from mini_data import CONTEXT, MEAN, SIDE, STD, Batches, load_paintings, load_photos
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from torch import distributed

from clipsearch.training import Recipe
from clipsearch.training.folder import write_model
from clipsearch.training.learner import make_learner
from clipsearch.training.loop import Step, train
from clipsearch.training.workers import agree
from clipsearch.types import Preprocessing

REPORT_EVERY, WRITE_EVERY = 50, 250

MODEL_CONFIG: dict[str, Any] = {
    "embed_dim": 256,
    "vision_cfg": {"image_size": SIDE, "layers": [1, 1, 2, 1], "width": 16, "head_width": 64},
    "text_cfg": {"context_length": CONTEXT, "vocab_size": 6000, "width": 192, "heads": 4, "layers": 3},
}
PREPROCESSING = Preprocessing(SIDE, SIDE, "squash", mean=MEAN, std=STD)


def build_model() -> CLIP:
    """The untrained dual encoder."""
    return CLIP(**MODEL_CONFIG).to(memory_format=torch.channels_last)


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
    tokenizer = SimpleTokenizer(bpe_path=str(args.out / "bpe_simple_vocab.txt.gz"), context_length=CONTEXT)
    batches = Batches(
        load_paintings(args.scenes), load_photos(args.photos, "train"), tokenizer, args.seed, worker, workers
    )
    model, recipe, began = build_model(), Recipe(lr=args.lr, warmup=0.03, precision="float32"), time.perf_counter()

    def progress(step: int) -> float:
        if args.minutes is None:
            return step / args.steps
        return agree(time.perf_counter() - began) / (60 * args.minutes)

    losses: list[float] = []
    for step in train(make_learner(model, recipe, args.lr), batches, recipe, args.lr, progress):
        losses.append(step.loss)
        if worker == 0 and step.step % REPORT_EVERY == 0:
            print_step(step, fmean(losses[-REPORT_EVERY:]))
        if worker == 0 and step.step % WRITE_EVERY == 0:
            write_model(args.out, MODEL_CONFIG, PREPROCESSING, model.state_dict())
    if worker == 0:
        write_model(args.out, MODEL_CONFIG, PREPROCESSING, model.state_dict())
        print(f"{len(losses)} steps")
    distributed.destroy_process_group()


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=Path, required=True, help="folder written by render_train.py")
    parser.add_argument("--photos", type=Path, required=True, help="folder of Flickr8k")
    parser.add_argument("--out", type=Path, required=True, help="model folder, with the tokenizer's merges in it")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float)
    length.add_argument("--steps", type=int, default=0)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--workers", type=int, default=2, help="processes of one thread")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        run = partial(work, workers=args.workers, meeting=f"{folder}/meeting", args=args)
        with ProcessPoolExecutor(args.workers, mp_context=get_context("spawn")) as pool:
            list(pool.map(run, range(args.workers)))


if __name__ == "__main__":
    main()
