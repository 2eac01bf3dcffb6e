"""Skies by time of day and weather, and the weather painted over a finished scene."""

from PIL import Image

from .canvas import Canvas, Colour, mix

_DAY: dict[str, tuple[Colour, Colour]] = {
    "clear": ((80, 150, 230), (190, 225, 250)),
    "sunny": ((50, 140, 240), (200, 232, 255)),
    "cloudy": ((135, 148, 165), (195, 203, 212)),
    "rain": ((95, 108, 128), (155, 166, 180)),
    "snowfall": ((150, 162, 182), (215, 222, 232)),
    "fog": ((185, 193, 200), (215, 220, 224)),
    "rainbow": ((110, 160, 220), (205, 225, 240)),
}
_BOWS: tuple[Colour, ...] = (
    (230, 60, 60),
    (245, 150, 50),
    (250, 225, 70),
    (80, 190, 90),
    (70, 130, 230),
    (140, 80, 200),
)


def sky_colours(time: str, weather: str) -> tuple[Colour, Colour]:
    """Colours at the zenith and at the horizon."""
    top, low = _DAY[weather]
    if time == "sunset":
        return mix((95, 60, 140), top, 0.1), mix((255, 150, 60), low, 0.12)
    if time == "night":
        return mix((8, 10, 35), top, 0.06), mix((30, 40, 85), low, 0.1)
    return top, low


def light(time: str, weather: str) -> tuple[float, float, float]:
    """Factors on red, green and blue that the scene's light puts on everything below the sky."""
    if time == "night":
        return 0.50, 0.54, 0.70
    if time == "sunset":
        return 1.0, 0.82, 0.70
    return (0.82, 0.84, 0.88) if weather in ("rain", "cloudy") else (1.0, 1.0, 1.0)


def cloud(canvas: Canvas, x: float, y: float, size: float, colour: Colour, alpha: int = 230) -> None:
    """A puffy cloud of a few discs."""
    for _ in range(canvas.rng.randint(4, 7)):
        dx, dy = canvas.rng.uniform(-1.5, 1.5) * size, canvas.rng.uniform(-0.3, 0.3) * size
        canvas.disc(x + dx, y + dy, size * canvas.rng.uniform(0.5, 0.9), colour, alpha, 0.6)


def _rainbow(canvas: Canvas, horizon: float) -> None:
    centre, radius = canvas.rng.uniform(0.2, 0.8) * canvas.width, canvas.rng.uniform(0.42, 0.6) * canvas.width
    top = horizon * canvas.height + radius * canvas.rng.uniform(0.0, 0.25)
    band = max(2.0, 0.016 * canvas.unit)
    for index, colour in enumerate(_BOWS):
        r = radius - index * band
        canvas.draw.arc((centre - r, top - r, centre + r, top + r), 180, 360, (*colour, 190), int(band + 1))


def sky(canvas: Canvas, time: str, weather: str, horizon: float) -> None:
    """Paint the sky down to ``horizon`` with sun, moon, stars or clouds."""
    rng = canvas.rng
    top, low = sky_colours(time, weather)
    canvas.gradient(canvas.vary(top), canvas.vary(low), 0.0, min(1.0, horizon + 0.02))
    x, y = rng.uniform(0.1, 0.9), horizon * rng.uniform(0.15, 0.5)
    if time == "sunset":
        for radius, alpha in ((0.22, 40), (0.15, 60), (0.09, 255)):
            canvas.disc(x, horizon * 0.9, radius, (255, 215, 110), alpha)
    elif time == "night":
        canvas.dots(40, 0, horizon, 0.004, [(255, 255, 255), (210, 220, 255)], 220)
        canvas.disc(x, y, 0.055, (240, 238, 215))
        canvas.disc(x + 0.025, y - 0.01, 0.048, top)
    elif weather == "sunny":
        for radius, alpha in ((0.16, 50), (0.12, 80), (0.075, 255)):
            canvas.disc(x, y, radius, (255, 236, 120), alpha)
    grey = {"cloudy": (165, 172, 182), "rain": (105, 112, 125), "snowfall": (200, 205, 214)}.get(weather)
    amount = rng.randint(6, 9) if grey else rng.randint(0, 3) if time == "day" else 0
    colour: Colour = grey or (250, 252, 255)
    for _ in range(amount):
        cloud(canvas, rng.random(), horizon * rng.uniform(0.05, 0.6), rng.uniform(0.05, 0.11), canvas.vary(colour, 12))
    if weather == "rainbow":
        _rainbow(canvas, horizon)


def weather_over(canvas: Canvas, weather: str) -> None:
    """Rain streaks, falling flakes or a veil of fog in front of everything."""
    rng, w, h = canvas.rng, canvas.width, canvas.height
    if weather == "rain":
        slant, length = rng.uniform(-0.03, 0.05), 0.055 * canvas.unit
        for _ in range(int(150 * max(1.0, w / h))):
            x, y = rng.random() * w, rng.random() * h
            canvas.draw.line((x, y, x + slant * w, y + length), (215, 228, 245, 150), max(1, int(0.005 * canvas.unit)))
    elif weather == "snowfall":
        canvas.dots(int(110 * max(1.0, w / h)), 0, 1, 0.009, [(255, 255, 255), (240, 244, 252)], 235)
    elif weather == "fog":
        veil = Image.new("RGB", (w, h), canvas.vary((214, 218, 222), 8))
        canvas.image.paste(Image.blend(canvas.image, veil, rng.uniform(0.38, 0.55)))
