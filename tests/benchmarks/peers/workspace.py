"""What all engines are given: pictures, and models with the same random weights, each laid out as an engine expects."""

from __future__ import annotations

import os
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

import open_clip
import torch
from safetensors.torch import load_file

from clipsearch_indexer.bench import SIZES, make_pictures
from tests.benchmarks.random_model import model_folder

RCLIP_MODEL = "ViT-B-32-256-datacomp_s34b_b86k"
"""The folder rclip looks for its towers in, whatever they are."""

WARM = 32


@dataclass(frozen=True)
class Workspace:
    """Where everything is kept for the next time: `pictures` JPEGs made of `photos`, and models by architecture."""

    folder: Path
    photos: Path
    count: int

    @property
    def pictures(self) -> Path:
        return self.folder / f"pictures-{self.count}"

    @property
    def few(self) -> Path:
        """The first of them, to warm up with."""
        return self.folder / f"pictures-{self.count}-few"

    @property
    def environment(self) -> dict[str, str]:
        """Variables for all that runs: no GPU, no network, and a cache of clipsearch's own."""
        own = {"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}
        folders = {name: str(self.folder / name.lower()) for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME")}
        return own | folders

    def make_pictures(self) -> None:
        done = 0

        def tell(made: int) -> None:
            nonlocal done
            if made * 10 // self.count > done:
                done = made * 10 // self.count
                print(f"made {made} pictures", flush=True)

        originals = sorted(self.photos.glob("*.jpg"))
        make_pictures(self.pictures, self.count, sizes=SIZES, originals=originals, tell=tell)
        self.few.mkdir(exist_ok=True)
        for file in sorted(self.pictures.glob("*.jpg"))[:WARM]:
            if not (self.few / file.name).exists():
                os.link(file, self.few / file.name)

    def model(self, architecture: str) -> Path:
        """A model folder of clipsearch's, which is one of open_clip's."""
        return Path(model_folder(architecture, self.folder / "models"))

    def checkpoint(self, architecture: str) -> Path:
        return self.model(architecture) / "open_clip_model.safetensors"

    def network(self, architecture: str) -> torch.nn.Module:
        """The model as open_clip loads it, in float32."""
        network = open_clip.create_model(architecture, load_weights=False, pretrained_text=False)
        network.load_state_dict(load_file(self.checkpoint(architecture)))
        return network.eval()

    def rclip_files(self, architecture: str) -> Path:
        """A data folder for rclip: its vocabulary, and both towers as ONNX in float32, with the names it asks for."""
        place = self.folder / "rclip" / architecture
        if place.exists():
            return place
        draft = place.with_name(f"{architecture}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        (draft / RCLIP_MODEL).mkdir(parents=True)
        (draft / "tokenizer").mkdir()
        vocabulary = "bpe_simple_vocab_16e6.txt.gz"
        shutil.copy(Path(open_clip.__file__).parent / vocabulary, draft / "tokenizer" / vocabulary)
        network = self.network(architecture)
        side = side_of(architecture)
        pictures, texts = torch.zeros(2, 3, side, side), open_clip.tokenize(["a dog", "two cats"])
        export(network.encode_image, pictures, draft / RCLIP_MODEL / "visual.onnx")
        export(network.encode_text, texts, draft / RCLIP_MODEL / "textual.onnx")
        return draft.rename(place)


def side_of(architecture: str) -> int:
    """Pixels a side that a model reads."""
    return int(open_clip.get_model_config(architecture)["vision_cfg"]["image_size"])


class _Tower(torch.nn.Module):
    def __init__(self, encode: object) -> None:
        super().__init__()
        self.forward = encode  # type: ignore[assignment]
        self.network = encode.__self__  # type: ignore[attr-defined]


def export(encode: object, example: torch.Tensor, file: Path) -> None:
    """Write one tower as an ONNX graph from `input` to `output`."""
    torch.backends.mha.set_fastpath_enabled(False)  # ONNX does not know its operator
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Tower(encode).eval(),
            (example,),
            str(file),
            input_names=["input"],
            output_names=["output"],
            dynamic_axes={"input": {0: "n"}, "output": {0: "n"}},
            opset_version=17,
            dynamo=False,
        )
