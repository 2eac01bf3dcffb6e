"""Reading pictures: bytes to an upright RGB image, its facts, and the pixels a model wants."""

from clipsearch.pictures.content import content_hash
from clipsearch.pictures.decode import DEFAULT_MAX_PIXELS, Picture, read_picture, upright_rgb
from clipsearch.pictures.fit import fit
from clipsearch.pictures.paths import read_file
from clipsearch.pictures.perceptual import Appearance, appearance

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "Appearance",
    "Picture",
    "appearance",
    "content_hash",
    "fit",
    "read_file",
    "read_picture",
    "upright_rgb",
]
