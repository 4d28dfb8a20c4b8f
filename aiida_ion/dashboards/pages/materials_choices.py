"""Filters of materials beyond those of columns, and the resulting view."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd
from dash import dcc
from dash.development.base_component import Component

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.choosing import fitting, group_labels, moment, moment_words
from aiida_ion.dashboards.components import control
from aiida_ion.dashboards.state import View

ELEMENTS, LEVEL, GRADES, GROUP = "materials-elements", "materials-level", "materials-grades", "materials-group"
SINCE, UNTIL, COLDEST, HOTTEST = "materials-since", "materials-until", "materials-coldest", "materials-hottest"
#: In the order of the callbacks' arguments.
CONTROLS = (ELEMENTS, LEVEL, GRADES, GROUP, SINCE, UNTIL, COLDEST, HOTTEST)
ELEMENT = re.compile(r"[A-Z][a-z]?")
#: Values for no limit, K.
NO_LOWEST_K, NO_HIGHEST_K = 0.0, 1e5


def elements_in(text: str | None) -> tuple[str, ...]:
    """Return the elements in typed text, with any separators."""
    return tuple(dict.fromkeys(ELEMENT.findall(text or "")))


def chosen(values: Sequence[Any]) -> View:
    """Return the view for the controls.

    :param values: values of `CONTROLS`, in that order.
    """
    elements, level, grades, group, since, until, coldest, hottest = values
    return View(
        elements=elements_in(elements),
        level_of_theory=level or None,
        grades=tuple(grades or ()),
        group=group or None,
        since=moment(since),
        until=moment(until, ends=True),
        temperature_K=_range(coldest, hottest),
    )


def _range(coldest: Any, hottest: Any) -> tuple[float, float] | None:
    if coldest is None and hottest is None:
        return None
    return (NO_LOWEST_K if coldest is None else float(coldest), NO_HIGHEST_K if hottest is None else float(hottest))


def formulas(view: View) -> set[str] | None:
    """Return the formulas with a matching result; ``None`` if nothing is chosen."""
    if not (view.level_of_theory or view.grades or view.group or view.since or view.until or view.temperature_K):
        return None
    fits = tables.table(tables.FITS)
    parts = (fitting(tables.table("conductivity"), view), fitting(fits[~fits["superseded"]], view))
    return set(pd.concat([part["formula"] for part in parts]).dropna())


def controls(view: View) -> list[Component]:
    """Return the controls set as in the address."""
    results = tables.table("conductivity")
    levels = sorted(results["level_of_theory"].dropna().unique())
    grades = sorted(results["grade"].dropna().unique())
    typed = dcc.Input(
        " ".join(view.elements), id=ELEMENTS, type="text", placeholder="Li S", debounce=0.3, autoComplete="off"
    )
    level = dcc.Dropdown(levels, view.level_of_theory, id=LEVEL, placeholder="any", className="dropdown")
    boxes = dcc.Checklist(grades, list(view.grades), id=GRADES, inline=True, className="inline")
    groups = dcc.Dropdown(_groups(view), view.group, id=GROUP, placeholder="any", className="dropdown")
    coldest, hottest = view.temperature_K or (NO_LOWEST_K, NO_HIGHEST_K)
    return [
        control("has all elements", typed),
        control("has level of theory", level),
        control("has grade", boxes),
        control("has a result in group", groups),
        control("since", _day(SINCE, moment_words(view.since))),
        control("until", _day(UNTIL, moment_words(view.until, ends=True))),
        control("from (K)", _kelvin(COLDEST, None if coldest == NO_LOWEST_K else coldest)),
        control("to (K)", _kelvin(HOTTEST, None if hottest == NO_HIGHEST_K else hottest)),
    ]


def _groups(view: View) -> list[str]:
    """Return the groups to choose from; an unknown one from the address is included so that it can be removed."""
    known = group_labels()
    return known if view.group is None or view.group in known else [*known, view.group]


def _day(name: str, value: str) -> Component:
    made: Component = dcc.Input(
        value,
        id=name,
        type="text",
        placeholder="2026-01-31",
        debounce=0.5,
        autoComplete="off",
        style={"width": "8.5em"},
    )
    return made


def _kelvin(name: str, value: float | None) -> Component:
    made: Component = dcc.Input(value, id=name, type="number", min=0, step="any", debounce=0.5, style={"width": "6em"})
    return made
