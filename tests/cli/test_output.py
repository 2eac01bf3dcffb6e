"""Hits for other programs: CSV, Parquet, copies, links; and what `--explain` prints."""

from __future__ import annotations

import csv
import io
import os
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clipsearch.cli.output import print_csv, print_explain, write_parquet
from clipsearch.cli.placing import Placed, place_copies, place_links, print_placed
from clipsearch.errors import UsageError
from clipsearch.store.nearest import Plan
from clipsearch.types import Hit

SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("path", pa.string()),
        ("score", pa.float32()),
        ("relevance", pa.float32()),
        ("relative_path", pa.string()),
        ("caption", pa.string()),
        ("taken_at", pa.timestamp("us")),
        ("tags", pa.list_(pa.string())),
        ("price", pa.decimal128(10, 2)),
        ("raw", pa.binary()),
        ("flag", pa.bool_()),
        ("depth", pa.float64()),
    ]
)


def table() -> pa.Table:
    """Two hits with a column of every awkward type."""
    columns = [
        [7, 3],
        ["/p/a.jpg", "/p/b.jpg"],
        [0.31, 0.1],
        [0.9, None],
        ["a.jpg", "b.jpg"],
        ['says "hi", twice\nand again', None],
        [datetime(2024, 6, 1, 12, 30), None],
        [["x", "ü"], None],
        [None, Decimal("12.50")],
        [b"\0\xff", None],
        [True, False],
        [float("nan"), 0.1 + 0.2],
    ]
    return pa.table(
        [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )


def test_csv_says_every_value_as_it_is(capsys):
    print_csv(table())
    header, first, second = csv.reader(io.StringIO(capsys.readouterr().out))
    assert header == SCHEMA.names
    assert dict(zip(header, first, strict=True)) == {
        "id": "7",
        "path": "/p/a.jpg",
        "score": "0.31",
        "relevance": "0.9",
        "relative_path": "a.jpg",
        "caption": 'says "hi", twice\nand again',
        "taken_at": "2024-06-01T12:30:00",
        "tags": '["x", "ü"]',
        "price": "",
        "raw": "AP8=",
        "flag": "true",
        "depth": "",
    }
    assert second == ["3", "/p/b.jpg", "0.1", "", "b.jpg", "", "", "", "12.50", "", "false", str(0.1 + 0.2)]


def test_csv_of_no_hits_is_a_header(capsys):
    print_csv(table().slice(0, 0))
    assert capsys.readouterr().out == ",".join(SCHEMA.names) + "\n"


def test_csv_of_more_hits_than_a_batch(capsys):
    print_csv(pa.concat_tables([table()] * 3000))
    assert len(list(csv.reader(io.StringIO(capsys.readouterr().out)))) == 6001


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes names that are not UTF-8")
def test_csv_gives_file_names_as_the_bytes_they_are(monkeypatch):
    from clipsearch.names import to_stored

    name = os.fsdecode(b"/p/caf\xe9.jpg")
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, "utf-8", errors="surrogateescape"))
    print_csv(pa.table({"path": [to_stored(name)]}))
    sys.stdout.flush()
    assert out.getvalue() == b"path\n/p/caf\xe9.jpg\n"


def test_parquet_keeps_types_and_values(tmp_path):
    write_parquet(table(), tmp_path / "hits.parquet")
    found = pq.read_table(tmp_path / "hits.parquet")
    assert found.schema.equals(SCHEMA)
    assert found.drop_columns("depth").equals(table().drop_columns("depth"))


def test_parquet_overwrites_nothing(tmp_path):
    (tmp_path / "hits.parquet").write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        write_parquet(table(), tmp_path / "hits.parquet")
    assert (tmp_path / "hits.parquet").read_text() == "mine"


def test_parquet_writes_through_no_link(tmp_path):
    (tmp_path / "hits.parquet").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="is there already"):
        write_parquet(table(), tmp_path / "hits.parquet")
    assert not (tmp_path / "elsewhere").exists()


def test_parquet_into_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="make it first"):
        write_parquet(table(), tmp_path / "none" / "hits.parquet")


def test_parquet_that_cannot_be_finished_leaves_no_file(tmp_path, monkeypatch):
    def full(hits, file):
        file.write(b"PAR1")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(OSError, match="No space"):
        write_parquet(table(), tmp_path / "hits.parquet")
    assert list(tmp_path.iterdir()) == []


# --- copies and links


@pytest.fixture
def found(album, png):
    """Index and hits: two files of one name, and two pictures inside Parquet, in this order."""
    first = album.put("x/same.png", png(1))
    second = album.put("y/same.png", png(2))
    album.shard("shards/s.parquet", {"image": [png(3), png(4)], "caption": ["three", "four"]})
    album.build()
    with album.open() as index:
        rows = index.sql("select * from images order by shard nulls first, path").to_pylist()
        places = [str(first), str(second), *(str(album.folder / row["path"]) for row in rows[2:])]
        yield index, [Hit(row["id"], 0.5, place, row) for row, place in zip(rows, places, strict=True)]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


NAMES = ["001_same.png", "002_same.png", "003_s_0_0.png", "004_s_0_1.png"]


def test_copies_are_the_pictures_in_their_order(found, tmp_path, png):
    index, hits = found
    placed = place_copies(index, hits, tmp_path / "out" / "deep")
    assert placed == Placed(tmp_path / "out" / "deep", linked=0, copied=4, skipped=())
    assert contents(tmp_path / "out/deep") == dict(zip(NAMES, [png(n) for n in (1, 2, 3, 4)], strict=True))
    assert not any(path.is_symlink() for path in (tmp_path / "out/deep").iterdir())


def test_copies_keep_the_time_of_change(found, tmp_path):
    index, hits = found
    place_copies(index, hits[:1], tmp_path / "out")
    assert (tmp_path / "out" / NAMES[0]).stat().st_mtime_ns == Path(hits[0].path).stat().st_mtime_ns


def test_ranks_have_as_many_digits_as_they_need(found, tmp_path):
    index, hits = found
    place_links(index, hits[:1] * 1000, tmp_path / "out")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names[0] == "0001_same.png"
    assert names[-1] == "1000_same.png"


def test_nothing_is_overwritten(found, tmp_path, png):
    index, hits = found
    out = tmp_path / "out"
    out.mkdir()
    (out / NAMES[0]).write_text("mine")
    (out / "001_same-2.png").write_text("mine too")
    place_copies(index, hits[:1], out)
    place_copies(index, hits[:1], out)
    assert contents(out) == {
        NAMES[0]: b"mine",
        "001_same-2.png": b"mine too",
        "001_same-3.png": png(1),
        "001_same-4.png": png(1),
    }


@pytest.mark.parametrize("place", [place_copies, place_links])
def test_a_link_in_the_folder_is_not_written_through(found, tmp_path, place, png):
    index, hits = found
    out = tmp_path / "out"
    out.mkdir()
    (out / NAMES[0]).symlink_to(tmp_path / "elsewhere.png")
    (out / NAMES[2]).symlink_to(tmp_path / "elsewhere.png")
    place(index, hits, out)
    assert not (tmp_path / "elsewhere.png").exists()
    assert (out / "001_same-2.png").read_bytes() == png(1)
    assert (out / "003_s_0_0-2.png").read_bytes() == png(3)


def test_links_lead_to_the_files_and_parquet_is_copied(found, tmp_path, png, capsys):
    index, hits = found
    placed = place_links(index, hits, tmp_path / "out")
    assert (placed.linked, placed.copied, placed.skipped) == (2, 2, ())
    for name, hit in zip(NAMES[:2], hits, strict=False):
        assert str((tmp_path / "out" / name).readlink()) == hit.path
    assert not (tmp_path / "out" / NAMES[2]).is_symlink()
    assert contents(tmp_path / "out") == dict(zip(NAMES, [png(n) for n in (1, 2, 3, 4)], strict=True))
    print_placed(placed, link=True)
    said = capsys.readouterr()
    assert said.out == ""
    assert "Linked 2 pictures" in said.err
    assert "copied 2" in said.err


def test_where_links_are_not_possible_pictures_are_copied(found, tmp_path, png, monkeypatch):
    def refuse(*_, **__):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "symlink", refuse)
    monkeypatch.setattr(Path, "symlink_to", refuse)
    index, hits = found
    placed = place_links(index, hits[:2], tmp_path / "out")
    assert (placed.linked, placed.copied) == (0, 2)
    assert contents(tmp_path / "out") == {NAMES[0]: png(1), NAMES[1]: png(2)}


@pytest.mark.parametrize("place", [place_copies, place_links])
def test_a_picture_that_is_gone_is_skipped_and_told(found, tmp_path, place, png, capsys):
    index, hits = found
    Path(hits[0].path).unlink()
    placed = place(index, hits, tmp_path / "out")
    assert placed.linked + placed.copied == 3
    assert sorted(contents(tmp_path / "out")) == NAMES[1:]
    [(path, reason)] = placed.skipped
    assert path == hits[0].path
    assert "no longer there" in reason
    print_placed(placed, link=False)
    assert f"Skipped {hits[0].path}: {reason}" in capsys.readouterr().err


def test_a_copy_that_cannot_be_finished_leaves_nothing(found, tmp_path, monkeypatch):
    index, hits = found
    monkeypatch.setattr(type(index), "picture", lambda *_: "no bytes")
    with pytest.raises(TypeError):
        place_copies(index, hits[:1], tmp_path / "out")
    assert contents(tmp_path / "out") == {}


def test_a_file_is_no_folder(found, tmp_path):
    index, hits = found
    (tmp_path / "file").write_text("x")
    for target in (tmp_path / "file", tmp_path / "file/below"):
        with pytest.raises(UsageError, match="is not a folder"):
            place_copies(index, hits, target)


def test_names_as_long_as_file_systems_take_still_fit(album, tmp_path, png):
    name = "ü" * 125 + ".png"
    album.put(name, png(1))
    album.build()
    with album.open() as index:
        [row] = index.sql("select * from images").to_pylist()
        hit = Hit(row["id"], 1.0, str(album.folder / name), row)
        place_copies(index, [hit, hit], tmp_path / "out")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len(names) == 2
    assert all(n.endswith("ü.png") and len(os.fsencode(n)) <= 255 for n in names)


# --- explain


def test_explain_tells_plan_counts_and_every_step(capsys):
    print_explain(Plan("survivors", 12345, 12000, (("filter", 2.5), ("scores", 0.123))))
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "plan        survivors",
        "survivors   12,345 passed the filter",
        "candidates  12,000 scored exactly",
        "filter      2.50 ms",
        "scores      0.12 ms",
    ]


def test_explain_without_a_filter_speaks_of_none(capsys):
    print_explain(Plan("exact", None, 10))
    assert capsys.readouterr().err.splitlines() == ["plan        exact", "candidates  10 scored exactly"]
