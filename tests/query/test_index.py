"""`clipsearch.open`: what is asked, what is answered, what is refused."""

from __future__ import annotations

import gc
import time

import numpy as np
import pytest
from PIL import Image
from toy import ToyEncoder

import clipsearch
from clipsearch import Query, text
from clipsearch import stored as stored_term
from clipsearch.errors import IndexDamaged, IndexNotFound, ModelMismatch, PictureError, QueryError
from clipsearch.store.catalog import Catalog

COLOURS = ["red", "blue", "green", "white", "black", "yellow"]


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    from tests.conftest import Album

    place = tmp_path_factory.mktemp("query")
    album = Album(place / "photos", place / "photos.index")
    for colour in COLOURS:
        album.fill(f"{colour}.png", colour)
    album.paint_many(25)
    album.build()
    return album


@pytest.fixture(scope="module")
def index(album):
    with album.open() as index:
        yield index


@pytest.fixture(scope="module")
def stored(index):
    """Ids and stored vectors as float64."""
    ids = [row["id"] for row in index.sql("select id from images order by id").to_pylist()]
    return np.array(ids), index.vectors(ids).astype(np.float64)


def unit(vector):
    vector = np.asarray(vector, np.float64).ravel()
    return vector / np.linalg.norm(vector)


def assert_answers(hits, query, stored, k, without=(), atol=1e-5):
    """The hits are those that brute force over the stored vectors gives."""
    ids, vectors = stored
    scores = vectors @ unit(query)
    order = [i for i in np.argsort(-scores, kind="stable") if ids[i] not in without][:k]
    assert len(hits) == len(order)
    np.testing.assert_allclose([hit.score for hit in hits], scores[order], atol=atol)
    by_id = dict(zip(ids.tolist(), scores, strict=True))
    np.testing.assert_allclose([hit.score for hit in hits], [by_id[hit.id] for hit in hits], atol=atol)
    assert len({hit.id for hit in hits}) == len(hits)


@pytest.mark.parametrize("k", [1, 2, 10, 31, 32, 1000])
def test_text(index, album, stored, k):
    hits = index.search("red", k=k)
    assert_answers(hits, album.encoder.encode_texts(["red"]), stored, k)
    assert hits[0].path == str(album.folder / "red.png")
    assert hits[0].score == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("form", ["path", "text path", "bytes", "PIL", "array"])
@pytest.mark.parametrize("name", ["blue.png", "p007.png"])
def test_image_in_every_form_finds_itself(index, album, stored, form, name):
    path = album.folder / name
    with Image.open(path) as picture:
        pixels = picture.convert("RGB")
    image = {
        "path": path,
        "text path": str(path),
        "bytes": path.read_bytes(),
        "PIL": pixels,
        "array": np.asarray(pixels),
    }[form]
    hits = index.search(image=image, k=7)
    assert hits[0].path == str(path)
    assert hits[0].score == pytest.approx(1, abs=2e-3)
    # The query is float32, what is stored float16.
    assert_answers(hits, index.vectors([hits[0].id]), stored, 7, atol=1e-3)


def standard(stored, *terms):
    """The sum of terms, each divided by the standard deviation of its inner products with what is stored."""
    return unit(sum(unit(term) / (stored[1] @ unit(term)).std() for term in terms))


def test_text_and_image_make_one_query(index, album, stored):
    text = album.encoder.encode_texts(["red"])
    image = index.vectors([index.search(image=album.folder / "blue.png", k=1)[0].id])
    hits = index.search("red", image=album.folder / "blue.png", k=31)
    assert_answers(hits, standard(stored, text, image), stored, 31, atol=2e-3)


def test_all_kinds_of_terms_at_once(index, album, stored):
    rng = np.random.default_rng(3)
    vector = rng.normal(size=48)
    like = int(stored[0][4])
    hits = index.search("green", like=like, vector=vector, k=31)
    asked = standard(stored, album.encoder.encode_texts(["green"]), vector)
    assert_answers(hits, rocchio(stored, asked, [like], index), stored, 31, without={like}, atol=2e-3)


def rocchio(stored, asked, liked, index):
    towards = unit(index.vectors(liked).astype(np.float64).mean(axis=0))
    return unit(sum(w * v / (stored[1] @ v).std() for w, v in ((1, asked), (0.75, towards))))


def test_terms_of_one_query(index, album, stored):
    ids = [int(stored[0][i]) for i in (3, 9)]
    hits = index.search(0.5 * stored_term(ids[0]) + 0.5 * stored_term(ids[1]), k=31)
    assert_answers(hits, standard(stored, *index.vectors(ids)), stored, 31)
    assert {hits[0].id, hits[1].id} == set(ids)


@pytest.mark.parametrize("k", [1, 5, 30, 31, 100])
def test_like_leaves_the_picture_itself_out(index, stored, k):
    picture = int(stored[0][10])
    hits = index.search(like=picture, k=k)
    assert picture not in {hit.id for hit in hits}
    assert len(hits) == min(k, 30)
    assert_answers(hits, index.vectors([picture]), stored, k, without={picture})


@pytest.mark.parametrize("length", [1, 1e-30, 1e-200, 1e30, 1e200])
def test_vector_of_any_length(index, stored, length):
    vector = np.random.default_rng(5).normal(size=48)
    assert_answers(index.search(vector=vector * length, k=5), vector, stored, 5)
    assert_answers(index.search(vector=(vector * length).tolist(), k=5), vector, stored, 5)


def test_hit_carries_every_column_of_the_view(index, album):
    hit = index.search("red", k=1)[0]
    assert set(hit.metadata) == set(index.sql("select * from images").column_names)
    assert hit.metadata == index.get(hit.id)
    assert (hit.metadata["path"], hit.metadata["width"], hit.metadata["height"]) == ("red.png", 12, 9)
    assert hit.metadata["bytes"] == (album.folder / "red.png").stat().st_size
    assert hit.metadata["format"] == "PNG"


def test_picture_bytes(index, album):
    for hit in index.search("red", k=31):
        assert index.picture(hit.id) == (album.folder / hit.metadata["path"]).read_bytes()


def test_vectors_in_the_order_asked(index, stored):
    ids, vectors = stored
    wanted = [int(ids[5]), int(ids[2]), int(ids[5])]
    np.testing.assert_array_equal(index.vectors(wanted), vectors[[5, 2, 5]].astype(np.float16))
    assert index.vectors([]).shape == (0, 48)


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"query": ""},
        {"query": " \n"},
        {"query": "red", "k": 0},
        {"query": "red", "k": -3},
        {"query": 12},
        {"query": ["red"]},
        {"query": Query(unless="red")},
        {"query": stored_term(999)},
        {"query": 0 * text("red")},
        {"query": text("red") - text("red")},
        {"query": "red", "like": [1, 2], "unlike": [2]},
        {"query": "red", "unlike": 999},
        {"query": "red", "group_by": "colour"},
        {"query": "red", "diversity": 1.5},
        {"query": "red", "diversity": float("nan")},
        {"query": "red", "sort": "widht"},
        {"query": "red", "sort": "score:asc"},
        {"query": "red", "sort": "width", "diversity": 0.5},
        {"query": Query("red", unless="blue")},  # an index so small cannot say what is relevant
        {"query": "red", "cursor": "nonsense"},
        {"query": "red", "cursor": ""},
        {"vector": np.zeros(48)},
        {"vector": np.full(48, np.nan)},
        {"vector": [np.inf] + [0] * 47},
        {"vector": np.ones(47)},
        {"vector": []},
        {"vector": ["a"] * 48},
        {"like": 10**6},
        {"like": -1},
        {"image": b"no picture"},
        {"image": b""},
        {"image": "nowhere.jpg"},
        {"image": np.zeros((4, 4, 7), np.uint8)},
    ],
    ids=str,
)
def test_questions_without_an_answer(index, question):
    with pytest.raises(QueryError) as raised:
        index.search(**question)
    assert "\n" not in str(raised.value)
    assert str(raised.value).endswith(".")


@pytest.mark.parametrize("call", ["get", "picture"])
def test_unknown_id(index, call):
    with pytest.raises(QueryError, match="999"):
        getattr(index, call)(999)
    with pytest.raises(QueryError, match="999"):
        index.vectors([1, 999])


def test_other_encoder_is_refused(album):
    with pytest.raises(ModelMismatch, match="toy"):
        clipsearch.open(album.index, encoder=ToyEncoder("other"))
    with pytest.raises(ModelMismatch, match="toy"):
        clipsearch.build(album.folder, album.index, encoder=ToyEncoder("other"))


def test_no_index(tmp_path):
    with pytest.raises(IndexNotFound, match="clipsearch index"):
        clipsearch.open(tmp_path / "nothing")


def test_info(index, album):
    info = index.info()
    assert (info.pictures, info.failures, info.model, info.dim) == (31, 0, "toy", 48)
    [root] = info.roots
    assert (root.alias, root.path, root.pictures, root.online) == ("photos", album.folder, 31, True)
    assert info.bytes == sum(p.stat().st_size for p in album.index.rglob("*") if p.is_file())
    assert len(index) == 31


def test_refresh_moves_to_the_newest_version(make_album):
    album = make_album("pictures", "refresh.index")
    album.fill("red.png", "red")
    album.build()
    with album.open() as index:
        assert index.refresh() is False
        album.fill("blue.png", "blue")
        album.build()
        assert (len(index), len(index.search("blue"))) == (1, 1)
        assert index.refresh() is True
        assert (len(index), index.search("blue", k=1)[0].metadata["path"]) == (2, "blue.png")
        assert index.refresh() is False


@pytest.mark.parametrize(("name", "ask"), [("query", "sql"), ("failures", "failures")])
def test_what_is_under_way_ends_on_its_version_though_another_thread_refreshes(make_album, monkeypatch, name, ask):
    album = make_album("pictures", "under_way.index")
    album.fill("red.png", "red")
    album.build()
    original = getattr(Catalog, name)
    with album.open() as index:

        def slow(catalog, *arguments):
            album.fill("blue.png", "blue")
            album.build()
            assert index.refresh()
            gc.collect()
            return original(catalog, *arguments)

        monkeypatch.setattr(Catalog, name, slow)
        found = index.sql("select count(*) as n from images").to_pylist() if ask == "sql" else index.failures()
        assert found == ([{"n": 1}] if ask == "sql" else [])


def test_picture_that_went_after_indexing(make_album):
    album = make_album("pictures", "gone.index")
    path = album.fill("red.png", "red")
    album.build()
    path.unlink()
    with album.open() as index:
        [hit] = index.search("red")
        with pytest.raises(PictureError) as raised:
            index.picture(hit.id)
        assert raised.value.reason == "missing"


def test_empty_index(make_album):
    album = make_album("empty", "empty.index")
    album.build()
    with album.open() as index:
        assert (len(index), index.search("red"), index.failures()) == (0, [], [])


@pytest.mark.parametrize("name", ["CURRENT", "manifest", "catalog", "ann"])
def test_damaged_index_says_how_to_repair_it(make_album, name):
    album = make_album("pictures", "damaged.index")
    album.fill("red.png", "red")
    album.build()
    [path] = {
        "CURRENT": [album.index / "CURRENT"],
        "manifest": album.index.glob("versions/*.json"),
        "catalog": album.index.glob("catalog-*"),
        "ann": album.index.glob("ann-*"),
    }[name]
    path.unlink()
    with pytest.raises(IndexDamaged, match="clipsearch repair"):
        clipsearch.open(album.index, encoder=album.encoder).search("red", where="width > 0")
    album.fill("blue.png", "blue")
    with pytest.raises(IndexDamaged, match="clipsearch repair"):
        album.build()
    clipsearch.repair(album.index)
    assert album.build().total == 2


def test_the_next_run_writes_lost_metadata_anew(make_album):
    album = make_album("pictures", "damaged.index")
    album.fill("red.png", "red")
    album.build()
    [path] = album.index.glob("records-*")
    path.unlink()
    with pytest.raises(IndexDamaged, match="clipsearch repair"):
        clipsearch.open(album.index, encoder=album.encoder).search("red")
    album.fill("blue.png", "blue")
    album.build()
    with album.open() as index:
        assert len(index.search("red")) == 2


def test_score_is_a_cosine_and_answers_come_at_once(index):
    began = time.monotonic()
    hits = index.search("red", k=31)
    assert time.monotonic() - began < 2
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(-1.001 <= score <= 1.001 for score in scores)
