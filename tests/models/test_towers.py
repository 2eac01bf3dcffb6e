"""Models without torch: what is exported, what is chosen, and what becomes of damage."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clipsearch.errors import ModelError, UsageError
from clipsearch.models import load_encoder
from clipsearch.models.names import MINI
from clipsearch.models.openclip import OpenClipEncoder
from clipsearch.models.towers import engine, selection
from clipsearch.models.towers.encoder import PortableEncoder
from clipsearch.models.towers.image_choice import FAITHFUL
from clipsearch.models.towers.samples import sample_pixels
from clipsearch.models.weights import resolve

TEXTS = ["two dogs in the snow", "a red car", "", "a very " + "very " * 200 + "long sentence", "Straße &amp; 犬 😀"]


@pytest.fixture(autouse=True)
def towers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own for each test; the folder the towers go to."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(selection, "_SECONDS", 0)
    return tmp_path / "cache/clipsearch/towers"


@pytest.fixture(scope="module")
def by_torch(tiny: Path) -> OpenClipEncoder:
    return OpenClipEncoder(resolve(str(tiny)), "cpu")


@pytest.fixture(scope="module")
def pictures(by_torch: OpenClipEncoder) -> np.ndarray:
    return np.concatenate([sample_pixels(by_torch.preprocessing)] * 2)


def worst(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum(axis=1).min())


def kept(towers: Path, kind: str) -> list[Path]:
    return [file for file in towers.glob(f"*/*.{kind}") if file.name != "towers.json"]


def test_a_model_seen_before_needs_no_torch(
    tiny: Path, by_torch: OpenClipEncoder, pictures: np.ndarray, towers: Path, subprocess_env: dict[str, str]
) -> None:
    first = load_encoder(str(tiny), device="cpu", engine="onnx", threads=1)
    images, texts = first.encode_images(pictures), first.encode_texts(TEXTS)
    assert worst(images, by_torch.encode_images(pictures)) >= FAITHFUL
    assert worst(texts, by_torch.encode_texts(TEXTS)) >= 0.99999
    code = (
        f"import sys, numpy as np\nfrom clipsearch.models import load_encoder\n"
        f"encoder = load_encoder({str(tiny)!r}, device='cpu', engine='onnx', offline=True, threads=1)\n"
        f"from clipsearch.models.towers.samples import sample_pixels\n"
        f"pixels = np.concatenate([sample_pixels(encoder.preprocessing)] * 2)\n"
        f"np.savez(sys.argv[1], images=encoder.encode_images(pixels), texts=encoder.encode_texts({TEXTS!r}))\n"
        f"print(encoder.logit_scale, encoder.fingerprint, {{'torch', 'open_clip', 'timm'}} & set(sys.modules))"
    )
    target = towers / "found.npz"
    command = [sys.executable, "-c", code, str(target)]
    done = subprocess.run(command, env=subprocess_env, capture_output=True, text=True, check=True)
    assert done.stdout == f"{by_torch.logit_scale} {by_torch.fingerprint} set()\n"
    with np.load(target) as found:
        np.testing.assert_allclose(found["images"], images, atol=1e-5)
        np.testing.assert_allclose(found["texts"], texts, atol=1e-5)


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_a_text_search_with_mini_loads_no_torch(
    device: str, demo: tuple[Path, str], subprocess_env: dict[str, str]
) -> None:
    search = ["clipsearch", "search", "a sailboat on the sea", "--index", str(demo[0]), "--json", "--device", device]
    code = (
        f"import sys\nsys.argv = {search!r}\nfrom clipsearch.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit as done:\n    assert not done.code\n"
        "loaded = {'torch', 'open_clip', 'torchvision', 'timm', 'transformers', 'onnxruntime'} & set(sys.modules)\n"
        "print(sorted(loaded), file=sys.stderr)"
    )
    env = subprocess_env | {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    if device == "cpu" or not engine._may_have_gpu():
        assert done.stderr.splitlines()[-1] == "[]"
    assert json.loads(done.stdout)["hits"]


def test_nothing_is_reported_of_its_use(tiny: Path, pictures: np.ndarray, towers: Path) -> None:
    """ONNX Runtime keeps an identifier of the machine beside other caches, unless told not to."""
    load_encoder(str(MINI), device="cpu").encode_images(np.zeros((1, *_size("mini"), 3), np.uint8))
    assert {path.name for path in towers.parents[1].iterdir()} <= {"clipsearch"}


def _size(name: str) -> tuple[int, int]:
    wanted = load_encoder(name, device="cpu").preprocessing
    return wanted.height, wanted.width


def test_mini_ships_with_towers_that_are_its_own(towers: Path) -> None:
    mini = load_encoder("mini", device="cpu", engine="onnx")
    torch = load_encoder("mini", engine="torch", device="cpu")
    pixels = sample_pixels(mini.preprocessing)
    assert worst(mini.encode_images(pixels), torch.encode_images(pixels)) >= 0.9999
    assert worst(mini.encode_texts(TEXTS), torch.encode_texts(TEXTS)) >= 0.99999
    assert (mini.logit_scale, mini.logit_bias) == (torch.logit_scale, torch.logit_bias)
    assert not towers.exists(), "nothing had to be exported"
    assert sum(file.stat().st_size for file in MINI.iterdir()) <= 20_000_000


def test_few_pictures_are_not_worth_an_export(tiny: Path, pictures: np.ndarray, towers: Path) -> None:
    encoder = load_encoder(str(tiny), device="cpu")
    encoder.encode_images(pictures[:3])
    assert kept(towers, "onnx") == []
    encoder.encode_images(pictures)
    assert len(kept(towers, "onnx")) == 1


@pytest.mark.parametrize("certain", [True, False])
def test_the_choice_is_made_once(
    certain: bool, tiny: Path, pictures: np.ndarray, towers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Single precision is not measured where eight bits are quicker for certain, and true enough."""
    monkeypatch.setattr(selection, "is_quicker_for_certain", lambda: certain)
    told: list[str] = []
    load_encoder(str(tiny), device="cpu", tell=told.append).encode_images(pictures)
    assert told == ["preparing the model for this machine, once"]
    [choice] = kept(towers, "json")
    measured = json.loads(choice.read_text())
    wanted = {"torch float32", "onnx int8"} if certain else {"torch float32", "onnx int8", "onnx float32"}
    assert set(measured["rates"]) - {"torch bfloat16"} == wanted
    fastest = max(measured["rates"], key=measured["rates"].__getitem__)
    if measured["cosine"] >= FAITHFUL:
        assert fastest.split()[0] == measured["engine"]
    monkeypatch.setattr(selection, "_candidates", lambda *_: pytest.fail("measured again"))
    load_encoder(str(tiny), device="cpu", tell=told.append).encode_images(pictures)
    assert len(told) == 1


@pytest.mark.parametrize(("slower", "chosen"), [("torch", "ImageTower"), ("onnx", "method")])
def test_auto_takes_the_quicker_engine(
    slower: str, chosen: str, tiny: Path, pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        selection, "_rate", lambda encode, _: 1.0 if (type(encode).__name__ == "method") == (slower == "torch") else 9.0
    )
    for _ in range(2):  # the second time as remembered
        encoder = load_encoder(str(tiny), device="cpu")
        encoder.encode_images(pictures)
        assert type(encoder._images).__name__ == chosen  # type: ignore[attr-defined]
    named = load_encoder(str(tiny), device="cpu", engine="onnx")
    named.encode_images(pictures)
    assert type(named._images).__name__ == "ImageTower"  # type: ignore[attr-defined]


@pytest.mark.parametrize("true", [True, False])
def test_bfloat16_where_the_processor_has_it_and_the_model_bears_it(
    true: bool, tiny: Path, by_torch: OpenClipEncoder, pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "processor_can", lambda *flags: True)
    monkeypatch.setattr(
        selection, "_rate", lambda encode, _: 9.0 if "bfloat16" in getattr(encode, "__name__", "") else 1.0
    )
    if not true:
        monkeypatch.setattr(selection, "FAITHFUL", 1.1)
    exact = by_torch.encode_images(pictures)
    for _ in range(2):  # the second time as remembered
        found = load_encoder(str(tiny), device="cpu").encode_images(pictures)
        assert worst(found, exact) >= FAITHFUL
        assert np.array_equal(found, exact) != true


def test_a_spoilt_graph_is_refused(
    tiny: Path, by_torch: OpenClipEncoder, pictures: np.ndarray, towers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However quick it is: whole numbers that are not true to single precision are not used."""
    import onnx

    quantize = selection.quantize

    def spoil(graph: Path, file: Path) -> None:
        quantize(graph, file)
        model = onnx.load(file)
        scales = [one for one in model.graph.initializer if one.name.endswith(".scale")]
        for scale in scales:
            values = onnx.numpy_helper.to_array(scale)
            noisy = values * np.random.default_rng(0).uniform(0, 2, values.shape).astype(values.dtype)
            scale.CopyFrom(onnx.numpy_helper.from_array(noisy, scale.name))
        assert scales
        onnx.save(model, file)

    monkeypatch.setattr(selection, "quantize", spoil)
    rates = {"float32": 1.0, "int8": 99.0}
    measured = selection._measured
    monkeypatch.setattr(
        selection,
        "_measured",
        lambda precision, *rest, **more: replace(measured(precision, *rest, **more), rate=rates[precision]),
    )
    encoder = load_encoder(str(tiny), device="cpu", engine="onnx")
    assert worst(encoder.encode_images(pictures), by_torch.encode_images(pictures)) >= 0.99999
    assert json.loads(kept(towers, "json")[0].read_text())["precision"] == "float32"


def test_an_export_leaves_texts_alone_that_torch_has_to_embed(
    tiny: Path, by_torch: OpenClipEncoder, pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(file: Path) -> None:
        raise OSError

    encoder = load_encoder(str(tiny), device="cpu", engine="onnx")
    monkeypatch.setattr("clipsearch.models.towers.mapped.map_tensors", damaged)
    for _ in range(2):
        assert worst(encoder.encode_texts(TEXTS), by_torch.encode_texts(TEXTS)) >= 0.99999
        assert worst(encoder.encode_images(pictures), by_torch.encode_images(pictures)) >= FAITHFUL


def flip(file: Path) -> None:
    """Change one byte in twenty from the middle on."""
    data = bytearray(file.read_bytes())
    for place in range(len(data) // 2, len(data), 20):
        data[place] ^= 0x5A
    file.write_bytes(data)


@pytest.mark.parametrize(
    ("kind", "damage"), [("onnx", "cut"), ("onnx", "flipped"), ("onnx", "gone"), ("json", "cut"), ("json", "gone")]
)
def test_a_damaged_export_is_made_anew(
    damage: str, kind: str, tiny: Path, by_torch: OpenClipEncoder, pictures: np.ndarray, towers: Path
) -> None:
    load_encoder(str(tiny), device="cpu", engine="onnx").encode_images(pictures)
    [file] = kept(towers, kind)
    match damage:
        case "cut":
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        case "flipped":
            flip(file)
        case "gone":
            file.unlink()
    told: list[str] = []
    encoder = load_encoder(str(tiny), device="cpu", engine="onnx", tell=told.append)
    assert worst(encoder.encode_images(pictures), by_torch.encode_images(pictures)) >= FAITHFUL
    assert told, "it was made anew"


def test_damaged_facts_are_learnt_anew(tiny: Path, by_torch: OpenClipEncoder, towers: Path) -> None:
    load_encoder(str(tiny), device="cpu")
    [facts] = towers.glob("*/towers.json")
    sound = facts.read_bytes()
    for content in (b"", b"{}", sound[:20], sound.replace(b'"fingerprint": "', b'"fingerprint": "0')):
        facts.write_bytes(content)
        assert load_encoder(str(tiny), device="cpu").logit_scale == by_torch.logit_scale
        assert facts.read_bytes() == sound


def test_weights_in_a_pickle_are_exported(tiny: Path, by_torch: OpenClipEncoder, tmp_path: Path, towers: Path) -> None:
    import torch
    from safetensors.torch import load_file

    folder = tmp_path / "pickled"
    folder.mkdir()
    for name in ("open_clip_config.json", "bpe_simple_vocab.txt.gz"):
        (folder / name).write_bytes((tiny / name).read_bytes())
    torch.save(load_file(tiny / "open_clip_model.safetensors"), folder / "open_clip_pytorch_model.bin")
    wanted = by_torch.encode_texts(TEXTS)
    for _ in range(2):
        assert worst(load_encoder(str(folder), device="cpu").encode_texts(TEXTS), wanted) >= 0.99999
    [weights] = towers.glob("*/text.safetensors")
    weights.write_bytes(weights.read_bytes()[:5000])
    for _ in range(2):  # damaged, and made anew
        assert worst(load_encoder(str(folder), device="cpu").encode_texts(TEXTS), wanted) >= 0.99999
    assert weights.stat().st_size > 5000


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(
    tiny: Path, by_torch: OpenClipEncoder, pictures: np.ndarray, towers: Path
) -> None:
    towers.parent.mkdir(parents=True)
    towers.write_text("a file where the folder would be")
    encoder = load_encoder(str(tiny), device="cpu")
    np.testing.assert_allclose(encoder.encode_images(pictures), by_torch.encode_images(pictures), atol=1e-5)
    np.testing.assert_allclose(encoder.encode_texts(TEXTS), by_torch.encode_texts(TEXTS), atol=1e-5)


_EMBED = """
import sys
import numpy as np
from clipsearch.models import load_encoder
folder, pixels, vectors = sys.argv[1:]
encoder = load_encoder(folder, device="cpu", engine="onnx", threads=1)
np.save(vectors, encoder.encode_images(np.load(pixels)))
"""


@pytest.mark.slow
def test_two_processes_at_once(
    tiny: Path, by_torch: OpenClipEncoder, pictures: np.ndarray, towers: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "pixels.npy", pictures)
    files = [tmp_path / "a.npy", tmp_path / "b.npy"]
    command = [sys.executable, "-c", _EMBED, tiny, tmp_path / "pixels.npy"]
    both = [subprocess.Popen([*command, file]) for file in files]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    a, b = map(np.load, files)
    np.testing.assert_array_equal(a, b)
    assert worst(a, by_torch.encode_images(pictures)) >= FAITHFUL
    names = {file.name for file in kept(towers, "*")} - {"lock"}
    assert {Path(name).suffix for name in names} == {".json", ".onnx"}
    assert len(names) == 2, "nothing unfinished is left"


def test_engines_that_do_not_exist_or_do_not_run_there(tiny: Path) -> None:
    with pytest.raises(UsageError, match="no engine 'tensorrt': choose auto, torch or onnx"):
        load_encoder(str(tiny), engine="tensorrt")
    with pytest.raises(UsageError, match="onnx runs on the CPU"):
        load_encoder(str(tiny), engine="onnx", device="cuda")


def test_a_tower_that_onnx_cannot_express_is_left_to_torch(
    tiny: Path, by_torch: OpenClipEncoder, pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise RuntimeError("unsupported operator")

    monkeypatch.setattr(selection, "export_images", refuse)
    encoder = PortableEncoder(resolve(str(tiny)), "auto")
    assert worst(encoder.encode_images(pictures), by_torch.encode_images(pictures)) >= FAITHFUL, "perhaps in bfloat16"
    with pytest.raises(ModelError, match="choose --engine torch"):
        load_encoder(str(tiny), device="cpu", engine="onnx").encode_images(pictures)
