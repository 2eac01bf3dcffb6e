"""Whole trainings of a tiny model, also in spite of everything."""

import json
import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

import clipsearch
from clipsearch.errors import ModelError, SourceError, UsageError
from clipsearch.models import load_encoder
from clipsearch.training import Recipe, TrainingProgress, TrainingReport
from clipsearch.training.log import read_log
from clipsearch.training.recall import recall
from tests.training.conftest import caption

RECIPE = Recipe(epochs=3, batch_size=8, lr=2e-3, ema=0.9, augment="strong")


class Stopped(Exception):
    """A run that is cut off at a step."""


def train(photos: Path, out: Path, *, stop: int = 0, **options: Any) -> TrainingReport:
    def listen(progress: TrainingProgress) -> None:
        if progress.step == stop:
            raise Stopped

    options = {"recipe": RECIPE, "save_every": 2, "offline": True} | options
    return clipsearch.train(photos, out, progress=listen, **options)


def weights(out: Path) -> dict[str, np.ndarray]:
    return load_file(out / "open_clip_model.safetensors")


def losses(out: Path) -> list[tuple[int, float]]:
    return [(line["step"], line["loss"]) for line in read_log(out / "training/log.jsonl") if "loss" in line]


@pytest.fixture(scope="module")
def undisturbed(photos: Path, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrainingReport]:
    out = tmp_path_factory.mktemp("trained") / "model"
    return out, train(photos, out, model=str(tiny))


def assert_same_run(out: Path, undisturbed: Path) -> None:
    assert losses(out) == losses(undisturbed)
    expected = weights(undisturbed)
    for name, value in weights(out).items():
        assert np.array_equal(value, expected[name]), name
    assert (out / "training/log.jsonl").read_text().count('"text_to_image_r1"') == 1 + RECIPE.epochs


def test_a_training_writes_a_model_that_searches(
    undisturbed: tuple[Path, TrainingReport], photos: Path, tmp_path: Path
) -> None:
    out, report = undisturbed
    assert (report.pairs, report.validated, report.unreadable, report.steps, report.of) == (24, 8, 0, 9, 9)
    assert not report.interrupted
    assert sorted(path.name for path in out.iterdir()) == [
        "bpe_simple_vocab.txt.gz",
        "open_clip_config.json",
        "open_clip_model.safetensors",
        "training",
    ]
    assert sorted(path.name for path in (out / "training").iterdir()) == [
        "curves.png",
        "lock",
        "log.jsonl",
        "run.json",
        "state.pt",
    ]
    assert Image.open(out / "training/curves.png").format == "PNG"
    clipsearch.build(photos, tmp_path / "p.index", model=str(out), offline=True)
    with clipsearch.open(tmp_path / "p.index", offline=True) as index:
        assert len(index.search("a red picture", k=5).to_arrow()) == 5


def test_the_reported_recall_is_that_of_the_written_model(
    undisturbed: tuple[Path, TrainingReport], photos: Path
) -> None:
    from clipsearch.pictures import fit

    out, report = undisturbed
    encoder = load_encoder(str(out), device="cpu", offline=True)
    pixels = [
        fit(Image.open(photos / f"images/p{number}.png").convert("RGB"), encoder.preprocessing)
        for number in range(24, 32)
    ]
    texts = [text for number in range(24, 32) for text in (caption(number), f"no. {number}")]
    own = recall(encoder.encode_images(np.stack(pixels)), encoder.encode_texts(texts), np.repeat(np.arange(8), 2))
    for name, value in own.items():
        assert report.recall[name] == pytest.approx(value, abs=0.13)  # weights are written in float16


def test_steps_are_logged_one_by_one(undisturbed: tuple[Path, TrainingReport]) -> None:
    lines = [line for line in read_log(undisturbed[0] / "training/log.jsonl") if "loss" in line]
    assert [line["step"] for line in lines] == list(range(1, 10))
    assert [line["epoch"] for line in lines] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert lines[-1]["loss"] == undisturbed[1].loss
    assert max(line["lr"] for line in lines) <= 2e-3


@pytest.mark.parametrize("stop", [1, 5, 7])
def test_a_run_cut_off_goes_on_to_the_same_weights(
    undisturbed: tuple[Path, TrainingReport], photos: Path, tiny: Path, tmp_path: Path, stop: int
) -> None:
    out = tmp_path / "model"
    with pytest.raises(Stopped):
        train(photos, out, model=str(tiny), stop=stop)
    report = train(photos, out, model=str(tiny))
    assert report.resumed == {1: 0, 5: 4, 7: 6}[stop]
    assert report.recall == undisturbed[1].recall
    assert_same_run(out, undisturbed[0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_killed_run_goes_on_to_the_same_weights(
    undisturbed: tuple[Path, TrainingReport], photos: Path, tiny: Path, tmp_path: Path
) -> None:
    def run_into_death() -> None:
        def listen(progress: TrainingProgress) -> None:
            if progress.step == 5:
                os.kill(os.getpid(), signal.SIGKILL)

        clipsearch.train(photos, out, model=str(tiny), recipe=RECIPE, save_every=2, offline=True, progress=listen)

    out = tmp_path / "model"
    process = multiprocessing.get_context("fork").Process(target=run_into_death)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    load_encoder(str(out), device="cpu", offline=True)  # what is there is whole
    report = train(photos, out, model=str(tiny))
    assert report.resumed == 4
    assert_same_run(out, undisturbed[0])


@pytest.mark.parametrize("request_", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_saves_the_step_in_hand(
    undisturbed: tuple[Path, TrainingReport], photos: Path, tiny: Path, tmp_path: Path, request_: signal.Signals
) -> None:
    def listen(progress: TrainingProgress) -> None:
        if progress.step == 5:
            signal.raise_signal(request_)

    before = signal.getsignal(request_)
    options: dict[str, Any] = {"model": str(tiny), "recipe": RECIPE, "offline": True}
    report = clipsearch.train(photos, tmp_path / "model", progress=listen, **options)
    assert (report.interrupted, report.steps) == (True, 5)
    assert signal.getsignal(request_) == before
    assert train(photos, tmp_path / "model", model=str(tiny)).resumed == 5
    assert_same_run(tmp_path / "model", undisturbed[0])


def test_a_finished_run_has_nothing_left_to_do(
    undisturbed: tuple[Path, TrainingReport], photos: Path, tiny: Path
) -> None:
    before = weights(undisturbed[0])
    report = train(photos, undisturbed[0], model=str(tiny))
    assert (report.resumed, report.steps, report.loss, report.recall) == (9, 9, None, undisturbed[1].recall)
    assert all(np.array_equal(value, before[name]) for name, value in weights(undisturbed[0]).items())


def test_other_settings_are_refused_and_named(
    undisturbed: tuple[Path, TrainingReport], photos: Path, tiny: Path
) -> None:
    with pytest.raises(UsageError, match=r"begun otherwise \(lr 0.002, now 0.1, seed 0, now 3\): give the same again"):
        train(photos, undisturbed[0], model=str(tiny), recipe=Recipe(3, 8, lr=0.1, seed=3, ema=0.9, augment="strong"))


def test_bad_pictures_are_replaced_and_named(photos: Path, tiny: Path, tmp_path: Path) -> None:
    broken = tmp_path / "photos"
    lines = [json.loads(line) for line in (photos / "captions.jsonl").read_text().splitlines()]
    lines = [line | {"file": str(photos / "images" / line["file"])} for line in lines]
    lines += [{"file": "gone.png", "captions": ["x"]}, {"file": "half.png", "captions": ["y"]}]
    broken.mkdir()
    (broken / "half.png").write_bytes((photos / "images/p00.png").read_bytes()[:200])
    (broken / "captions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    out = tmp_path / "model"
    report = train(broken, out, model=str(tiny), recipe=Recipe(epochs=1, batch_size=26, lr=1e-4))
    assert (report.pairs, report.unreadable, report.steps) == (26, 2, 1)
    why = {Path(line["file"]).name: line["why"] for line in read_log(out / "training/unreadable.jsonl")}
    assert "no longer there" in why["gone.png"]
    assert set(why) == {"gone.png", "half.png"}


def test_a_folder_of_bad_pictures_ends_in_one_sentence(tiny: Path, tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.png").write_bytes(b"no picture")
        (tmp_path / f"{number}.txt").write_text("a dog")
    with pytest.raises(SourceError, match="cannot be read"):
        train(tmp_path, tmp_path / "model", model=str(tiny), recipe=Recipe(epochs=1, batch_size=2))


def test_a_sigmoid_model_keeps_its_bias(photos: Path, tiny: Path, tmp_path: Path) -> None:
    recipe = Recipe(epochs=1, batch_size=12, lr=1e-3, loss="siglip")
    report = train(photos, tmp_path / "sigmoid", model=str(tiny), recipe=recipe)
    assert report.loss is not None
    encoder = load_encoder(str(tmp_path / "sigmoid"), device="cpu", offline=True)
    assert encoder.logit_bias == pytest.approx(-10.0, abs=0.05)
    assert encoder.logit_scale == pytest.approx(10.0, abs=0.2)
    import open_clip

    theirs = open_clip.create_model(f"local-dir:{tmp_path / 'sigmoid'}")  # strict about missing and unknown weights
    assert theirs.logit_bias.item() == encoder.logit_bias


def test_a_model_grows_from_an_architecture_and_from_vectors_of_a_teacher(
    photos: Path, tiny: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "teacher.npy", np.random.default_rng(0).normal(size=(24, 5)).astype(np.float32))
    (tmp_path / "teacher.txt").write_text("".join(f"p{number:02d}.png\n" for number in range(24)))
    recipe = Recipe(epochs=6, batch_size=12, lr=3e-3, lock="text", augment="none", chunk=5)
    both: dict[str, Any] = {"recipe": recipe, "architecture": str(tiny / "open_clip_config.json")}
    train(photos, tmp_path / "taught", teacher=tmp_path / "teacher.npy", **both)
    train(photos, tmp_path / "alone", **both)
    taught, alone = (losses(tmp_path / name) for name in ("taught", "alone"))
    assert taught[0][1] > alone[0][1] + 0.5  # the teacher's loss comes on top
    assert taught[-1][1] < taught[0][1] - 0.2
    first = weights(tmp_path / "alone")
    assert not np.array_equal(first["visual.proj"], weights(tiny)["visual.proj"])
    assert np.array_equal(first["text_projection"], weights(tmp_path / "taught")["text_projection"])  # locked


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, UsageError, "either --model to go on from one, or --architecture"),
        ({"model": "mini", "architecture": "mini"}, UsageError, "either --model"),
        ({"architecture": "ViT-Z-99"}, ModelError, "There is no model"),
        ({"model": "mini", "recipe": Recipe(batch_size=64)}, SourceError, "24 pictures .* --batch-size 24"),
    ],
)
def test_what_cannot_be_begun_is_refused(
    photos: Path, tmp_path: Path, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        train(photos, tmp_path / "model", **options)


@pytest.mark.parametrize(
    "wrong", [{"epochs": 0}, {"batch_size": 1}, {"lr": 0.0}, {"warmup": 1.0}, {"ema": 1.0}, {"chunk": 0}]
)
def test_a_recipe_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Recipe(**wrong)


def test_a_model_from_elsewhere_is_not_overwritten(photos: Path, tiny: Path) -> None:
    with pytest.raises(UsageError, match="was not trained here"):
        train(photos, tiny, model="mini")
