"""Rows of the page of materials: each crystal with its result at one level of theory and one temperature."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.columns import numeric_columns
from aiida_ion.dashboards.crystals import material_view, names_of, words_of
from aiida_ion.dashboards.numbers import short
from aiida_ion.dashboards.state import View
from aiida_ion.queries.experiments import experiments
from aiida_ion.verdicts import MEASURED, NOT_MEASURABLE, POORLY_KNOWN
from aiida_ion.verdicts import words_of as verdict_words

SIGMA, ENERGY, EXPERIMENT = "ionic_conductivity_mS_cm", "activation_energy_eV", "experiment_mS_cm"
EDGES = ("ionic_conductivity_ci95_low_mS_cm", "ionic_conductivity_ci95_high_mS_cm")
BOUND = "ionic_conductivity_upper_bound_mS_cm"
#: Column -> column with the text that its cells show; they are sorted and filtered by the number.
WORDS = {SIGMA: "sigma_words", ENERGY: "energy_words", EXPERIMENT: "experiment_words"}
#: Column with the length of the bar of a conductivity, 0 to 1: its logarithm between the decades around all values.
SHARE = "sigma_share"
#: Columns of the result, from the table of conductivities.
RESULT = (
    *("verdict", "grade", SIGMA, *EDGES, BOUND, ENERGY, "activation_energy_ci95_low_eV"),
    *("activation_energy_ci95_high_eV", "target_temperature_K", "level_of_theory", "uuid"),
)
#: Columns of the table of materials that say which result is the newest at any level: not for this page.
OF_ANY_LEVEL = {*RESULT, "conductivity_uuid", "best_grade"}
#: The result shown of several: the newest with a value, else a poorly known one, a bound, or neither.
RANKS = ("not_measurable", "bound", POORLY_KNOWN, MEASURED)
#: A measurement counts at a temperature that is at most this far from it.
TOLERANCE_K = 10.0


def levels() -> list[str]:
    """Return the levels of theory of conductivities, the one with most values first."""
    return [str(level) for level in _by_values(tables.table("conductivity"), "level_of_theory")]


def temperatures() -> list[float]:
    """Return the temperatures of conductivities, K, the one with most values first."""
    table = tables.table("conductivity")
    known = table.assign(target_temperature_K=pd.to_numeric(table["target_temperature_K"], errors="coerce"))
    return [float(value) for value in _by_values(known, "target_temperature_K")]


def _by_values(table: pd.DataFrame, column: str) -> list[Any]:
    """Return what is in a column, in the order of how many rows have a value, then of how many rows there are."""
    groups = table.assign(has_value=table["verdict"] == MEASURED).groupby(column)["has_value"].agg(["sum", "size"])
    return list(groups.sort_values(["sum", "size"], ascending=False, kind="stable").index)


def level_of(view: View) -> str | None:
    """Return the level of theory whose results are shown: the one of the address, else the most common."""
    known = levels()
    return view.level_of_theory if view.level_of_theory in known else next(iter(known), None)


def temperature_of(view: View) -> float | None:
    """Return the temperature at which conductivities are shown, K: that of the address, else the most common."""
    known = temperatures()
    named = {f"{value:g}": value for value in known}
    return named.get(view.option("temperature"), next(iter(known), None))


def material_rows(view: View) -> pd.DataFrame:
    """Return one row for each crystal with its result at the level and temperature of a view.

    ``key`` identifies the row, ``name`` is the formula, with the crystal where it has several, ``href`` the address of
    its page; `WORDS` has the text of cells.
    """
    level, temperature_K = level_of(view), temperature_of(view)
    return tables.derived(f"materials {level} {temperature_K}", lambda: _rows(level, temperature_K))


def results_of(level: str | None, temperature_K: float | None) -> pd.DataFrame:
    """Return the conductivities of a level of theory at a temperature."""
    table = tables.table("conductivity")
    return table[(table["level_of_theory"] == level) & (table["target_temperature_K"] == temperature_K)]


def _rows(level: str | None, temperature_K: float | None) -> pd.DataFrame:
    table = tables.table("materials")
    plain = table[[name for name in table.columns if name not in OF_ANY_LEVEL]].astype({"crystal": object})
    results = results_of(level, temperature_K)
    order = results.assign(rank=results["verdict"].map({verdict: rank for rank, verdict in enumerate(RANKS)}))
    order = order.sort_values(["rank", "time"], na_position="first").astype({"crystal": object})
    best = order.drop_duplicates(_KEY, keep="last")
    made = plain.merge(best[[*_KEY, *RESULT]].rename(columns={"uuid": "conductivity_uuid"}), how="left", on=_KEY)
    made = made.merge(_measured(temperature_K), how="left", on=_KEY)
    made = made.assign(
        key=made["crystal"].astype(object).where(made["crystal"].notna(), made["formula"]),
        sigma_words=[sigma_words(row) for row in made.to_dict("records")],
        energy_words=[_energy_words(row) for row in made.to_dict("records")],
        experiment_words=made[WORDS[EXPERIMENT]].fillna("-"),
        grade=made["grade"].where(made["verdict"] != NOT_MEASURABLE),  # of no number there is no grade
        href=[_address(row) for row in made.to_dict("records")],
        name=names_of(made),
        crystal=words_of(made["crystal"]),
    )
    made[SIGMA] = made[SIGMA].where(made["verdict"] == MEASURED)  # others have no place in an order of values
    return made.assign(**{SHARE: _shares(made[SIGMA])})


def bar_decades(values: pd.Series[float]) -> tuple[int, int] | None:
    """Return the decades, log10 of mS/cm, from which and to which bars of conductivities go; ``None`` without any."""
    known = np.log10(values[values > 0].to_numpy(dtype=float))
    if not len(known) or not np.isfinite(known).all():
        return None
    low, high = math.floor(float(known.min())), math.ceil(float(known.max()))
    return (low, high) if high > low else (low, low + 1)


def _shares(values: pd.Series[float]) -> pd.Series[float]:
    """Return the length of the bar of each conductivity, 0 to 1; NaN for what is no value."""
    decades = bar_decades(values)
    if decades is None:
        return pd.Series(np.nan, index=values.index)
    low, high = decades
    shares = (np.log10(values.where(values > 0).astype(float)) - low) / (high - low)
    return pd.Series(shares, index=values.index)


_KEY = ["formula", "crystal"]


def sigma_words(row: Mapping[Any, Any]) -> str:
    """Return a conductivity with its interval, an interval or a bound, or the word for neither.

    :param row: of a table of conductivities, which has only bounds that say something.
    """
    verdict, value, low, high, bound = (row.get(name) for name in ("verdict", SIGMA, *EDGES, BOUND))
    if not isinstance(verdict, str):
        return "-"
    if verdict == POORLY_KNOWN:
        return f"poorly known: {short(low)} to {short(high)}"
    if verdict == MEASURED and pd.notna(value):
        return f"{short(value)} [{short(low)}, {short(high)}]" if pd.notna(low) and pd.notna(high) else short(value)
    return f"< {short(bound)}" if pd.notna(bound) else verdict_words(verdict)


def _energy_words(row: Mapping[Any, Any]) -> str:
    low, high = row.get("activation_energy_ci95_low_eV"), row.get("activation_energy_ci95_high_eV")
    value = short(row.get(ENERGY))
    return f"{value} [{short(low)}, {short(high)}]" if value != "-" and pd.notna(low) and pd.notna(high) else value


def _address(row: Mapping[Any, Any]) -> str:
    return material_view(row["formula"], row["crystal"], row["conductivity_uuid"]).url("/material")


def _measured(temperature_K: float | None) -> pd.DataFrame:
    """Return the measurements of each crystal at a temperature: their median, and all in words."""
    table = tables.derived("experiments", experiments)
    groups: Any = table.groupby(_KEY) if len(table) else []
    rows = [(*key, *_experiment(group, temperature_K)) for key, group in groups]
    made = pd.DataFrame(rows, columns=[*_KEY, EXPERIMENT, WORDS[EXPERIMENT]], dtype=object)
    return made.astype({EXPERIMENT: float})


def _experiment(group: pd.DataFrame, temperature_K: float | None) -> tuple[float, str]:
    """Return the median of measured conductivities, mS/cm, NaN without one, and what there is in words."""
    near = (group["temperature_K"] - (np.nan if temperature_K is None else temperature_K)).abs() <= TOLERANCE_K
    values = group.loc[near, SIGMA].dropna()
    bounds = group.loc[near & group[SIGMA].isna(), BOUND].dropna()
    parts = []
    if len(values):
        several = f" ({len(values)})" if len(values) > 1 else ""
        ends = (
            f"{short(float(values.min()))} to {short(float(values.max()))}" if several else short(float(values.iloc[0]))
        )
        parts.append(f"{ends}{several}")
    parts += [f"< {short(float(bounds.min()))}"] if len(bounds) else []
    bare, elsewhere = int(group["temperature_K"].isna().sum()), int((~near & group["temperature_K"].notna()).sum())
    parts += [f"{bare} without a temperature"] if bare else []
    parts += [f"{elsewhere} at other temperatures"] if elsewhere else []
    positive = values[values > 0]
    median = float(10.0 ** np.median(np.log10(positive))) if len(positive) else float("nan")
    return median, "; ".join(parts) or "-"


def count_words(shown: int, table: pd.DataFrame, view: View) -> str:
    """Return the number of rows shown and the total, and how many have a result of which kind."""
    total = f"{len(table):,} materials" if shown == len(table) else f"{shown:,} of {len(table):,} materials"
    level, temperature_K = level_of(view), temperature_of(view)
    if level is None or temperature_K is None:
        return f"{total}; none has a conductivity"
    counts = table["verdict"].value_counts()
    kinds = [
        f"{counts[name]:,} {one if counts[name] == 1 else more}"
        for name, (one, more) in _KINDS.items()
        if name in counts
    ]
    return f"{total}. By {level} at {temperature_K:g} K: {', '.join(kinds) or 'no conductivity'}."


#: Stored verdict -> words for one, and for more.
_KINDS = {
    "measured": ("value", "values"),
    "poorly_known": ("poorly known", "poorly known"),
    "bound": ("upper bound", "upper bounds"),
    "not_measurable": ("undetermined", "undetermined"),
}


def file_rows(table: pd.DataFrame, columns: list[str], asked: View) -> pd.DataFrame:
    """Return the columns of a file: the crystal and, with a conductivity, its interval, bound, verdict and level."""
    names = list(columns)
    if SIGMA in names:
        more = (*EDGES, BOUND, "verdict", "level_of_theory", "target_temperature_K")
        names += [name for name in more if name not in names]
        level, temperature_K = level_of(asked), temperature_of(asked)
        table = table.assign(level_of_theory=level, target_temperature_K=temperature_K)
    return table[[*names, *(["key"] if "key" in table else [])]].rename(columns={"key": "crystal_key"})


def harmless(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table without cells that a spreadsheet would run as formulas."""
    texts = [name for name in table.columns if name not in numeric_columns(table)]
    return table.assign(**{name: table[name].map(_defused) for name in texts})


def _defused(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
