"""Reading JSON that a database rejects: huge numbers, lone surrogates, and invalid JSON.

One such value would end every query that reads or filters its column. After meeting one, a connection to SQLite reads
JSON in Python, which is slower; PostgreSQL compares exact numbers instead of floats.
"""

from __future__ import annotations

import functools
import json
import math
import re
from typing import Any

from sqlalchemy import Cast, Float, Integer, Numeric, cast, func
from sqlalchemy.sql.visitors import replacement_traverse

#: Placeholder of an unreadable value: neither number nor text, so that tables count it as unreadable.
UNREADABLE = "[]"
#: Prefix of JSON passed between the functions; no text returned by SQLite begins with it.
_AS_JSON = "\x00json\x00"
_KEY = re.compile(r'"((?:[^"\\]|\\.)*)"|\[(\d+)\]')


def read_leniently(connection: Any) -> None:
    """Make a ``sqlite3`` connection read any value of a JSON column, for as long as it is open."""
    connection.create_function("json_extract", 2, _extract, deterministic=True)
    connection.create_function("json_quote", 1, _quote, deterministic=True)
    connection.text_factory = _decoded


def is_lenient(connection: Any) -> bool:
    """Whether a connection reads so."""
    return getattr(connection, "text_factory", None) is _decoded


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def without_overflow(statement: Any) -> Any:
    """Return a statement for PostgreSQL whose filters accept numbers of any size."""

    def exact(element: Any, **_: Any) -> Any:
        if not isinstance(element, Cast) or not isinstance(element.type, (Float, Integer)):
            return None
        limit = cast("1e300", Numeric)
        return cast(func.greatest(-limit, func.least(limit, cast(element.clause, Numeric))), Float)

    return replacement_traverse(statement, {}, exact)


def plain_text(value: Any) -> Any:
    """Return a cell without the JSON prefix."""
    return value.removeprefix(_AS_JSON) if isinstance(value, str) else value


@functools.lru_cache(maxsize=16)
def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _extract(text: Any, path: str) -> Any:
    """Like SQLite's ``json_extract``: a number, text, a flag as 0 or 1, a list or mapping as JSON."""
    parsed = _parsed(text) if isinstance(text, str) else None
    for key, place in _KEY.findall(path):
        if isinstance(parsed, dict) and not place:
            parsed = parsed.get(key)
        elif isinstance(parsed, list) and place and int(place) < len(parsed):
            parsed = parsed[int(place)]
        else:
            return None
    return _cell(parsed)


def _cell(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return _AS_JSON + _dumped(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if value is None or isinstance(value, bool):
        return value
    try:
        number = value if isinstance(value, int) and -(2**63) <= value < 2**63 else float(value)
    except OverflowError:
        number = math.inf
    return number if math.isfinite(number) else _AS_JSON + UNREADABLE


def _dumped(value: Any) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return UNREADABLE


def _quote(value: Any) -> str:
    """Like SQLite's ``json_quote``: a cell as JSON."""
    if isinstance(value, str) and value.startswith(_AS_JSON):
        return value.removeprefix(_AS_JSON)
    return _dumped(value) if value is None or isinstance(value, (str, int, float)) else UNREADABLE
