"""Paint the training scenes once, at a little more than the model's resolution.

    python data/render_train.py --out /tmp/mini

writes ``scenes.npy`` (uint8, scenes x 208 x 208 x 3, squeezed to a square as the model sees them)
and ``close_ups.npy`` (the same at 104 pixels).  Row i shows ``random_scene(i, "train")`` or
``close_up(i)``, so the captions need no file.
"""

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scenes.painter import paint
from scenes.scene import Scene, close_up, random_scene

Pictures = NDArray[np.uint8]
STORED = 208  # pixels; training crops 192 of them
STORED_CLOSE_UP = 104  # for crops of 96
_KERNELS = (Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.BILINEAR)


def training_picture(scene: Scene, rng: Random, side: int, painted_sides: tuple[int, int]) -> Pictures:
    """The scene as (side, side, 3) uint8, after a random paint size and JPEG quality."""
    painted, root = rng.uniform(*painted_sides), scene.aspect**0.5
    image = paint(scene, int(painted * root), int(painted / root))
    if rng.random() < 0.5:
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=rng.randint(55, 95))
        image = Image.open(buffer).convert("RGB")
    return np.asarray(image.resize((side, side), rng.choice(_KERNELS)))


def render_scene(seed: int) -> Pictures:
    """Row ``seed`` of scenes.npy."""
    return training_picture(random_scene(seed, "train"), Random(f"render {seed}"), STORED, (220, 340))


def render_close_up(seed: int) -> Pictures:
    """Row ``seed`` of close_ups.npy."""
    rng = Random(f"render close-up {seed}")
    return training_picture(close_up(seed), rng, STORED_CLOSE_UP, (112, 184))


def render_slice(path: Path, render: Callable[[int], Pictures], start: int, stop: int) -> None:
    """Fill rows start..stop of the array file at ``path``."""
    pictures = np.lib.format.open_memmap(path, mode="r+")
    for seed in range(start, stop):
        pictures[seed] = render(seed)
    pictures.flush()


def render_all(path: Path, render: Callable[[int], Pictures], count: int, side: int, workers: int) -> None:
    """Write the array file of ``count`` pictures."""
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(count, side, side, 3)).flush()
    edges = np.linspace(0, count, 4 * workers + 1).astype(int).tolist()
    with ProcessPoolExecutor(workers) as pool:
        for job in [pool.submit(render_slice, path, render, *edge) for edge in pairwise(edges)]:
            job.result()


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the array files")
    parser.add_argument("--scenes", type=int, default=48000)
    parser.add_argument("--close-ups", type=int, default=16000)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.close_ups:
        render_all(args.out / "close_ups.npy", render_close_up, args.close_ups, STORED_CLOSE_UP, args.workers)
    if args.scenes:
        render_all(args.out / "scenes.npy", render_scene, args.scenes, STORED, args.workers)


if __name__ == "__main__":
    main()
