"""Made-up camera data for gallery pictures, in keeping with what they show."""

from datetime import datetime
from random import Random

from PIL import Image

from .scene import Scene

CAMERAS = (
    ("Lumivex", "LX-40"),
    ("Lumivex", "Pocket 3"),
    ("Orbitar", "Mira 7"),
    ("Halden", "H100"),
    ("Nordlys", "N-Two"),
    ("Cirrus", "Phone 9"),
)
_SPOTS = {
    "beach": (43.70, 7.27),
    "snow": (61.12, 10.46),
    "forest": (48.30, 8.15),
    "city at night": (40.75, -73.99),
    "city street": (51.51, -0.12),
    "meadow": (47.42, 10.98),
    "desert": (24.90, 14.10),
    "mountains": (46.02, 7.75),
    "lake": (46.37, 14.09),
    "autumn park": (44.48, -72.71),
    "farm": (52.20, 5.30),
    "open sea": (36.10, -6.60),
    "road": (39.20, -116.80),
}
_HOURS = {"day": (9, 16), "sunset": (18, 20), "night": (21, 23)}
_MONTHS = {"snow": (12, 1, 2), "autumn park": (10, 11), "beach": (6, 7, 8), "meadow": (4, 5, 6)}


def moment(scene: Scene, rng: Random) -> datetime:
    """A date and time of day that fit the scene."""
    months = _MONTHS.get(scene.place, tuple(range(1, 13)))
    time = "night" if scene.place == "city at night" else scene.time
    return datetime(
        rng.randint(2016, 2024),
        rng.choice(months),
        rng.randint(1, 28),
        rng.randint(*_HOURS[time]),
        rng.randint(0, 59),
        rng.randint(0, 59),
    )


def _degrees(value: float) -> tuple[float, float, float]:
    whole = abs(value)
    minutes = (whole - int(whole)) * 60
    return float(int(whole)), float(int(minutes)), round((minutes - int(minutes)) * 60, 2)


def made_up_exif(scene: Scene, rng: Random, description: str) -> Image.Exif:
    """Exif block: often camera and date, sometimes a description and a position."""
    exif = Image.Exif()
    if description:
        exif[0x010E] = description
    if rng.random() < 0.75:
        exif[0x010F], exif[0x0110] = rng.choice(CAMERAS)
        stamp = moment(scene, rng).strftime("%Y:%m:%d %H:%M:%S")
        exif[0x0132] = stamp
        exif.get_ifd(0x8769)[0x9003] = stamp
    if scene.place in _SPOTS and rng.random() < 0.4:
        latitude, longitude = (angle + rng.uniform(-0.2, 0.2) for angle in _SPOTS[scene.place])
        gps = exif.get_ifd(0x8825)
        gps[1], gps[2] = "N" if latitude >= 0 else "S", _degrees(latitude)
        gps[3], gps[4] = "E" if longitude >= 0 else "W", _degrees(longitude)
    return exif
