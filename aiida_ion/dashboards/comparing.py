"""Data of the compare page: the available choices, and the rows for the chosen ones."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.accuracy import COSTS, ERRORS
from aiida_ion.dashboards.choosing import within
from aiida_ion.dashboards.crystals import NO_CRYSTAL, names_of
from aiida_ion.dashboards.figures.theme import LevelStyle, level_styles
from aiida_ion.dashboards.pairs import EXPERIMENT, measured, pairs, sides
from aiida_ion.dashboards.quantities import QUANTITIES, Quantity
from aiida_ion.dashboards.state import View
from aiida_ion.queries.experiments import experiments

#: Maximum points of a figure and rows of its table; beyond, points in between are left out.
MAX_POINTS = 2000
ALL = "all"


@dataclass(frozen=True)
class Choices:
    """What the page compares; every value is an available one.

    :param reference: a level of theory, or ``experiment``; empty if there is neither.
    :param level: the level to compare, or ``all``.
    :param temperature: ``all``, or a temperature, K, as text.
    :param error: a key of `ERRORS`, `cost` one of `COSTS`.
    :param forces: UUID of the comparison whose forces are shown; empty if there is none.
    """

    quantity: Quantity
    reference: str
    level: str
    temperature: str
    error: str
    cost: str
    forces: str


def choices(view: View) -> Choices:
    """Return the choices of an address where available, else sensible defaults."""
    quantity = QUANTITIES.get(view.option("quantity"), QUANTITIES["conductivity"])
    known = references()
    reference = view.x if view.x in known else default_reference()
    level = view.y if view.y in level_names() and view.y != reference else ALL
    temperature = view.option("temperature")
    error = view.option("error")
    cost = view.option("cost")
    forces = view.option("forces")
    with_forces = list(force_comparisons()["uuid"])
    return Choices(
        quantity=quantity,
        reference=reference or "",
        level=level or ALL,
        temperature=temperature if temperature in temperatures(quantity) else ALL,
        error=error if error in ERRORS else _first_known(ERRORS),
        cost=cost if cost in COSTS else _first_known(COSTS),
        forces=forces if forces in with_forces else (with_forces[0] if with_forces else ""),
    )


def chosen_view(view: View, made: Choices) -> View:
    """Return the view with these choices, without defaults."""
    plain = choices(View())
    options = {
        "quantity": None if made.quantity == plain.quantity else made.quantity.key,
        "temperature": None if made.temperature == ALL else made.temperature,
        "error": None if made.error == plain.error else made.error,
        "cost": None if made.cost == plain.cost else made.cost,
        "forces": None if made.forces == plain.forces else made.forces,
    }
    x = None if made.reference == plain.reference else made.reference
    y = None if made.level == ALL else made.level
    return replace(view, x=x, y=y).with_options(**options)


def level_names() -> list[str]:
    """Return the levels of theory that have results, in alphabetical order."""
    names: set[str] = set()
    for name in ("conductivity", tables.FITS):
        names |= {str(level) for level in tables.table(name)["level_of_theory"].dropna().unique()}
    return sorted(names)


def styles() -> dict[str, LevelStyle]:
    """Return the style of each level of theory: the same on every page."""
    return level_styles(
        {*level_names(), *(str(level) for level in tables.table("comparison")["level_of_theory"].unique())}
    )


def references() -> list[str]:
    """Return the possible references: experiments first, if there are any."""
    return [*([EXPERIMENT] if len(measurements()) else []), *level_names()]


def measurements() -> pd.DataFrame:
    """Return the measurements that are linked to crystals."""
    return tables.derived("experiments", experiments)


def default_reference() -> str | None:
    """Return the reference of most comparisons, else experiment, else the first level of theory."""
    most_common = tables.table("comparison")["reference_level_of_theory"].mode()
    if len(most_common):
        return str(most_common.iloc[0])
    return next(iter(references()), None)


def temperatures(quantity: Quantity) -> list[str]:
    """Return the available temperatures, K, as text; none for a quantity without temperature."""
    if not quantity.has_temperature:
        return []
    known = pd.to_numeric(tables.table(quantity.table)["target_temperature_K"], errors="coerce").dropna()
    return [f"{value:g}" for value in sorted(known.unique())]


def force_comparisons() -> pd.DataFrame:
    """Return the comparisons with forces on frames of the reference, the newest of each first."""
    table = tables.table("comparison")
    table = table[pd.to_numeric(table["force_mae_eV_A"], errors="coerce").notna()]
    names = ["formula", "level_of_theory", "reference_level_of_theory"]
    names += ["crystal"] if "crystal" in table else []
    return table.sort_values("time", ascending=False).drop_duplicates(names)


def _first_known(columns: dict[str, str]) -> str:
    """Return the first of some columns of comparisons that has values."""
    table = tables.table("comparison")
    filled = (name for name in columns if name in table and table[name].notna().any())
    return next(filled, next(iter(columns)))


def all_pairs(quantity: Quantity, reference: str) -> pd.DataFrame:
    """Return every result with its counterpart in the reference."""

    def make() -> pd.DataFrame:
        both = sides(tables.table(quantity.table), quantity)
        if reference == EXPERIMENT:
            return _named(pairs(measured(measurements(), quantity), both, quantity))
        is_reference = both["level_of_theory"] == reference
        return _named(pairs(both[is_reference], both[~is_reference], quantity))

    return tables.derived(f"pairs {quantity.key} {reference}", make)


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """Return pairs with the name of the material, which says the crystal where a formula has several."""
    return table.assign(material=names_of(table.rename(columns={"y_crystal": "crystal"})))


def chosen_pairs(view: View, made: Choices) -> pd.DataFrame:
    """Return the pairs of the level and temperature that were chosen, within the filters of the view."""
    table = all_pairs(made.quantity, made.reference)
    if made.level != ALL:
        table = table[table["y_level_of_theory"] == made.level]
    if made.temperature != ALL:
        table = table[table["y_temperature_K"] == float(made.temperature)]
    if view.formula:
        table = table[table["formula"] == view.formula]
    if view.crystal:
        table = table[table["y_crystal"].fillna(NO_CRYSTAL).astype(str).str.startswith(view.crystal)]
    if view.elements:
        table = table[table["formula"].map(lambda formula: set(view.elements) <= _elements(formula)).astype(bool)]
    if view.grades:
        table = table[table["y_words"].isin(view.grades)]
    if view.group or view.since or view.until:
        table = table[table["y_uuid"].isin(within(tables.table(made.quantity.table), view)["uuid"])]
    return table


def _elements(formula: object) -> set[str]:
    """Return the symbols in a formula."""
    return set(re.findall(r"[A-Z][a-z]?", str(formula)))


def thinned(table: pd.DataFrame) -> pd.DataFrame:
    """Return at most `MAX_POINTS` rows, evenly spaced in the differences, including the extremes."""
    if len(table) <= MAX_POINTS:
        return table
    places = np.unique(np.linspace(0, len(table) - 1, MAX_POINTS).round().astype(int))
    return table.sort_values("difference").iloc[places]
