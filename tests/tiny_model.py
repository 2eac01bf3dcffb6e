"""A small open_clip model with random weights, as a folder."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

MERGES = 400

TINY = {
    "model_cfg": {
        "embed_dim": 24,
        "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "head_width": 32, "patch_size": 16},
        "text_cfg": {"context_length": 16, "vocab_size": 512 + MERGES + 2, "width": 64, "heads": 2, "layers": 2},
    },
    "preprocess_cfg": {"mean": [0.5, 0.4, 0.3], "std": 0.25, "interpolation": "bilinear", "resize_mode": "squash"},
}


def write_tiny(folder: Path) -> Path:
    """Write what `mini` has, too: configuration, float16 weights, a vocabulary of its own; returns the folder."""
    import open_clip
    from safetensors.torch import save_file

    (folder / "open_clip_config.json").write_text(json.dumps(TINY))
    with gzip.open(open_clip.tokenizer.default_bpe()) as file:
        merges = file.read().decode().split("\n")[: MERGES + 1]
    (folder / "bpe_simple_vocab.txt.gz").write_bytes(gzip.compress("\n".join(merges).encode(), mtime=0))
    network = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    weights = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder
