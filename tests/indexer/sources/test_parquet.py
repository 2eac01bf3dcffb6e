from __future__ import annotations

import datetime
import decimal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import clipsearch
import clipsearch_indexer
from clipsearch.errors import SourceError
from clipsearch_indexer.sources.parquet import inspect_shard, read_shard

HUGGING_FACE = pa.struct({"bytes": pa.binary(), "path": pa.string()})
JPEG, PNG = b"\xff\xd8\xff\xe0 a jpeg", b"\x89PNG\r\n\x1a\n a png"


def shard(folder: Path, columns: dict[str, object] | pa.Table, **options) -> Path:
    path = folder / "a.parquet"
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), path, **options)
    return path


def rows(path: Path, batch_rows: int = 100, **options):
    layout = inspect_shard(path, **options)
    return list(read_shard(path, layout, batch_rows=batch_rows))


@pytest.mark.parametrize(
    ("columns", "image", "kind"),
    [
        ({"image": [{"bytes": JPEG, "path": None}]}, "image", "struct"),
        ({"bild": [{"bytes": JPEG, "path": "a.jpg"}], "jpg": [PNG]}, "bild", "struct"),
        (
            {"audio": [{"bytes": b"RIFF....WAVE", "path": "a.wav"}], "image": [{"bytes": PNG, "path": None}]},
            "image",
            "struct",
        ),
        ({"image": [JPEG]}, "image", "bytes"),
        ({"image": pa.array([JPEG], pa.large_binary())}, "image", "bytes"),
        ({"md5": [b"\1" * 16], "thing": [None], "blob": [JPEG]}, "blob", "bytes"),
        ({"thumbnail": [PNG], "Image": [JPEG]}, "Image", "bytes"),
        ({"image": [b"no picture"], "webp": [b"RIFF\0\0\0\0WEBP"]}, "webp", "bytes"),
        ({"image": [b"broken"], "label": ["x"]}, "image", "bytes"),
        ({"image": pa.array([None], pa.binary())}, "image", "bytes"),
        ({"jpg": pa.array([None] * 300 + [JPEG], pa.binary())}, "jpg", "bytes"),
        ({"image": pa.array([{"path": "x.heic"}], HUGGING_FACE)}, "image", "struct"),
        ({"title": ["a.jpg"], "file_name": ["sub/a.JPG"]}, "file_name", "path"),
        ({"path": ["notes.txt"], "filepath": ["a.png"]}, "filepath", "path"),
        ({"path": pa.array(["a.png"]).dictionary_encode()}, "path", "path"),
        ({"file_name": ["a.jpg"], "image": [JPEG]}, "image", "bytes"),
        ({"image": pa.array([], pa.binary())}, "image", "bytes"),
        ({"image_path": pa.array([], pa.string())}, "image_path", "path"),
    ],
)
def test_image_column(tmp_path, columns, image, kind):
    layout = inspect_shard(shard(tmp_path, columns))
    assert (layout.image_column, layout.kind) == (image, kind)


@pytest.mark.parametrize(
    ("columns", "caption", "first"),
    [
        ({"text": ["b"], "caption": ["a"]}, "caption", "a"),
        ({"TEXT": [" a dog "]}, "TEXT", "a dog"),
        ({"captions": [["", "first", "second"]]}, "captions", "first"),
        ({"title": pa.array(["x"]).dictionary_encode()}, "title", "x"),
        ({"caption": [7], "description": ["x"]}, "description", "x"),
        ({"caption": [""]}, "caption", None),
        ({"captions": pa.array([[]], pa.list_(pa.string()))}, "captions", None),
        ({"label": ["x"]}, None, None),
    ],
)
def test_caption_column(tmp_path, columns, caption, first):
    path = shard(tmp_path, {"image": [JPEG], **columns})
    assert inspect_shard(path).caption_column == caption
    assert rows(path)[0].captions == [first]


def test_overrides(tmp_path):
    path = shard(tmp_path, {"image": [JPEG], "other": [PNG], "text": ["a"], "german": ["b"], "n": [1]})
    [part] = rows(path, image_column="other", caption_column="german")
    assert (part.pictures, part.captions) == ([PNG], ["b"])
    assert part.columns.schema.names == ["text", "german", "n"]
    for options in ({"image_column": "nope"}, {"caption_column": "nope"}):
        with pytest.raises(SourceError, match="image, other, text, german, n"):
            inspect_shard(path, **options)
    with pytest.raises(SourceError, match="'n' holds no pictures"):
        inspect_shard(path, image_column="n")


def test_sources_that_cannot_be_indexed(tmp_path):
    with pytest.raises(SourceError, match=r"--image-column \(a, b\)"):
        inspect_shard(shard(tmp_path, {"a": [1], "b": ["x"]}))
    with pytest.raises(SourceError, match="two columns"):
        inspect_shard(shard(tmp_path, pa.table([[JPEG], [1], [2]], names=["image", "a", "a"])))
    for content in (b"", b"PAR1", b"not Parquet at all", b"PAR1" + b"x" * 100 + b"PAR1"):
        (tmp_path / "bad.parquet").write_bytes(content)
        with pytest.raises(SourceError, match=r"bad\.parquet cannot be read as Parquet") as caught:
            inspect_shard(tmp_path / "bad.parquet")
        assert "\n" not in str(caught.value)
    with pytest.raises(SourceError, match="cannot be read"):
        inspect_shard(tmp_path / "gone.parquet")


def test_damage_found_while_reading(tmp_path):
    path = shard(tmp_path, {"image": [JPEG + bytes(range(256)) * 40] * 200}, row_group_size=50, use_dictionary=False)
    layout = inspect_shard(path)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = b"\xff" * 2000
    path.write_bytes(bytes(content))
    with pytest.raises(SourceError):
        for _ in read_shard(path, layout, batch_rows=10):
            pass


def test_metadata_keeps_names_and_types(tmp_path):
    moment = datetime.datetime(2020, 1, 2, 3, 4, 5, 678, tzinfo=datetime.UTC)
    table = pa.table(
        {
            "image": [JPEG, PNG],
            "caption": ["a", "b"],
            "id": pa.array([1, 2], pa.int8()),
            "price": pa.array([decimal.Decimal("1.50"), None], pa.decimal128(9, 2)),
            "when": pa.array([moment, None], pa.timestamp("us", "UTC")),
            "day": pa.array([moment.date(), None]),
            "class": pa.array(["x", "y"]).dictionary_encode(),
            "nested": [{"a": [1, 2], "b": {"c": "d"}}, {"a": [], "b": None}],
            "embedding": pa.array([[0.5, 1.0]] * 2, pa.list_(pa.float32(), 2)),
            "nothing": pa.nulls(2),
            "a.b": [1.0, 2.0],
            "md5": [b"1", b"2"],
            "thumbnail": [JPEG, JPEG],
        }
    ).replace_schema_metadata({"huggingface": "{}"})
    path = shard(tmp_path, table)
    wanted = pq.read_table(path).drop_columns(["image", "caption", "nothing", "thumbnail"])
    wanted = wanted.replace_schema_metadata(None)
    layout = inspect_shard(path)
    assert layout.metadata.equals(wanted.schema)
    assert layout.group_rows == (2,)
    [part] = rows(path)
    assert pa.Table.from_batches([part.columns]).replace_schema_metadata(None).equals(wanted)
    assert part.captions == ["a", "b"]


def test_only_pictures(tmp_path):
    [part] = rows(shard(tmp_path, {"image": [JPEG, None]}))
    assert part.pictures == [JPEG, None]
    assert part.columns.num_columns == 0


def test_struct_rows_and_paths(tmp_path):
    cells = [{"bytes": JPEG, "path": "a.jpg"}, {"bytes": None, "path": "b.jpg"}, {"bytes": None, "path": None}, None]
    assert rows(shard(tmp_path, {"image": cells}))[0].pictures == [JPEG, "b.jpg", None, None]
    assert rows(shard(tmp_path, {"image": [{"bytes": b"", "path": "b.jpg"}]}))[0].pictures == [b""]
    assert rows(shard(tmp_path, {"file_name": ["a.jpg", None]}))[0].pictures == ["a.jpg", None]


def test_batches_and_starts(tmp_path):
    cells = [JPEG + bytes([number]) for number in range(25)]
    path = shard(tmp_path, {"image": cells, "n": range(25)}, row_group_size=10)
    layout = inspect_shard(path)
    assert layout.group_rows == (10, 10, 5)
    parts = list(read_shard(path, layout, batch_rows=4))
    assert [(part.row_group, part.first_row, len(part.pictures)) for part in parts] == [
        *[(0, 0, 4), (0, 4, 4), (0, 8, 2)],
        *[(1, 0, 4), (1, 4, 4), (1, 8, 2)],
        *[(2, 0, 4), (2, 4, 1)],
    ]
    assert [cell for part in parts for cell in part.pictures] == cells
    for group in range(4):
        for row in range(layout.group_rows[group] + 1 if group < 3 else 1):
            rest = list(read_shard(path, layout, batch_rows=4, start=(group, row)))
            assert [cell for part in rest for cell in part.pictures] == cells[group * 10 + row :]
            assert [n for part in rest for n in part.columns["n"].to_pylist()] == list(range(group * 10 + row, 25))
            for part in rest:
                first = part.row_group * 10 + part.first_row
                assert part.pictures == cells[first : first + len(part.pictures)]


MEMORY = """
import re, sys
from pathlib import Path
from clipsearch_indexer.sources.parquet import inspect_shard, read_shard
path = Path(sys.argv[1])
def peak():  # of this process alone; ru_maxrss begins with what its parent had
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
before = peak()
count = sum(len(part.pictures) for part in read_shard(path, inspect_shard(path), batch_rows=16))
print(count, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("kind", ["bytes", "struct"])
def test_memory_does_not_grow_with_a_row_group(tmp_path, kind):
    cell = JPEG + bytes(250_000)
    cells = [cell if kind == "bytes" else {"bytes": cell, "path": None}] * 400  # 100 MB in one row group
    schema = pa.schema({"image": pa.binary() if kind == "bytes" else HUGGING_FACE})
    # Arrow's writer puts 1,024 rows on a page, and a page is the least that can be read; these have 8.
    layout = {"compression": "none", "use_dictionary": False, "write_batch_size": 8}
    with pq.ParquetWriter(tmp_path / "a.parquet", schema, **layout) as writer:
        writer.write_table(pa.table({"image": cells}, schema=schema), row_group_size=400)
    assert pq.ParquetFile(tmp_path / "a.parquet").num_row_groups == 1
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path / "a.parquet")],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(str(Path(room.__file__).parents[1]) for room in (clipsearch, clipsearch_indexer))},
    )
    count, kilobytes = map(int, done.stdout.split())
    assert count == 400
    assert kilobytes < 40_000
