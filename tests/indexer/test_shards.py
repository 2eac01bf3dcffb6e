"""Pictures out of Parquet: every layout, changes of shards, captions and further columns."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from decimal import Decimal
from operator import itemgetter

import pyarrow as pa
import pytest

from clipsearch.errors import SourceError


def table(png, count: int, first: int = 0, **columns) -> pa.Table:
    return pa.table({"image": [png(n) for n in range(first, first + count)], **columns})


def test_same_pictures_give_the_same_vectors_from_files_and_from_every_kind_of_shard(album, make_album, png):
    album.paint_many(12)
    album.build()
    expected = [v for _, v in sorted(album.vectors().items())]
    names = [f"p{n:03d}.png" for n in range(12)]
    data = [png(n) for n in range(12)]
    kinds = {
        "bytes": {"image": data},
        "struct": {"image": [{"bytes": d, "path": n} for d, n in zip(data, names, strict=True)]},
        "path": {"image": names},
        "struct of paths": {
            "image": pa.array([{"path": n} for n in names], pa.struct({"bytes": pa.binary(), "path": pa.string()}))
        },
    }
    for kind, columns in kinds.items():
        other = make_album(f"shards of {kind}", f"{kind}.index")
        for name in names if "path" in kind else []:
            shutil.copy(album.folder / name, other.folder / name)
        shard = other.shard("a.parquet", columns, row_group_size=5)
        report = other.build(shard, batch_size=5)
        assert (report.embedded, report.failed, report.total) == (12, 0, 12)
        rows = other.rows()
        places = [f"a.parquet#{n // 5}/{n % 5}" for n in range(12)]
        assert set(rows) == set(places)
        vectors = other.vectors()
        assert [vectors[place] for place in places] == expected
        with other.open() as index:
            for number, place in enumerate(places):
                assert index.picture(rows[place]["id"]) == data[number]
                hit = index.search(image=data[number], k=1)[0]
                assert hit.id == rows[place]["id"]
                expected_path = names[number] if "path" in kind else place
                assert hit.path == str(other.folder / expected_path)
        assert other.build(shard).embedded == 0
        other.assert_sound()


def test_small_row_groups_go_into_the_model_together(album, png, monkeypatch):
    from clipsearch_indexer import candidates

    sizes: list[int] = []
    encode = album.encoder.encode_images
    album.encoder.encode_images = lambda pixels: sizes.append(len(pixels)) or encode(pixels)
    columns = table(png, 50, number=list(range(50)))
    shard = album.shard("a.parquet", columns, row_group_size=4)
    album.build(shard, batch_size=16)
    assert sizes == [16, 16, 16, 2]
    assert [row["number"] for row in sorted(album.rows().values(), key=itemgetter("id"))] == list(range(50))
    few = album.fresh()
    few.encoder = album.encoder
    sizes.clear()
    monkeypatch.setattr(candidates, "_BYTES_A_CHUNK", 5 * len(png(0)))
    few.build(shard, batch_size=16)
    assert sizes == [4] * 12 + [2]
    assert few.vectors() == album.vectors()


def test_folder_of_shards_and_glob(album, png):
    album.shard("a/1.parquet", table(png, 3))
    album.shard("a/2.parquet", table(png, 3, 10))
    album.shard("b/3.parquet", table(png, 3, 20))
    assert album.build(album.folder / "a/*.parquet").total == 6
    assert album.build().total == 9
    assert album.build().unchanged == 9


def test_shard_named_and_then_its_folder(album, png):
    shard = album.shard("a.parquet", table(png, 3))
    album.paint("p.png")
    album.build(shard)
    report = album.build()
    assert (report.embedded, report.unchanged, report.total) == (1, 3, 4)


def test_columns_of_many_types_come_back_in_hits(album, png):
    when = datetime(2024, 2, 29, 12, 30, 15, 123456)
    columns = {
        "rating": [5, -1],
        "weight": [0.1, None],
        "label": ["cät", ""],
        "tags": [["a", None], []],
        "place": [{"lat": 1.5, "names": ["x"]}, {"lat": None, "names": None}],
        "seen": [when, None],
        "zoned": pa.array([when.replace(tzinfo=UTC), None], pa.timestamp("us", "UTC")),
        "price": [Decimal("1.25"), Decimal("-3.50")],
        "good": [True, None],
        "kind": pa.array(["cat", "dog"]).dictionary_encode(),
        "digest": pa.array([b"\x00\xff", b""], pa.binary()),
        "filename": ["one.png", "two.png"],
        "width": ["wide", "narrow"],
        "Bytes": [1, 2],
    }
    album.shard("a.parquet", table(png, 2, **columns))
    album.build()
    with album.open() as index:
        hits = sorted(index.search("red"), key=lambda hit: hit.id)
    for number, hit in enumerate(hits):
        for name, values in columns.items():
            own = {"width": "source_width", "Bytes": "source_Bytes"}.get(name, name)
            value = values[number]
            assert hit.metadata[own] == (value.as_py() if isinstance(value, pa.Scalar) else value), name
        assert hit.metadata["width"] == 12


@pytest.mark.parametrize("column", ["caption", "text", "prompt"])
def test_captions(album, png, column):
    album.shard("a.parquet", table(png, 2, **{column: ["a dog", None]}))
    album.build()
    assert [row["caption"] for _, row in sorted(album.rows().items())] == ["a dog", None]


def test_columns_named_by_the_user(album, png):
    album.shard("a.parquet", {"image": [png(1)], "thumb": [png(2)], "caption": ["no"], "words": ["yes"]})
    album.build(image_column="thumb", caption_column="words")
    [row] = album.rows().values()
    assert row["caption"] == "yes"
    with album.open() as index:
        assert index.picture(row["id"]) == png(2)


def test_named_shard_that_cannot_be_used(album):
    shard = album.shard("a.parquet", {"x": [1]})
    with pytest.raises(SourceError, match="image-column"):
        album.build(shard)
    album.put("b.parquet", b"not parquet")
    with pytest.raises(SourceError, match="Parquet"):
        album.build(album.folder / "b.parquet")
    album.paint("p.png")
    report = album.build()  # as parts of a folder they do not stop the run
    assert report.total == 1
    assert len(report.notes) == 2


def test_rows_without_a_picture_or_with_a_bad_one(album, png):
    columns = {"image": [png(1), None, b"no picture", b"", png(2)], "n": [0, 1, 2, 3, 4]}
    album.shard("a.parquet", columns)
    report = album.build()
    assert (report.seen, report.embedded, report.failed, report.total) == (5, 2, 3, 2)
    assert album.failures() == {
        "a.parquet#0/1": "empty",
        "a.parquet#0/2": "not a picture",
        "a.parquet#0/3": "empty",
    }
    assert [row["n"] for _, row in sorted(album.rows().items())] == [0, 4]
    assert album.build().failed == 0
    assert album.build(retry_failures=True).failed == 3
    columns["image"][1] = png(3)
    album.shard("a.parquet", columns)
    report = album.build()
    assert (report.embedded, report.reused, report.failed, report.total) == (1, 2, 2, 3)
    assert set(album.failures()) == {"a.parquet#0/2", "a.parquet#0/3"}


def test_shard_written_again(album, png):
    album.shard("a.parquet", table(png, 10, n=list(range(10))), row_group_size=4)
    album.build()
    before, vectors = album.rows(), album.vectors()
    album.shard("a.parquet", table(png, 10, n=list(range(100, 110))), row_group_size=4)  # metadata only
    report = album.build()
    assert (report.embedded, report.reused, report.total) == (0, 10, 10)
    after = album.rows()
    assert {p: r["id"] for p, r in after.items()} == {p: r["id"] for p, r in before.items()}
    assert album.vectors() == vectors
    assert sorted(row["n"] for row in after.values()) == list(range(100, 110))

    album.shard("a.parquet", table(png, 6), row_group_size=4)  # fewer rows, a column less
    report = album.build()
    assert (report.embedded, report.removed, report.total) == (0, 4, 6)
    assert {row["n"] for row in album.rows().values()} == {None}

    album.shard("a.parquet", table(png, 12), row_group_size=4)  # more rows
    report = album.build()
    assert (report.embedded, report.total) == (6, 12)

    album.shard("a.parquet", table(png, 12, first=6), row_group_size=12)  # moved up, other row groups
    report = album.build()
    assert (report.embedded, report.total) == (6, 12)
    facts = {path: {k: v for k, v in row.items() if k != "n"} for path, row in album.facts().items()}
    assert facts == _again(album).facts()
    album.assert_sound()


def _again(album):
    other = album.fresh()
    other.build()
    return other


def test_shard_that_goes(album, png):
    album.shard("a.parquet", table(png, 3))
    album.shard("b.parquet", table(png, 3, 10))
    album.build()
    (album.folder / "a.parquet").unlink()
    report = album.build()
    assert (report.removed, report.total) == (3, 3)
    (album.folder / "b.parquet").unlink()
    album.paint("p.png")
    assert album.build(keep_missing=True).total == 4
    assert album.build().total == 1


def test_pictures_beside_a_table_of_their_paths(album):
    album.paint_many(3)
    shard = album.shard("names.parquet", {"file_name": [f"p{n:03d}.png" for n in range(3)], "text": ["a", "b", "c"]})
    report = album.build()
    assert report.total == 3
    assert [str(shard) in note for note in report.notes] == [True]
    album.build(shard)
    assert sorted(str(row["caption"]) for row in album.rows().values()) == ["None", "None", "None", "a", "b", "c"]


@pytest.fixture
def listed(album):
    """Three pictures named by a table that is newer than they are."""
    for number in range(2):
        album.paint(f"p{number}.png", number)
    album.later = album.shard("names.parquet", {"image": ["p0.png", "p1.png", "p2.png"]})
    album.build(album.later)
    assert album.failures() == {"names.parquet#0/2": "missing"}
    return album


def test_listed_picture_that_turns_up_with_an_old_date(listed):
    import os

    path = listed.paint("p2.png", 2)
    os.utime(path, (1, 1))
    report = listed.build(listed.later)
    assert (report.embedded, report.total) == (1, 3)
    assert listed.failures() == {}


def test_listed_picture_that_goes(listed):
    (listed.folder / "p0.png").unlink()
    assert listed.build(listed.later, keep_missing=True).total == 2
    assert listed.build(listed.later).total == 1
    assert set(listed.failures()) == {"names.parquet#0/0", "names.parquet#0/2"}
    assert listed.build(listed.later).failed == 0


def test_listed_picture_that_changes(listed):
    listed.paint("p1.png", 100)
    report = listed.build(listed.later)
    assert (report.embedded, report.unchanged, report.total) == (1, 2, 2)
    listed.assert_sound()


def test_shard_with_a_damaged_middle_does_not_stop_the_run(album, png):
    shard = album.shard("a.parquet", table(png, 60), compression="snappy", row_group_size=20, use_dictionary=False)
    album.shard("b.parquet", table(png, 3, 100))
    data = bytearray(shard.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = b"\xff" * 3000
    album.put("a.parquet", bytes(data))
    for _ in range(2):
        report = album.build()
        assert {f"b.parquet#0/{n}" for n in range(3)} <= album.paths()
        assert [str(shard) in note for note in report.notes] == [True]
        assert album.failures() == {"a.parquet": "corrupt"}
        album.assert_sound()
    album.shard("a.parquet", table(png, 60), row_group_size=20)
    assert album.build().total == 63
    assert album.failures() == {}


def test_types_that_disagree_between_shards(album, png):
    album.shard("a.parquet", table(png, 2, x=[1, 2]))
    album.build()
    album.shard("b.parquet", table(png, 2, 10, x=[["q"], None]))
    album.shard("c.parquet", table(png, 1, 20, X=["text"]))
    album.build()
    rows = album.rows()
    assert [rows[path]["x"] for path in sorted(rows)] == ["1", "2", "[q]", None, "text"]


def test_a_file_that_is_no_parquet_goes_down_as_a_failure_and_heals(album, png):
    album.paint("p.png")
    album.put("a.parquet", b"a shopping list")
    report = album.build()
    assert (report.total, report.failed) == (1, 1)
    assert album.failures() == {"a.parquet": "corrupt"}
    assert album.build().version == report.version
    album.shard("a.parquet", table(png, 3))
    assert album.build().total == 4
    assert album.failures() == {}
