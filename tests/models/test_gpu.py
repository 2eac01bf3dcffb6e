"""The work for GPUs, on a CPU: lanes and their order, forms and their parity, the search for a batch, failures.

What CUDA alone can do (graphs, pinned memory, streams) is tested where there is a GPU."""

from __future__ import annotations

import gc
import weakref
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from clipsearch.models import load_encoder  # noqa: E402 -- torch comes first
from clipsearch.models.gpu import images as gpu_images  # noqa: E402
from clipsearch.models.gpu.choice import SMALLEST, Choice, best_batch, choose, open_lane, rate_of, release  # noqa: E402
from clipsearch.models.gpu.forms import Form, ImageNetwork, embed_in  # noqa: E402
from clipsearch.models.gpu.images import GpuImages, pictures_a_call  # noqa: E402
from clipsearch.models.gpu.lane import AT_ONCE, Lane, in_turn  # noqa: E402
from clipsearch.models.openclip import image_features  # noqa: E402

CPU = torch.device("cpu")
MIXED, WHOLE = Form("mixed", False, False), Form("bfloat16", False, False)
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")


@pytest.fixture(scope="module")
def encoder(tiny):
    return load_encoder(str(tiny), device="cpu", engine="torch", offline=True)


@pytest.fixture(scope="module")
def network(encoder) -> ImageNetwork:
    return ImageNetwork(encoder.network, image_features, encoder.preprocessing, encoder.dim)


@pytest.fixture(scope="module")
def many(network) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (5 * SMALLEST + 7, *network.shape), np.uint8)


def sums(pixels):
    """Stands for a network: a vector that says which picture it is of."""
    flat = pixels.flatten(1).float()
    return torch.stack([flat.sum(1), flat[:, 0]], dim=1)


def test_lanes_return_every_vector_in_order_whatever_the_last_batch():
    pixels = np.random.default_rng(0).integers(0, 256, (23, 4, 5, 3), np.uint8)
    lanes = [Lane(sums, CPU, 4, (4, 5, 3), 2, recorded=False) for _ in range(3)]
    found = np.concatenate(list(in_turn(lanes, (pixels[i : i + 4] for i in range(0, 23, 4)))))
    flat = pixels.reshape(23, -1)
    assert np.array_equal(found, np.stack([flat.sum(1, dtype=np.float32), flat[:, 0]], axis=1))


def test_lanes_are_dealt_to_in_turn_and_never_hold_more_than_they_have_room_for():
    under_way = {"a": 0, "b": 0}
    begun: list[str] = []

    class Counting(Lane):
        def __init__(self, name):
            super().__init__(sums, CPU, 2, (1, 1, 3), 2, recorded=False)
            self.name = name

        def start(self, pixels):
            begun.append(self.name)
            under_way[self.name] += 1
            assert under_way[self.name] <= AT_ONCE
            return super().start(pixels)

        def finish(self, slot):
            under_way[self.name] -= 1
            return super().finish(slot)

    batches = [np.full((2, 1, 1, 3), i, np.uint8) for i in range(9)]
    found = list(in_turn([Counting("a"), Counting("b")], batches))
    assert [vectors[0, 1] for vectors in found] == list(range(9))
    assert begun == list("ababababa")
    assert under_way == {"a": 0, "b": 0}


def test_a_run_that_was_broken_off_leaves_nothing_behind():
    lane = Lane(sums, CPU, 2, (1, 1, 3), 2, recorded=False)
    broken = in_turn([lane], (np.full((2, 1, 1, 3), i, np.uint8) for i in range(9)))
    next(broken)
    broken.close()
    found = list(in_turn([lane], [np.full((1, 1, 1, 3), i, np.uint8) for i in range(5)]))
    assert [vectors.tolist() for vectors in found] == [[[3 * i, i]] for i in range(5)]


@pytest.mark.parametrize("form", [MIXED, WHOLE])
def test_forms_stay_true_to_single_precision(network, encoder, many, form):
    found = np.concatenate(list(in_turn([open_lane(form, network, CPU, SMALLEST)], [many[:SMALLEST]])))
    wanted = encoder.encode_images(many[:SMALLEST])
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert (found * wanted).sum(1).min() >= 0.999
    assert not np.array_equal(found, wanted)  # it is another precision
    assert next(encoder.network.parameters()).dtype == torch.float32  # and the network was left alone


def test_a_form_that_is_not_true_is_not_used(network):
    noisy = replace(network, features=lambda n, x: image_features(n, torch.rand_like(x)))
    assert open_lane(MIXED, noisy, CPU, SMALLEST) is None


def test_a_network_that_cannot_run_in_a_form_falls_back(network):
    def not_throughout(n, x):
        if x.dtype == torch.bfloat16:
            raise NotImplementedError("no bfloat16 here")
        return image_features(n, x)

    stubborn = replace(network, features=not_throughout)
    assert open_lane(WHOLE, stubborn, CPU, SMALLEST) is None
    assert open_lane(MIXED, stubborn, CPU, SMALLEST) is not None


def test_what_cannot_be_recorded_falls_back_to_what_can_run(network, monkeypatch):
    """Here nothing can be recorded: that is what a GPU would say of a network with a step on the processor."""
    monkeypatch.setattr("clipsearch.models.gpu.choice._SECONDS", 0.01)
    monkeypatch.setattr(torch, "compile", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("no compiler")))
    choice = choose(network, CPU, SMALLEST)
    assert choice is not None
    assert (choice.form, choice.batch) == (WHOLE, SMALLEST)
    assert choice.rates["bfloat16, compiled"] == 0
    assert choice.rates["bfloat16"] > 0


def test_a_compiled_network_that_does_not_fit_the_memory_is_left_out(network, on_cpu, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda *_, **__: (_ for _ in ()).throw(torch.OutOfMemoryError))
    choice = choose(network, CPU, SMALLEST)
    assert choice is not None
    assert (choice.form, choice.rates["mixed, compiled"]) == (MIXED, 0)


def test_the_batch_grows_for_as_long_as_that_pays():
    asked: list[int] = []

    def saturating(size: int) -> float:
        asked.append(size)
        return 1000 * size / (size + 100)

    batch, rate = best_batch(saturating, 4096)
    rates = [1000 * size / (size + 100) for size in asked]
    assert asked == [32 * 2**i for i in range(len(asked))]
    assert all(later > 1.05 * earlier for earlier, later in pairwise(rates[:-1]))
    assert rates[-1] <= 1.05 * rates[-2]
    assert (batch, rate) == (asked[-2], rates[-2])


def test_the_batch_grows_no_further_than_memory_or_the_limit():
    def small(size: int) -> float:
        if size > 128:
            raise torch.OutOfMemoryError
        return float(size)

    assert best_batch(small, 4096) == (128, 128.0)
    assert best_batch(float, 64) == (64, 64.0)
    assert best_batch(lambda size: 0.0, 4096) == (0, 0.0)


@pytest.mark.parametrize(("shape", "count"), [((224, 224, 3), 1024), ((384, 384, 3), 512), ((64, 64, 3), 1024)])
def test_a_call_is_a_power_of_two_within_its_bytes(shape, count):
    assert pictures_a_call(shape) == count
    assert np.prod(shape) * count <= 2**28


@pytest.fixture
def on_cpu(monkeypatch):
    """`GpuImages` as on a GPU of this machine, whose measuring takes no time."""
    monkeypatch.setattr("clipsearch.models.gpu.choice._SECONDS", 0.01)
    monkeypatch.setattr("clipsearch.models.gpu.choice._PLAIN", (MIXED,))
    monkeypatch.setattr(gpu_images, "_PICTURES_A_CALL", 64)
    monkeypatch.setattr(torch, "compile", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("no compiler")))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda *_: None)


def test_lanes_are_made_once_there_proved_to_be_many(network, encoder, many, on_cpu, monkeypatch):
    told: list[str] = []
    bulk = GpuImages(network, encoder.encode_images, [CPU, CPU], None, told.append)
    assert np.array_equal(bulk(many), encoder.encode_images(many))
    assert not told
    assert bulk.choice is None
    monkeypatch.setattr(gpu_images, "_PATIENCE", 0.0)
    found = bulk(many)
    assert told == ["measuring the model on this GPU, once"]
    assert bulk.choice is not None
    assert (found * encoder.encode_images(many)).sum(1).min() >= 0.999
    assert np.array_equal(bulk(many[:3]), encoder.encode_images(many[:3]))  # few are not worth a whole batch


def prepared_for(batch, network, encoder) -> GpuImages:
    """With one lane of this many pictures."""
    bulk = GpuImages(network, encoder.encode_images, [CPU], None)
    bulk.prepare()
    assert bulk.choice is not None
    bulk.choice = type(bulk.choice)(bulk.choice.form, batch, bulk.choice.rates)
    bulk._open()
    return bulk


def test_memory_that_runs_out_halves_the_batch_and_then_ends_with_torch_as_it_is(network, encoder, many, on_cpu):
    bulk = prepared_for(2 * SMALLEST, network, encoder)
    (lane,) = bulk.lanes
    assert lane.batch == 2 * SMALLEST
    full = lambda: (_ for _ in ()).throw(torch.OutOfMemoryError)  # noqa: E731
    lane._run = full
    wanted = encoder.encode_images(many)
    assert (bulk(many) * wanted).sum(1).min() >= 0.999
    assert [lane.batch for lane in bulk.lanes] == [SMALLEST]
    bulk.lanes[0]._run = full
    assert np.array_equal(bulk(many), wanted)
    assert bulk.lanes == []


def test_what_was_chosen_is_remembered_and_what_is_damaged_is_measured_anew(
    network, encoder, on_cpu, monkeypatch, tmp_path
):
    told: list[str] = []
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_: tmp_path)
    monkeypatch.setattr(gpu_images, "key_of", lambda *_: "gpu-key")

    def prepared() -> Choice | None:
        bulk = GpuImages(network, encoder.encode_images, [CPU], "print", told.append)
        bulk.prepare()
        return bulk.choice

    first = prepared()
    assert first is not None
    assert prepared() == first
    assert len(told) == 1
    (tmp_path / "gpu-key.json").write_text('{"form": 7}')
    assert prepared() is not None
    assert len(told) == 2


@needs_gpu
@pytest.mark.parametrize("form", [Form("bfloat16", False, True), MIXED])
def test_a_gpu_makes_the_same_vectors(tiny, many, form):
    slow, quick = (load_encoder(str(tiny), device=device, engine="torch", offline=True) for device in ("cpu", "cuda"))
    network = ImageNetwork(quick.network, image_features, quick.preprocessing, quick.dim)
    lane = open_lane(form, network, torch.device("cuda", 0), SMALLEST)
    assert lane is not None
    release()
    taken = torch.full((2**28,), 0xAB, dtype=torch.uint8, device="cuda")  # memory that was wrongly freed is in here
    found = np.concatenate(list(in_turn([lane], [many[i : i + SMALLEST] for i in range(0, len(many), SMALLEST)])))
    assert (found * slow.encode_images(many)).sum(1).min() >= 0.999
    assert rate_of([lane], network, 0.1) > 0
    assert bool((taken == 0xAB).all())


def test_a_recorded_lane_keeps_the_weights_that_its_graph_reads(network, monkeypatch):
    """The graph has addresses, no references: nothing else would keep them."""
    copies: list[weakref.ref[torch.nn.Module]] = []

    def copied(module):
        copies.append(weakref.ref(copy := deepcopy(module)))
        return copy

    monkeypatch.setattr("clipsearch.models.gpu.forms.deepcopy", copied)
    monkeypatch.setattr("clipsearch.models.gpu.lane._recorded", lambda embed, pixels, stream: lambda: None)
    lane = Lane(embed_in(WHOLE, network, CPU), CPU, SMALLEST, network.shape, network.dim, recorded=True)
    gc.collect()
    assert copies[0]() is not None
    del lane
    gc.collect()
    assert copies[0]() is None


def test_fewer_than_half_a_batch_do_not_go_through_a_lane(network, encoder, many, on_cpu):
    bulk = prepared_for(4 * SMALLEST, network, encoder)
    bulk.lanes[0].start = None
    assert np.array_equal(bulk(many[: 2 * SMALLEST]), encoder.encode_images(many[: 2 * SMALLEST]))


def test_a_lane_that_cannot_be_made_ends_nothing(network, encoder, many, on_cpu, monkeypatch):
    monkeypatch.setattr(gpu_images, "choose", lambda *_: (_ for _ in ()).throw(RuntimeError("a broken driver")))
    monkeypatch.setattr(gpu_images, "_PATIENCE", 0.0)
    bulk = GpuImages(network, encoder.encode_images, [CPU], None)
    assert np.array_equal(bulk(many), encoder.encode_images(many))


def test_embedding_does_not_depend_on_what_fills_up_a_batch(network, many):
    lane = Lane(embed_in(MIXED, network, CPU), CPU, SMALLEST, network.shape, network.dim, recorded=False)
    (alone,) = in_turn([lane], [many[:5]])
    list(in_turn([lane], [many[40:72], many[72:104]]))
    (after,) = in_turn([lane], [many[:5]])
    assert np.array_equal(alone, after)
