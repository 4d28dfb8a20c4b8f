"""The state of a page, to and from the query string of its address."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from aiida_ion.queries.selection import Selection

#: Component ids used by pages: the store of their state, and the store of the theme's name.
QUERY = "query"
THEME = "theme"

#: Longer addresses are ignored: they cannot be a view, but may be an attack.
MAX_CHARACTERS = 20_000
MAX_PARAMETERS = 500
ASCENDING = ("asc", "desc")
#: Prefixes of the page's own options and of column filters in the address.
OPTION, FILTER = "o.", "f."
_LISTS = ("elements", "grades", "selected", "hidden")
_TEXTS = ("formula", "crystal", "level_of_theory", "group", "uuid", "x", "y")


@dataclass(frozen=True)
class ColumnFilter:
    """The filter of one column of a table, in AG Grid's terms.

    :param column: name of the column.
    :param kind: such as ``contains``, ``greaterThan``, ``inRange``, ``blank``.
    :param value: text, or a number as text; empty if the kind needs none.
    :param upper: the upper end of ``inRange``.
    """

    column: str
    kind: str
    value: str = ""
    upper: str = ""


@dataclass(frozen=True)
class View:
    """The state of a page. Frozen: use ``dataclasses.replace`` for another one.

    The first eight are those of `Selection`. `crystal` is the beginning of the key of a crystal, `uuid` is the node
    that a page shows, `selected` the keys of chosen rows or points, `x` and `y` the axes, `sort` pairs of column and
    ``asc`` or ``desc``, `hidden` the hidden columns, `filters` those of columns, and `options` all other choices of a
    page, as pairs of name and value. `theme` is a personal preference: it is never in a query string written here, and
    only the browser reads it from an address.
    """

    elements: tuple[str, ...] = ()
    formula: str | None = None
    level_of_theory: str | None = None
    temperature_K: tuple[float, float] | None = None
    grades: tuple[str, ...] = ()
    group: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    crystal: str | None = None
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
        """Return the part used by the tables of `queries`."""
        return Selection(**{field.name: getattr(self, field.name) for field in fields(Selection)})

    def option(self, name: str, default: str = "") -> str:
        """Return the value of one of the page's own options."""
        return dict(self.options).get(name, default)

    def with_options(self, **options: str | None) -> View:
        """Return the view with these options set, or removed if ``None``."""
        merged = dict(self.options) | options
        return replace(self, options=tuple((key, value) for key, value in merged.items() if value is not None))

    def query(self) -> str:
        """Return the query string without its ``?``; it has only values that are set."""
        pairs: list[tuple[str, str]] = []
        pairs += [(name, text) for name in _TEXTS if (text := getattr(self, name))]
        pairs += [(name, item) for name in _LISTS for item in getattr(self, name)]
        if self.temperature_K is not None:
            pairs.append(("temperature_K", "~".join(repr(float(bound)) for bound in self.temperature_K)))
        pairs += [(name, time.isoformat()) for name in ("since", "until") if (time := getattr(self, name))]
        pairs += [("sort", f"{column}~{direction}") for column, direction in self.sort]
        pairs += [(FILTER + entry.column, "~".join(_parts(entry))) for entry in self.filters]
        pairs += [(OPTION + name, value) for name, value in self.options]
        return urlencode(pairs)

    def url(self, path: str) -> str:
        """Return the address of a page in this view, such as ``/material?formula=Li3N``."""
        query = self.query()
        return f"{path}?{query}" if query else path

    @classmethod
    def from_query(cls, query: str | None) -> View:
        """Return the view of a query string, with or without its ``?``; unknown parts are ignored."""
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
    """Return the value of the store `QUERY` with which the address matches the page."""
    return {"path": path, "query": view.query()}


def filter_model(filters: Iterable[ColumnFilter], numbers: Iterable[str] = ()) -> dict[str, Any]:
    """Return AG Grid's filter model; `numbers` are the numeric columns."""
    numeric = set(numbers)
    model: dict[str, Any] = {}
    for item in filters:
        entry: dict[str, Any] = {"filterType": "number" if item.column in numeric else "text", "type": item.kind}
        for key, value in (("filter", item.value), ("filterTo", item.upper)):
            if value:
                entry[key] = _number(value) if item.column in numeric else value
        if None not in entry.values():
            model[item.column] = entry
    return model


def column_filters(model: Mapping[str, Any] | None) -> tuple[ColumnFilter, ...]:
    """Return the filters in AG Grid's filter model, with one condition per column."""
    filters = []
    for column, entry in (model or {}).items():
        values = ("" if entry.get(key) is None else str(entry[key]) for key in ("filter", "filterTo"))
        filters.append(ColumnFilter(column, str(entry.get("type", "contains")), *values))
    return tuple(filters)


def _parts(entry: ColumnFilter) -> list[str]:
    """Return kind, upper end and value; the value is last, since only it may contain the separator."""
    return [entry.kind, entry.upper, entry.value]


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
