"""An image tower in whole numbers: its products of matrices over eight bits.

Dynamic quantisation, as ONNX Runtime calls it: weights get a scale for each column once, activations one for all each
time they are computed (`DynamicQuantizeLinear`, `MatMulInteger`; ONNX 1.12, opset 11). ONNX Runtime fuses what is
written here into one operator. Its own tool writes the same in several times as long, column after column.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipsearch.models.towers.engine import processor_can

_WITHOUT_SATURATION = ("avx512_vnni", "avx_vnni", "amx_int8")


def quantize(graph: Path, file: Path) -> None:
    """Write the graph at `graph` to `file` with its products of matrices in eight bits.

    Raises:
        OSError: the file cannot be written.
    """
    import onnx

    model = onnx.load(graph)
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes: list[Any] = []
    activations: set[str] = set()
    for node in model.graph.node:
        if _weight_of(node, weights) is None:
            nodes.append(node)
            continue
        if node.input[0] not in activations:  # several products may share what they multiply
            activations.add(node.input[0])
            nodes.append(onnx.helper.make_node("DynamicQuantizeLinear", [node.input[0]], _quantized(node.input[0])))
        nodes.extend(_in_eight_bits(node, weights, model.graph))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    _drop_replaced(model.graph, weights)
    onnx.save(model, file)


def has_products(graph: Path) -> bool:
    """Whether a graph is worth it: a convolutional network multiplies hardly any matrices."""
    import onnx

    nodes = onnx.load(graph, load_external_data=False).graph.node
    products = sum(node.op_type in ("MatMul", "Gemm") for node in nodes)
    return bool(products > sum(node.op_type == "Conv" for node in nodes))


def is_quicker_for_certain() -> bool:
    """Whether this processor multiplies eight bits several times as quickly as floats: x86 with VNNI."""
    return processor_can(*_WITHOUT_SATURATION)


def quantized_weight(weight: NDArray[np.float32], largest: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A weight [in, out] as whole numbers from -largest to largest, and the scale [out] of its columns."""
    scale = np.abs(weight).max(axis=0) / largest
    scale[scale == 0] = 1
    return np.rint(weight / scale).astype(np.int8), scale.astype(np.float32)


def _weight_of(node: Any, weights: Any) -> Any | None:
    """The weight that a node multiplies with, a tensor [in, out], or [out, in] where it is to be transposed."""
    if node.op_type not in ("MatMul", "Gemm"):
        return None
    tensor = weights.get(node.input[1])
    how = {attribute.name: attribute for attribute in node.attribute}
    scaled = any(how[name].f != 1 for name in ("alpha", "beta") if name in how)
    turned = "transA" in how and how["transA"].i
    return None if tensor is None or len(tensor.dims) != 2 or scaled or turned else tensor


def _in_eight_bits(node: Any, weights: Any, graph: Any) -> Iterator[Any]:
    """The nodes that compute what a product does, from its activations in whole numbers."""
    from onnx import TensorProto, helper, numpy_helper

    name, (found,) = node.input[1], node.output
    if f"{name}.whole" not in weights:
        weight = numpy_helper.to_array(weights[name])
        transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
        whole, scale = quantized_weight(weight.T if transposed else weight, 63 if _saturates() else 127)
        for suffix, values in (("whole", np.ascontiguousarray(whole)), ("scale", scale)):
            graph.initializer.append(numpy_helper.from_array(values, f"{name}.{suffix}"))
            weights[f"{name}.{suffix}"] = graph.initializer[-1]
    numbers, step, zero = _quantized(node.input[0])
    yield helper.make_node("MatMulInteger", [numbers, f"{name}.whole", zero], [f"{found}.sums"])
    yield helper.make_node("Cast", [f"{found}.sums"], [f"{found}.floats"], to=TensorProto.FLOAT)
    yield helper.make_node("Mul", [step, f"{name}.scale"], [f"{found}.steps"])
    bias = node.input[2:]
    product = f"{found}.product" if bias else found
    yield helper.make_node("Mul", [f"{found}.floats", f"{found}.steps"], [product])
    if bias:
        yield helper.make_node("Add", [product, bias[0]], [found])


def _quantized(activations: str) -> list[str]:
    """Names of activations in whole numbers, their step, and which number is zero."""
    return [f"{activations}.whole", f"{activations}.step", f"{activations}.zero"]


def _drop_replaced(graph: Any, weights: Any) -> None:
    wanted = {name for node in graph.node for name in node.input}
    kept = [one for one in graph.initializer if one.name in wanted or f"{one.name}.whole" not in weights]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _saturates() -> bool:
    """Whether sums of two products of eight bits each are cut off at sixteen: on x86 without VNNI. Weights then get
    seven bits (ONNX Runtime, "Quantize ONNX Models", on `reduce_range`)."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    return not is_quicker_for_certain()
