"""Computed compared with measured conductivities, scored as in the benchmark paper and as it should be done."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from aiida_ion.analysis.comparison.baselines import (
    IN_SAMPLE_MEDIAN,
    LEAVE_ONE_OUT_MEDIAN,
    Score,
    Value,
    compare_methods,
    constant_predictions,
    error,
    score,
)
from aiida_ion.analysis.comparison.composition_forest import forest_of_others
from aiida_ion.analysis.comparison.without_motion_check import ionic_conductivity_without_motion_check_mS_cm
from aiida_ion.datasets.compositions import MAX_DIFFERENCE, composition_difference
from aiida_ion.datasets.obelix import Entry
from aiida_ion.datasets.obelix_paper import ReportedErrors
from aiida_ion.queries.benchmark import diffusion_of_conductivities, measured_and_computed
from aiida_ion.queries.cells import known, records
from aiida_ion.queries.selection import Selection
from aiida_ion.units import MS_CM_PER_S_CM
from aiida_ion.verdicts import MEASURED, POORLY_KNOWN

#: Largest difference between the temperatures of a computed and a measured conductivity that are compared, K.
MAX_TEMPERATURE_DIFFERENCE_K = 5.0
FOREST_OF_OTHERS = "random forest of the other compositions of OBELiX"
ADDED = ("ionic_conductivity_without_motion_check_mS_cm", "error_decades", "passed_paper_check")
Records = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Pair:
    """One material at one level of theory: log10 of conductivities in mS/cm.

    :param row: of :func:`measured_and_computed`.
    :param stated: the measured value by which the dataset ranks.
    :param bulk: the measured conductivity of the grains if it is known, else the stated one: what is predicted.
    :param computed: ``None`` without a number and a bound.
    :param without_motion_check: what the paper would report: a line through all temperatures, diffusive or not.
    """

    row: Mapping[str, Any]
    stated: Value
    bulk: Value
    computed: Value | None
    without_motion_check: Value | None

    @property
    def passed(self) -> bool:
        """Whether the ions moved far enough at every temperature, by the criterion of the paper."""
        return bool(self.row["n_temperatures"]) and self.row["n_temperatures"] == self.row["n_msd_passed"]

    @property
    def error(self) -> float | None:
        """Computed minus measured bulk value, decades; zero if a bound holds."""
        return None if self.computed is None else error(self.computed, self.bulk)


@dataclass(frozen=True)
class Scored:
    """All results: pairs, errors as in the paper, and scores on common materials."""

    pairs: list[Pair]
    paper: list[ReportedErrors]
    common: list[Score]
    numbers: list[Score]
    notes: list[str]


def scored(levels: Sequence[str] = (), group: str | None = None, entries: Mapping[str, Entry] | None = None) -> Scored:
    """Score the results of the database.

    :param levels: levels of theory; all by default.
    :param group: label of a group with the crystals.
    :param entries: of the dataset, for a random forest that is trained on the other compositions.
    """
    rows = records(measured_and_computed(Selection(group=group)))
    fits = records(diffusion_of_conductivities())
    pairs, notes = pairs_of([row for row in rows if not levels or row["level_of_theory"] in levels], fits)
    missing = sorted({row["entry_id"] for row in rows} - {pair.row["entry_id"] for pair in pairs})
    if missing:
        notes.append(f"Nothing computed yet for {', '.join(missing)}.")
    both = (common_scores(pairs, entries), common_scores(pairs, entries, numbers_alone=True))
    return Scored(pairs, paper_scores(pairs), *both, notes)


def pairs_of(rows: Records, fits: Records) -> tuple[list[Pair], list[str]]:
    """Return the newest result of each material at each level of theory, and notes on what was left out.

    :param rows: of :func:`measured_and_computed`.
    :param fits: of :func:`diffusion_of_conductivities`.
    """
    of_chain: dict[int, list[Mapping[str, Any]]] = {}
    for fit in fits:
        of_chain.setdefault(int(fit["process_pk"]), []).append(fit)
    newest: dict[tuple[str, str], Pair] = {}
    notes = []
    for row in sorted((row for row in rows if known(row["process_pk"])), key=lambda row: int(row["process_pk"])):
        where = f"{row['entry_id']}, {row['level_of_theory']}"
        if abs(row["target_temperature_K"] - row["temperature_K"]) > MAX_TEMPERATURE_DIFFERENCE_K:
            target, at = row["target_temperature_K"], row["temperature_K"]
            notes.append(f"{where}: computed for {target:g} K, measured at {at:g} K; left out.")
            continue
        if (row["entry_id"], row["level_of_theory"]) in newest:
            notes.append(f"{where}: computed more than once; the newest counts ({row['process_pk']}).")
        newest[row["entry_id"], row["level_of_theory"]] = _pair(row, of_chain.get(int(row["process_pk"]), []))
    results = [newest[key] for key in sorted(newest)]
    notes += [
        f"{pair.row['entry_id']}, {pair.row['level_of_theory']}: {_why_unscored(pair.row)}"
        for pair in results
        if pair.computed is None
    ]
    return results, notes


def _why_unscored(row: Mapping[str, Any]) -> str:
    if row["verdict"] == POORLY_KNOWN:
        low, high = (row[f"computed_ionic_conductivity_ci95_{end}_mS_cm"] for end in ("low", "high"))
        return f"poorly known, between {low:.3g} and {high:.3g} mS/cm; not scored."
    return f"neither number nor bound. {row['reason'] or ''}"


def paper_scores(pairs: Sequence[Pair]) -> list[ReportedErrors]:
    """Return errors as in the paper: each level on its own materials, unchecked; measured bounds as numbers."""
    scores = []
    for level in sorted({pair.row["level_of_theory"] for pair in pairs}):
        mine = [
            pair for pair in pairs if pair.row["level_of_theory"] == level and pair.without_motion_check is not None
        ]
        passed = [pair for pair in mine if pair.passed]
        if mine:
            scores.append(ReportedErrors(level, len(mine), _mae(mine), len(passed), _mae(passed) if passed else None))
    return scores + _constants(pairs)


def common_scores(
    pairs: Sequence[Pair], entries: Mapping[str, Entry] | None = None, numbers_alone: bool = False
) -> list[Score]:
    """Return scores of levels and baselines on the materials that all levels have; empty below three of these.

    :param entries: of the dataset, for a random forest that is trained on the other compositions.
    :param numbers_alone: leave out materials with a bound on either side; else the error of a bound that holds is zero.
    """
    references = {pair.row["entry_id"]: pair for pair in pairs}
    ids = sorted(name for name, pair in references.items() if not (numbers_alone and pair.bulk.is_bound))
    values = {(pair.row["entry_id"], pair.row["level_of_theory"]): pair.computed for pair in pairs}
    if numbers_alone:
        values = {key: value for key, value in values.items() if value is not None and not value.is_bound}
    levels = sorted({pair.row["level_of_theory"] for pair in pairs})
    methods = {level: [values.get((name, level)) for name in ids] for level in levels}
    if not methods or not ids:
        return []
    formulas = [references[name].row["formula"] for name in ids]
    more = {FOREST_OF_OTHERS: _forest(formulas, entries)} if entries else {}
    return compare_methods([references[name].bulk for name in ids], formulas, methods, more)


def pair_table(pairs: Sequence[Pair]) -> pd.DataFrame:
    """Return one row for each material and level, ready for csv and json."""
    kept = [
        *("dataset", "entry_id", "formula", "level_of_theory", "verdict", "conductivity_kind", "close_match"),
        *("partly_occupied", "perturbed", "temperature_K", "target_temperature_K", "n_temperatures", "n_msd_passed"),
        *("process_pk", "process_uuid", "structure_uuid", "doi"),
    ]
    numbers = [name for name in pairs[0].row if "ionic_conductivity" in name] if pairs else []
    rows = [
        {name: pair.row[name] for name in kept}
        | {name: pair.row[name] for name in numbers}
        | {"error_decades": pair.error, "passed_paper_check": pair.passed}
        | {
            "ionic_conductivity_without_motion_check_mS_cm": None
            if pair.without_motion_check is None
            else 10**pair.without_motion_check.value
        }
        for pair in pairs
    ]
    return pd.DataFrame(rows, columns=[*kept, *numbers, *ADDED])


def _constants(pairs: Sequence[Pair]) -> list[ReportedErrors]:
    """Return the errors of constant predictions on all materials, bounds as numbers."""
    truth = [_as_number(pair.stated) for pair in {pair.row["entry_id"]: pair for pair in pairs}.values()]
    if len(truth) < 2:
        return []
    scores = []
    for name, leave_one_out in ((IN_SAMPLE_MEDIAN, False), (LEAVE_ONE_OUT_MEDIAN, True)):
        guesses = [Value(float(number)) for number in constant_predictions(truth, leave_one_out)]
        scores.append(ReportedErrors(f"({name})", len(truth), score(name, guesses, truth).mae))
    return scores


def _forest(formulas: Sequence[str], entries: Mapping[str, Entry]) -> list[float]:
    """Return predictions of a random forest trained on all other compositions; a bound counts as its value."""
    others = [
        entry
        for entry in entries.values()
        if all((composition_difference(entry.formula, formula) or 0.0) > MAX_DIFFERENCE for formula in formulas)
    ]
    values = np.log10([entry.stated.value_S_cm * MS_CM_PER_S_CM for entry in others])
    return [float(value) for value in forest_of_others(formulas, [entry.formula for entry in others], values)]


def _mae(pairs: Sequence[Pair]) -> float:
    values = [pair.without_motion_check for pair in pairs if pair.without_motion_check is not None]
    return score("", values, [_as_number(pair.stated) for pair in pairs]).mae


def _as_number(value: Value) -> Value:
    return Value(value.value)


def _pair(row: Mapping[str, Any], fits: Records) -> Pair:
    stated = _value(row["ionic_conductivity_mS_cm"], row["ionic_conductivity_upper_bound_mS_cm"])
    if stated is None:
        raise ValueError(f"{row['dataset']} {row['entry_id']}: the link holds no conductivity; link it again")
    number = row["computed_ionic_conductivity_mS_cm"] if row["verdict"] == MEASURED else None
    bound, *edges = (
        row[f"computed_ionic_conductivity_{name}_mS_cm"] for name in ("upper_bound", "ci95_low", "ci95_high")
    )
    computed = _value(number, bound, edges if all(known(edge) for edge in edges) else None)
    bulk = _value(row["bulk_ionic_conductivity_mS_cm"]) or stated
    return Pair(row, stated, bulk, computed, _without_motion_check(fits, row["target_temperature_K"]))


def _without_motion_check(fits: Records, target_temperature_K: float) -> Value | None:
    used = [fit for fit in fits if known(fit["diffusivity_cm2_s"]) and known(fit["charge_e"])]
    if not used:
        return None
    temperatures, values = ([fit[name] for fit in used] for name in ("temperature_K", "diffusivity_cm2_s"))
    of_crystal = used[0]["charge_e"], used[0]["number_density_A3"]
    return _value(
        ionic_conductivity_without_motion_check_mS_cm(temperatures, values, *of_crystal, target_temperature_K)
    )


def _value(number: Any, bound: Any = None, edges: Any = None) -> Value | None:
    if known(number) and number > 0:
        ci95 = (math.log10(edges[0]), math.log10(edges[1])) if known(edges) and min(edges) > 0 else None
        return Value(math.log10(number), ci95=ci95)
    return Value(math.log10(bound), is_bound=True) if known(bound) and bound > 0 else None
