"""Reading pictures: bytes to an upright RGB image, its facts, and the pixels a model wants."""

from clipsearch.pictures.decode import DEFAULT_MAX_PIXELS, Picture, read_picture, upright_rgb
from clipsearch.pictures.fetch import picture_bytes
from clipsearch.pictures.fit import fit
from clipsearch.pictures.parquet import ShardLayout
from clipsearch.pictures.paths import from_stored, read_file, to_stored
from clipsearch.pictures.perceptual import Appearance, appearance

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "Appearance",
    "Picture",
    "ShardLayout",
    "appearance",
    "fit",
    "from_stored",
    "picture_bytes",
    "read_file",
    "read_picture",
    "to_stored",
    "upright_rgb",
]
