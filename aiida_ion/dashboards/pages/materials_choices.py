"""Choices above the table of materials: whose conductivity it shows, and filters beyond those of columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from dash import dcc
from dash.development.base_component import Component

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.choosing import fitting, group_labels, moment, moment_words
from aiida_ion.dashboards.components import control
from aiida_ion.dashboards.material_rows import level_of, levels, material_rows, temperature_of, temperatures
from aiida_ion.dashboards.state import View
from aiida_ion.verdicts import NOT_MEASURABLE

ELEMENTS, LEVEL, GRADES, GROUP = "materials-elements", "materials-level", "materials-grades", "materials-group"
SINCE, UNTIL, COLDEST, HOTTEST = "materials-since", "materials-until", "materials-coldest", "materials-hottest"
TEMPERATURE, SEARCH = "materials-temperature", "materials-search"
#: In the order of the callbacks' arguments.
CONTROLS = (ELEMENTS, LEVEL, GRADES, GROUP, SINCE, UNTIL, COLDEST, HOTTEST, TEMPERATURE, SEARCH)
#: Digits as they stand in formulas on pages -> as they are stored.
PLAIN_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
ELEMENT = re.compile(r"[A-Z][a-z]?")
#: Grades of a result, from best to worst.
GRADES_OF_RESULTS = ("A", "B", "C", "D", "bound")
#: Values for no limit, K.
NO_LOWEST_K, NO_HIGHEST_K = 0.0, 1e5


def elements_in(text: str | None) -> tuple[str, ...]:
    """Return the elements in typed text, with any separators."""
    return tuple(dict.fromkeys(ELEMENT.findall(text or "")))


def chosen(values: Sequence[Any]) -> View:
    """Return the view for the controls.

    :param values: values of `CONTROLS`, in that order.
    """
    elements, level, grades, group, since, until, coldest, hottest, temperature, search = values
    view = View(
        elements=elements_in(elements),
        level_of_theory=level or None,
        grades=tuple(grades or ()),
        group=group or None,
        since=moment(since),
        until=moment(until, ends=True),
        temperature_K=_range(coldest, hottest),
    )
    return view.with_options(temperature=temperature or None, search=search or None)


def without_defaults(view: View) -> View:
    """Return the view as it is written in the address: the usual level and temperature are left out."""
    plain = View()
    usual = temperature_of(plain)
    is_usual = usual is not None and view.option("temperature") == f"{usual:g}"
    level = None if view.level_of_theory == level_of(plain) else view.level_of_theory
    shown = replace(view, level_of_theory=level)
    return shown.with_options(temperature=None) if is_usual else shown


def _range(coldest: Any, hottest: Any) -> tuple[float, float] | None:
    if coldest is None and hottest is None:
        return None
    return (NO_LOWEST_K if coldest is None else float(coldest), NO_HIGHEST_K if hottest is None else float(hottest))


def matching(view: View) -> pd.DataFrame:
    """Return the materials of a view, with a result in its group, dates and temperatures, and of its grades.

    A grade is that of the result in the table, so that the filter and the column agree.
    """
    table = searched(material_rows(view), view.option("search"))
    if view.grades:
        table = table[table["grade"].isin(view.grades)]
    if not (view.group or view.since or view.until or view.temperature_K):
        return table
    plain = View(group=view.group, since=view.since, until=view.until, temperature_K=view.temperature_K)
    fits = tables.table(tables.FITS)
    parts = (fitting(tables.table("conductivity"), plain), fitting(fits[~fits["superseded"]], plain))
    keys = {
        key for part in parts for key in part["crystal"].astype(object).where(part["crystal"].notna(), part["formula"])
    }
    return table[table["key"].isin(keys)]


def searched(table: pd.DataFrame, text: str) -> pd.DataFrame:
    """Return the materials whose formula, space group or id contains a text, in whatever case; all for an empty one."""
    sought = "".join(text.split()).translate(PLAIN_DIGITS).lower()
    if not sought:
        return table
    columns = (table[name].astype(str).str.replace(" ", "").str.lower() for name in ("formula", "crystal"))
    found = pd.concat([column.str.contains(sought, regex=False) for column in columns], axis=1)
    return table[found.any(axis=1)]


def controls(view: View) -> list[Component]:
    """Return the controls set as in the address."""
    table = tables.table("conductivity")
    used = {*table.loc[table["verdict"] != NOT_MEASURABLE, "grade"].dropna(), *view.grades}
    grades = [grade for grade in GRADES_OF_RESULTS if grade in used]
    typed = dcc.Input(
        " ".join(view.elements), id=ELEMENTS, type="text", placeholder="Li S", debounce=0.3, autoComplete="off"
    )
    boxes = dcc.Checklist(grades, list(view.grades), id=GRADES, inline=True, className="inline")
    groups = dcc.Dropdown(_groups(view), view.group, id=GROUP, placeholder="any", className="dropdown")
    coldest, hottest = view.temperature_K or (NO_LOWEST_K, NO_HIGHEST_K)
    search = dcc.Input(
        view.option("search"), id=SEARCH, type="search", placeholder="Li6PS5", debounce=0.3, autoComplete="off"
    )
    return [
        control("formula or space group", search),
        control("has all elements", typed),
        control("grade of the result", boxes),
        control("has a result in group", groups),
        control("since", _day(SINCE, moment_words(view.since))),
        control("until", _day(UNTIL, moment_words(view.until, ends=True))),
        control("has a temperature from (K)", _kelvin(COLDEST, None if coldest == NO_LOWEST_K else coldest)),
        control("to (K)", _kelvin(HOTTEST, None if hottest == NO_HIGHEST_K else hottest)),
    ]


def result_controls(view: View) -> list[Component]:
    """Return the choice of the level of theory and the temperature whose results the table shows."""
    usual = temperature_of(view)
    level = dcc.Dropdown(
        levels(), level_of(view), id=LEVEL, clearable=False, placeholder="none", className="dropdown wide"
    )
    kelvins = [{"label": f"{value:g} K", "value": f"{value:g}"} for value in sorted(temperatures())]
    temperature = dcc.Dropdown(
        kelvins,
        None if usual is None else f"{usual:g}",
        id=TEMPERATURE,
        clearable=False,
        placeholder="none",
        className="dropdown",
    )
    return [control("conductivities by", level), control("at", temperature)]


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
