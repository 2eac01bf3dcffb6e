"""The indexer embeds the probe texts once for an index."""

from __future__ import annotations

import numpy as np
import pytest
from platformdirs import user_cache_path
from toy import ToyEncoder

import clipsearch
from clipsearch.models.probes import probe_texts
from clipsearch.query.embed import text_vectors
from clipsearch.store.background import MIN_PICTURES
from clipsearch.store.probes import PROBES, read_probes


class CountingEncoder(ToyEncoder):
    """Remembers which texts it was given."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.texts: list[str] = []

    def encode_texts(self, texts):
        self.texts += texts
        return super().encode_texts(texts)


def test_a_run_leaves_the_probes_of_its_model(album):
    album.paint_many(MIN_PICTURES)
    album.build()
    probes = read_probes(album.index, album.encoder.fingerprint)
    expected = text_vectors(album.encoder, probe_texts())
    np.testing.assert_allclose(probes.vectors, expected, atol=1e-3)


def test_too_few_pictures_to_judge_need_none(album):
    album.paint_many(MIN_PICTURES - 1)
    album.build()
    assert not (album.index / PROBES).exists()
    album.paint_many(1, first=MIN_PICTURES)
    album.build()
    assert (album.index / PROBES).exists()


def test_the_next_index_has_them_from_the_first(album, tmp_path):
    album.encoder = CountingEncoder("shared")
    album.paint_many(MIN_PICTURES)
    album.build()
    album.encoder.texts.clear()
    clipsearch.build(album.folder, tmp_path / "other.index", encoder=album.encoder)
    assert album.encoder.texts == []
    assert (tmp_path / "other.index" / PROBES).read_bytes() == (album.index / PROBES).read_bytes()


@pytest.mark.parametrize("kept", ["", "{", "7", '"AAAA"'])
def test_what_was_remembered_is_not_trusted_blindly(album, kept):
    album.encoder = CountingEncoder("forgetful")
    album.paint_many(MIN_PICTURES)
    album.build()
    before = (album.index / PROBES).read_bytes()
    for path in user_cache_path("clipsearch").glob("probes-*.json"):
        path.write_text(kept)
    (album.index / PROBES).unlink()
    album.encoder.texts.clear()
    album.paint_many(1, first=MIN_PICTURES)
    album.build()
    assert album.encoder.texts
    assert (album.index / PROBES).read_bytes() == before


def test_they_are_embedded_once(album):
    album.encoder = CountingEncoder("once")
    album.paint_many(MIN_PICTURES)
    album.build()
    assert len(album.encoder.texts) >= len(probe_texts())
    written = (album.index / PROBES).read_bytes()
    album.encoder.texts.clear()
    album.paint_many(2, first=MIN_PICTURES)
    album.build()
    assert album.encoder.texts == []
    assert (album.index / PROBES).read_bytes() == written


def test_damaged_ones_are_embedded_again_by_the_next_run_with_something_to_embed(album):
    album.paint_many(MIN_PICTURES)
    album.build()
    sound = (album.index / PROBES).read_bytes()
    (album.index / PROBES).write_bytes(sound[:100])
    album.paint_many(1, first=MIN_PICTURES)
    album.build()
    assert (album.index / PROBES).read_bytes() == sound


def test_probe_texts_are_many_and_each_its_own():
    texts = probe_texts()
    assert len(texts) >= 250
    assert len({text.lower() for text in texts}) == len(texts)
    assert all(text == text.strip() and text for text in texts)
