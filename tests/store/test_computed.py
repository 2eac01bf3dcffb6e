"""Computed columns: sets of values by id, kept through everything that happens to an index."""

from __future__ import annotations

import json
import shutil

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clipsearch.errors import IndexDamaged, QueryError, UsageError
from clipsearch.store import check, derive
from clipsearch.store import writer as writer_module
from clipsearch.store.computed import drop_columns, put_columns, read_computed
from clipsearch.store.snapshot import Snapshot
from tests.store.conftest import Store, assert_sound, files_of, rows_of, unit_vectors


def table(values: dict[int, object], column: str = "animal") -> pa.Table:
    return pa.table({"id": pa.array(list(values), pa.int64()), column: list(values.values())})


def put(writer, name: str, values: dict[int, object], recipe: bytes = b"") -> None:
    put_columns(writer, name, [table(values, name)], recipe)


def shown(store: Store, column: str = "animal") -> dict[int, object]:
    """A column as the view and the records have it, which have to agree."""
    store.published()  # which compares the records with the view
    snapshot = Snapshot(store.path)
    try:
        rows = snapshot.catalog.query(f'SELECT id, "{column}" FROM images ORDER BY id').to_pylist()
        return {row["id"]: row[column] for row in rows}
    finally:
        snapshot.close()


def columns(store: Store) -> list[str]:
    snapshot = Snapshot(store.path)
    try:
        assert snapshot.records.schema.names == snapshot.catalog.schema.names
        return list(snapshot.catalog.schema.names)
    finally:
        snapshot.close()


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
    """Six pictures of two batches, four of them with an animal."""
    store = Store(tmp_path_factory.mktemp("pattern") / "photos.index")
    with store.writer() as w:
        store.add(w, 3)
        store.add(w, 3, rating=[1, 2, 3])
        w.publish()
        put(w, "animal", {1: "cat", 2: "dog", 4: "cat", 5: None}, b"\xff\x00how")
        w.publish()
    return store


@pytest.fixture
def filled(pattern, store):
    """A copy of it to change."""
    shutil.copytree(pattern.path, store.path)
    store.truth |= pattern.truth
    return store


ANIMALS = {1: "cat", 2: "dog", 3: None, 4: "cat", 5: None, 6: None}


def test_values_stand_in_view_and_records(filled):
    assert shown(filled) == ANIMALS
    assert_sound(filled)
    assert columns(filled)[-1] == "animal"


def test_the_file_tells_name_recipe_and_ids(filled):
    snapshot = Snapshot(filled.path)
    [ref] = snapshot.manifest.computed
    computed = read_computed(filled.path / ref.file.name)
    assert (computed.name, computed.columns, computed.recipe) == ("animal", ("animal",), b"\xff\x00how")
    assert computed.ids().tolist() == [1, 2, 4, 5]
    assert pa.concat_tables(computed.tables()).equals(table({1: "cat", 2: "dog", 4: "cat", 5: None}))
    snapshot.close()


def test_the_recipe_is_read_without_the_values(filled):
    [path] = filled.path.glob("computed-*")
    data = path.read_bytes()
    end = int.from_bytes(data[-8:-4], "little") + 8
    path.write_bytes(data[:4] + bytes(len(data) - end - 4) + data[-end:])
    computed = read_computed(path)
    assert computed.recipe == b"\xff\x00how"
    with pytest.raises(IndexDamaged, match="clipsearch repair"):
        computed.ids()


def test_later_pictures_have_none_and_moved_ones_keep_theirs(filled):
    with filled.writer() as w:
        filled.add(w, 2)
        vectors = unit_vectors(1, 77)
        w.append(rows_of([2], ["moved/elsewhere.jpg"]), vectors)
        filled.truth[2] = vectors[0]
        w.publish()
    assert shown(filled) == {**ANIMALS, 7: None, 8: None}
    assert filled.published()[2]["path"] == "moved/elsewhere.jpg"


def test_replacing_takes_all_old_values_away(filled):
    with filled.writer() as w:
        put_columns(w, "animal", [table({3: 0.5, 1: 2.5}, "animal"), table({6: 1.0}, "animal")])
        w.publish()
    assert shown(filled) == {1: 2.5, 2: None, 3: 0.5, 4: None, 5: None, 6: 1.0}
    assert len(list(filled.path.glob("computed-*"))) == 1


def test_sets_come_and_go_by_themselves(filled):
    with filled.writer() as w:
        put(w, "plant", {1: "oak"})
        w.publish()
        drop_columns(w, "animal")
        w.publish()
        with pytest.raises(QueryError, match="'animal'; those it has are: plant"):
            drop_columns(w, "animal")
    assert "animal" not in columns(filled)
    assert shown(filled, "plant") == {1: "oak", 2: None, 3: None, 4: None, 5: None, 6: None}
    assert_sound(filled)


def test_dropped_and_put_anew_in_one_version(filled):
    with filled.writer() as w:
        drop_columns(w, "animal")
        put_columns(w, "beast", [table({6: "emu"}, "animal")])
        w.publish()
    assert shown(filled) == {1: None, 2: None, 3: None, 4: None, 5: None, 6: "emu"}


@pytest.mark.parametrize("taken", ["width", "WIDTH", "rating", "id", "segment", "score", "mtime_ns"])
def test_names_that_mean_something_else_are_refused(filled, taken):
    before = files_of(filled)
    with filled.writer() as w:
        values = pa.table({"id": pa.array([1], pa.int64()), taken if taken != "id" else "ID": [1]})
        with pytest.raises(UsageError, match="already; choose another --name"):
            put_columns(w, "mine", [values])
        with pytest.raises(UsageError, match="already"):
            put_columns(w, "mine", [table({1: 1}, "ANIMAL")])
        with pytest.raises(UsageError, match="spell it alike"):
            put(w, "Animal", {1: "cat"})
        assert not w.unpublished
    assert files_of(filled) == before
    assert shown(filled) == ANIMALS


@pytest.mark.parametrize("name", ["", "a b", "1st", "a/b", "../x", "x" * 41, "a-b", "a?"])
def test_what_is_no_name_is_refused(filled, name):
    with filled.writer() as w, pytest.raises(UsageError, match="cannot name columns"):
        put(w, name, {1: 1})


def test_a_source_that_brings_the_name_later_has_its_own_column_beside(filled):
    with filled.writer() as w:
        filled.add(w, 1, Animal=["theirs"], source_Animal=["too"])
        w.publish()
    assert shown(filled) == {**ANIMALS, 7: None}
    assert shown(filled, "source_source_Animal")[7] == "theirs"
    assert shown(filled, "source_Animal")[7] == "too"
    with filled.writer() as w:
        w.rebuild(merge=True)
        assert shown(filled, "source_source_Animal")[7] == "theirs"
        drop_columns(w, "animal")
        w.publish()
    assert shown(filled, "Animal")[7] == "theirs"
    assert_sound(filled)


@pytest.mark.parametrize("merge", [True, False])
def test_compacting_keeps_values_and_drops_those_of_pictures_that_are_gone(filled, merge):
    with filled.writer() as w:
        filled.remove(w, [2, 3])
        w.publish()
        w.rebuild(merge=merge)
        [ref] = w.manifest.computed
    assert shown(filled) == {i: ANIMALS[i] for i in (1, 4, 5, 6)}
    computed = read_computed(filled.path / ref.file.name)
    assert computed.ids().tolist() == ([1, 4, 5] if merge else [1, 2, 4, 5])
    assert computed.recipe == b"\xff\x00how"
    assert_sound(filled)


def test_verify_names_a_damaged_file_and_repair_sets_it_aside(filled):
    [path] = filled.path.glob("computed-*")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert [str(path) in problem for problem in check.verify(filled.path).problems] == [True]
    report = check.repair(filled.path)
    assert (report.columns_set_aside, report.set_aside, report.rows) == (("animal",), (), 6)
    assert "animal" not in columns(filled)
    assert (filled.path / "broken" / path.name).is_file()
    assert_sound(filled)


def test_repair_keeps_values_with_and_without_a_manifest(filled):
    check.repair(filled.path)
    assert shown(filled) == ANIMALS
    for manifest in filled.layout.versions.iterdir():
        manifest.unlink()
    (filled.path / "computed-000001-other.parquet").write_bytes(b"not one")
    check.repair(filled.path)
    assert shown(filled) == ANIMALS
    assert_sound(filled)


def test_a_missing_file_stops_neither_readers_nor_repair(filled):
    [path] = filled.path.glob("computed-*")
    path.unlink()
    assert shown(filled) == ANIMALS
    with pytest.raises(IndexDamaged, match="clipsearch repair"):
        read_computed(path)
    assert check.repair(filled.path).columns_set_aside == ("animal",)
    assert_sound(filled)


def test_an_index_from_before_there_were_computed_columns(filled):
    with filled.writer() as w:
        drop_columns(w, "animal")
        w.publish()
        manifest = w.layout.manifest(w.manifest.version)
    written = json.loads(manifest.read_text())
    del written["computed"]
    manifest.write_text(json.dumps(written))
    with filled.writer() as w:
        put(w, "animal", {6: "eel"})
        w.publish()
    assert shown(filled)[6] == "eel"
    assert_sound(filled)


def test_a_reader_keeps_its_version(filled):
    reader = Snapshot(filled.path)
    with filled.writer() as w:
        put(w, "animal", {1: "yak"})
        w.publish()
    assert reader.records.of([1])["animal"].to_pylist() == ["cat"]
    assert reader.catalog.fetch("SELECT animal FROM images WHERE id = 1") == [("cat",)]
    reader.close()


class Crash(BaseException):
    """The power goes."""


STEPS = [(derive, "build_catalog"), (writer_module, "write_manifest"), (writer_module, "collect_garbage")]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("module", "name"), STEPS, ids=[name for _, name in STEPS])
def test_a_crash_leaves_the_old_values_or_the_new(filled, monkeypatch, module, name, when):
    original = getattr(module, name)

    def crash(*args, **kwargs):
        if when == "after":
            original(*args, **kwargs)
        raise Crash

    new = {1: "yak", 2: None, 3: None, 4: None, 5: None, 6: None}
    with filled.writer() as w:
        put(w, "animal", {1: "yak"})
        monkeypatch.setattr(module, name, crash)
        with pytest.raises(Crash):
            w.publish()
        monkeypatch.undo()
    published = name == "collect_garbage" or (name, when) == ("write_manifest", "after")
    assert shown(filled) == (new if published else ANIMALS)
    with filled.writer() as w:
        filled.add(w, 1)
        w.publish()
    assert shown(filled) == {**(new if published else ANIMALS), 7: None}
    assert len(list(filled.path.glob("computed-*"))) == 1
    assert_sound(filled)


STEP = st.one_of(
    st.tuples(st.just("add"), st.integers(1, 3)),
    st.tuples(st.just("remove"), st.integers(0, 20)),
    st.tuples(st.just("move"), st.integers(0, 20)),
    st.tuples(st.just("put"), st.lists(st.integers(1, 20), unique=True)),
    st.tuples(st.just("drop"), st.none()),
    st.tuples(st.just("compact"), st.none()),
    st.tuples(st.just("repair"), st.none()),
)


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, min_size=3, max_size=6))
def test_whatever_happens_values_belong_to_their_pictures(store, steps):
    shutil.rmtree(store.path, ignore_errors=True)
    store.truth.clear()
    expected: dict[int, int] | None = None
    with store.writer() as w:
        store.add(w, 4)
        w.publish()
    for number, (step, value) in enumerate(steps):
        live = sorted(store.truth)
        if step == "repair":
            check.repair(store.path)
            continue
        with store.writer() as w:
            if step == "add":
                store.add(w, value)
            elif step == "remove" and len(live) > 1:
                store.remove(w, [live[value % len(live)]])
            elif step == "move":
                i = live[value % len(live)]
                w.append(rows_of([i], [f"moved-{number}.jpg"]), store.truth[i][None])
            elif step == "put":
                expected = {i: i * 100 + number for i in value}
                values = pa.array(list(expected.values()), pa.int64())
                put_columns(w, "x", [pa.table({"id": pa.array(value, pa.int64()), "x": values})])
            elif step == "drop" and expected is not None:
                drop_columns(w, "x")
                expected = None
            w.publish()
            if step == "compact":
                w.rebuild(merge=True)
    if expected is None:
        store.published()
        assert "x" not in columns(store)
    else:
        assert shown(store, "x") == {i: expected.get(i) for i in sorted(store.truth)}
    assert_sound(store)
    assert len(list(store.path.glob("computed-*"))) == (expected is not None)
