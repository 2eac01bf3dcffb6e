"""Filters: which pictures a search may return."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from clipsearch.errors import QueryError
from clipsearch.query.dates import span, timestamp
from clipsearch.query.folders import in_folder
from clipsearch.query.values import Range, Value, check_values, value_conditions
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.sql import literal
from clipsearch.types import Ids

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the earth, (2a + b) / 3 of the GRS 80 ellipsoid (Moritz, Geodetic Reference System 1980)."""

_FORMATS = {"JPG": "JPEG", "JPE": "JPEG", "JFIF": "JPEG", "TIF": "TIFF", "HEIC": "HEIF", "APNG": "PNG"}
_FORMATS |= dict.fromkeys(("JP2", "J2K", "JPX"), "JPEG2000") | dict.fromkeys(("PGM", "PBM"), "PPM")


@dataclass(frozen=True, slots=True)
class Filter:
    """What a picture must be to be found; everything given has to hold.

    Args:
        where: one SQL condition of DuckDB on the columns of the index's `images` view, true for the pictures wanted;
            neither false nor NULL will do.
        folder: a folder inside a root, as `2024/summer`; a root by its alias, or a folder in it, as `Pictures/2024`;
            or a folder of this machine, absolute or beginning with `~`, `.` or `..`. Folders below it are included;
            a Parquet file counts as a folder of its pictures.
        after: taken on or after this day or moment: a date, a datetime, or a text in ISO 8601, also a year (`2024`) or
            a month (`2024-06`). A picture without a date of its own goes by its file's time of change, in UTC.
        before: taken on or before this day or moment; a day, month or year is included to its end.
        camera: a part of the camera's name, in capital or small letters.
        near: latitude and longitude in degrees (WGS 84) and a distance in kilometres along the earth's surface.
        format: `jpeg`, `png`, `webp` and so on, or the ending of such files, as `jpg`.
        min_size: pixels that both sides must have, or (width, height) that a picture must have at least.
        any_of: columns of `images`, each with the value or values it may have. Of a column of lists, one element has
            to be among them.
        between: columns with a least and a greatest value, both included; None where there is no bound. The first
            and last day, month or year of a range of dates count to their ends.
        contains: columns of texts, or of lists of texts, with what they have to contain, in capital or small letters.

    A picture that has no value in a column passes neither of the last three. Their values may be given as text, too:
    `any_of={"stars": "4"}`.

    Raises:
        QueryError: something given makes no sense.
    """

    where: str | None = None
    folder: str | os.PathLike[str] | None = None
    after: date | datetime | str | None = None
    before: date | datetime | str | None = None
    camera: str | None = None
    near: tuple[float, float, float] | None = None
    format: str | None = None
    min_size: int | tuple[int, int] | None = None
    any_of: Mapping[str, Value | Collection[Value]] = field(default_factory=dict, hash=False)
    between: Mapping[str, Range] = field(default_factory=dict, hash=False)
    contains: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        folder = None if self.folder is None else os.fspath(self.folder)
        texts = {"where": self.where, "folder": folder, "camera": self.camera, "format": self.format}
        for name, text in texts.items():
            _check_text(name, text)
        check_values(self.any_of, self.between, self.contains)
        list(_conditions(self))

    def __bool__(self) -> bool:
        """Whether anything is asked of a picture."""
        return self != Filter()


def filter_of(where: str | Filter | None) -> Filter:
    """A filter, an SQL condition as one, or one that every picture passes."""
    return Filter(where) if isinstance(where, str) else where or Filter()


def survivors(snapshot: Snapshot, where: str | Filter | None) -> Ids | None:
    """Ids of the pictures that pass a filter, or an SQL condition, ascending; None where nothing is filtered.

    Raises:
        QueryError: the condition cannot be used, there is no such column, or the folder is outside the index.
    """
    wanted = filter_of(where)
    return snapshot.catalog.matching(conditions_of(snapshot, wanted), wanted.where) if wanted else None


def conditions_of(snapshot: Snapshot, wanted: Filter) -> list[str]:
    """SQL conditions on `images`: all of a filter but the user's own.

    Raises:
        QueryError: there is no such column, or the folder is outside the index.
    """
    conditions = list(_conditions(wanted))
    if wanted.folder is not None:
        conditions.append(in_folder(os.fspath(wanted.folder), snapshot.roots()))
    if wanted.any_of or wanted.between or wanted.contains:
        schema = snapshot.catalog.schema
        conditions += value_conditions(schema, wanted.any_of, wanted.between, wanted.contains)
    return conditions


def _conditions(wanted: Filter) -> Iterator[str]:
    """SQL conditions on `images` that take no knowledge of an index: its roots for the folder, its further columns."""
    if wanted.after is not None:
        yield f"coalesce(taken_at, mtime) >= {timestamp(span('after', wanted.after)[0])}"
    if wanted.before is not None:
        yield f"coalesce(taken_at, mtime) <= {timestamp(span('before', wanted.before)[1])}"
    if wanted.camera is not None:
        yield f"contains(lower(camera), lower({literal(wanted.camera)}))"
    if wanted.near is not None:
        yield _near(*wanted.near)
    if wanted.format is not None:
        name = wanted.format.upper().removeprefix(".")
        yield f"upper(format) = {literal(_FORMATS.get(name, name))}"
    if wanted.min_size is not None:
        yield _at_least(wanted.min_size)


def _check_text(name: str, text: str | None) -> None:
    if text is None:
        return
    if not text.strip():
        raise QueryError(f"The filter's {name!r} is empty; leave it out or say what it should be.")
    # A folder may have a name that is not valid Unicode; whatever else is stored may not.
    if name != "folder" and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise QueryError(f"The filter's {name!r} is not valid Unicode; write it in UTF-8.")


def _near(latitude: float, longitude: float, km: float) -> str:
    """Great-circle distance by the haversine formula (Sinnott, Virtues of the Haversine, Sky and Telescope 1984).

    It is periodic in longitude, so the date line needs no care, nor do the poles.
    """
    if not (math.isfinite(latitude) and -90 <= latitude <= 90):
        raise QueryError(f"The latitude {latitude} is not between -90 and 90 degrees; give latitude, longitude, km.")
    if not (math.isfinite(longitude) and -180 <= longitude <= 180):
        raise QueryError(
            f"The longitude {longitude} is not between -180 and 180 degrees; give latitude, longitude, km."
        )
    if not (math.isfinite(km) and km > 0):
        raise QueryError(f"The distance of {km} km is not above zero; give latitude, longitude, km.")
    angle = km / EARTH_RADIUS_KM
    if angle >= math.pi:
        return "latitude IS NOT NULL AND longitude IS NOT NULL"
    # Few pictures lie in the belt between two parallels, and a comparison costs a tenth of the formula.
    belt = f"latitude BETWEEN {latitude - math.degrees(angle)} AND {latitude + math.degrees(angle)}"
    north_south = f"pow(sin(radians(latitude - {latitude}) / 2), 2)"
    east_west = f"pow(sin(radians(longitude - {longitude}) / 2), 2)"
    haversine = f"{north_south} + {math.cos(math.radians(latitude))} * cos(radians(latitude)) * {east_west}"
    return f"{belt} AND {haversine} <= {math.sin(angle / 2) ** 2}"


def _at_least(size: int | tuple[int, int]) -> str:
    width, height = (size, size) if isinstance(size, int) else size
    if width < 1 or height < 1:
        raise QueryError(f"The smallest size {width}x{height} is not above zero; give pixels, as in 1024 or 1920x1080.")
    return f"width >= {int(width)} AND height >= {int(height)}"
