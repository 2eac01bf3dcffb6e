"""Folders that clip-retrieval wrote."""

from __future__ import annotations

import numpy as np
import pytest
from toy import ToyEncoder
from vector_files import clip_retrieval, put, random_vectors, stored, unit

import clipsearch
from clipsearch.errors import PictureError, SourceError


def test_shards_of_clip_retrieval_come_in_the_order_of_their_numbers(tmp_path):
    shards = [random_vectors(3, seed, "float16") for seed in range(11)]
    captions = [f"number {i}" for i in range(33)]
    source = clip_retrieval(tmp_path / "laion", shards, caption=captions, url=[f"http://x/{i}" for i in range(33)])
    report = put(source, tmp_path / "i.index", model=None)
    assert (report.seen, report.imported, report.absent, report.failed) == (33, 33, 33, 0)
    found = stored(tmp_path / "i.index")
    assert list(found) == [f"{i:09d}.jpg" for i in range(33)]
    assert np.allclose(np.stack(list(found.values())), unit(np.concatenate(shards)), atol=1e-3)
    with clipsearch.open(tmp_path / "i.index", encoder=ToyEncoder()) as opened:
        hit = opened.search(vector=shards[7][1], k=1)[0]
        assert hit.metadata["caption"] == "number 22"
        assert hit.metadata["url"] == "http://x/22"
        assert hit.metadata["absent"] is True
        assert opened.count("absent") == 33
        with pytest.raises(PictureError, match="no longer there"):
            opened.picture(hit.id)


def test_unpadded_numbers_are_numbers(tmp_path):
    shards = [random_vectors(1, seed) for seed in range(11)]
    source = clip_retrieval(tmp_path / "laion", shards)
    for number in range(10):
        (source / f"img_emb/img_emb_{number:02d}.npy").rename(source / f"img_emb/img_emb_{number}.npy")
        (source / f"metadata/metadata_{number:02d}.parquet").rename(source / f"metadata/metadata_{number}.parquet")
    put(source, tmp_path / "i.index")
    assert list(stored(tmp_path / "i.index")) == [f"{i:09d}.jpg" for i in range(11)]


def test_what_does_not_go_together_is_refused(tmp_path):
    source = clip_retrieval(tmp_path / "laion", [random_vectors(3), random_vectors(2)])
    np.save(source / "img_emb/img_emb_1.npy", random_vectors(5))
    with pytest.raises(SourceError, match=r"img_emb_1.npy has 5 vectors and metadata_1.parquet 2 rows"):
        put(source, tmp_path / "i.index")
    (source / "metadata/metadata_1.parquet").unlink()
    with pytest.raises(SourceError, match=r"metadata_1.parquet is not there"):
        put(source, tmp_path / "i.index")
    (source / "img_emb/img_emb_1.npy").write_bytes(b"not an array")
    (source / "metadata/metadata_0.parquet").rename(source / "metadata/metadata_1.parquet")
    (source / "img_emb/img_emb_0.npy").unlink()
    with pytest.raises(SourceError, match=r"img_emb_1.npy cannot be read as a NumPy array"):
        put(source, tmp_path / "i.index")
    assert not (tmp_path / "i.index").exists()
