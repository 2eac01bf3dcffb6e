"""What is exported is what the index holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import clipsearch
from clipsearch.errors import QueryError, UsageError


@pytest.fixture
def filled(album):
    album.paint_many(25)
    data = (album.folder / "p000.png").read_bytes()
    album.shard("more.parquet", {"image": [data] * 3, "vector": ["a", "b", "c"]})
    album.build()
    (album.folder / "p003.png").unlink()
    album.build()
    return album


def held(index: clipsearch.Index, where: str = "true") -> dict[int, tuple[str, bytes]]:
    """Path and vector of each id, read one by one."""
    ids = index.sql(f"SELECT id FROM images WHERE {where} ORDER BY id")["id"].to_pylist()
    folder = Path(index.info().roots[0].path)
    return {i: (str(folder / index.get(i)["path"]), index.vectors([i])[0].tobytes()) for i in ids}


def table_of(path: Path) -> pa.Table:
    if path.suffix == ".arrow":
        with pa.memory_map(str(path)) as file:
            return pa.ipc.open_file(file).read_all()
    return pq.read_table(path)


@pytest.mark.parametrize(
    ("name", "dtype", "block"),
    [
        ("out.parquet", "float16", 7),
        ("out.parquet", "float32", 1000),
        ("out.arrow", "float16", 1),
        ("out.arrow", "float32", 7),
    ],
)
def test_tables(filled, tmp_path, monkeypatch, name, dtype, block):
    heard = []
    with filled.open() as index:
        monkeypatch.setattr("clipsearch.query.export._NUMBERS_AT_A_TIME", block * filled.encoder.dim)
        report = index.export(tmp_path / name, dtype=dtype, progress=lambda *state: heard.append(state))
        wanted = held(index)
    table = table_of(tmp_path / name)
    assert table.schema.field("vector").type == pa.list_(pa.float16() if dtype == "float16" else pa.float32(), 48)
    assert table["id"].to_pylist() == list(wanted)
    assert table["path"].to_pylist() == [path for path, _ in wanted.values()]
    vectors = table["vector"].combine_chunks().flatten().to_numpy().reshape(-1, 48)
    assert vectors.dtype == dtype
    assert [v.astype(np.float16).tobytes() for v in vectors] == [vector for _, vector in wanted.values()]
    assert (report.pictures, report.dim, report.dtype, report.files) == (27, 48, dtype, 1)
    assert heard[-1] == (27, 27)
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)


@pytest.mark.parametrize("block", [1, 6, 1000])
def test_the_folders_of_clip_retrieval(filled, tmp_path, monkeypatch, block):
    monkeypatch.setattr("clipsearch.query.export_files.SHARD_ROWS", 2)
    monkeypatch.setattr("clipsearch.query.export._NUMBERS_AT_A_TIME", block * filled.encoder.dim)
    with filled.open() as index:
        report = index.export(tmp_path / "laion", columns=["width"])
        wanted = held(index)
    arrays = sorted((tmp_path / "laion/img_emb").iterdir())
    tables = sorted((tmp_path / "laion/metadata").iterdir())
    assert [file.name for file in arrays] == [f"img_emb_{n:02d}.npy" for n in range(14)]
    assert [file.name for file in tables] == [f"metadata_{n:02d}.parquet" for n in range(14)]
    assert report.files == 28
    assert [len(np.load(file)) for file in arrays] == [2] * 13 + [1]
    assert [pq.read_metadata(file).num_rows for file in tables] == [2] * 13 + [1]
    vectors = np.concatenate([np.load(file, mmap_mode="r") for file in arrays])
    assert vectors.dtype == np.float16
    assert [vector.tobytes() for vector in vectors] == [vector for _, vector in wanted.values()]
    rows = pa.concat_tables([pq.read_table(file) for file in tables])
    assert rows.column_names == ["id", "image_path", "width"]
    assert rows["image_path"].to_pylist() == [path for path, _ in wanted.values()]


def test_filters_and_columns(filled, tmp_path):
    with filled.open() as index:
        report = index.export(tmp_path / "few.parquet", where="id % 5 = 0", columns=["WIDTH", "path", "vector"])
        wanted = held(index, "id % 5 = 0")
        rows = index.sql("SELECT width, path FROM images WHERE id % 5 = 0 ORDER BY id").to_pylist()
        index.export(tmp_path / "all.parquet", columns=["*"])
        every = index.sql("SELECT * FROM images ORDER BY id")
    table = pq.read_table(tmp_path / "few.parquet")
    assert report.pictures == len(table) == len(wanted) > 0
    assert table.column_names == ["id", "path", "width", "relative_path", "source_vector", "vector"]
    assert [{"width": r["width"], "path": r["relative_path"]} for r in table.to_pylist()] == rows
    full = pq.read_table(tmp_path / "all.parquet")
    own = {"path": "relative_path", "vector": "source_vector"}
    for name in every.column_names:
        assert full[own.get(name, name)].to_pylist() == every[name].to_pylist(), name


@pytest.mark.parametrize("name", ["none.parquet", "none.arrow", "none"])
def test_nothing_passes_the_filter(filled, tmp_path, name):
    with filled.open() as index:
        assert index.export(tmp_path / name, where="false").pictures == 0
    if name == "none":
        assert np.load(tmp_path / "none/img_emb/img_emb_0.npy").shape == (0, 48)
    else:
        assert len(table_of(tmp_path / name)) == 0


def test_what_is_there_stays_and_what_fails_leaves_nothing(filled, tmp_path, monkeypatch):
    place = tmp_path / "out"
    place.mkdir()
    (place / "a.parquet").write_text("precious")
    with filled.open() as index:
        with pytest.raises(UsageError, match="is there already and stays as it is"):
            index.export(place / "a.parquet")
        with pytest.raises(UsageError, match=r"ends in .csv, which is no format"):
            index.export(place / "a.csv")
        with pytest.raises(UsageError, match="The folder of"):
            index.export(place / "b/a.parquet")
        with pytest.raises(UsageError, match="choose float16 or float32"):
            index.export(place / "b.parquet", dtype="float64")
        with pytest.raises(QueryError, match="no column 'no'"):
            index.export(place / "b.parquet", columns=["no"])

        def fail(*_: object) -> None:
            raise KeyboardInterrupt

        for name in ("b.parquet", "b.arrow", "b"):
            with pytest.raises(KeyboardInterrupt):
                index.export(place / name, progress=fail)
    assert [file.name for file in place.iterdir()] == ["a.parquet"]
    assert (place / "a.parquet").read_text() == "precious"
