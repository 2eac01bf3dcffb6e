"""Puts a model's towers beside its weights, so that whoever gets the folder needs no torch to use it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from clipsearch.errors import ModelError
from clipsearch.models.openclip import OpenClipEncoder
from clipsearch.models.towers.export import export_images, facts_of
from clipsearch.models.towers.facts import SHIPPED_IMAGE, replace, write_facts
from clipsearch.models.towers.image_choice import FAITHFUL
from clipsearch.models.towers.image_tower import ImageTower
from clipsearch.models.towers.samples import sample_pixels, worst_cosine
from clipsearch.models.weights import resolve


def ship(folder: Path) -> float:
    """Write `towers.json` and `image.onnx` into a model folder; returns the worst cosine of a sample to torch.

    The graph's weights are stored in half precision, as mini's are, and computed with in single.

    Raises:
        ModelError: the folder holds no model that can be run without torch.
    """
    model = resolve(str(folder))
    encoder = OpenClipEncoder(model, "cpu")
    facts = facts_of(encoder, model, folder)
    pixels = sample_pixels(encoder.preprocessing)
    with TemporaryDirectory() as place:
        file = Path(place, SHIPPED_IMAGE)
        export_images(encoder, file)
        _halve(file)
        cosine = worst_cosine(ImageTower(file)(pixels), encoder.encode_images(pixels))
        if cosine < FAITHFUL or facts.text != "model":
            raise ModelError(f"{folder} cannot be run without torch (cosine {cosine:.4f}, text: {facts.text})")
        replace(folder / SHIPPED_IMAGE, file.read_bytes())
    write_facts(folder, facts)
    return cosine


def _halve(file: Path) -> None:
    """Store the weights of a graph in half precision, each with a cast that ONNX Runtime does once, when it loads."""
    import onnx

    model = onnx.load(file)
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        name, values = tensor.name, onnx.numpy_helper.to_array(tensor)
        half = onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}.half")
        tensor.CopyFrom(half)
        casts.append(onnx.helper.make_node("Cast", [half.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, file)
