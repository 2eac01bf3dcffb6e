"""What `clipsearch bench gpu` counts and measures, on a CPU."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from clipsearch.models import load_encoder  # noqa: E402 -- torch comes first
from clipsearch.models.gpu.benchmark import fed_with_jpegs, made_jpegs, measure  # noqa: E402
from clipsearch.models.gpu.flops import gigaflops, peak_of  # noqa: E402
from clipsearch.models.gpu.forms import Form, ImageNetwork  # noqa: E402
from clipsearch.models.openclip import image_features  # noqa: E402
from clipsearch.pictures.for_model import Target, decode_for  # noqa: E402


@pytest.fixture
def network(tiny) -> ImageNetwork:
    encoder = load_encoder(str(tiny), device="cpu", engine="torch", offline=True)
    return ImageNetwork(encoder.network, image_features, encoder.preprocessing, encoder.dim)


def by_hand() -> int:
    """Of tests.tiny_model's tower: 64 pixels in patches of 16, width 64, two layers, 24 dimensions."""
    patches, width, layers, dim = 16, 64, 2, 24
    tokens = patches + 1
    embedding = patches * (3 * 16 * 16) * width
    linear = tokens * (width * 3 * width + width * width + 2 * width * 4 * width)
    attention = 2 * tokens * tokens * width
    return 2 * (embedding + layers * (linear + attention) + width * dim)


def test_operations_are_those_one_counts_by_hand(network):
    assert gigaflops(network) * 1e9 == by_hand()
    assert next(network.network.parameters()).device.type == "cpu"


@pytest.mark.parametrize(
    ("chip", "teraflops"),
    [
        ("NVIDIA H200", 989.5),
        ("NVIDIA H200 NVL", 835.5),
        ("NVIDIA H100 80GB HBM3", 989.5),
        ("NVIDIA H100 PCIe", 756.5),
        ("NVIDIA H100 NVL", 835.5),
        ("NVIDIA A100-SXM4-80GB", 312.0),
        ("NVIDIA L40S", 362.0),
        ("NVIDIA L4", 121.0),
        ("NVIDIA A10G", None),
        ("Tesla T4", None),
    ],
)
def test_the_peak_of_a_chip_is_known_by_its_name_or_not_at_all(chip, teraflops):
    assert peak_of(chip) == teraflops


def test_made_jpegs_are_pictures_of_their_own_and_the_same_each_time():
    first = made_jpegs(8)
    assert first == made_jpegs(8)
    assert len(set(first)) == len(first) == 8
    with Image.open(io.BytesIO(first[0])) as picture:
        assert (picture.format, picture.size) == ("JPEG", (640, 480))


def test_what_is_embedded_are_the_pixels_of_the_jpegs(network):
    jpegs, seen = made_jpegs(3), []
    target = Target(network.preprocessing, 10**6)
    rate = fed_with_jpegs(seen.append, target, jpegs, 5, 2, 0.05)
    wanted = np.stack([decode_for(target, jpegs[number % 3]).pixels for number in range(5)])
    assert rate > 0
    assert len(seen) >= 2
    assert all(np.array_equal(pixels, wanted) for pixels in seen)


def test_a_network_is_measured_both_ways(network, monkeypatch):
    monkeypatch.setattr("clipsearch.models.gpu.choice._SECONDS", 0.01)
    monkeypatch.setattr("clipsearch.models.gpu.images._PICTURES_A_CALL", 64)
    monkeypatch.setattr("clipsearch.models.gpu.choice._PLAIN", (Form("mixed", False, False),))
    monkeypatch.setattr(torch, "compile", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("no compiler")))
    rate = measure("tiny", network, [torch.device("cpu")], "a chip", seconds=0.05, peak=0.5)
    assert rate.form == "mixed"
    assert rate.tensors > 0
    assert rate.jpegs > 0
    assert rate.nvjpeg is None
    assert rate.share == pytest.approx(rate.tensors * by_hand() / 0.5e12)
