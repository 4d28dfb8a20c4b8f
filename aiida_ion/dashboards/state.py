"""What a link shows: the whole state of a page, to and from the query string of its address."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from aiida_ion.queries.selection import Selection

#: Component ids that pages use: the store that takes their state, and the one that holds the theme's name.
QUERY = "query"
THEME = "theme"

#: An address longer than this is not read: nobody's view is, and somebody's attack may be.
MAX_CHARACTERS = 20_000
MAX_PARAMETERS = 500
ASCENDING = ("asc", "desc")
#: In front of the page's own choices and of the filters of columns in the address.
OPTION, FILTER = "o.", "f."
_LISTS = ("elements", "grades", "selected", "hidden")
_TEXTS = ("formula", "level_of_theory", "group", "uuid", "x", "y")


@dataclass(frozen=True)
class ColumnFilter:
    """What one column of a table is filtered by, in AG Grid's words.

    :param column: name of the column.
    :param kind: such as ``contains``, ``greaterThan``, ``inRange``, ``blank``.
    :param value: text, or the number as text; empty where the kind needs none.
    :param upper: the upper end of ``inRange``.
    """

    column: str
    kind: str
    value: str = ""
    upper: str = ""


@dataclass(frozen=True)
class View:
    """What a page shows. Frozen: make another with ``dataclasses.replace``.

    The first eight are those of `Selection`. `uuid` is the node that a page is about, `selected` the uuids of chosen
    rows or points, `x` and `y` the axes, `sort` pairs of column and ``asc`` or ``desc``, `hidden` columns that are not
    shown, `filters` those of columns, and `options` whatever else a page lets one choose, as pairs of name and value.
    `theme` is everybody's own: no query string has it, and the browser alone looks for one in an address.
    """

    elements: tuple[str, ...] = ()
    formula: str | None = None
    level_of_theory: str | None = None
    temperature_K: tuple[float, float] | None = None
    grades: tuple[str, ...] = ()
    group: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    uuid: str | None = None
    selected: tuple[str, ...] = ()
    x: str | None = None
    y: str | None = None
    sort: tuple[tuple[str, str], ...] = ()
    hidden: tuple[str, ...] = ()
    filters: tuple[ColumnFilter, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    theme: str | None = None

    @property
    def selection(self) -> Selection:
        """Return the part of it that the tables of `queries` take."""
        return Selection(**{field.name: getattr(self, field.name) for field in fields(Selection)})

    def option(self, name: str, default: str = "") -> str:
        """Return what was chosen for one of the page's own options."""
        return dict(self.options).get(name, default)

    def with_options(self, **options: str | None) -> View:
        """Return the same view with these options set, or taken away where ``None``."""
        merged = dict(self.options) | options
        return replace(self, options=tuple((key, value) for key, value in merged.items() if value is not None))

    def query(self) -> str:
        """Return the query string without its ``?``; only what is set is in it."""
        pairs: list[tuple[str, str]] = []
        pairs += [(name, text) for name in _TEXTS if (text := getattr(self, name))]
        pairs += [(name, item) for name in _LISTS for item in getattr(self, name)]
        if self.temperature_K is not None:
            pairs.append(("temperature_K", "~".join(repr(float(bound)) for bound in self.temperature_K)))
        pairs += [(name, time.isoformat()) for name in ("since", "until") if (time := getattr(self, name))]
        pairs += [("sort", f"{column}~{direction}") for column, direction in self.sort]
        pairs += [(FILTER + one.column, "~".join(_parts(one))) for one in self.filters]
        pairs += [(OPTION + name, value) for name, value in self.options]
        return urlencode(pairs)

    def url(self, path: str) -> str:
        """Return the address of a page in this view, such as ``/material?formula=Li3N``."""
        query = self.query()
        return f"{path}?{query}" if query else path

    @classmethod
    def from_query(cls, query: str | None) -> View:
        """Return the view of a query string, with or without its ``?``; what it does not understand is left out."""
        text = (query or "").removeprefix("?")
        if len(text) > MAX_CHARACTERS:
            return cls()
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
        except ValueError:
            return cls()
        result: dict[str, Any] = {name: value for name, value in pairs if name in _TEXTS and value}
        result |= {name: tuple(value for key, value in pairs if key == name) for name in _LISTS}
        for name in ("since", "until"):
            result[name] = _time(dict(pairs).get(name, ""))
        result["temperature_K"] = _range(dict(pairs).get("temperature_K", ""))
        sorts = (value.rpartition("~")[::2] for key, value in pairs if key == "sort")
        result["sort"] = tuple((column, way) for column, way in sorts if column and way in ASCENDING)
        result["filters"] = tuple(_filter(key, value) for key, value in pairs if key.startswith(FILTER))
        result["options"] = tuple({key.removeprefix(OPTION): v for key, v in pairs if key.startswith(OPTION)}.items())
        return cls(**result)


def written(path: str, view: View) -> dict[str, str]:
    """Return what a page's callback puts into the store `QUERY` so that the address says what the page shows."""
    return {"path": path, "query": view.query()}


def filter_model(filters: Iterable[ColumnFilter], numbers: Iterable[str] = ()) -> dict[str, Any]:
    """Return AG Grid's filter model; `numbers` are the columns that hold numbers."""
    numeric = set(numbers)
    model: dict[str, Any] = {}
    for one in filters:
        entry: dict[str, Any] = {"filterType": "number" if one.column in numeric else "text", "type": one.kind}
        for key, value in (("filter", one.value), ("filterTo", one.upper)):
            if value:
                entry[key] = _number(value) if one.column in numeric else value
        if None not in entry.values():
            model[one.column] = entry
    return model


def column_filters(model: Mapping[str, Any] | None) -> tuple[ColumnFilter, ...]:
    """Return what AG Grid's filter model says, as far as one condition for each column goes."""
    filters = []
    for column, entry in (model or {}).items():
        values = ("" if entry.get(key) is None else str(entry[key]) for key in ("filter", "filterTo"))
        filters.append(ColumnFilter(column, str(entry.get("type", "contains")), *values))
    return tuple(filters)


def _parts(one: ColumnFilter) -> list[str]:
    """Return kind, upper end and value; the value last, since it alone may hold the separator."""
    return [one.kind, one.upper, one.value]


def _filter(key: str, text: str) -> ColumnFilter:
    kind, upper, value = (*text.split("~", 2), "", "")[:3]
    return ColumnFilter(key.removeprefix(FILTER), kind, value, upper)


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _range(text: str) -> tuple[float, float] | None:
    low, high = (_number(part) for part in (*text.split("~"), "", "")[:2])
    return None if low is None or high is None else (low, high)
