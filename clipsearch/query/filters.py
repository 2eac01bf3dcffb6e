"""Filters: which pictures a search may return."""

from __future__ import annotations

import math
import os
import posixpath
import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from clipsearch.errors import QueryError
from clipsearch.names import to_stored
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.sql import literal
from clipsearch.types import Ids

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the earth, (2a + b) / 3 of the GRS 80 ellipsoid (Moritz, Geodetic Reference System 1980)."""

_FORMATS = {"JPG": "JPEG", "JPE": "JPEG", "JFIF": "JPEG", "TIF": "TIFF", "HEIC": "HEIF", "APNG": "PNG"}
_FORMATS |= dict.fromkeys(("JP2", "J2K", "JPX"), "JPEG2000") | dict.fromkeys(("PGM", "PBM"), "PPM")
_WHOLE = re.compile(r"(\d{4})(?:-(\d\d))?")


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

    def __post_init__(self) -> None:
        folder = None if self.folder is None else os.fspath(self.folder)
        texts = {"where": self.where, "folder": folder, "camera": self.camera, "format": self.format}
        for name, text in texts.items():
            _check_text(name, text)
        list(_conditions(self))

    def __bool__(self) -> bool:
        """Whether anything is asked of a picture."""
        return self != Filter()


def survivors(snapshot: Snapshot, where: str | Filter | None) -> Ids | None:
    """Ids of the pictures that pass a filter, or an SQL condition, ascending; None where nothing is filtered.

    Raises:
        QueryError: the condition cannot be used, or its folder is outside the index.
    """
    wanted = Filter(where) if isinstance(where, str) else where
    if not wanted:
        return None
    conditions = list(_conditions(wanted))
    if wanted.folder is not None:
        conditions.append(_in_folder(os.fspath(wanted.folder), snapshot.roots()))
    return snapshot.catalog.matching(conditions, wanted.where)


def _conditions(wanted: Filter) -> Iterator[str]:
    """SQL conditions on `images`: all but the user's own and the folder, which takes the roots of an index."""
    if wanted.after is not None:
        yield f"coalesce(taken_at, mtime) >= {_timestamp(_span('after', wanted.after)[0])}"
    if wanted.before is not None:
        yield f"coalesce(taken_at, mtime) <= {_timestamp(_span('before', wanted.before)[1])}"
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


def _in_folder(folder: str, roots: Mapping[str, Path]) -> str:
    if Path(folder).is_absolute() or re.match(r"(?:~|\.\.?)(?:$|[/\\])", folder):
        # Not Path.resolve: a root reached through a link has to keep the name its user knows it by.
        place = Path(os.path.abspath(Path(folder).expanduser()))  # noqa: PTH100
        return _in_place(place, roots)
    inside = to_stored(posixpath.normpath(folder.replace(os.sep, "/")))
    choices = [_under(inside)]
    for alias in roots:
        if inside == alias or inside.startswith(f"{alias}/"):
            choices.append(_in_root(alias, inside[len(alias) + 1 :]))
    return " OR ".join(choices)


def _in_place(place: Path, roots: Mapping[str, Path]) -> str:
    """The condition for an absolute folder: a root, a folder above roots, or one inside a root."""
    choices = []
    for alias, root in roots.items():
        # The shell may know the folder by another name than the index: `.` has no links left in it.
        for folder, top in ((place, root), (place.resolve(), root.resolve())):
            if top.is_relative_to(folder):
                choices.append(_in_root(alias, ""))
            elif folder.is_relative_to(top):
                choices.append(_in_root(alias, to_stored(folder.relative_to(top).as_posix())))
    if not choices:
        known = ", ".join(str(root) for root in roots.values())
        raise QueryError(f"{place} lies outside what this index holds; choose a folder in {known}.")
    return " OR ".join(dict.fromkeys(choices))


def _in_root(alias: str, inside: str) -> str:
    here = f"root = {literal(alias)}"
    return f"({here} AND ({_under(inside)}))" if inside else here


def _under(inside: str) -> str:
    """The condition for a stored folder, or a Parquet file, of any root."""
    return f"starts_with(coalesce(file, path), {literal(inside + '/')}) OR shard = {literal(inside)}"


def _span(name: str, when: date | datetime | str) -> tuple[datetime, datetime]:
    """The first and the last microsecond of a day, month or year; of a moment that moment twice."""
    try:
        if isinstance(when, str):
            when = when.strip()
            if whole := _WHOLE.fullmatch(when):
                year, month = int(whole[1]), int(whole[2] or 0)
                last = date(year, month or 12, monthrange(year, month or 12)[1])
                return _start(date(year, month or 1, 1)), _end(last)
            when = date.fromisoformat(when) if len(when) <= 10 else datetime.fromisoformat(when)
    except ValueError:
        raise QueryError(
            f"{name!r} is {when!r}, which is no date; write it as 2024, 2024-06, 2024-06-30 or 2024-06-30T18:00."
        ) from None
    if not isinstance(when, datetime):
        return _start(when), _end(when)
    if when.tzinfo is not None:
        raise QueryError(f"{name!r} is {when.isoformat()}, but cameras write no time zone; leave it out.")
    return when, when


def _start(day: date) -> datetime:
    return datetime.combine(day, time.min)


def _end(day: date) -> datetime:
    return datetime.combine(day, time.max)


def _timestamp(moment: datetime) -> str:
    return f"TIMESTAMP {literal(moment.isoformat(' '))}"


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
