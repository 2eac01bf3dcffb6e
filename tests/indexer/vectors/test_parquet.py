"""Parquet files with a column of vectors, and the pictures they belong to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from vector_files import DIM, lists, put, random_vectors, stored, table, unit

import clipsearch


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
@pytest.mark.parametrize("fixed", [True, False])
def test_lists_of_every_kind(tmp_path, kind, fixed):
    vectors = random_vectors(5, dtype=kind)
    columns = {"file_name": [f"{i}.jpg" for i in range(5)], "emb_of_clip": lists(vectors, fixed=fixed)}
    pq.write_table(pa.table(columns), tmp_path / "v.parquet")
    put(tmp_path / "v.parquet", tmp_path / "i.index")
    found = np.stack(list(stored(tmp_path / "i.index").values()))
    assert np.allclose(found, unit(vectors), rtol=2.0**-10, atol=1e-6)


def test_bad_vectors_are_listed_and_the_others_come(tmp_path):
    vectors = random_vectors(6).tolist()
    vectors[1], vectors[2], vectors[4] = [0.0] * DIM, None, vectors[4][:7]
    vectors[5][3] = float("nan")
    columns = {"path": [f"{i}.jpg" for i in range(6)], "vector": pa.array(vectors, pa.list_(pa.float32()))}
    pq.write_table(pa.table(columns), tmp_path / "v.parquet")
    report = put(tmp_path / "v.parquet", tmp_path / "i.index")
    assert (report.imported, report.failed) == (2, 4)
    assert list(stored(tmp_path / "i.index")) == ["0.jpg", "3.jpg"]
    with clipsearch.open(tmp_path / "i.index") as opened:
        failures = {row["path"]: (row["reason"], row["message"]) for row in opened.failures()}
    assert {reason for reason, _ in failures.values()} == {"bad vector"}
    assert failures["1.jpg"][1] == "The vector is all zeros."
    assert failures["2.jpg"][1] == "There is no vector."
    assert failures["4.jpg"][1] == f"The vector has 7 numbers, not {DIM}."
    assert failures["5.jpg"][1] == "The vector has a number that is infinite or none."
    again = put(tmp_path / "v.parquet", tmp_path / "i.index")
    assert (again.imported, again.failed, again.known, again.version) == (0, 0, 6, report.version)
    table(tmp_path, random_vectors(6), "v.parquet", path=columns["path"])
    healed = put(tmp_path / "v.parquet", tmp_path / "i.index")
    assert (healed.imported, healed.known) == (4, 2)
    with clipsearch.open(tmp_path / "i.index") as opened:
        assert opened.failures() == []


def test_of_two_rows_of_one_path_the_first_counts(tmp_path):
    vectors = random_vectors(4)
    paths = ["a.jpg", "b.jpg", "./a.jpg", str(tmp_path / "b.jpg")]
    report = put(table(tmp_path, vectors, path=paths), tmp_path / "i.index")
    assert (report.seen, report.imported, report.repeated) == (4, 2, 2)
    found = stored(tmp_path / "i.index")
    assert np.allclose(found["a.jpg"], unit(vectors)[0], atol=1e-3)
    assert np.allclose(found["b.jpg"], unit(vectors)[1], atol=1e-3)


def test_only_what_is_new_is_imported(tmp_path):
    source = table(tmp_path / "data", random_vectors(10))
    put(source, tmp_path / "i.index")
    before = stored(tmp_path / "i.index")
    table(tmp_path / "data", random_vectors(25, seed=1))
    report = put(source, tmp_path / "i.index")
    assert (report.imported, report.known, report.total) == (15, 10, 25)
    after = stored(tmp_path / "i.index")
    assert all(after[path].tobytes() == before[path].tobytes() for path in before)
    assert np.allclose(after["p24.png"], unit(random_vectors(25, seed=1))[24], atol=1e-3)


def test_a_table_may_say_what_an_absent_picture_would(tmp_path):
    columns = {"width": [640, 0], "height": [480, 0], "camera": ["X100", ""], "license": ["by", "by-sa"]}
    columns |= {"text": ["a dog", " "], "id": ["k1", "k2"], "bytes": [b"jpg", b"png"]}
    put(table(tmp_path, random_vectors(2), **columns), tmp_path / "i.index")
    with clipsearch.open(tmp_path / "i.index") as opened:
        rows = opened.sql("SELECT width, height, camera, license, caption, source_id FROM images ORDER BY id")
        assert "source_bytes" not in opened.sql("SELECT * FROM images").column_names
    assert rows.to_pylist() == [
        {"width": 640, "height": 480, "camera": "X100", "license": "by", "caption": "a dog", "source_id": "k1"},
        {"width": 0, "height": 0, "camera": None, "license": "by-sa", "caption": None, "source_id": "k2"},
    ]


def test_a_picture_that_is_here_speaks_for_itself(album, tmp_path):
    album.paint("p0.png", size=(40, 30))
    album.put("p1.png", b"no picture")
    put(table(tmp_path, random_vectors(3), width=[1, 2, 3]), tmp_path / "i.index", pictures=album.folder)
    with clipsearch.open(tmp_path / "i.index") as opened:
        rows = opened.sql("SELECT width, height, absent, root FROM images ORDER BY id").to_pylist()
    assert [(row["width"], row["height"], row["absent"]) for row in rows] == [
        (40, 30, False),
        (2, None, True),
        (3, None, True),
    ]
    assert {row["root"] for row in rows} == {"photos"}


@pytest.mark.parametrize("width", [13, 17], ids=["crashes", "never ends"])
def test_a_picture_that_its_decoder_does_not_survive_is_as_good_as_absent(album, tmp_path, bad_decoder, width):
    album.paint("p0.png", size=(40, 30))
    Image.new("RGB", (width, 9)).save(album.folder / "p1.png", "bmp")
    album.paint("p2.png", size=(40, 30))
    put(table(tmp_path, random_vectors(3)), tmp_path / "i.index", pictures=album.folder)
    with clipsearch.open(tmp_path / "i.index") as opened:
        rows = opened.sql("SELECT width, absent FROM images ORDER BY id").to_pylist()
    assert [(row["width"], row["absent"]) for row in rows] == [(40, False), (None, True), (40, False)]


def test_absolute_paths_get_the_deepest_folder_that_holds_them_all(tmp_path):
    paths = [f"/mnt/disk/photos/{folder}/{i}.jpg" for folder in ("a", "b/c") for i in range(3)] + ["near.jpg"]
    put(table(tmp_path / "data", random_vectors(7), path=paths), tmp_path / "i.index")
    with clipsearch.open(tmp_path / "i.index") as opened:
        roots = {root.alias: str(root.path) for root in opened.info().roots}
        assert roots == {"photos": "/mnt/disk/photos", "data": str(tmp_path / "data")}
        hit = opened.search(vector=random_vectors(7)[4], k=1)[0]
        assert (hit.path, hit.metadata["path"]) == (paths[4], "b/c/1.jpg")


def test_pictures_in_the_table_itself(album):
    data = [album.paint(f"{i}.png", i).read_bytes() for i in range(9)]
    columns = {"image": data, "embedding": lists(random_vectors(9))}
    source = album.shard("with.parquet", columns, row_group_size=4)
    index = album.folder.parent / "i.index"
    report = put(source, index)
    assert (report.imported, report.absent) == (9, 0)
    with clipsearch.open(index) as opened:
        hit = opened.search(vector=random_vectors(9)[6], k=1)[0]
        assert hit.path == f"{source}#1/2"
        assert opened.picture(hit.id) == data[6]


def test_what_nobody_has_seen_is_a_copy_of_nothing(album, tmp_path):
    for name in ("p0.png", "p1.png", "p2.png"):
        album.paint(name, 1 if name == "p1.png" else 0)  # the first and the third are equal
    vectors = random_vectors(6)
    vectors[2:] = vectors[0]
    put(table(tmp_path, vectors), tmp_path / "i.index", pictures=album.folder)
    with clipsearch.open(tmp_path / "i.index") as opened:
        [group] = opened.duplicates("near")
        assert [Path(copy.path).name for copy in (group.keep, *group.also)] == ["p0.png", "p2.png"]
        found = opened.search(vector=vectors[0], k=6, unique=True)
        names = {Path(hit.path).name for hit in found}
        assert names - {"p0.png", "p2.png"} == {"p1.png", "p3.png", "p4.png", "p5.png"}
        assert len(names) == 5


def test_an_indexing_run_beside_absent_pictures(album, tmp_path):
    source = table(tmp_path, random_vectors(3))
    album.paint("p1.png")
    put(source, album.index, pictures=album.folder)
    album.paint("new.png")
    assert (album.build(keep_missing=True).embedded, album.paths()) == (1, {"p0.png", "p1.png", "p2.png", "new.png"})
    album.paint("p2.png")  # an absent picture turns up: it is embedded, since nobody has seen what was
    report = album.build()
    assert (report.embedded, report.unchanged, report.removed) == (1, 2, 1)
    assert album.paths() == {"p1.png", "p2.png", "new.png"}
    album.assert_sound()
    clipsearch.repair(album.index)
    album.assert_sound()
