"""An import that ends in the middle goes on where it was."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
from vector_files import DIM, put, random_vectors, stored, table, unit

import clipsearch
from clipsearch.errors import SourceError


def test_an_import_that_is_stopped_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("clipsearch_indexer.vectors.steps._NUMBERS_AT_A_TIME", DIM * 10)
    vectors = random_vectors(100)
    source = table(tmp_path / "data", vectors)
    asked = iter([False, False, True])
    report = put(source, tmp_path / "i.index", stop=lambda: next(asked, True))
    assert report.interrupted
    assert report.total == report.imported == 30
    rest = put(source, tmp_path / "i.index")
    assert (rest.imported, rest.known, rest.total) == (70, 30, 100)
    assert np.allclose(np.stack(list(stored(tmp_path / "i.index").values())), unit(vectors), rtol=2.0**-10, atol=1e-6)


SCRIPT = """
import sys, time
import clipsearch
from clipsearch_indexer.vectors import steps
from clipsearch.store.writer import IndexWriter
from toy import ToyEncoder

steps._NUMBERS_AT_A_TIME = ToyEncoder().dim * 10
steps._PUBLISH_EVERY = 0
append = IndexWriter.append

def slow(self, *args, **options):
    done = append(self, *args, **options)
    print("batch", flush=True)
    time.sleep(0.02)
    return done

IndexWriter.append = slow
clipsearch.import_vectors(sys.argv[1], sys.argv[2], encoder=ToyEncoder(), workers=1)
"""


@pytest.mark.slow
def test_kill_9_loses_one_batch_at_most(tmp_path, subprocess_env):
    vectors = random_vectors(400)
    source, index = table(tmp_path / "data", vectors), tmp_path / "i.index"
    written = 0
    for kills in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(source), str(index)],
            env=subprocess_env,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2 + kills):
            assert process.stdout.readline() == "batch\n"
        time.sleep(0.005 * kills)
        process.kill()
        written += 2 + kills + process.communicate()[0].count("batch")
    report = put(source, index)
    # A batch may be whole on the disk before it could say so.
    assert 10 * written <= report.known <= 10 * (written + 3)
    assert report.known + report.imported == report.total == 400
    assert np.allclose(np.stack(list(stored(index).values())), unit(vectors), rtol=2.0**-10, atol=1e-6)
    assert clipsearch.verify(index).problems == ()


def test_what_comes_before_a_table_that_breaks_off_is_kept(tmp_path, monkeypatch):
    source = table(tmp_path / "data", random_vectors(14))
    [chunk] = [c for c in pq.read_metadata(source).row_group(1).to_dict()["columns"] if "vector" in c["path_in_schema"]]
    good = source.read_bytes()
    place = chunk["data_page_offset"]
    source.write_bytes(good[:place] + bytes(16) + good[place + 16 :])
    monkeypatch.setattr("clipsearch_indexer.vectors.steps._NUMBERS_AT_A_TIME", DIM * 7)
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        put(source, tmp_path / "i.index")
    assert len(stored(tmp_path / "i.index")) == 7
    source.write_bytes(good)
    report = put(source, tmp_path / "i.index")
    assert (report.imported, report.known) == (7, 7)
