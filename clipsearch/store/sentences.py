"""What is wrong with a user's filter, in one plain sentence made of what DuckDB says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

NOT_A_CONDITION = "The filter is not one SQL condition; write it as in width > 2000 and camera ilike '%canon%'."
NO_SUBQUERY = (
    "A filter looks at one picture at a time and takes no subquery; ask `clipsearch sql` for the ids, "
    "then filter by them, as in id in (3, 5)."
)

_COLUMN = re.compile(r'Referenced (?:column|table) "(.+?)" not found|does not have a column named "(.+?)"', re.DOTALL)
_FUNCTION = re.compile(r'Function with name "?([^\s"]+)"? does not exist')
_TYPES = re.compile(r"\b(compare|cast|function matches|best candidate)\b", re.IGNORECASE)


def not_true_or_false(kinds: Sequence[str]) -> str:
    """The sentence for a filter that is neither true nor false but of these types."""
    what = f"a value of type {kinds[0].strip(chr(34))}" if len(kinds) == 1 else f"{len(kinds)} values"
    return f"The filter is neither true nor false but {what}; compare it with something, as in width > 2000."


def filter_error(message: str, columns: Mapping[str, str]) -> str:
    """The sentence for an error message of DuckDB; `columns` has the type of each column of a picture by its name."""
    kind, _, rest = message.partition(" Error: ")
    reason = _reason(rest or message)
    if missing := _COLUMN.search(message):
        return no_such_column(missing[1] or missing[2], list(columns))
    if missing := _FUNCTION.search(message):
        return f"DuckDB has no function {missing[1]!r} that a filter could call; check its name."
    if kind == "Parser":
        return (
            f"The filter is not one SQL condition ({reason}); write it as in width > 2000 and camera ilike '%canon%'."
        )
    if kind == "Conversion" or _TYPES.search(reason):
        typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        return f"The filter does not fit the types of the columns ({reason}); the columns are {typed}."
    return f"The filter cannot be used: {reason}."


def no_such_column(name: str, columns: list[str]) -> str:
    """The sentence for a column that is none of `columns`."""
    near = get_close_matches(name.lower(), [column.lower() for column in columns], n=1)
    meant = [column for column in columns if column.lower() in near]
    hint = f" (did you mean {meant[0]}?)" if meant else ""
    return f"There is no column {_one_line(name)!r}{hint}; the columns are {', '.join(columns)}."


def _reason(text: str) -> str:
    """A message's first sentence, without the place in the statement and without suggestions."""
    first = re.split(r"\n\s*(?:LINE \d+:|\n|Candidate|Did you mean|Use )|\. (?=[A-Z])", text, maxsplit=1)[0]
    plain = first.replace(" - an explicit cast is required", "").replace("_LITERAL", "")
    return _one_line(plain).rstrip(".!")


def _one_line(text: str) -> str:
    return " ".join(text.split())
