"""What comes out of an index goes in again as it is."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from vector_files import DIM, outside, put, random_vectors, stored, table, unit

import clipsearch


@settings(max_examples=6, deadline=None)
@given(
    vectors=arrays(np.float32, st.tuples(st.integers(1, 9), st.just(DIM)), elements=st.floats(-100, 100, width=32)),
    kind=st.sampled_from([np.float16, np.float32, np.float64]),
    middle=st.sampled_from(["float16", "float32"]),
    ending=st.sampled_from([".parquet", ".folder"]),
)
def test_import_export_import_export(vectors, kind, middle, ending):
    vectors[:, 0] = np.maximum(np.abs(vectors[:, 0]), 1)  # none is all zeros
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        given_vectors = vectors.astype(kind)
        put(table(folder, given_vectors), folder / "one.index")
        first = outside(folder / "one.index", folder / "first.parquet")
        got = np.array(first["vector"].to_pylist(), np.float64)
        assert np.allclose(got, unit(given_vectors), rtol=2.0**-10, atol=1e-6)
        target = folder / ("between" if ending == ".folder" else "between.parquet")
        with clipsearch.open(folder / "one.index") as opened:
            opened.export(target, dtype=middle)
        put(target, folder / "two.index")
        second = outside(folder / "two.index", folder / "second.parquet")
        assert second["vector"].combine_chunks().equals(first["vector"].combine_chunks())
        assert second["path"].equals(first["path"])
        exact = outside(folder / "two.index", folder / "exact.parquet", dtype="float32")
        assert np.abs(np.array(exact["vector"].to_pylist()) - got).max() <= 1e-6


def test_an_album_goes_through_and_is_found_again(album, tmp_path):
    album.paint_many(20)
    album.fill("red.png", "red")
    album.shard("more.parquet", {"image": [album.paint("x.png").read_bytes()] * 2, "stars": [3, 4]})
    album.build()
    with album.open() as opened:
        opened.export(tmp_path / "out.parquet", columns=["stars"])
    other = tmp_path / "other.index"
    report = put(tmp_path / "out.parquet", other)
    assert (report.imported, report.absent, report.total) == (24, 0, 24)
    with album.open() as before, clipsearch.open(other, encoder=album.encoder) as after:
        hits, again = before.search("red", k=5), after.search("red", k=5)
        assert [(hit.path, hit.score) for hit in again] == [(hit.path, hit.score) for hit in hits]
        facts = "SELECT content_hash, bytes, width, height, format, sharpness, mtime, stars FROM images ORDER BY path"
        assert after.sql(facts).equals(before.sql(facts))
        inside = after.search("red", k=2, where="stars = 4")
        assert [hit.path for hit in inside] == [str(album.folder / "more.parquet#0/1")]
        assert after.picture(inside[0].id) == (album.folder / "x.png").read_bytes()
    assert clipsearch.verify(other).problems == ()


def test_an_indexing_run_takes_imported_pictures_for_its_own(album, tmp_path):
    album.paint_many(6)
    put(table(album.folder, random_vectors(6), path=[f"p{i:03d}.png" for i in range(6)]), album.index)
    before = stored(album.index)
    (album.folder / "vectors.parquet").unlink()
    album.paint("new.png")
    report = album.build()
    assert (report.unchanged, report.embedded, report.removed) == (6, 1, 0)
    after = stored(album.index)
    assert {path: after[path].tobytes() for path in before} == {path: v.tobytes() for path, v in before.items()}
