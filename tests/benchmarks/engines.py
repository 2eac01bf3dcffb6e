"""How fast each engine runs an image tower: `python -m tests.benchmarks.engines [ARCHITECTURE...]`.

Architectures have random weights, but for mini. Every form of a tower is measured in turn, several times over; encoders
are fed arrays, so decoding is not counted. Cosines are the worst of a few pictures of the gallery to torch.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from clipsearch.models.openclip import OpenClipEncoder
from clipsearch.models.towers.engine import processors
from clipsearch.models.towers.export import export_images
from clipsearch.models.towers.image_choice import processor_name
from clipsearch.models.towers.image_tower import ImageTower
from clipsearch.models.towers.quantized import quantize
from clipsearch.models.towers.samples import sample_pixels
from clipsearch.models.weights import resolve
from tests.benchmarks.random_model import model_folder

BATCHES, ROUNDS = (1, 16), 5

Encode = Callable[[np.ndarray], np.ndarray]


def forms(name: str, place: Path) -> tuple[OpenClipEncoder, dict[str, Encode]]:
    """A model's image tower in every form there is, by what runs it."""
    encoder = OpenClipEncoder(resolve(name), "cpu")
    single, whole = place / "float32.onnx", place / "int8.onnx"
    export_images(encoder, single)
    quantize(single, whole)
    return encoder, {
        "torch float32": encoder.encode_images,
        "onnx float32": ImageTower(single),
        "onnx int8": ImageTower(whole),
    }


def rates(encode: dict[str, Encode], pixels: np.ndarray) -> dict[str, float]:
    """Median pictures a second of each, one after the other in each round."""
    seconds: dict[str, list[float]] = {name: [] for name in encode}
    for round_ in range(ROUNDS + 1):
        for name, run in encode.items():
            started = time.perf_counter()
            run(pixels)
            if round_:  # the first is for warming up
                seconds[name].append(time.perf_counter() - started)
    return {name: len(pixels) / statistics.median(taken) for name, taken in seconds.items()}


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("architectures", nargs="*", default=["mini", "ViT-B-32"])
    parser.add_argument("--folder", type=Path, help="where models with random weights are kept")
    given = parser.parse_args()
    print(f"{processor_name()}, {processors()} processors; pictures a second in batches of\n")
    print(f"| model | engine | {' | '.join(map(str, BATCHES))} | worst cosine |")
    print(f"|---|---|{'---|' * len(BATCHES)}---|")
    with TemporaryDirectory() as scratch:
        for architecture in given.architectures:
            encoder, encode = forms(model_folder(architecture, given.folder or Path(scratch)), Path(scratch))
            samples = sample_pixels(encoder.preprocessing)
            truth = encoder.encode_images(samples)
            found = [rates(encode, samples[np.arange(batch) % len(samples)]) for batch in BATCHES]
            for name, run in encode.items():
                cosine = float((run(samples) * truth).sum(axis=1).min())
                row = " | ".join(f"{one[name]:.0f}" for one in found)
                print(f"| {architecture} | {name} | {row} | {cosine:.5f} |", flush=True)


if __name__ == "__main__":
    main()
