"""Evaluations of real indexes against brute force over their stored vectors."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import clipsearch
from clipsearch.errors import QueryError, UsageError
from clipsearch.evaluation import FIGURES, Truth, below, bounds, compare_models, evaluate, figures
from clipsearch.evaluation.comparison import Sample, measure
from clipsearch.evaluation.ranks import judged
from clipsearch.query.embed import text_vectors


@pytest.fixture
def noise(album, png):
    """Twelve pictures of noise captioned "0" to "11", to the toy encoder colours of their own: all sorts of ranks."""
    album.shard("noise.parquet", {"image": [png(i) for i in range(12)], "caption": [str(i) for i in range(12)]})
    album.build()
    return album


def cosines(index, encoder) -> tuple[list[dict], np.ndarray]:
    """The rows of an index, and in float64 the cosine of each caption (row) and each picture."""
    rows = index.sql("SELECT id, path, caption FROM images ORDER BY id").to_pylist()
    texts = text_vectors(encoder, [row["caption"] for row in rows]).astype(np.float64)
    return rows, texts @ index.vectors([row["id"] for row in rows]).astype(np.float64).T


def test_retrieval_equals_brute_force(noise):
    with noise.open() as index:
        found = evaluate(index, parts=["retrieval"]).retrieval
        rows, scores = cosines(index, noise.encoder)
    for table, direction in ((scores, found.text_to_image), (scores.T, found.image_to_text)):
        ranks = (table >= np.diag(table)[:, None]).sum(axis=1)
        assert direction.queries == direction.candidates == 12
        assert direction.measures["R@1"] == pytest.approx((ranks <= 1).mean())
        assert direction.measures["R@5"] == pytest.approx((ranks <= 5).mean())
        assert direction.measures["R@10"] == pytest.approx((ranks <= 10).mean())
        assert direction.measures["MRR"] == pytest.approx((1 / ranks).mean())
        assert direction.measures["nDCG@10"] == pytest.approx(np.where(ranks <= 10, 1 / np.log2(ranks + 1), 0).mean())
        assert [miss.rank for miss in direction.worst] == sorted(ranks[ranks > 1].tolist(), reverse=True)
    late = found.text_to_image.worst[0]
    row = [r["caption"] for r in rows].index(late.query)
    assert late.wanted.id == rows[row]["id"]
    assert late.wanted.path == rows[row]["path"]
    assert late.first.id == rows[int(scores[row].argmax())]["id"]


def test_colours_are_found_by_their_names_and_not_by_others(colours):
    with colours.open() as index:
        right = evaluate(index, parts=["retrieval"])
        several = evaluate(index, Truth(captions="captions"), parts=["retrieval"])
        wrong = evaluate(index, Truth(captions="wrong"), parts=["retrieval"])
    assert figures(right)["R@1"] == figures(right)["image-to-text/R@1"] == 1
    assert right.retrieval.text_to_image.worst == ()
    assert several.retrieval.text_to_image.queries == 16
    # Two captions say the same of each picture, and neither stands in the other's way.
    assert figures(several)["R@1"] == figures(several)["image-to-text/R@1"] == figures(several)["nDCG@10"] == 1
    assert figures(wrong)["R@1"] == 0


def test_a_copy_of_the_right_picture_is_right_and_another_that_scores_the_same_is_a_tie(album, flat):
    album.shard(
        "x.parquet", {"image": [flat("red"), flat("red"), flat("lime")], "caption": ["all is red", None, "all is lime"]}
    )
    album.build()
    with album.open() as index:
        assert figures(evaluate(index, parts=["retrieval"]))["R@1"] == 1
    album.put("twin.png", flat("red", (16, 12)))
    album.build()
    with album.open() as index:
        found = evaluate(index, parts=["retrieval"])
    assert figures(found)["R@1"] == 0.5
    assert found.retrieval.text_to_image.candidates == 3


def test_judgments_with_grades(colours, tmp_path):
    path = tmp_path / "j.tsv"
    # "red" finds red, then what is nearest to it; the best answer by grade is lime, which comes far behind.
    path.write_text("all red\tcolours.parquet#0/0\t1\nall red\tcolours.parquet#0/1\t2\n")
    with colours.open() as index:
        found = evaluate(index, Truth(judgments=path), parts=["retrieval"]).retrieval.text_to_image
        ids = [row["id"] for row in index.sql("SELECT id FROM images ORDER BY path").to_pylist()]
        red = colours.encoder.encode_texts(["red"])[0].astype(np.float64)
        scores = index.vectors(ids).astype(np.float64) @ red
    rank = int((scores >= scores[1]).sum())
    assert rank > 1
    assert found.measures["R@1"] == found.measures["MRR"] == 1
    gain = (1 + 3 / np.log2(rank + 1)) / (3 + 1 / np.log2(3))
    assert found.measures["nDCG@10"] == pytest.approx(gain)


def test_robustness_tells_colours_from_shapes(colours):
    with colours.open() as index:
        table = {d.name: d for d in evaluate(index, parts=["robustness"]).robustness}
    # Turned, cropped or blurred, a flat picture stays what it is; without its colour it does not.
    for name in ("none", "blur", "turn", "crop"):
        assert table[name].cosine == pytest.approx(1, abs=1e-3)
        assert table[name].found_itself == table[name].text_recall == 1
    assert table["greyscale"].cosine < 0.9
    assert table["greyscale"].found_itself < 0.5
    assert all(d.cosine_low <= d.cosine + 1e-6 for d in table.values())


def test_pictures_that_are_gone_are_left_out_with_a_note(album, flat):
    album.put("red.png", flat("red"))
    album.build()
    (album.folder / "red.png").unlink()
    with album.open() as index:
        found = evaluate(index, parts=["robustness"])
    assert found.robustness == ()
    assert any("No picture's file" in note for note in found.notes)


def test_search_in_a_small_index_finds_all_neighbours(noise):
    with noise.open() as index:
        found = evaluate(index, parts=["neighbours"]).neighbours
    assert found.exact
    assert found.queries == {"pictures": 12, "texts": 12}
    assert found.recall == {"pictures": 1.0, "texts": 1.0}


def test_neighbours_that_the_search_misses_are_counted(noise, monkeypatch):
    from clipsearch.store.nearest import Nearest
    from clipsearch.store.snapshot import Snapshot

    whole = Snapshot.nearest

    def without_the_best(self, queries, k, **options):
        found = whole(self, queries, k + 1, **options)
        return Nearest(found.scores[:, 1:], found.ids[:, 1:], found.plan)

    monkeypatch.setattr(Snapshot, "nearest", without_the_best)
    with noise.open() as index:
        recall = evaluate(index, parts=["neighbours"]).neighbours.recall
    assert recall == {"pictures": pytest.approx(0.9), "texts": pytest.approx(0.9)}


def test_words_that_the_model_does_not_hear_change_nothing(colours):
    with colours.open() as index:
        table = {w.name: w for w in evaluate(index, parts=["wordings"]).wordings}
    assert table["as it is"].cosine == pytest.approx(1)
    assert table["keywords"].example != table["as it is"].example
    assert table["keywords"].recall == table["keywords"].overlap == 1
    # The toy encoder reads "all of this is dre" as another colour; of eight pictures any ten are the same.
    assert table["one typo"].texts == 8


def test_foils_that_say_another_colour_are_told_apart_and_words_in_any_order_are_not(album, flat):
    album.shard(
        "x.parquet", {"image": [flat("red"), flat("blue")], "caption": ["red over a blue line", "blue over a red line"]}
    )
    album.build()
    with album.open() as index:
        table = {p.name: p for p in evaluate(index, parts=["probes"]).probes}
    # The toy encoder goes by the first colour.
    assert table["attributes"].accuracy == 1
    assert table["attributes"].pairs == 2
    assert table["sides"].accuracy == 0  # "under" says the same to it, and ties count against
    assert table["sides"].similarity == pytest.approx(1)
    assert {c.margin for c in table["sides"].worst} == {0.0}
    assert "numbers" not in table


def test_classes_are_recognised_by_their_names(colours, flat, tmp_path):
    for name, colour in (("red", "red"), ("lime", "lime"), ("light_blue", "yellow")):
        for number in range(3):
            path = tmp_path / "classes" / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(flat(colour, (12 + number, 9)))
    (tmp_path / "classes" / "red" / "broken.png").write_bytes(b"nothing")
    (tmp_path / "classes" / "notes.txt").write_text("no class")
    before = colours.encoder.embedded
    with colours.open() as index:
        found = evaluate(index, Truth(classes=tmp_path / "classes"), parts=["classes"]).classes
    assert [c.name for c in found.classes] == ["light blue", "lime", "red"]
    assert [c.accuracy for c in found.classes] == [0, 1, 1]
    assert found.classes[0].mistaken_for in ("lime", "red")
    assert found.pictures == 9
    assert found.unreadable == 1
    assert found.top1 == pytest.approx(6 / 9)
    assert found.top5 is None
    assert np.trace(np.array(found.confusion)) == 6
    assert {m.wanted for m in found.worst} == {"light blue"}
    # Three of them are in the index, under other names, and were not embedded again.
    assert colours.encoder.embedded - before == 6


def test_a_sample_of_classes_takes_as_many_of_each(colours, flat, tmp_path):
    for name in ("red", "lime"):
        (tmp_path / "classes" / name).mkdir(parents=True)
        for number in range(5):
            (tmp_path / "classes" / name / f"{number}.png").write_bytes(flat(name, (12 + number, 9)))
    with colours.open() as index:
        found = evaluate(index, Truth(classes=tmp_path / "classes", sample=4), parts=["classes"]).classes
    assert [c.pictures for c in found.classes] == [2, 2]


def test_without_captions_only_what_needs_none_is_measured(album):
    album.paint_many(3)
    album.build()
    with album.open() as index:
        found = evaluate(index)
        with pytest.raises(QueryError, match="No picture has a text in column 'caption'"):
            evaluate(index, parts=["retrieval"])
    assert found.retrieval is None
    assert found.wordings == found.probes == ()
    assert found.neighbours is not None
    assert found.robustness[0].text_recall is None
    assert "--judgments" in found.notes[0]


def test_calls_that_are_wrong_are_refused_before_any_work(colours, tmp_path):
    with colours.open() as index:
        with pytest.raises(UsageError, match="'speed' is no part"):
            evaluate(index, parts=["speed"])
        with pytest.raises(UsageError, match="--classes"):
            evaluate(index, parts=["classes"])
        with pytest.raises(UsageError, match="sample of 0"):
            evaluate(index, Truth(sample=0))
        with pytest.raises(QueryError, match="two or more classes"):
            evaluate(index, Truth(classes=tmp_path / "none"))


def test_an_interrupt_keeps_what_was_measured(colours):
    def stop(what, done, total):
        if what == "spoiling pictures":
            raise KeyboardInterrupt

    with colours.open() as index:
        found = evaluate(index, tell=stop)
    assert found.interrupted
    assert found.retrieval is not None
    assert found.neighbours is not None
    assert found.robustness == found.probes == ()


def test_every_figure_has_its_name_in_the_list(colours, tmp_path, flat):
    for name in ("red", "lime", "blue", "yellow", "cyan", "black"):
        (tmp_path / "classes" / name).mkdir(parents=True)
        (tmp_path / "classes" / name / "1.png").write_bytes(flat(name))
    with colours.open() as index:
        found = figures(evaluate(index, Truth(classes=tmp_path / "classes")))
    assert set(found) <= set(FIGURES)
    # "all of this is red" has no colour to exchange, no number and no relation.
    assert set(FIGURES) - set(found) == {"probe/numbers", "probe/attributes", "probe/sides", "probe/roles"}


def test_bounds_are_held(colours):
    with colours.open() as index:
        found = evaluate(index, parts=["retrieval"])
    assert below(found, bounds(["r@5=1", "image-to-text/MRR = 0.5"])) is None
    assert str(below(found, {"R@5": 1.5})) == "R@5 is 1.0000, below 1.5."
    assert "top-1 was not measured" in str(below(found, {"top-1": 0.1}))
    for wrong in ("R@3=0.1", "R@5", "0.4", "R@5=much"):
        with pytest.raises(UsageError):
            bounds([wrong])


def test_a_model_is_measured_on_a_sample(colours, flat):
    contents = (flat("red"), flat("lime"), flat("blue"))
    texts = ("all of it red", "all of it lime", "only lime", "all of it yellow")
    sample = Sample(contents, texts, judged([0, 1, 2, 3], [0, 1, 1, 2], [1.0] * 4))
    found = measure(colours.encoder, sample)
    assert found.text_to_image["R@1"] == 0.75  # yellow is nearer to red and lime than to blue
    assert found.image_to_text["R@1"] == pytest.approx(2 / 3)
    assert (found.pictures, found.texts, found.dim, found.bytes_per_picture) == (3, 4, 48, 96)
    assert found.images_per_second > 0


def test_models_cannot_be_compared_without_texts(album):
    album.paint_many(2)
    album.build()
    with album.open() as index, pytest.raises(QueryError, match="To compare models"):
        list(compare_models(index, ["mini"]))


def test_vectors_imported_without_pictures_are_each_their_own(album, tmp_path):
    vectors = album.encoder.encode_texts(["red", "lime", "blue"])
    pq.write_table(pa.table({"path": ["a.jpg", "b.jpg", "c.jpg"], "vector": vectors.tolist()}), tmp_path / "v.parquet")
    clipsearch.import_vectors(tmp_path / "v.parquet", album.index, encoder=album.encoder)
    with album.open() as index:
        found = evaluate(index, parts=["neighbours"])
    assert found.pictures == 3
    assert found.neighbours.queries["pictures"] == 3
    assert found.notes == ()
