"""Methods and trivial baselines, over all materials that were compared with the same reference."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from aiida_ion.analysis.comparison.baselines import MIN_MATERIALS, Score, Value, compare_methods, verdict_sentences
from aiida_ion.cli.text.tables import Rows, entries, number, text
from aiida_ion.queries.cells import known
from aiida_ion.queries.reading.kinds import read_number
from aiida_ion.verdicts import useful_bound

Records = Sequence[Mapping[str, Any]]


class Group(NamedTuple):
    """Scores of one quantity against one reference, with its name and its unit."""

    reference: str
    quantity: str
    unit: str
    scores: list[Score]


class _Datum(NamedTuple):
    quantity: str
    unit: str
    level: Value | None
    reference: Value | None


def baseline_rows(groups: Sequence[Group]) -> Rows:
    """Return one line for each method and baseline of each quantity."""
    return [
        {
            "quantity": group.quantity,
            "against": group.reference,
            "method": f"({score.name})" if score.is_baseline else score.name,
            "materials": f"{score.n}" + (f" ({score.n_bounds} bounds)" if score.n_bounds else ""),
            "MAE (decades or eV)": number(score.mae),
            "RMSE": number(score.rmse),
            "bias": number(score.bias),
            "Spearman": number(score.spearman),
            "Kendall": number(score.kendall),
            "in 95 %": "-" if score.coverage is None else f"{score.coverage:.0%}",
        }
        for group in groups
        for score in group.scores
    ]


def baseline_lines(groups: Sequence[Group]) -> list[str]:
    """Return a sentence for each method and quantity on whether it beats a constant."""
    return [
        f"{group.quantity}: {sentence}" for group in groups for sentence in verdict_sentences(group.scores, group.unit)
    ]


def baseline_groups(records: Records) -> list[Group]:
    """Return the scores of every quantity and reference with at least three materials in common.

    Of several comparisons of a material at the same levels the last one in the table counts.
    """
    groups = []
    for reference in sorted({text(record.get("reference_level_of_theory")) for record in records}):
        mine = [record for record in records if text(record.get("reference_level_of_theory")) == reference]
        data = {
            (datum.quantity, datum.unit, str(record["formula"]), text(record.get("level_of_theory"))): datum
            for record in mine
            for datum in _data(record)
            if known(record.get("formula"))
        }
        for quantity, unit in dict.fromkeys((name, unit) for name, unit, _, _ in data):
            scores = _scores({key[2:]: datum for key, datum in data.items() if key[:2] == (quantity, unit)})
            if scores:
                groups.append(Group(reference, quantity, unit, scores))
    return groups


def _scores(data: Mapping[tuple[str, str], _Datum]) -> list[Score]:
    """Return the scores of one quantity.

    :param data: by formula and level of theory.
    """
    references = {formula: datum.reference for (formula, _), datum in data.items() if datum.reference is not None}
    formulas, levels = sorted(references), sorted({level for _, level in data})
    if len(formulas) < MIN_MATERIALS:
        return []
    methods = {
        level: [data[formula, level].level if (formula, level) in data else None for formula in formulas]
        for level in levels
    }
    return compare_methods([value for formula in formulas if (value := references[formula])], formulas, methods)


def _data(record: Mapping[str, Any]) -> Iterator[_Datum]:
    """Yield both values of each quantity of a comparison."""
    for at in entries(record.get("temperatures")):
        name = f"log10 D* at {number(at.get('temperature_K'), 6)} K"
        sides = [_log10(at, f"{prefix}tracer_diffusivity", "cm2_s") for prefix in ("", "reference_")]
        yield _Datum(name, "decades", *sides)
    if known(record.get("target_temperature_K")):
        name = f"log10 sigma at {number(record['target_temperature_K'], 6)} K"
        sides = [_log10(record, f"{prefix}ionic_conductivity", "mS_cm") for prefix in ("", "reference_")]
        yield _Datum(name, "decades", *sides)
    yield _Datum("activation energy", "eV", _energy(record, ""), _energy(record, "reference_"))


def _log10(attributes: Mapping[str, Any], name: str, unit: str) -> Value | None:
    value, bound = read_number(attributes.get(f"{name}_{unit}")), useful_bound(attributes, name, unit)
    edges = _edges(attributes.get(f"{name}_ci95_{unit}"))
    if value is not None and value > 0:
        ci95 = (math.log10(edges[0]), math.log10(edges[1])) if edges is not None and min(edges) > 0 else None
        return Value(math.log10(value), ci95=ci95)
    return Value(math.log10(bound), is_bound=True) if bound is not None and bound > 0 else None


def _energy(attributes: Mapping[str, Any], prefix: str) -> Value | None:
    value = read_number(attributes.get(f"{prefix}activation_energy_eV"))
    edges = _edges(attributes.get(f"{prefix}activation_energy_ci95_eV"))
    return None if value is None else Value(float(value), ci95=edges)


def _edges(interval: Any) -> tuple[float, float] | None:
    """Return an interval whose ends are both numbers."""
    ends = [read_number(one) for one in interval] if isinstance(interval, (list, tuple)) else []
    low, high = ends if len(ends) == 2 else (None, None)
    return None if low is None or high is None else (float(low), float(high))
