"""Paint the demo gallery that clipsearch ships.

    python data/make_gallery.py --out clipsearch/gallery

Folders of JPEGs, one Parquet file with pictures in a column, and a folder of awkward files.
"""

import argparse
import json
from io import BytesIO
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from scenes.awkward import write_awkward
from scenes.captions import evaluation_caption
from scenes.exif import made_up_exif, moment
from scenes.gallery_plan import everyday_scene, gallery_scenes
from scenes.painter import paint_sharp
from scenes.scene import Scene
from scenes.things import things

_SIZES = (
    (480, 360),
    (480, 360),
    (480, 360),
    (640, 480),
    (360, 480),
    (512, 384),
    (400, 400),
    (480, 320),
    (384, 576),
    (640, 360),
    (960, 320),
)
_FOLDERS = {
    "beach": "beach",
    "snow": "winter",
    "mountains": "winter",
    "forest": "outdoors",
    "meadow": "outdoors",
    "lake": "outdoors",
    "autumn park": "outdoors",
    "farm": "outdoors",
    "desert": "travel",
    "road": "travel",
    "sky": "travel",
    "city street": "city",
    "city at night": "city",
    "room": "home",
    "stage": "home",
    "space": "dreams",
    "underwater": "sea",
    "open sea": "sea",
}
_PEOPLE = ("Ada Brook", "Jonas Feld", "Mira Tanaka", "Sam Okoro", "Lena Strand", None)
_FEATURES = {
    "image": {"_type": "Image"},
    "caption": {"dtype": "string", "_type": "Value"},
    "photographer": {"dtype": "string", "_type": "Value"},
    "rating": {"dtype": "int64", "_type": "Value"},
    "temperature": {"dtype": "float64", "_type": "Value"},
    "tags": {"feature": {"dtype": "string", "_type": "Value"}, "_type": "Sequence"},
    "taken": {"dtype": "timestamp[us]", "_type": "Value"},
}
_SCHEMA = pa.schema(
    [
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("caption", pa.string()),
        ("photographer", pa.string()),
        ("rating", pa.int64()),
        ("temperature", pa.float64()),
        ("tags", pa.list_(pa.string())),
        ("taken", pa.timestamp("us")),
    ],
    metadata={"huggingface": json.dumps({"info": {"features": _FEATURES}})},
)


def sentence(scene: Scene) -> str:
    """The scene's full caption with capital letter and full stop."""
    text = evaluation_caption(scene)
    return f"{text[0].upper()}{text[1:]}."


def camera_name(index: int, rng: Random) -> str:
    """An everyday file name."""
    number = 1000 + 7 * index + rng.randrange(7)
    return rng.choice(
        (
            f"IMG_{number}.jpg",
            f"DSC{number:05d}.JPG",
            f"P10{number}.jpg",
            f"picture {number}.jpg",
            f"holiday-{number}.jpeg",
            f"PXL_{number}.jpg",
        )
    )


def _scene_picture(scene: Scene, rng: Random) -> Image.Image:
    width, height = rng.choice(_SIZES)
    return paint_sharp(scene, width, height)


def write_folders(out: Path, scenes: list[Scene], seed: int) -> None:
    """One JPEG for each scene, in folders by background."""
    for index, scene in enumerate(scenes):
        rng = Random(f"gallery {seed} {index}")
        folder = out / _FOLDERS[scene.place]
        folder.mkdir(parents=True, exist_ok=True)
        exif = made_up_exif(scene, rng, sentence(scene) if rng.random() < 0.45 else "")
        _scene_picture(scene, rng).save(folder / camera_name(index, rng), "JPEG", quality=80, optimize=True, exif=exif)


def shard_row(scene: Scene, index: int, rng: Random) -> dict[str, Any]:
    """One row of the Parquet file."""
    buffer = BytesIO()
    _scene_picture(scene, rng).save(buffer, "JPEG", quality=80, optimize=True)
    tags = sorted({word for item in scene.items for word in (item.thing, *things()[item.thing].categories[:1])})
    return {
        "image": {"bytes": buffer.getvalue(), "path": f"scene-{index:03d}.jpg"},
        "caption": sentence(scene),
        "photographer": rng.choice(_PEOPLE),
        "rating": rng.randint(1, 5),
        "temperature": round(rng.uniform(-12, 34), 1),
        "tags": [*tags, scene.place],
        "taken": moment(scene, rng),
    }


def write_shard(path: Path, count: int, seed: int) -> None:
    """``count`` pictures in a Parquet file as Hugging Face datasets lay them out."""
    rng = Random(f"shard {seed}")
    rows = [shard_row(everyday_scene(rng), index, rng) for index in range(count)]
    pq.write_table(pa.Table.from_pylist(rows, _SCHEMA), path, row_group_size=20, compression="zstd")


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=500, help="JPEGs in folders, demo pictures included")
    parser.add_argument("--each-demo", type=int, default=4, help="pictures for each demo query")
    parser.add_argument("--shard", type=int, default=60, help="pictures in the Parquet file")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    rng = Random(f"gallery {args.seed}")
    scenes = list(islice(gallery_scenes(rng, args.each_demo, args.pictures), args.pictures))
    write_folders(args.out, scenes, args.seed)
    write_shard(args.out / "more.parquet", args.shard, args.seed)
    write_awkward(args.out / "awkward", args.seed)


if __name__ == "__main__":
    main()
