"""Baselines that a useful method must beat: a constant, and a random forest over the composition.

Values are logarithms of diffusivities or conductivities, or energies. Either side may be an upper bound; there is no
error as long as it holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from aiida_ion.analysis.comparison.composition_forest import forest_predictions
from aiida_ion.analysis.diffusion.result import Interval

FloatArray = npt.NDArray[np.float64]

LEAVE_ONE_OUT_MEDIAN = "median of the others"
IN_SAMPLE_MEDIAN = "median of all"
FOREST = "random forest of compositions"
#: Fewest materials for baselines, and for the forest.
MIN_MATERIALS = 3
MIN_MATERIALS_FOREST = 8


@dataclass(frozen=True)
class Value:
    """One material's value by one method.

    :param value: the number, or the upper bound; log10 of a diffusivity or conductivity, or an energy in eV.
    :param is_bound: whether it is an upper bound.
    :param ci95: its 95 % interval, in the same unit.
    """

    value: float
    is_bound: bool = False
    ci95: Interval | None = None


@dataclass(frozen=True)
class Score:
    """Deviation of a method from the reference over a set of materials, in the unit of the values.

    ``n`` counts materials, ``n_bounds`` those with a bound on either side. Rank correlations are over the materials
    with values on both sides, ``None`` below three or if all predictions are equal; ``coverage`` is the fraction of
    reference values within the method's 95 % intervals, ``None`` where it states none.
    """

    name: str
    is_baseline: bool
    n: int
    n_bounds: int
    mae: float
    rmse: float
    bias: float
    spearman: float | None
    kendall: float | None
    coverage: float | None


def compare_methods(
    references: Sequence[Value],
    compositions: Sequence[str],
    methods: Mapping[str, Sequence[Value | None]],
    more_baselines: Mapping[str, Sequence[float]] | None = None,
) -> list[Score]:
    """Score methods and baselines on the materials that all methods have.

    :param references: one per material.
    :param compositions: formula of each material, such as ``Li7P3S11``.
    :param methods: for each method its value for each material, or ``None``.
    :param more_baselines: for each further baseline its prediction for each material.
    :returns: methods first, then baselines; empty below three common materials.
    :raises ValueError: for sequences of different length.
    """
    further = more_baselines or {}
    predictions_of_all = [*methods.values(), *further.values()]
    if {len(compositions), *(len(values) for values in predictions_of_all)} - {len(references)}:
        raise ValueError("references, compositions and the values of each method must be of the same length")
    common = [index for index in range(len(references)) if all(values[index] for values in methods.values())]
    if len(common) < MIN_MATERIALS:
        return []
    truth = [references[index] for index in common]
    scores = [
        score(name, [value for index in common if (value := values[index])], truth) for name, values in methods.items()
    ]
    baselines = {
        LEAVE_ONE_OUT_MEDIAN: constant_predictions(truth),
        IN_SAMPLE_MEDIAN: constant_predictions(truth, leave_one_out=False),
    }
    if len(common) >= MIN_MATERIALS_FOREST:
        numbers = np.array([value.value for value in truth])
        baselines[FOREST] = forest_predictions([compositions[index] for index in common], numbers)
    baselines |= {name: np.array([values[index] for index in common]) for name, values in further.items()}
    return scores + [
        score(name, [Value(float(number)) for number in values], truth, is_baseline=True)
        for name, values in baselines.items()
    ]


def constant_predictions(references: Sequence[Value], leave_one_out: bool = True) -> FloatArray:
    """Return the median of the reference values for each material, with or without that material, (n,).

    A bound counts as its value.

    :raises ValueError: for fewer than two materials.
    """
    values = np.array([reference.value for reference in references], dtype=float)
    if len(values) < 2:
        raise ValueError("a constant needs at least two materials")
    if not leave_one_out:
        return np.full(len(values), np.median(values))
    return np.array([np.median(np.delete(values, index)) for index in range(len(values))])


def error(prediction: Value, reference: Value) -> float:
    """Return prediction minus reference; zero where a bound on either side holds."""
    difference = prediction.value - reference.value
    if prediction.is_bound and reference.is_bound:
        return 0.0
    if reference.is_bound:
        return max(difference, 0.0)
    return min(difference, 0.0) if prediction.is_bound else difference


def score(name: str, predictions: Sequence[Value], references: Sequence[Value], is_baseline: bool = False) -> Score:
    """Score the predictions of one method.

    :raises ValueError: for no materials or sequences of different length.
    """
    if not references:
        raise ValueError("there are no materials to score")
    pairs = list(zip(predictions, references, strict=True))
    errors = np.array([error(prediction, reference) for prediction, reference in pairs])
    numbers = [(p, r) for p, r in pairs if not (p.is_bound or r.is_bound)]
    inside = [p.ci95[0] <= r.value <= p.ci95[1] for p, r in numbers if p.ci95 is not None]
    spearman, kendall = _ranks(np.array([(p.value, r.value) for p, r in numbers]))
    return Score(
        name=name,
        is_baseline=is_baseline,
        n=len(pairs),
        n_bounds=len(pairs) - len(numbers),
        mae=float(np.abs(errors).mean()),
        rmse=float(np.sqrt(np.mean(errors**2))),
        bias=float(errors.mean()),
        spearman=spearman,
        kendall=kendall,
        coverage=float(np.mean(inside)) if inside else None,
    )


def verdict_sentences(scores: Sequence[Score], unit: str) -> list[str]:
    """Return a sentence for each method on whether it beats the constant (the median of the other materials)."""
    constants = [entry for entry in scores if entry.name == LEAVE_ONE_OUT_MEDIAN]
    if not constants:
        return []
    limit = constants[0].mae
    return [
        f"{entry.name} {'beats' if entry.mae < limit else 'does not beat'} a constant: mean absolute error "
        f"{entry.mae:.3g} against {limit:.3g} {unit} over {entry.n} materials."
        for entry in scores
        if not entry.is_baseline
    ]


def _ranks(pairs: FloatArray) -> tuple[float | None, float | None]:
    if len(pairs) < MIN_MATERIALS or np.ptp(pairs[:, 0]) == 0.0 or np.ptp(pairs[:, 1]) == 0.0:
        return None, None
    spearman, kendall = stats.spearmanr(*pairs.T), stats.kendalltau(*pairs.T)
    return float(spearman.statistic), float(kendall.statistic)
