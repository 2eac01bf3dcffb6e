"""Speed of the presets on this machine: `python tests/benchmarks/encoders.py [PRESET...] [--device cpu]`.

Speed does not depend on what the weights are, so architectures are filled with random ones and nothing is downloaded.
Medians of several batches; the encoders are fed arrays, so decoding is not counted.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

import numpy as np
import open_clip
import torch

from clipsearch.models import PRESETS, load_encoder
from clipsearch.models.names import Tag, parse

BATCH, REPEATS = 16, 5


def image_tower_of(architecture: str, device: str) -> tuple[torch.nn.Module, int]:
    """A model with random weights, and the side of its pictures in pixels."""
    config = open_clip.get_model_config(architecture)
    model = open_clip.create_model(architecture, device=device, pretrained_image=False, load_weights=False)
    return model.eval().to(memory_format=torch.channels_last), config["vision_cfg"]["image_size"]


def images_per_second(run: object, side: int) -> float:
    """Median rate of a function that takes uint8 [n, side, side, 3]."""
    pixels = np.random.default_rng(0).integers(0, 256, (BATCH, side, side, 3), dtype=np.uint8)
    run(pixels)  # type: ignore[operator]
    rates = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        run(pixels)  # type: ignore[operator]
        rates.append(BATCH / (time.perf_counter() - started))
    return statistics.median(rates)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", default=list(PRESETS), help="all of them by default")
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    device = given.device
    print(f"torch {torch.__version__}, {device}, {os.cpu_count()} cores, batches of {BATCH}\n")
    print("| preset | architecture | images/s |\n|---|---|---|")
    for preset in (PRESETS[name] for name in given.presets):
        name = parse(preset.model)
        if isinstance(name, Tag):
            model, side = image_tower_of(name.architecture, device)

            @torch.inference_mode()
            def run(pixels: np.ndarray, model: torch.nn.Module = model) -> None:
                batch = torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2)
                batch = batch.to(torch.float32, memory_format=torch.channels_last).div_(255)
                model.encode_image(batch).cpu()

        else:
            encoder = load_encoder(preset.model, device=device, offline=True)
            side, run = encoder.preprocessing.width, encoder.encode_images
        print(f"| {preset.name} | {preset.model} | {images_per_second(run, side):.0f} |", flush=True)


if __name__ == "__main__":
    main()
