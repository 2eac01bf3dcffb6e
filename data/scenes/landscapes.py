"""Painters of the backgrounds: each fills a canvas for one place."""

from collections.abc import Callable

from .canvas import Canvas, Colour, mix
from .scene import Scene
from .skies import cloud, light, sky

Painter = Callable[[Canvas, Scene, float], None]


def _lit(scene: Scene, colour: Colour) -> Colour:
    r, g, b = light(scene.time, scene.weather)
    return (int(colour[0] * r), int(colour[1] * g), int(colour[2] * b))


def _ground(canvas: Canvas, scene: Scene, far: Colour, near: Colour, top: float, texture: float = 0.35) -> None:
    canvas.gradient(canvas.vary(_lit(scene, far)), canvas.vary(_lit(scene, near)), top, 1.0)
    canvas.noise(top, 1.0, texture)


def _water(canvas: Canvas, scene: Scene, y0: float, y1: float, waves: int = 14) -> None:
    tint = {"sunset": (190, 130, 120), "night": (35, 60, 110)}.get(scene.time, (45, 135, 195))
    canvas.gradient(canvas.vary(mix(tint, (255, 255, 255), 0.25)), canvas.vary(tint), y0, y1)
    for _ in range(waves):
        y, x, length = canvas.rng.uniform(y0, y1), canvas.rng.random(), canvas.rng.uniform(0.03, 0.12)
        canvas.draw.line(
            (x * canvas.width, y * canvas.height, (x + length) * canvas.width, y * canvas.height),
            (235, 245, 255, 110),
            max(1, int(0.006 * canvas.unit)),
        )


def _fir(canvas: Canvas, x: float, base: float, size: float, colour: Colour) -> None:
    half = 0.3 * size * canvas.unit / canvas.width
    tall = size * canvas.unit / canvas.height
    canvas.box(x - half * 0.12, base - tall * 0.2, x + half * 0.12, base, (92, 64, 44))
    for level in range(3):
        low, width = base - tall * (0.12 + 0.27 * level), half * (1 - 0.25 * level)
        canvas.polygon([(x - width, low), (x + width, low), (x, low - tall * 0.4)], colour)


def _leafy(canvas: Canvas, x: float, base: float, size: float, colour: Colour) -> None:
    tall, half = size * canvas.unit / canvas.height, 0.05 * size * canvas.unit / canvas.width
    canvas.box(x - half, base - tall * 0.6, x + half, base, (96, 68, 48))
    for _ in range(4):
        canvas.disc(
            x + canvas.rng.uniform(-2.5, 2.5) * half,
            base - tall * canvas.rng.uniform(0.6, 0.95),
            size * canvas.rng.uniform(0.18, 0.27),
            canvas.vary(colour, 14),
        )


def _beach(canvas: Canvas, scene: Scene, horizon: float) -> None:
    sky(canvas, scene.time, scene.weather, horizon)
    shore = horizon + canvas.rng.uniform(0.12, 0.2)
    _water(canvas, scene, horizon, shore + 0.04)
    _ground(canvas, scene, (240, 218, 165), (225, 192, 130), shore)
    canvas.ridge(shore + 0.015, 0.02, (240, 246, 250), 9, shore + 0.02)


def _snow(canvas: Canvas, scene: Scene, horizon: float) -> None:
    sky(canvas, scene.time, scene.weather, horizon)
    canvas.ridge(horizon, 0.12, canvas.vary(_lit(scene, (205, 218, 236))), 6)
    for _ in range(canvas.rng.randint(2, 6)):
        _fir(canvas, canvas.rng.random(), horizon + 0.05, canvas.rng.uniform(0.1, 0.2), _lit(scene, (105, 140, 140)))
    _ground(canvas, scene, (236, 242, 250), (250, 252, 255), horizon + 0.03, 0.22)


def _forest(canvas: Canvas, scene: Scene, horizon: float) -> None:
    sky(canvas, scene.time, scene.weather, horizon)
    canvas.ridge(horizon - 0.1, 0.25, canvas.vary(_lit(scene, (50, 95, 60))), 14)
    _ground(canvas, scene, (62, 100, 48), (80, 112, 55), horizon)
    for index in range(11):
        x = (index + canvas.rng.random()) / 11
        green = canvas.vary(_lit(scene, (38, 96, 52)), 14)
        tree = _fir if canvas.rng.random() < 0.6 else _leafy
        tree(canvas, x, horizon + canvas.rng.uniform(0.0, 0.09), canvas.rng.uniform(0.4, 0.62), green)


def _skyline(canvas: Canvas, base: float, colours: list[Colour], lit: list[Colour], share: float) -> None:
    x = -0.03
    while x < 1.0:
        width, top = canvas.rng.uniform(0.08, 0.16), base - canvas.rng.uniform(0.25, 0.62)
        canvas.box(x, top, x + width, base, canvas.vary(canvas.rng.choice(colours), 10))
        rows, columns = int((base - top) / 0.06), 3
        for row in range(rows):
            for column in range(columns):
                if canvas.rng.random() < share:
                    wx, wy = x + width * (column + 0.3) / columns, top + 0.02 + 0.06 * row
                    canvas.box(wx, wy, wx + width * 0.13, wy + 0.03, canvas.rng.choice(lit))
        x += width


def _city_night(canvas: Canvas, scene: Scene, horizon: float) -> None:
    canvas.gradient((12, 12, 38), (55, 42, 95), 0, horizon)
    canvas.dots(25, 0, horizon * 0.6, 0.004, [(255, 255, 255)], 200)
    _skyline(canvas, horizon, [(28, 30, 58), (38, 40, 72), (22, 24, 48)], [(255, 220, 110), (255, 240, 180)], 0.6)
    canvas.gradient((50, 48, 66), (32, 32, 46), horizon, 1.0)
    canvas.dots(12, horizon, 1.0, 0.03, [(255, 210, 110), (255, 120, 150), (110, 190, 255)], 50)


def _city_street(canvas: Canvas, scene: Scene, horizon: float) -> None:
    sky(canvas, scene.time, scene.weather, horizon)
    walls: list[Colour] = [(196, 120, 96), (214, 190, 150), (150, 160, 175), (205, 205, 210), (170, 130, 110)]
    panes: list[Colour] = [(255, 225, 130)] if scene.time == "night" else [(150, 190, 215), (95, 120, 145)]
    _skyline(canvas, horizon, [_lit(scene, wall) for wall in walls], panes, 0.85)
    canvas.box(0, horizon, 1, horizon + 0.07, _lit(scene, (186, 184, 180)))
    _ground(canvas, scene, (105, 107, 112), (88, 90, 95), horizon + 0.07, 0.2)
    for x in range(5):
        canvas.box(x * 0.22 + 0.03, 0.86, x * 0.22 + 0.14, 0.88, _lit(scene, (235, 232, 220)))


def _room(canvas: Canvas, scene: Scene, horizon: float) -> None:
    walls: list[Colour] = [(235, 222, 196), (198, 214, 206), (226, 204, 200), (205, 210, 226), (240, 232, 205)]
    wall = canvas.vary(canvas.rng.choice(walls))
    canvas.gradient(wall, mix(wall, (0, 0, 0), 0.08), 0, horizon)
    floor = canvas.vary((176, 126, 84))
    canvas.gradient(mix(floor, (0, 0, 0), 0.15), floor, horizon, 1.0)
    for line in range(1, 6):
        y = horizon + (1 - horizon) * line / 6
        canvas.box(0, y, 1, y + 0.004, mix(floor, (0, 0, 0), 0.25))
    canvas.box(0, horizon - 0.025, 1, horizon, (248, 246, 240))
    x, y = canvas.rng.uniform(0.06, 0.66), canvas.rng.uniform(0.08, 0.16)
    canvas.box(x, y, x + 0.27, y + 0.34, (250, 250, 248))
    canvas.box(x + 0.018, y + 0.022, x + 0.252, y + 0.318, (165, 210, 240))
    canvas.box(x + 0.129, y, x + 0.141, y + 0.34, (250, 250, 248))
    canvas.box(x, y + 0.16, x + 0.27, y + 0.175, (250, 250, 248))
    canvas.disc(0.5, (1 + horizon) / 2 + 0.03, 0.36, canvas.vary((170, 70, 74), 30), 255, 0.22)


def _space(canvas: Canvas, scene: Scene, horizon: float) -> None:
    canvas.gradient(canvas.vary((8, 6, 26), 6), canvas.vary((30, 16, 60), 12))
    canvas.noise(0, 1, 0.6)
    canvas.dots(110, 0, 1, 0.004, [(255, 255, 255), (255, 240, 200), (190, 210, 255)])
    planets: list[Colour] = [(214, 140, 80), (100, 150, 220), (190, 90, 90), (150, 190, 150), (200, 180, 220)]
    for _ in range(canvas.rng.randint(1, 3)):
        x, y, radius = canvas.rng.random(), canvas.rng.random(), canvas.rng.uniform(0.05, 0.15)
        colour = canvas.rng.choice(planets)
        canvas.disc(x, y, radius, mix(colour, (0, 0, 0), 0.35))
        canvas.disc(x - radius * 0.15, y - radius * 0.15, radius * 0.85, colour)
        if canvas.rng.random() < 0.4:
            canvas.disc(x, y, radius * 1.7, (225, 210, 180), 150, 0.16)


def _meadow(canvas: Canvas, scene: Scene, horizon: float) -> None:
    sky(canvas, scene.time, scene.weather, horizon)
    canvas.ridge(horizon, 0.1, canvas.vary(_lit(scene, (120, 175, 90))), 5)
    _ground(canvas, scene, (112, 182, 72), (72, 148, 52), horizon + 0.02, 0.45)
    flowers: list[Colour] = [(250, 250, 250), (250, 220, 70), (240, 110, 140), (190, 120, 220)]
    canvas.dots(70, horizon + 0.06, 1, 0.009, [_lit(scene, flower) for flower in flowers])


def _desert(canvas: Canvas, scene: Scene, horizon: float) -> None:
    sky(canvas, scene.time, scene.weather, horizon)
    sand: Colour = (226, 170, 96)
    canvas.box(0, horizon, 1, 1, _lit(scene, sand))
    for step in range(3):
        top = horizon + 0.16 * step
        colour = canvas.vary(_lit(scene, mix(sand, (190, 120, 60), 0.22 * (2 - step))), 8)
        canvas.ridge(top + 0.05, 0.13, colour, 3)
    canvas.noise(horizon, 1, 0.3)


def _underwater(canvas: Canvas, scene: Scene, horizon: float) -> None:
    canvas.gradient(canvas.vary((70, 190, 220)), canvas.vary((8, 52, 110)))
    canvas.noise(0, 1, 0.25)
    for _ in range(4):
        x, width = canvas.rng.random(), canvas.rng.uniform(0.03, 0.08)
        canvas.polygon([(x, 0), (x + width, 0), (x + width * 3 - 0.2, 0.8), (x - 0.25, 0.8)], (210, 245, 255), 34)
    canvas.ridge(0.93, 0.07, canvas.vary((196, 178, 130)), 5)
    for _ in range(canvas.rng.randint(4, 8)):
        x, tall = canvas.rng.random(), canvas.rng.uniform(0.1, 0.28)
        weed = canvas.vary((40, 140, 90), 24)
        canvas.polygon(
            [(x, 1.0), (x + 0.02, 1 - tall * 0.5), (x - 0.005, 1 - tall), (x + 0.035, 1 - tall * 0.5), (x + 0.03, 1.0)],
            weed,
        )
        canvas.disc(canvas.rng.random(), 0.96, 0.035, canvas.vary((235, 110, 120), 40))
    canvas.dots(22, 0, 0.95, 0.011, [(215, 245, 255)], 120)


def _mountains(canvas: Canvas, scene: Scene, horizon: float) -> None:
    sky(canvas, scene.time, scene.weather, horizon)
    rock = _lit(scene, (112, 118, 138))
    for _ in range(5):
        x, half, top = canvas.rng.random(), canvas.rng.uniform(0.18, 0.32), canvas.rng.uniform(0.08, 0.28)
        canvas.polygon([(x - half, horizon), (x, top), (x + half, horizon)], canvas.vary(rock, 14))
        cap, drop = 0.28 * half, 0.28 * (horizon - top)
        canvas.polygon(
            [
                (x - cap, top + drop),
                (x, top),
                (x + cap, top + drop),
                (x + cap * 0.3, top + drop * 0.75),
                (x - cap * 0.3, top + drop * 1.1),
            ],
            _lit(scene, (245, 248, 252)),
        )
    _ground(canvas, scene, (98, 146, 84), (110, 160, 84), horizon - 0.01)


def _lake(canvas: Canvas, scene: Scene, horizon: float) -> None:
    sky(canvas, scene.time, scene.weather, horizon)
    canvas.ridge(horizon, 0.2, canvas.vary(_lit(scene, (84, 132, 92))), 6)
    _water(canvas, scene, horizon, 0.8, 18)
    _ground(canvas, scene, (104, 150, 70), (92, 138, 60), 0.78, 0.4)
    for _ in range(10):
        x = canvas.rng.random()
        canvas.polygon([(x, 0.82), (x + 0.008, 0.68), (x + 0.014, 0.82)], _lit(scene, (70, 112, 50)))


def _sky(canvas: Canvas, scene: Scene, horizon: float) -> None:
    sky(canvas, scene.time, scene.weather, 1.0)
    white = _lit(scene, (248, 250, 255) if scene.weather != "rain" else (150, 156, 168))
    for _ in range(9):
        y = canvas.rng.choice((canvas.rng.uniform(0.0, 1.0), canvas.rng.uniform(0.8, 1.0)))
        cloud(canvas, canvas.rng.random(), y, canvas.rng.uniform(0.07, 0.13), canvas.vary(white, 6), 225)


def _autumn(canvas: Canvas, scene: Scene, horizon: float) -> None:
    sky(canvas, scene.time, scene.weather, horizon)
    leaves: list[Colour] = [(222, 120, 40), (200, 70, 36), (236, 174, 56), (180, 96, 40)]
    _ground(canvas, scene, (170, 132, 70), (150, 112, 58), horizon, 0.45)
    for index in range(8):
        x = (index + canvas.rng.random()) / 8
        _leafy(
            canvas,
            x,
            horizon + canvas.rng.uniform(0.02, 0.08),
            canvas.rng.uniform(0.38, 0.55),
            _lit(scene, canvas.rng.choice(leaves)),
        )
    canvas.dots(80, horizon + 0.05, 1, 0.011, [_lit(scene, leaf) for leaf in leaves])


def _farm(canvas: Canvas, scene: Scene, horizon: float) -> None:
    sky(canvas, scene.time, scene.weather, horizon)
    _ground(canvas, scene, (196, 184, 92), (136, 166, 70), horizon, 0.4)
    x, red = canvas.rng.uniform(0.02, 0.6), _lit(scene, canvas.vary((176, 48, 42), 12))
    top, low, white = horizon - 0.2, horizon + 0.05, _lit(scene, (245, 242, 236))
    canvas.box(x, top, x + 0.34, low, red)
    canvas.polygon(
        [(x - 0.025, top), (x + 0.06, top - 0.14), (x + 0.28, top - 0.14), (x + 0.365, top)], _lit(scene, (96, 84, 84))
    )
    canvas.box(x + 0.12, low - 0.15, x + 0.22, low, white)
    canvas.box(x + 0.13, low - 0.14, x + 0.21, low, mix(red, (0, 0, 0), 0.25))
    for post in range(13):
        canvas.box(post / 12 - 0.006, horizon + 0.06, post / 12 + 0.006, horizon + 0.17, white)
    for y in (0.085, 0.13):
        canvas.box(0, horizon + y, 1, horizon + y + 0.014, white)


def _open_sea(canvas: Canvas, scene: Scene, horizon: float) -> None:
    sky(canvas, scene.time, scene.weather, horizon)
    _water(canvas, scene, horizon, 1.0, 10)
    deep = {"sunset": (120, 84, 110), "night": (20, 38, 80)}.get(scene.time, (24, 92, 160))
    for step in range(4):
        canvas.ridge(horizon + 0.14 + 0.14 * step, 0.05, canvas.vary(_lit(scene, deep), 10), 12)
    canvas.dots(18, horizon + 0.1, 1, 0.014, [(235, 245, 252)], 130)


def _road(canvas: Canvas, scene: Scene, horizon: float) -> None:
    sky(canvas, scene.time, scene.weather, horizon)
    canvas.ridge(horizon, 0.08, canvas.vary(_lit(scene, (120, 160, 100))), 5)
    _ground(canvas, scene, (150, 176, 92), (122, 158, 74), horizon, 0.4)
    far = canvas.rng.uniform(0.4, 0.6)
    canvas.polygon([(far - 0.03, horizon), (far + 0.03, horizon), (1.0, 1.0), (0.0, 1.0)], _lit(scene, (98, 99, 104)))
    for step in range(4):
        a, b = (step + 0.1) ** 1.6 / 9.2, (step + 0.6) ** 1.6 / 9.2
        ya, yb = horizon + (1 - horizon) * a, horizon + (1 - horizon) * b
        xa, xb = far + (0.5 - far) * a, far + (0.5 - far) * b
        canvas.polygon(
            [(xa - 0.012 * a, ya), (xa + 0.012 * a, ya), (xb + 0.018 * b + 0.003, yb), (xb - 0.018 * b - 0.003, yb)],
            (240, 236, 220),
        )


def _stage(canvas: Canvas, scene: Scene, horizon: float) -> None:
    canvas.gradient((120, 14, 26), (88, 8, 20), 0, horizon)
    for fold in range(18):
        x = fold / 18
        canvas.polygon(
            [(x, 0), (x + 0.026, 0), (x + 0.02, horizon), (x + 0.006, horizon)], canvas.vary((176, 26, 40), 12), 190
        )
    canvas.gradient((120, 80, 50), (160, 112, 70), horizon, 1.0)
    x = canvas.rng.uniform(0.3, 0.7)
    canvas.polygon([(x - 0.03, 0), (x + 0.03, 0), (x + 0.3, 0.9), (x - 0.3, 0.9)], (255, 240, 190), 55)
    canvas.disc(x, 0.9, 0.32, (255, 240, 190), 80, 0.22)


PAINTERS: dict[str, Painter] = {
    "beach": _beach,
    "snow": _snow,
    "forest": _forest,
    "city at night": _city_night,
    "city street": _city_street,
    "room": _room,
    "space": _space,
    "meadow": _meadow,
    "desert": _desert,
    "underwater": _underwater,
    "mountains": _mountains,
    "lake": _lake,
    "sky": _sky,
    "autumn park": _autumn,
    "farm": _farm,
    "open sea": _open_sea,
    "road": _road,
    "stage": _stage,
}
