import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipsearch.errors import PictureError, SourceError
from clipsearch.training.order import Order
from clipsearch.training.pairs import Cell, Pair, keep_aside, read_pairs
from clipsearch.training.shards import Shards
from tests.training.conftest import caption, paint


def test_text_files_beside_pictures(tmp_path: Path) -> None:
    for number in range(4):
        paint(tmp_path / f"{number % 2}/p{number}.png", number)
    (tmp_path / "0/p0.txt").write_text("\ufeffa dog\n\n  on grass \n", encoding="utf-8")
    (tmp_path / "1/p3.txt").write_bytes("caf\u00e9".encode("latin-1"))
    (tmp_path / "1/p1.txt").write_text("  \n")
    (tmp_path / "notes.txt").write_text("no picture has my name")
    found = read_pairs([tmp_path])
    assert [(pair.picture, pair.captions) for pair in found] == [
        (tmp_path / "0/p0.png", ("a dog", "on grass")),
        (tmp_path / "1/p3.png", ("caf\ufffd",)),
    ]
    assert [pair.picture for pair in read_pairs([tmp_path])] == [pair.picture for pair in found]


def test_a_list_of_json_lines_finds_pictures_beside_it_and_in_images(tmp_path: Path) -> None:
    paint(tmp_path / "images/a.png", 1)
    paint(tmp_path / "b.png", 2)
    rows = [
        {"file": "a.png", "split": "train", "captions": ["one", " two ", ""]},
        {"file_name": "b.png", "split": "dev", "text": "three"},
        {"file": "c.png", "split": "test", "captions": ["not for training"]},
        {"file": "d.png", "captions": []},
    ]
    (tmp_path / "captions.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    for source in (tmp_path, tmp_path / "captions.jsonl"):
        assert [(p.picture, p.captions, p.split) for p in read_pairs([source])] == [
            (tmp_path / "images/a.png", ("one", "two"), "train"),
            (tmp_path / "b.png", ("three",), "validation"),
        ]


@pytest.mark.parametrize(("name", "sign"), [("pairs.csv", ","), ("pairs.tsv", "\t")])
def test_lines_of_a_csv_with_one_file_are_captions_of_it(tmp_path: Path, name: str, sign: str) -> None:
    lines = [f"filepath{sign}title", f'a.png{sign}"a dog, running"', f"b.png{sign}a cat", f"a.png{sign}a hound"]
    (tmp_path / name).write_text("\n".join(lines))
    found = read_pairs([tmp_path / name])
    assert [(pair.picture.name, pair.captions) for pair in found] == [
        ("a.png", ("a dog, running", "a hound")),
        ("b.png", ("a cat",)),
    ]


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    """Seven pictures in row groups of three, one of them without a caption and one without content."""
    for number in range(7):
        paint(tmp_path / f"{number}.png", number)
    content = [(tmp_path / f"{number}.png").read_bytes() for number in range(7)]
    table = pa.table(
        {
            "image": [{"bytes": None if number == 5 else data} for number, data in enumerate(content)],
            "captions": [[] if number == 2 else [caption(number), "again"] for number in range(7)],
            "path": [f"album/{number}.png" for number in range(7)],
        }
    )
    pq.write_table(table, tmp_path / "shard.parquet", row_group_size=3)
    return tmp_path / "shard.parquet"


def test_rows_of_parquet_are_pairs_and_their_pictures_are_read_on_demand(shard: Path) -> None:
    found = read_pairs([shard])
    assert [pair.name for pair in found] == [f"album/{number}.png" for number in (0, 1, 3, 4, 5, 6)]
    assert found[3].captions == (caption(4), "again")
    assert found[3].picture == Cell(shard, 1, 1, "image")
    shards = Shards()
    for pair in (found[5], found[0], found[3]):
        assert isinstance(pair.picture, Cell)
        assert shards.read(pair.picture) == (shard.parent / Path(pair.name).name).read_bytes()
    with pytest.raises(PictureError, match="no picture in this row"):
        shards.read(Cell(shard, 1, 2, "image"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("nothing", None, "is not there"),
        ("x.pdf", b"", "neither a folder"),
        ("x.jsonl", b"{", "line 1 is not JSON"),
        ("x.jsonl", b"[1]", "line 1 is no object"),
        ("x.jsonl", b'{"caption": "a dog"}', "names no file"),
        ("x.csv", b"\xff\xfe", "cannot be read as a list"),
        ("x.csv", b"file,caption\n", "no pictures with captions"),
        ("x.parquet", b"PAR1", "cannot be read as Parquet"),
    ],
)
def test_what_is_no_source_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=message):
        read_pairs([tmp_path / name])


def pairs_of(names: list[str]) -> list[Pair]:
    return [Pair(Path(name), ("x",), name) for name in names]


def test_one_picture_in_twenty_is_kept_aside_and_stays_there() -> None:
    names = [f"p{number}.jpg" for number in range(200)]
    train, aside = keep_aside(pairs_of(names))
    assert (len(train), len(aside)) == (190, 10)
    assert {pair.name for pair in train} | {pair.name for pair in aside} == set(names)
    more = keep_aside(pairs_of([f"new/{name}" for name in names] + [f"q{number}.jpg" for number in range(200)]))[1]
    assert len({Path(pair.name).name for pair in more} & {pair.name for pair in aside}) >= 3
    assert keep_aside(pairs_of(names[:19]))[1] == []


@given(count=st.integers(2, 60), size=st.integers(2, 20), seed=st.integers(0, 9))
def test_an_epoch_shows_every_pair_at_most_once_and_follows_from_the_seed(count: int, size: int, seed: int) -> None:
    pairs = pairs_of([str(number) for number in range(count)])
    if count < size:
        with pytest.raises(SourceError, match=f"--batch-size {count}"):
            Order(pairs, size, seed)
        return
    order = Order(pairs, size, seed)
    assert order.steps_per_epoch == count // size
    for epoch in (0, 3):
        steps = range(epoch * order.steps_per_epoch, (epoch + 1) * order.steps_per_epoch)
        rows = [row for step in steps for row in order.rows(step).tolist()]
        assert len(rows) == len(set(rows)) == order.steps_per_epoch * size
        assert set(rows) <= set(range(count))
    again = Order(pairs, size, seed)
    assert again.rows(1).tolist() == order.rows(1).tolist()


def test_row_groups_are_read_one_after_the_other() -> None:
    cells = [Cell(Path("a"), group, row, "image") for group in range(30) for row in range(1000)]
    order = Order([Pair(cell, ("x",), "") for cell in cells], 1000, 0)
    groups = [{int(row) // 1000 for row in order.rows(step)} for step in range(30)]
    assert [len(set().union(*groups[start : start + 9])) for start in (0, 9, 18, 27)] == [9, 9, 9, 3]
    assert all(len(some) > 7 for some in groups[:27])  # shuffled within a window of nine
    assert set().union(*groups) == set(range(30))
    assert sorted(row for step in range(30) for row in order.rows(step).tolist()) == list(range(30_000))
