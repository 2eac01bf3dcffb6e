"""What the columns of `images` hold, as far as filters and facets tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
from pyarrow import types

from clipsearch.errors import QueryError
from clipsearch.store.schema import folded
from clipsearch.store.sentences import no_such_column

Kind = Literal["text", "number", "date", "boolean"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `images`.

    Attributes:
        name: as the index spells it.
        type: of its values, or of the elements of lists.
        listed: whether each picture has a list of them.
    """

    name: str
    type: pa.DataType
    listed: bool

    @property
    def kind(self) -> Kind | None:
        """What its values are; None for structs, bytes, times of day and the like."""
        if types.is_string(self.type) or types.is_large_string(self.type):
            return "text"
        if types.is_boolean(self.type):
            return "boolean"
        if types.is_integer(self.type) or types.is_floating(self.type) or types.is_decimal(self.type):
            return "number"
        return "date" if types.is_date(self.type) or types.is_timestamp(self.type) else None

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers."""
        return bool(types.is_integer(self.type))

    @property
    def floating(self) -> bool:
        """Whether its values may be infinite or no number at all."""
        return bool(types.is_floating(self.type))


def columns_of(schema: pa.Schema) -> tuple[Column, ...]:
    """The columns of `images`, in their order."""
    return tuple(_column(field) for field in schema)


def column_named(schema: pa.Schema, name: str) -> Column:
    """The column that SQL would take by this name, in capital or small letters.

    Raises:
        QueryError: there is none.
    """
    for field in schema:
        if folded(field.name) == folded(name):
            return _column(field)
    raise QueryError(no_such_column(name, schema.names))


def _column(field: pa.Field) -> Column:
    listed = types.is_list(field.type) or types.is_large_list(field.type) or types.is_fixed_size_list(field.type)
    return Column(field.name, field.type.value_type if listed else field.type, listed)
