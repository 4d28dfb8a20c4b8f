"""The same quantity of the same material from two sources, for parity plots and errors per material."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from aiida_ion.dashboards.quantities import Quantity
from aiida_ion.verdicts import POORLY_KNOWN

#: Choice of measurements instead of a level of theory.
EXPERIMENT = "experiment"
#: Tolerance of temperatures: levels share a temperature, measurements are only close to it.
TOLERANCE_K = {True: 10.0, False: 0.5}
SCORE_COLUMNS = (
    *("level_of_theory", "n_pairs", "mae", "bias", "n_within", "constant_mae", "n_bounds", "n_poorly_known"),
    "n_other_structures",
)
SIDE_COLUMNS = (
    "formula",
    "structure_uuid",
    "crystal",
    "level_of_theory",
    "temperature_K",
    "value",
    "low",
    "high",
    "is_bound",
    "is_poorly_known",
    "n_moved",
    "refused",
    "uuid",
    "time",
    "words",
)


def sides(table: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    """Return value, interval and bound of each row under common names; of repeated results the newest.

    :param table: from `aiida_ion.queries.conductivity` or `aiida_ion.queries.diffusion`.
    :returns: columns `SIDE_COLUMNS`; ``value`` is the upper bound where ``is_bound``.
    """
    value, bound = _number(table, quantity.value), _number(table, quantity.bound)
    made = pd.DataFrame(
        {
            "formula": table["formula"],
            "structure_uuid": _words(table, "structure_uuid"),
            "crystal": _crystals(table),
            "level_of_theory": table["level_of_theory"],
            "temperature_K": _number(table, "target_temperature_K") if quantity.has_temperature else 0.0,
            "value": value.fillna(bound),
            "low": _number(table, quantity.edges[0]).where(value.notna()),
            "high": _number(table, quantity.edges[1]).where(value.notna()),
            "is_bound": value.isna(),
            "is_poorly_known": quantity.logarithmic & _words(table, "verdict").eq(POORLY_KNOWN),
            "n_moved": _number(table, "n_temperatures_moved"),
            "refused": _words(table, "refused_because").notna(),
            "uuid": table["uuid"],
            "time": table["time"],
            "words": _words(table, "grade"),
        },
        columns=list(SIDE_COLUMNS),
    )
    return _newest(_drawable(made, quantity.logarithmic))


def measured(table: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    """Return measurements in the form of `sides`; only conductivities are measured.

    :param table: from `aiida_ion.queries.experiments`.
    """
    if quantity.key != "conductivity" or table.empty:
        return pd.DataFrame(columns=list(SIDE_COLUMNS))
    value = _number(table, "ionic_conductivity_mS_cm")
    made = pd.DataFrame(
        {
            "formula": table["formula"],
            "structure_uuid": _words(table, "structure_uuid"),
            "crystal": _crystals(table),
            "level_of_theory": EXPERIMENT,
            "temperature_K": _number(table, "temperature_K"),
            "value": value.fillna(_number(table, "ionic_conductivity_upper_bound_mS_cm")),
            "low": np.nan,
            "high": np.nan,
            "is_bound": value.isna(),
            "is_poorly_known": False,
            "n_moved": np.nan,
            "refused": False,
            "uuid": table["uuid"],
            "time": table["time"],
            "words": [_entry(*row) for row in zip(*(table[name] for name in _ENTRY), strict=True)],
        }
    )
    return _drawable(made, logarithmic=True)


_ENTRY = ("dataset", "entry_id", "conductivity_kind")


def _entry(dataset: object, entry: object, kind: object) -> str:
    return " ".join(str(part) for part in (dataset, entry, kind) if isinstance(part, str))


def _drawable(made: pd.DataFrame, logarithmic: bool) -> pd.DataFrame:
    there = np.isfinite(made["value"]) & made["formula"].notna() & made["level_of_theory"].notna()
    if logarithmic:
        there &= made["value"] > 0
        made = made.assign(low=made["low"].where(made["low"] > 0))
    return pd.DataFrame(made[there])


def _newest(made: pd.DataFrame) -> pd.DataFrame:
    keys = ["formula", "crystal", "level_of_theory", "temperature_K"]
    return made.sort_values("time").drop_duplicates(keys, keep="last")


def _number(table: pd.DataFrame, name: str) -> pd.Series[float]:
    if name not in table:
        return pd.Series(np.nan, index=table.index)
    return pd.to_numeric(table[name], errors="coerce").astype(float)


def _crystals(table: pd.DataFrame) -> pd.Series[Any]:
    """Return the key of the crystal of each row, from its structure where the table has none."""
    return _words(table, "crystal").combine_first(_words(table, "structure_uuid"))


def _words(table: pd.DataFrame, name: str) -> pd.Series[Any]:
    return table[name] if name in table else pd.Series(None, index=table.index, dtype=object)


def pairs(reference: pd.DataFrame, compared: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    """Return one row for each result and what it is compared with: columns of `SIDE_COLUMNS` with ``x_`` and ``y_``.

    The same crystal is preferred, else the same formula; ``same_structure`` says which, and is false where a side has
    no crystal: `scores` leaves such pairs out. ``difference`` is y minus x, in decades for logarithmic axes, with a
    95 % interval that assumes independence: half widths add in quadrature on each side.
    ``difference_kind`` is ``value``, ``upper`` (only y is a bound), ``lower`` (only x is), ``poorly known`` (either is:
    the interval counts, the value does not), or ``unknown``.

    :param reference: from `sides` for one level, or from `measured`.
    :param compared: from `sides`.
    """
    names = [name for name in SIDE_COLUMNS if name != "formula"]
    left = compared.rename(columns={name: f"y_{name}" for name in names})
    right = reference.rename(columns={name: f"x_{name}" for name in names})
    table = left.merge(right, on="formula")
    experiment = bool((reference["level_of_theory"] == EXPERIMENT).all())
    near = (table["x_temperature_K"] - table["y_temperature_K"]).abs() <= TOLERANCE_K[experiment]
    table = table[near & (table["x_uuid"] != table["y_uuid"])]
    table["same_structure"] = table["x_crystal"].eq(table["y_crystal"]) & table["y_crystal"].notna()
    best = table.groupby("y_uuid")["same_structure"].transform("max")
    table = table[table["same_structure"].eq(best)]
    if not experiment:  # for measurements all count
        table = table.sort_values("x_time").drop_duplicates(["y_uuid"], keep="last")
    return _with_differences(table, quantity).sort_values(["formula", "y_level_of_theory"], ignore_index=True)


def _with_differences(table: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    def scale(name: str) -> pd.Series[float]:
        values = table[name].astype(float)
        return pd.Series(np.log10(values), index=table.index) if quantity.logarithmic else values

    x, y = scale("x_value"), scale("y_value")
    down = np.hypot(_width(y - scale("y_low")), _width(scale("x_high") - x))
    up = np.hypot(_width(scale("y_high") - y), _width(x - scale("x_low")))
    x_bound, y_bound = table["x_is_bound"].astype(bool), table["y_is_bound"].astype(bool)
    known = ~x_bound & ~y_bound
    poor = known & (table["x_is_poorly_known"].astype(bool) | table["y_is_poorly_known"].astype(bool))
    kinds = {"poorly known": poor, "value": known, "upper": y_bound & ~x_bound, "lower": x_bound & ~y_bound}
    kind = np.select(list(kinds.values()), list(kinds), "unknown")
    return table.assign(
        difference=y - x,
        difference_down=pd.Series(down, index=table.index).where(known & (down > 0)),
        difference_up=pd.Series(up, index=table.index).where(known & (up > 0)),
        difference_kind=kind,
    )


def _width(values: pd.Series[float]) -> pd.Series[float]:
    """Return half widths; unknown ones and those of an interval that excludes its own value are zero."""
    return values.fillna(0.0).clip(lower=0.0)


def scores(table: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    """Return the errors of each compared level, one row each.

    ``mae`` and ``bias`` (y minus x) are in decades or in units of the quantity, ``n_within`` counts pairs inside the
    band. ``constant_mae`` is that of always predicting the median of the reference's other materials, which any method
    must beat. Bounds enter only ``n_bounds``, poorly known values only ``n_poorly_known``, and pairs that are not of
    one crystal, such as those of two polymorphs, only ``n_other_structures``.

    :param table: from `pairs`.
    """
    rows = []
    for level, group in table.groupby("y_level_of_theory", sort=True):
        same = group[group["same_structure"].astype(bool)]
        known = same[same["difference_kind"] == "value"]
        off = known["difference"]
        rows.append(
            {
                "level_of_theory": level,
                "n_pairs": len(known),
                "mae": off.abs().mean(),
                "bias": off.mean(),
                "n_within": int((off.abs() <= quantity.band).sum()),
                "constant_mae": constant_error(known["x_value"].to_numpy(dtype=float), quantity.logarithmic),
                "n_bounds": int(same["difference_kind"].isin(["upper", "lower", "unknown"]).sum()),
                "n_poorly_known": int((same["difference_kind"] == "poorly known").sum()),
                "n_other_structures": len(group) - len(same),
            }
        )
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


def constant_error(values: np.ndarray[Any, np.dtype[np.float64]], logarithmic: bool) -> float:
    """Return the mean error of predicting each value by the median of all others; NaN for fewer than three."""
    if len(values) < 3:
        return float("nan")
    ordered = np.sort(np.log10(values) if logarithmic else values)
    left = len(ordered) - 1
    place = np.arange(len(ordered))
    # Without the value itself, those after it move up by one.
    middle = [np.where(half < place, ordered[half], ordered[half + 1]) for half in ((left - 1) // 2, left // 2)]
    return float(np.mean(np.abs(ordered - (middle[0] + middle[1]) / 2.0)))
