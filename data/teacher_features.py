"""What a MobileNetV2 sees in every view of the training photos, for the space that mini learns.

    pip install openvino
    python data/teacher_features.py --photos ../shared/data --teacher ../shared/teacher --out /tmp/mini

Writes `pooled.npy`, float16 (views, 1280).  0.2 GB; 15 minutes on two cores.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import openvino
from numpy.typing import NDArray
from photo_views import FULL, VIEWS, Pictures, crop, load_training, view
from teacher import compiled, published
from torch import Tensor, nn

from clipsearch_indexer.chunks import one_ahead

BATCH = 20


class Pooled(nn.Module):
    """The teacher, fed with what pictures are stored as."""

    def __init__(self, teacher: nn.Module) -> None:
        super().__init__()
        self.teacher = teacher

    def forward(self, pixels: Tensor) -> Tensor:
        """Of (n, 224, 224, 3) in 0..255 the features, (n, 1280)."""
        return self.teacher.features(pixels.permute(0, 3, 1, 2) / 127.5 - 1)


def pooling(folder: Path) -> openvino.CompiledModel:
    """The teacher as it was published, for batches of 20."""
    return compiled(Pooled(published(folder)), (BATCH, FULL, FULL, 3))


def features(model: openvino.CompiledModel, pictures: Pictures) -> NDArray[np.float32]:
    """Features of up to 20 squares (n, 224, 224, 3), (n, 1280)."""
    padded = np.zeros((BATCH, FULL, FULL, 3), np.float32)
    padded[: len(pictures)] = pictures
    return model(padded)[0][: len(pictures)]


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder with flickr8k, coco and imagenette")
    parser.add_argument("--teacher", type=Path, required=True, help="folder with mobilenet_v2.py and its weights")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    photos, model = load_training(args.photos), pooling(args.teacher)
    args.out.mkdir(parents=True, exist_ok=True)
    count, began = len(photos) * VIEWS, time.perf_counter()
    pooled = np.lib.format.open_memmap(args.out / "pooled.npy", "w+", np.float16, (count, 1280))

    def batch(start: int) -> Pictures:
        rows = [divmod(row, VIEWS) for row in range(start, min(start + BATCH, count))]
        return np.stack([crop(photos.pictures[p], view(p, v), FULL) for p, v in rows])

    starts = range(0, count, BATCH)
    for start, pictures in zip(starts, one_ahead(map(batch, starts)), strict=True):
        pooled[start : start + len(pictures)] = features(model, pictures)
        if start % 2000 == 0:
            done = start + len(pictures)
            print(f"{done:,} of {count:,} views, {done / (time.perf_counter() - began):.0f} a second", flush=True)


if __name__ == "__main__":
    main()
