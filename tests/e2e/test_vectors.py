"""Same picture, same vector: an index of real photos against open_clip used directly."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import open_clip
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image, ImageOps

import clipsearch

COCO = Path(__file__).parents[3] / "shared/data/coco"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not COCO.is_dir(), reason="needs the COCO photos, which are not part of the project"),
]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    """ViT-B-32 with random weights of a fixed seed."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "random.pt"
    torch.save(open_clip.create_model("ViT-B-32").state_dict(), path)
    return path


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """Every twentieth photo: a processor embeds few a second."""
    folder = tmp_path_factory.mktemp("coco")
    for photo in sorted(COCO.glob("*.jpg"))[::20]:
        shutil.copy(photo, folder)
    return folder


@pytest.fixture(scope="module")
def folder_index(tmp_path_factory, checkpoint, photos) -> clipsearch.Index:
    place = tmp_path_factory.mktemp("folder") / "coco.index"
    report = clipsearch.build(photos, place, model=f"ViT-B-32:{checkpoint}")
    assert report.embedded == len(list(photos.glob("*.jpg")))
    return clipsearch.open(place)


def stored(index: clipsearch.Index, name: str = "path") -> dict[str, np.ndarray]:
    """Vectors by the column that holds the file name."""
    rows = index.sql(f"select id, {name} as name from images").to_pylist()
    vectors = index.vectors([row["id"] for row in rows])
    return {row["name"]: vector for row, vector in zip(rows, vectors, strict=True)}


def test_every_vector_is_that_of_open_clip_in_float32(folder_index, checkpoint, photos):
    model, _, transform = open_clip.create_model_and_transforms("ViT-B-32", pretrained=str(checkpoint))
    model.eval()
    cosines = {}
    for name, vector in stored(folder_index).items():
        with Image.open(photos / name) as picture, torch.inference_mode():
            pixels = transform(ImageOps.exif_transpose(picture).convert("RGB"))[None]
            expected = model.encode_image(pixels, normalize=True)[0].numpy()
        cosines[name] = float(expected @ vector.astype(np.float32) / np.linalg.norm(vector.astype(np.float32)))
    assert min(cosines.values()) >= 0.999, min(cosines, key=cosines.__getitem__)
    assert float(np.median(list(cosines.values()))) >= 0.9999


def test_every_picture_finds_itself_first(folder_index, photos):
    for row in folder_index.sql("select id, path from images order by id").to_pylist()[::4]:
        first = folder_index.search(image=photos / row["path"], k=1)[0]
        assert (first.id, first.path) == (row["id"], str(photos / row["path"]))
        assert first.score > 0.999


def test_parquet_shards_give_the_same_vectors(folder_index, checkpoint, photos, tmp_path):
    captions = {r["file"]: r["captions"] for r in map(json.loads, (COCO / "captions.jsonl").read_text().splitlines())}
    names = sorted(path.name for path in photos.iterdir())
    for shard, part in enumerate(np.array_split(names, 3)):
        images = [{"bytes": (photos / name).read_bytes(), "path": str(name)} for name in part]
        table = pa.table({"image": images, "file_name": list(part), "caption": [captions[name][0] for name in part]})
        pq.write_table(table, tmp_path / f"{shard}.parquet", row_group_size=20)
    report = clipsearch.build(tmp_path, tmp_path / "p.index", model=f"ViT-B-32:{checkpoint}")
    assert (report.embedded, report.failed) == (len(names), 0)
    with clipsearch.open(tmp_path / "p.index") as index:
        from_shards, from_folder = stored(index, "file_name"), stored(folder_index)
        assert from_shards.keys() == from_folder.keys()
        for name, vector in from_shards.items():
            assert float(vector.astype(np.float32) @ from_folder[name].astype(np.float32)) > 0.9999, name
        hit = index.search(image=photos / names[7], k=1)[0]
        assert hit.metadata["caption"] == captions[names[7]][0]
