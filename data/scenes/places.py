"""Backgrounds, times of day and kinds of weather, with the words people use for them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """One background.  ``where`` are phrases that follow an object, ``nouns`` stand alone."""

    name: str
    where: tuple[str, ...]
    nouns: tuple[str, ...]
    outdoors: bool = True
    floating: bool = False
    horizon: float = 0.5
    sky_only: bool = False


_PLACES = (
    Place(
        "beach",
        (
            "at the beach",
            "on the beach",
            "on a sandy beach",
            "by the sea",
            "at the seaside",
            "on the shore",
            "on the sand by the water",
            "on a beach",
        ),
        ("a beach", "the beach", "a sandy beach", "the seaside", "the coast"),
        horizon=0.42,
    ),
    Place(
        "snow",
        (
            "in the snow",
            "in a snowy field",
            "on the snow",
            "in a winter landscape",
            "on snowy ground",
            "in a snowy landscape",
            "on a snow covered field",
            "in winter",
        ),
        ("a snowy field", "snow", "a winter landscape", "a field covered in snow", "a snowy place"),
        horizon=0.45,
    ),
    Place(
        "forest",
        (
            "in the forest",
            "in the woods",
            "among the trees",
            "in a forest",
            "in a green forest",
            "between the trees",
            "in the wood",
        ),
        ("a forest", "the woods", "a green forest", "a wood full of trees"),
        horizon=0.55,
    ),
    Place(
        "city at night",
        (
            "in the city at night",
            "downtown at night",
            "in front of city lights",
            "in a city at night",
            "under the city lights",
            "on a city street at night",
        ),
        ("a city at night", "downtown at night", "city lights", "skyscrapers at night", "a night skyline"),
        outdoors=False,
        horizon=0.75,
    ),
    Place(
        "city street",
        (
            "in the city",
            "on the street",
            "in town",
            "on a city street",
            "in front of buildings",
            "on the road in the city",
            "downtown",
        ),
        ("a city", "a city street", "a street with buildings", "a town", "downtown"),
        horizon=0.62,
    ),
    Place(
        "room",
        (
            "in a room",
            "indoors",
            "in the living room",
            "inside",
            "at home",
            "inside a house",
            "in a room with a window",
        ),
        ("a room", "a living room", "an indoor room", "the inside of a house", "a room with a window"),
        outdoors=False,
        horizon=0.68,
    ),
    Place(
        "space",
        (
            "in space",
            "in outer space",
            "among the stars",
            "among the planets",
            "in the galaxy",
            "floating in space",
            "in deep space",
        ),
        ("outer space", "space", "stars and planets", "the universe", "deep space"),
        outdoors=False,
        floating=True,
    ),
    Place(
        "meadow",
        (
            "in a meadow",
            "on the grass",
            "in a field of flowers",
            "on a green meadow",
            "in a grassy field",
            "in the grass",
            "on green grass",
            "among the flowers",
        ),
        ("a meadow", "a green meadow", "a grassy field", "a field of flowers", "grass with flowers"),
        horizon=0.42,
    ),
    Place(
        "desert",
        ("in the desert", "in a sandy desert", "among sand dunes", "on the dunes", "in a desert", "on a sand dune"),
        ("a desert", "sand dunes", "the desert", "a dry sandy desert"),
        horizon=0.45,
    ),
    Place(
        "underwater",
        (
            "under water",
            "underwater",
            "under the sea",
            "in the ocean",
            "in deep water",
            "below the surface of the sea",
            "at the bottom of the sea",
            "on a reef",
        ),
        ("the underwater world", "the bottom of the sea", "deep blue water", "an underwater scene", "a reef"),
        outdoors=False,
        floating=True,
    ),
    Place(
        "mountains",
        (
            "in the mountains",
            "in front of mountains",
            "near the mountains",
            "in the alps",
            "with mountains behind",
            "with mountains in the background",
            "in a mountain valley",
        ),
        ("mountains", "a mountain landscape", "snowy peaks", "a mountain range", "a mountain valley"),
        horizon=0.6,
    ),
    Place(
        "lake",
        ("by a lake", "at the lake", "on a lake", "by the water", "on the lake shore", "next to a lake", "near a pond"),
        ("a lake", "a calm lake", "a lake with hills", "a pond"),
        horizon=0.45,
    ),
    Place(
        "sky",
        ("in the sky", "up in the sky", "among the clouds", "in the air", "above the clouds", "high in the sky"),
        ("the sky", "clouds", "a sky with clouds", "the open sky"),
        floating=True,
        sky_only=True,
    ),
    Place(
        "autumn park",
        (
            "in an autumn park",
            "in the park in autumn",
            "among autumn leaves",
            "in a park in the fall",
            "among orange trees",
            "in the fall",
            "in autumn",
        ),
        ("an autumn park", "autumn trees", "a park in the fall", "an orange autumn forest"),
        horizon=0.55,
    ),
    Place(
        "farm",
        ("on a farm", "in front of a barn", "at the farm", "next to a red barn", "on the farm", "in a farm field"),
        ("a farm", "a farm with a barn", "a red barn in a field", "farmland"),
        horizon=0.5,
    ),
    Place(
        "open sea",
        ("on the sea", "at sea", "on the waves", "out on the ocean", "in the waves", "on the open sea", "on the water"),
        ("the open sea", "the ocean", "waves", "the sea"),
        horizon=0.4,
    ),
    Place(
        "road",
        ("on a country road", "on the road", "on the highway", "by the roadside", "on a road", "on a long road"),
        ("a country road", "a road", "a highway", "a long road through fields"),
        horizon=0.5,
    ),
    Place(
        "stage",
        ("on a stage", "on stage", "in a theatre", "in front of red curtains", "in the spotlight"),
        ("a stage", "a theatre stage", "a stage with red curtains", "red curtains"),
        outdoors=False,
        horizon=0.75,
    ),
)

PLACES: dict[str, Place] = {place.name: place for place in _PLACES}

TIMES: dict[str, tuple[str, ...]] = {
    "day": ("during the day", "in daylight", "by day"),
    "sunset": (
        "at sunset",
        "at dusk",
        "in the evening",
        "as the sun goes down",
        "under an orange sky",
        "in the light of the setting sun",
        "during sunset",
    ),
    "night": ("at night", "after dark", "in the dark", "under the moon", "on a starry night", "by moonlight"),
}

WEATHERS: dict[str, tuple[str, ...]] = {
    "clear": ("under a clear sky", "in good weather", "under a blue sky"),
    "sunny": ("on a sunny day", "in the sunshine", "in bright sunshine", "under the sun", "in sunny weather"),
    "cloudy": ("on a cloudy day", "under grey clouds", "under an overcast sky", "in cloudy weather"),
    "rain": ("in the rain", "on a rainy day", "while it rains", "in rainy weather", "in heavy rain"),
    "snowfall": (
        "while it is snowing",
        "in falling snow",
        "in a snowfall",
        "with snow falling",
        "with snowflakes in the air",
    ),
    "fog": ("in the fog", "on a foggy day", "in the mist", "in foggy weather", "in thick fog"),
    "rainbow": ("with a rainbow in the sky", "under a rainbow", "with a rainbow behind"),
}
