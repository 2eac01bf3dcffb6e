"""How a run goes: same result whatever the workers, publishing on the way, stopping politely."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import clipsearch


@pytest.fixture
def mixed(album, png):
    """Files and a shard, a few of them bad or twice there."""
    album.paint_many(20)
    album.paint("again.png", 3)
    album.put("bad.jpg", b"x")
    album.shard("s.parquet", {"image": [png(n) for n in range(15, 30)] + [None], "n": list(range(16))})
    return album


def outcome(album) -> dict:
    """Everything but times."""
    facts = album.facts()
    return {path: facts[path] | {"id": row["id"]} for path, row in album.rows().items()} | album.failures()


def test_result_does_not_depend_on_workers(mixed):
    mixed.build(batch_size=8, workers=1)
    expected = outcome(mixed)
    for number in (2, 5):
        other = mixed.fresh(f"{number}.index")
        other.build(batch_size=8, workers=number)
        assert outcome(other) == expected


@pytest.mark.parametrize("batch_size", [3, 1000])
def test_ids_and_vectors_do_not_depend_on_the_batch_size(mixed, batch_size):
    mixed.build(batch_size=8)
    other = mixed.fresh()
    other.build(batch_size=batch_size)
    assert outcome(other) == outcome(mixed)


def test_ids_follow_the_order_of_paths(album):
    album.paint_many(30)
    album.build(batch_size=4, workers=4)
    rows = album.rows()
    assert [rows[path]["id"] for path in sorted(rows)] == list(range(1, 31))


def test_progress(mixed):
    heard = []
    report = mixed.build(batch_size=8, progress=heard.append)
    assert heard[-1].stage == "done"
    assert (heard[-1].done, heard[-1].total) == (38, 38)
    assert [state.done for state in heard] == sorted(state.done for state in heard)
    assert (heard[-1].embedded, heard[-1].reused, heard[-1].failed) == (report.embedded, report.reused, report.failed)
    assert (report.embedded, report.reused, report.failed, report.total) == (30, 6, 2, 36)


def test_publishing_on_the_way(album, monkeypatch):
    monkeypatch.setattr("clipsearch_indexer.pace.PUBLISH_SHARE", 0)
    album.paint_many(24)
    sizes = []

    def listen(state):
        if state.stage == "embedding" and state.done:
            with album.open() as index:
                sizes.append(len(index))
            time.sleep(0.02)

    album.build(batch_size=4, publish_every=0, progress=listen)
    assert len(set(sizes)) > 1, "nothing was published before the end"
    assert sizes == sorted(sizes)
    album.assert_sound()
    other = album.fresh()
    other.build()
    assert album.facts() == other.facts()


def test_stop_publishes_what_is_done_and_the_next_run_goes_on(album):
    album.paint_many(30)
    asked = []

    def stop():
        asked.append(1)
        return len(asked) > 2

    report = album.build(batch_size=4, stop=stop)
    done = report.embedded
    assert report.interrupted
    assert 0 < done < 30
    assert (report.total, report.unchanged, report.seen) == (done, 0, 30)
    assert len(album.paths()) == done
    report = album.build(batch_size=4)
    assert (report.embedded, report.unchanged, report.total, report.interrupted) == (30 - done, done, 30, False)
    other = album.fresh()
    other.build(batch_size=4)
    assert outcome(album) == outcome(other)


def test_stopped_run_removes_nothing(album):
    album.paint_many(10)
    album.build()
    (album.folder / "p001.png").unlink()
    album.paint("new.png")
    report = album.build(stop=lambda: True)
    assert (report.removed, "p001.png" in album.paths()) == (0, True)
    assert album.build().removed == 1


def test_interrupt_leaves_a_usable_index(album, subprocess_env):
    album.paint_many(200)
    script = (
        "import sys, time\nfrom toy import ToyEncoder\nimport clipsearch\n"
        "class Slow(ToyEncoder):\n"
        "    def encode_images(self, pixels):\n"
        "        print('batch', flush=True); time.sleep(0.05); return super().encode_images(pixels)\n"
        "report = clipsearch.build(sys.argv[1], sys.argv[2], encoder=Slow(), batch_size=4)\n"
        "print('report', report.interrupted, report.embedded, report.total)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, album.folder, album.index], env=subprocess_env, stdout=subprocess.PIPE, text=True
    )
    for _ in range(3):
        assert process.stdout.readline() == "batch\n"
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=60)[0].splitlines()
    _, interrupted, embedded, total = rest[-1].split()
    assert (process.returncode, interrupted) == (0, "True")
    assert embedded == total
    assert 8 <= int(total) < 200
    album.assert_sound()
    with album.open() as index:
        assert len(index.search("red", k=1000)) == int(total)
    report = album.build()
    assert (report.unchanged, report.embedded) == (int(total), 200 - int(total))


def test_run_that_raises_loses_at_most_the_batch_in_hand(album):
    album.paint_many(20)
    encode = album.encoder.encode_images
    calls = []

    def fail_at_the_third(pixels):
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("the card fell out")
        return encode(pixels)

    album.encoder.encode_images = fail_at_the_third
    with pytest.raises(RuntimeError, match="fell out"):
        album.build(batch_size=4)
    album.encoder.encode_images = encode
    report = album.build(batch_size=4)
    assert (report.recovered, report.unchanged, report.embedded, report.total) == (8, 8, 12, 20)
    assert album.encoder.embedded == 20
    album.assert_sound()


def test_path_forms_and_public_names(album, monkeypatch):
    album.paint_many(3)
    monkeypatch.chdir(album.folder.parent)
    report = clipsearch.build("photos", "photos.index", encoder=album.encoder)
    assert report.index == album.index
    assert clipsearch.build([album.folder], str(album.index), encoder=album.encoder).unchanged == 3


def test_vectors_are_those_of_the_encoder(album):
    from clipsearch.pictures import fit, read_picture

    album.paint_many(5)
    album.build()
    stored = album.vectors()
    for path in album.paths():
        pixels = fit(read_picture(album.folder / path).image, album.encoder.preprocessing)
        expected = album.encoder.encode_images(pixels[None])[0].astype(np.float16)
        assert stored[path] == expected.tobytes()
