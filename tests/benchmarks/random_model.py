"""A folder with an architecture of open_clip and random weights: speed does not depend on what weights are."""

from __future__ import annotations

import json
from pathlib import Path

from clipsearch.models import catalogue
from clipsearch.models.names import MINI


def model_folder(architecture: str, place: Path) -> str:
    """The name to load: mini's, or a folder below `place` that is made unless it is there."""
    if architecture == "mini":
        return str(MINI)
    folder = place / architecture
    if not (folder / "open_clip_model.safetensors").exists():
        import open_clip
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        config = {"model_cfg": catalogue.architecture_config(architecture)}
        (folder / "open_clip_config.json").write_text(json.dumps(config))
        network = open_clip.create_model(architecture, load_weights=False, pretrained_text=False)
        save_file({name: value.contiguous() for name, value in network.state_dict().items()}, folder / "draft")
        (folder / "draft").replace(folder / "open_clip_model.safetensors")
    return str(folder)
