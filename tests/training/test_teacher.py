from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clipsearch.errors import SourceError
from clipsearch.training.pairs import Pair
from clipsearch.training.teacher import read_teacher

NAMES = ["/data/a/1.jpg", "/data/b/1.jpg", "/data/b/2.jpg", "/data/b/3.jpg"]
PAIRS = [Pair(Path(name), ("x",), name) for name in NAMES]


def vectors(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 3)).astype(np.float32)


@pytest.mark.parametrize("kind", [pa.list_(pa.float32(), 3), pa.list_(pa.float32()), pa.list_(pa.float16(), 3)])
def test_parquet_is_matched_by_the_end_of_the_path(tmp_path: Path, kind: pa.DataType) -> None:
    names, rows = ["b/2.jpg", "b/1.jpg", "a/1.jpg", "c/9.jpg"], vectors(4).astype(kind.value_type.to_pandas_dtype())
    table = pa.table({"path": names, "vector": pa.array(list(rows), kind)})
    pq.write_table(table, tmp_path / "t.parquet")
    found = read_teacher(tmp_path / "t.parquet", PAIRS)
    assert found.dtype == np.float32
    assert np.array_equal(found[:3], rows[[2, 1, 0]].astype(np.float32))
    assert np.isnan(found[3]).all()


def test_numpy_is_matched_by_file_names_that_are_unlike(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", vectors(3))
    (tmp_path / "t.txt").write_text("elsewhere/3.jpg\none/1.jpg\ntwo/1.jpg\n")
    found = read_teacher(tmp_path / "t.npy", PAIRS)
    assert np.array_equal(found[3], vectors(3)[0])
    assert np.isnan(found[:3]).all()  # two files are called 1.jpg


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "t.npy"
    np.save(file, vectors(2))
    with pytest.raises(SourceError, match=r"t\.txt beside it"):
        read_teacher(file, PAIRS)
    (tmp_path / "t.txt").write_text("9.jpg\n")
    with pytest.raises(SourceError, match="1 names for vectors of shape"):
        read_teacher(file, PAIRS)
    (tmp_path / "t.txt").write_text("8.jpg\n9.jpg\n")
    with pytest.raises(SourceError, match=r"knows none of the pictures; its names are like 8\.jpg"):
        read_teacher(file, PAIRS)
    file.write_bytes(b"nothing")
    with pytest.raises(SourceError, match="cannot be read as vectors"):
        read_teacher(file, PAIRS)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "t.parquet")
    with pytest.raises(SourceError, match="needs a column `path`"):
        read_teacher(tmp_path / "t.parquet", PAIRS)
