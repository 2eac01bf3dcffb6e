from __future__ import annotations

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clipsearch.errors import PictureError
from clipsearch.names import to_stored
from clipsearch.pictures.fetch import picture_bytes

JPEG = b"\xff\xd8\xff"


def reason(root, **place) -> str:
    with pytest.raises(PictureError) as caught:
        picture_bytes(root, **place)
    return caught.value.reason


def test_file(tmp_path):
    name = os.fsdecode(b"caf\xe9.jpg")
    (tmp_path / name).write_bytes(JPEG)
    assert picture_bytes(tmp_path, file=to_stored(name), shard=None, row_group=None, row=None) == JPEG
    assert reason(tmp_path, file="gone.jpg") == "missing"


def test_rows_of_bytes(tmp_path):
    cells = [JPEG + bytes([number]) for number in range(100)]
    pq.write_table(pa.table({"label": range(100), "image": cells}), tmp_path / "a.parquet", row_group_size=40)
    for number in (0, 39, 40, 99):
        place = {"shard": "a.parquet", "row_group": number // 40, "row": number % 40}
        assert picture_bytes(tmp_path, **place) == cells[number]
        assert picture_bytes(tmp_path, **place, image_column="image") == cells[number]
    assert reason(tmp_path, shard="a.parquet", row_group=2, row=20) == "missing"
    assert reason(tmp_path, shard="a.parquet", row_group=3, row=0) == "missing"
    assert reason(tmp_path, shard="a.parquet", row_group=0, row=0, image_column="nope") == "missing"
    assert reason(tmp_path, shard="b.parquet", row_group=0, row=0) == "missing"


def test_rows_of_structs_and_paths(tmp_path):
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "x.jpg").write_bytes(JPEG + b"x")
    cells = [{"bytes": JPEG, "path": None}, {"bytes": None, "path": "x.jpg"}, None]
    pq.write_table(pa.table({"image": cells}), tmp_path / "shards" / "hf.parquet")
    pq.write_table(pa.table({"file_name": ["x.jpg", "gone.jpg"]}), tmp_path / "shards" / "paths.parquet")

    def fetched(shard: str, row: int) -> bytes:
        return picture_bytes(tmp_path, shard=f"shards/{shard}.parquet", row_group=0, row=row)

    assert fetched("hf", 0) == JPEG
    assert fetched("hf", 1) == fetched("paths", 0) == JPEG + b"x"
    for shard, row in (("hf", 2), ("paths", 1)):
        with pytest.raises(PictureError) as caught:
            fetched(shard, row)
        assert caught.value.reason == "missing"


def test_damaged_shard(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    assert reason(tmp_path, shard="a.parquet", row_group=0, row=0) == "unreadable"
