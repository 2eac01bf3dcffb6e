"""Layers in other forms against the layers themselves, and products in eight bits against NumPy's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from clipsearch.models.towers import quantized  # noqa: E402 -- torch comes first
from clipsearch.models.towers.image_tower import onnx_runtime  # noqa: E402
from clipsearch.models.towers.rewrites import OPSET, gelu_in_one, rewritten  # noqa: E402


class Tower(torch.nn.Module):
    """A vision transformer of one layer, whose attention may look elsewhere or through a mask."""

    def __init__(self, bias: bool) -> None:
        super().__init__()
        self.patches = torch.nn.Conv2d(3, 24, 8, 8, bias=bias)
        self.attention = torch.nn.MultiheadAttention(24, 4, bias=bias, batch_first=True)

    def forward(self, pixels, other=None, mask=None):
        seen = self.patches(pixels).flatten(2).transpose(1, 2)
        beside = seen if other is None else other
        return self.attention(seen, beside, beside, need_weights=False, attn_mask=mask)[0]


@pytest.mark.parametrize("bias", [True, False])
def test_a_rewritten_tower_computes_the_same_and_is_put_back(bias: bool) -> None:
    torch.manual_seed(1)
    tower = Tower(bias).eval().requires_grad_(False)
    if bias:
        torch.nn.init.normal_(tower.attention.in_proj_bias)
    pixels = torch.randn(3, 3, 32, 24)
    cases = [
        {},
        {"other": torch.randn(3, 5, 24)},
        {"mask": torch.triu(torch.full((12, 12), float("-inf")), 1)},
    ]
    wanted = [tower(pixels, **case) for case in cases]
    layers = dict(tower.named_children())
    with rewritten(tower):
        assert not set(map(id, tower.children())) & set(map(id, layers.values()))
        for case, expected in zip(cases, wanted, strict=True):
            torch.testing.assert_close(tower(pixels, **case), expected, atol=1e-5, rtol=1e-5)
    assert dict(tower.named_children()) == layers


class TimmTower(torch.nn.Module):
    def __init__(self, **how: bool) -> None:
        from timm.layers import LayerNorm
        from timm.models.vision_transformer import Attention

        super().__init__()
        self.attention = Attention(24, 4, norm_layer=LayerNorm, **how)

    def forward(self, sequence, mask=None):
        return self.attention(sequence, attn_mask=mask)


@pytest.mark.parametrize("bias", [True, False])
def test_timms_attention_is_rewritten_too(bias: bool) -> None:
    torch.manual_seed(2)
    tower, sequence = TimmTower(qkv_bias=bias).eval().requires_grad_(False), torch.randn(3, 7, 24)
    mask = torch.zeros(7, 7).masked_fill(torch.eye(7, dtype=torch.bool), float("-inf"))
    layer, plain, masked = tower.attention, tower(sequence), tower(sequence, mask)
    with rewritten(tower):
        assert tower.attention is not layer
        torch.testing.assert_close(tower(sequence), plain, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(tower(sequence, mask), masked, atol=1e-5, rtol=1e-5)
    assert tower.attention is layer


def test_attention_with_more_to_it_stays_as_it_is() -> None:
    tower = TimmTower(qk_norm=True)
    layer = tower.attention
    with rewritten(tower):
        assert tower.attention is layer


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_is_one_operator_with_the_same_values(approximate: str, tmp_path: Path) -> None:
    layer, values = torch.nn.GELU(approximate=approximate), torch.linspace(-6, 6, 997)
    with gelu_in_one():
        torch.onnx.export(layer, (values,), str(tmp_path / "gelu.onnx"), opset_version=OPSET, dynamo=False)
    session = onnx_runtime().InferenceSession(tmp_path / "gelu.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: values.numpy()})
    np.testing.assert_allclose(found, layer(values).numpy(), atol=1e-6)
    kinds = [node.op_type for node in onnx.load(tmp_path / "gelu.onnx").graph.node]
    assert (kinds == ["FastGelu"]) == (approximate == "tanh")


def dynamically(activations: np.ndarray, weight: np.ndarray, largest: int) -> np.ndarray:
    """The product as ONNX's DynamicQuantizeLinear and MatMulInteger define it, written out."""
    low, high = min(0.0, float(activations.min())), max(0.0, float(activations.max()))
    step = np.float32((high - low) / 255)
    zero = np.rint(-low / step)
    numbers = np.clip(np.rint(activations / step) + zero, 0, 255) - zero
    scale = np.abs(weight).max(axis=0) / largest
    return (numbers @ np.rint(weight / scale)) * step * scale


@pytest.mark.parametrize("saturates", [False, True])
def test_products_in_eight_bits_are_those_of_numpy(
    saturates: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A product of three axes, and a Gemm of its transposed weight with a bias; what has no weight stays as it is."""
    monkeypatch.setattr(quantized, "_saturates", lambda: saturates)
    random = np.random.default_rng(5)
    first, second, bias = (random.normal(size=size).astype(np.float32) for size in ((16, 12), (7, 12), (7,)))
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("MatMul", ["x", "first"], ["a"]),
            onnx.helper.make_node("Reshape", ["a", "flat"], ["b"]),
            onnx.helper.make_node("Gemm", ["b", "second", "bias"], ["c"], transB=1),
            onnx.helper.make_node("Transpose", ["c"], ["d"]),
            onnx.helper.make_node("MatMul", ["c", "d"], ["y"]),
        ],
        "products",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [2, 3, 16])],
        [
            onnx.helper.make_tensor_value_info("c", onnx.TensorProto.FLOAT, [6, 7]),
            onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [6, 6]),
        ],
        [
            onnx.numpy_helper.from_array(value, name)
            for name, value in {
                "first": first,
                "second": second,
                "bias": bias,
                "flat": np.array([-1, 12]),
            }.items()
        ],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "single.onnx")
    quantized.quantize(tmp_path / "single.onnx", tmp_path / "whole.onnx")
    pixels = random.normal(size=(2, 3, 16)).astype(np.float32)
    session = onnx_runtime().InferenceSession(tmp_path / "whole.onnx", providers=["CPUExecutionProvider"])
    found, last = session.run(None, {"x": pixels})
    largest = 63 if saturates else 127
    between = dynamically(pixels, first, largest).reshape(-1, 12)
    wanted = dynamically(between, second.T, largest) + bias
    np.testing.assert_allclose(found, wanted, atol=0.02 * np.abs(wanted).max())
    np.testing.assert_allclose(last, found @ found.T, atol=1e-4)
    assert np.abs(found - (pixels @ first).reshape(-1, 12) @ second.T - bias).max() > 1e-4  # it is not in floats
    kept = {tensor.name: tensor.data_type for tensor in onnx.load(tmp_path / "whole.onnx").graph.initializer}
    assert {name for name, kind in kept.items() if kind == onnx.TensorProto.INT8} == {"first.whole", "second.whole"}
    assert not {"first", "second"} & kept.keys()
