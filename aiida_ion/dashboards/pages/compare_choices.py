"""The selectors of the compare page, and the resulting view."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dash import dcc
from dash.development.base_component import Component

from aiida_ion.dashboards.accuracy import COSTS, ERRORS
from aiida_ion.dashboards.comparing import ALL, Choices, force_comparisons, level_names, references, temperatures
from aiida_ion.dashboards.comparison import elements
from aiida_ion.dashboards.components import control
from aiida_ion.dashboards.crystals import names_of
from aiida_ion.dashboards.quantities import QUANTITIES
from aiida_ion.dashboards.state import View

QUANTITY, REFERENCE, LEVEL = "compare-quantity", "compare-x", "compare-y"
TEMPERATURE, ELEMENTS, GRADES = "compare-temperature", "compare-elements", "compare-grades"
ERROR, COST, FORCES = "compare-error", "compare-cost", "compare-forces"
#: Level of theory of the errors by element.
MAP = elements.LEVEL
PAIR_CONTROLS = (QUANTITY, REFERENCE, LEVEL, TEMPERATURE, ELEMENTS, GRADES)
PRICE_CONTROLS = (ERROR, COST)
GRADE_NAMES = ("A", "B", "C", "D", "bound")


def controls(view: View, made: Choices) -> list[Component]:
    """Return the selectors of the pairs."""
    words = {key: f"{quantity.symbol}, {quantity.words}" for key, quantity in QUANTITIES.items()}
    every = {ALL: "all temperatures"} | {temperature: f"{temperature} K" for temperature in _all_temperatures()}
    elements = dcc.Input(
        id=ELEMENTS,
        type="text",
        value=" ".join(view.elements),
        debounce=True,
        placeholder="all",
        style={"width": "9em"},
    )
    grades = dcc.Dropdown(
        id=GRADES, options=list(GRADE_NAMES), value=list(view.grades), multi=True, placeholder="all", **_width(11)
    )
    return [
        control("Quantity", _list(QUANTITY, words, made.quantity.key, 22)),
        control(
            "Compared with", _list(REFERENCE, {reference: reference for reference in references()}, made.reference, 16)
        ),
        control("Level of theory", _list(LEVEL, _levels(), made.level, 16)),
        control("Temperature", _list(TEMPERATURE, every, made.temperature, 11)),
        control("Elements", elements),
        control("Grade", grades),
    ]


def price_controls(made: Choices) -> list[Component]:
    """Return the selectors of accuracy and cost."""
    return [
        control("Error", _list(ERROR, ERRORS, made.error, 20)),
        control("Cost", _list(COST, COSTS, made.cost, 16)),
    ]


def force_controls(made: Choices) -> list[Component]:
    """Return the selector of the comparison whose forces are shown."""
    table = force_comparisons()
    named = zip(names_of(table), table["level_of_theory"], table["reference_level_of_theory"], strict=True)
    words = [f"{name}: {level} / {reference}" for name, level, reference in named]
    return [control("Comparison", _list(FORCES, dict(zip(table["uuid"], words, strict=True)), made.forces or None, 26))]


def changed(view: View, values: Mapping[str, Any]) -> View:
    """Return the view with the values of selectors; selectors missing in `values` change nothing."""
    options = {
        name: str(values[key])
        for name, key in (
            ("quantity", QUANTITY),
            ("temperature", TEMPERATURE),
            ("error", ERROR),
            ("cost", COST),
            ("forces", FORCES),
            ("map", MAP),
        )
        if values.get(key)
    }
    made = view.with_options(**options)
    if REFERENCE in values:
        made = replace(made, x=values[REFERENCE] or None)
    if LEVEL in values:
        made = replace(made, y=values[LEVEL] or None)
    if ELEMENTS in values:
        made = replace(made, elements=tuple(re.findall(r"[A-Z][a-z]?", values[ELEMENTS] or "")))
    if GRADES in values:
        made = replace(made, grades=tuple(str(grade) for grade in values[GRADES] or ()))
    return made


def _levels() -> dict[str, str]:
    return {ALL: "all"} | {name: name for name in level_names()}


def _all_temperatures() -> Sequence[str]:
    known = {temperature for quantity in QUANTITIES.values() for temperature in temperatures(quantity)}
    return sorted(known, key=float)


def _list(name: str, words: Mapping[str, str], value: str | None, width_em: int) -> Component:
    options: Any = [{"label": label, "value": key} for key, label in words.items()]
    made: Component = dcc.Dropdown(id=name, options=options, value=value, clearable=False, **_width(width_em))
    return made


def _width(em: int) -> dict[str, Any]:
    return {"style": {"minWidth": f"{em}em"}}
