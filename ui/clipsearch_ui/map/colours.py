"""What the points of the map are coloured by: a column of the index, as classes and a legend."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clipsearch.store.sql import literal, quote
from clipsearch_ui.engine import Engine
from clipsearch_ui.map.chart import Chart

Classes = NDArray[np.uint8]
"""uint8 [n]: the number of a group, or 0..250 on a scale; `OTHER` and `NONE`."""

OTHER, NONE, STEPS = 254, 255, 250
GROUPS = 7
"""Values that get a colour of their own: more colours are not told apart."""

FOLDER = "folder"
_TOP_FOLDER = "coalesce(shard, CASE WHEN contains(file, '/') THEN split_part(file, '/', 1) ELSE root END)"
_NOT_SHOWN = {"id", "root", "path", "file", "shard", "row_group", "row", "content_hash", "caption"}
_KEPT = 16


@dataclass(frozen=True, slots=True)
class Legend:
    """What the classes mean: `groups` by number, most pictures first, or a scale from `low` to `high`."""

    groups: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    other: bool = False
    none: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Colouring:
    """The class of each picture of a chart, in its order, and what they mean."""

    classes: Classes
    legend: Legend


def columns(engine: Engine) -> tuple[str, ...]:
    """What the map may be coloured by, besides nothing."""
    schema = engine.index.sql("SELECT * FROM images LIMIT 0").schema
    return (FOLDER, *(field.name for field in schema if field.name not in {*_NOT_SHOWN, FOLDER} and _kind(field.type)))


def colouring(engine: Engine, chart: Chart, column: str) -> Colouring:
    """The colouring of a chart by one of `columns`, or by nothing; worked out once."""
    key = (engine.key, chart.version, column)
    with _LOCK:
        if key in _FOUND:
            _FOUND.move_to_end(key)
            return _FOUND[key]
    found = _colouring(engine, chart, column)
    with _LOCK:
        _FOUND[key] = found
        while len(_FOUND) > _KEPT:
            _FOUND.popitem(last=False)
    return found


_FOUND: OrderedDict[tuple[str, int, str], Colouring] = OrderedDict()
_LOCK = Lock()


def _colouring(engine: Engine, chart: Chart, column: str) -> Colouring:
    if column not in columns(engine):
        return Colouring(np.zeros(len(chart.ids), np.uint8), Legend(("pictures",)))
    if column == FOLDER:
        return _by_groups(engine, chart, _TOP_FOLDER)
    value = quote(column)
    kind = _kind(engine.index.sql("SELECT * FROM images LIMIT 0").schema.field(column).type)
    if kind == "text":
        return _by_groups(engine, chart, f"{value}::VARCHAR")
    return _by_scale(engine, chart, f"epoch({value})" if kind == "date" else f"{value}::DOUBLE", dates=kind == "date")


def _by_groups(engine: Engine, chart: Chart, value: str) -> Colouring:
    counted = engine.index.sql(
        f"SELECT {value} AS v, count(*) AS n FROM images WHERE {value} IS NOT NULL GROUP BY v ORDER BY n DESC, v "
        f"LIMIT {GROUPS + 1}"
    )
    found = [str(name) for name in counted["v"].to_pylist()]
    named = found[:GROUPS]
    listed = ", ".join(literal(name) for name in named)
    classes = _classes(
        engine,
        chart,
        f"CASE WHEN {value} IS NULL THEN {NONE} ELSE coalesce(list_position([{listed}]::VARCHAR[], {value}) - 1, "
        f"{OTHER}) END",
    )
    return Colouring(classes, Legend(tuple(named), other=len(found) > GROUPS, none=bool((classes == NONE).any())))


def _by_scale(engine: Engine, chart: Chart, value: str, *, dates: bool) -> Colouring:
    """The scale leaves out the outermost hundredths, which get the colours of its ends."""
    ends = engine.index.sql(f"SELECT quantile_cont({value}, [0.01, 0.99]) AS q FROM images WHERE isfinite({value})")
    low, high = ends["q"].to_pylist()[0] or (0.0, 0.0)
    span = max(high - low, 1e-12)
    on_scale = f"round({STEPS} * least(greatest(({value} - ({low!r})) / {span!r}, 0), 1))"
    classes = _classes(engine, chart, f"CASE WHEN isfinite({value}) THEN {on_scale} ELSE {NONE} END")
    say = _day if dates else _number
    return Colouring(classes, Legend(low=say(low), high=say(high), none=bool((classes == NONE).any())))


def _classes(engine: Engine, chart: Chart, of: str) -> Classes:
    """A class for each picture of the chart, in its order; those that the index no longer has get none."""
    table = engine.index.sql(f"SELECT id, ({of})::UTINYINT AS class FROM images")
    ids, classes = table["id"].to_numpy(), table["class"].to_numpy()
    largest = max(int(ids.max(initial=0)), int(chart.ids.max(initial=0)))
    by_id = np.full(largest + 1, NONE, np.uint8)
    by_id[ids] = classes
    return by_id[chart.ids]


def _kind(column: Any) -> str:
    """`text`, `number`, `date`, or nothing where a column has no colours."""
    if pa.types.is_temporal(column) and not pa.types.is_duration(column) and not pa.types.is_time(column):
        return "date"
    if pa.types.is_integer(column) or pa.types.is_floating(column) or pa.types.is_decimal(column):
        return "number"
    return "text" if pa.types.is_string(column) or pa.types.is_boolean(column) else ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
