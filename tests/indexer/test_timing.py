"""What a run says of its time, and the trace it writes."""

from __future__ import annotations

import json
import time
from itertools import pairwise

import pytest

from clipsearch.errors import UsageError
from clipsearch_indexer.timing import Timing


def slowed(function, seconds):
    def slow(*arguments):
        time.sleep(seconds)
        return function(*arguments)

    return slow


def test_a_slow_model_is_named(album):
    album.paint_many(40)
    album.encoder.encode_images = slowed(album.encoder.encode_images, 0.3)
    report = album.build(batch_size=4)
    timing = report.timing
    assert timing.encode > max(timing.wait, timing.write)
    assert timing.encode * timing.seconds >= 3.0
    assert 3.0 <= timing.seconds <= report.seconds
    assert timing.images_per_second == pytest.approx(40 / timing.seconds)
    assert timing.wait + timing.encode + timing.write <= 1
    assert "model was at work" in timing.bottleneck


def test_a_slow_disk_below_the_pictures_is_named(album, slow_disk):
    album.paint_many(40)
    timing = album.build(batch_size=4, workers=1).timing
    assert timing.read > 0.7
    assert timing.wait > timing.encode
    assert timing.bottleneck.startswith("Reading the pictures")


def test_a_slow_disk_below_the_index_is_named(album):
    from clipsearch_indexer import batches

    album.paint_many(20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches.BatchWriter, "write", slowed(batches.BatchWriter.write, 0.1))
        timing = album.build(batch_size=4).timing
    assert timing.write > 0.5
    assert "--batch-size" in timing.bottleneck


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        ({"encode": 9.0, "wait": 0.5, "decode": 3.0}, "The model was at work 90%"),
        ({"encode": 3.0, "wait": 6.5, "decode": 19.0, "read": 1.0}, "Decoding pictures held up the model 65%"),
        ({"encode": 5.5, "wait": 4.0, "decode": 19.0, "read": 1.0}, "Decoding pictures held up the model 40%"),
        ({"encode": 3.0, "wait": 6.5, "decode": 4.0, "read": 15.0}, "Reading the pictures held up"),
        ({"encode": 3.0, "wait": 1.0, "hold": 5.5}, "Writing the index held up the model 55%"),
    ],
)
def test_what_is_said(monkeypatch, seconds, says):
    """Ten seconds of two workers."""
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    timing, now = Timing(), 0.0
    with timing.whole():
        now = 10.0
    for stage, spent in seconds.items():
        now = 0.0
        with timing.span(stage, "any"):
            now = spent
    report = timing.report(100, 2)
    assert report.images_per_second == 10
    assert report.bottleneck.startswith(says)


def test_nothing_new_has_no_timing(album):
    album.paint_many(2)
    album.build()
    assert album.build().timing is None


def test_the_trace_has_every_stage_on_its_track(album, tmp_path):
    album.paint_many(10)
    trace = tmp_path / "trace.json"
    report = album.build(batch_size=4, publish_every=0, profile=trace)
    events = json.loads(trace.read_text())
    tracks = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
    spans = [(tracks[e["tid"]], e["name"], e["ts"], e["dur"], e["args"]) for e in events if e["ph"] == "X"]
    assert {(track.split("_")[0].split()[0], name) for track, name, *_ in spans} == {
        *[("decode", "read"), ("decode", "decode"), ("main", "wait"), ("main", "encode"), ("main", "write")],
        *[("main", "hold"), ("publish", "publish")],
    }
    assert sorted(args["path"] for _, name, *_, args in spans if name == "decode") == sorted(album.paths())
    assert sum(args["pictures"] for _, name, *_, args in spans if name == "encode") == 10
    encode = sum(length for _, name, _, length, _ in spans if name == "encode") / 1e6
    assert report.timing.encode == pytest.approx(encode / report.timing.seconds, rel=0.01, abs=1e-3)
    for track in tracks.values():  # one thing at a time on each
        own = sorted((start, start + length) for one, _, start, length, _ in spans if one == track)
        assert all(ends <= begins + 1 for (_, ends), (begins, _) in pairwise(own))


def test_a_trace_replaces_no_file(album, tmp_path):
    album.paint_many(1)
    there = tmp_path / "there.json"
    there.write_text("mine")
    with pytest.raises(UsageError, match="--profile"):
        album.build(profile=there)
    assert there.read_text() == "mine"
