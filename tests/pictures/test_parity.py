"""Same picture, same vector, whatever the format: decoded as indexing does, held against open_clip's own transform."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from clipsearch.pictures.for_model import Target, decode_for
from tests.pictures.formats import PICTURES

torch = pytest.importorskip("torch")
open_clip = pytest.importorskip("open_clip")

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("heif")]


@pytest.fixture(scope="module")
def reference():
    """A small ViT with random weights of a fixed seed, and what open_clip puts pictures through for it."""
    torch.manual_seed(0)
    vision = {"image_size": 224, "layers": 3, "width": 192, "patch_size": 32, "head_width": 64}
    text = {"context_length": 8, "vocab_size": 16, "width": 64, "heads": 1, "layers": 1}
    model = open_clip.CLIP(128, vision, text).eval()
    return model, open_clip.image_transform(224, is_train=False)


def test_the_gate_is_narrow(reference, photos):
    """A picture that is turned, or cropped a few pixels off, does not pass it."""
    model, transform = reference
    picture = Image.open(photos[0]).convert("RGB")
    others = [picture, picture.transpose(Image.Transpose.ROTATE_90), picture.crop((16, 0, *picture.size))]
    with torch.inference_mode():
        vectors = model.encode_image(torch.stack([transform(other) for other in others]), normalize=True)
    assert (vectors[1:] @ vectors[0]).max() < 0.999


@pytest.fixture(scope="module")
def cosines(reference):
    """Of vectors of pictures that were decoded as indexing does to those of the reference."""
    model, transform = reference
    from clipsearch.types import Preprocessing

    target = Target(Preprocessing(224, 224), 200_000_000)

    def measured(contents: list[bytes]) -> np.ndarray:
        import io

        expected = [transform(ImageOps.exif_transpose(Image.open(io.BytesIO(c))).convert("RGB")) for c in contents]
        mean, std = np.float32(target.preprocessing.mean), np.float32(target.preprocessing.std)
        pixels = [(decode_for(target, c).pixels / np.float32(255) - mean) / std for c in contents]
        with torch.inference_mode():
            wanted = model.encode_image(torch.stack(expected), normalize=True).numpy()
            got = model.encode_image(torch.from_numpy(np.stack(pixels).transpose(0, 3, 1, 2).copy()), normalize=True)
        return (got.numpy() * wanted).sum(axis=1)

    return measured


@pytest.mark.parametrize("name", PICTURES)
def test_formats(name, photos, encode, cosines):
    format_, options = PICTURES[name]
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = {"exif": exif} if format_ in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF") else {}
    with Image.open(photos[0]) as picture:
        small = picture.convert("RGB").resize((500, 350), Image.Resampling.BICUBIC)
    sizes = {"sizes": [(256, 256)]} if format_ == "ICO" else {}
    assert cosines([encode(small, format_, **(options | turned | sizes))]).min() >= 0.999


@pytest.mark.parametrize("size", [None, (1920, 1080), (3000, 4000)])
def test_photos(size, photos, encode, cosines):
    contents = [photo.read_bytes() for photo in photos[::14]]
    if size is not None:
        enlarged = (Image.open(photo).convert("RGB").resize(size, Image.Resampling.LANCZOS) for photo in photos[::70])
        contents = [encode(picture, "JPEG", quality=90) for picture in enlarged]
    found = cosines(contents)
    assert found.min() >= 0.999
    assert np.median(found) >= 0.9999
