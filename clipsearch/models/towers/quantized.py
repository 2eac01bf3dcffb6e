"""An image tower in whole numbers: products of matrices over eight bits, with a scale for each batch's activations and
each column of weights (ONNX Runtime's dynamic quantisation)."""

from __future__ import annotations

import platform
from pathlib import Path

from clipsearch.models.towers.engine import processor_can
from clipsearch.models.towers.image_tower import onnx_runtime
from clipsearch.models.towers.silence import without_advice

_WITHOUT_SATURATION = ("avx512_vnni", "avx_vnni", "amx_int8")


def quantize(graph: Path, file: Path) -> None:
    """Write the graph at `graph` to `file` with its products of matrices in eight bits.

    Raises:
        OSError: the file cannot be written.
        Exception: the graph has something that ONNX Runtime cannot quantise.
    """
    onnx_runtime()
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with without_advice():
        quantize_dynamic(
            graph,
            file,
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            reduce_range=_saturates(),
            weight_type=QuantType.QInt8,
        )


def has_products(graph: Path) -> bool:
    """Whether a graph is worth it: a convolutional network multiplies hardly any matrices."""
    import onnx

    nodes = onnx.load(graph, load_external_data=False).graph.node
    products = sum(node.op_type in ("MatMul", "Gemm") for node in nodes)
    return bool(products > sum(node.op_type == "Conv" for node in nodes))


def _saturates() -> bool:
    """Whether sums of two products of eight bits each are cut off at sixteen: on x86 without VNNI. Weights then get
    seven bits (ONNX Runtime, "Quantize ONNX Models", on `reduce_range`)."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    return not processor_can(*_WITHOUT_SATURATION)
