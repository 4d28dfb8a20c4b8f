"""Does a student move as its teacher? Short-time displacement and g(r) of runs of both, beside their own scatter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aiida_ion.analysis.comparison.radial_distribution import radial_distribution, rdf_distance

FloatArray = NDArray[np.float64]
#: Parts into which a run is cut; their scatter says what a run of that length can tell.
N_PARTS = 2
#: Frames of a run below which its parts have no displacement.
MIN_FRAMES = 2 * N_PARTS
#: Longest lag as a fraction of a run: beyond it, too few time origins are averaged.
MAX_LAG_FRACTION = 1 / 3


@dataclass(frozen=True)
class Motion:
    """Frames of a run at equal times.

    :param positions: shape (n, N, 3), angstrom, unwrapped.
    :param cells: shape (n, 3, 3), angstrom.
    :param spacing_ps: time between two frames, ps.
    """

    positions: FloatArray
    cells: FloatArray
    spacing_ps: float

    def part(self, rows: slice) -> Motion:
        """Return some of the frames that follow each other."""
        return Motion(self.positions[rows], self.cells[rows], self.spacing_ps)


def displacement_by_element(motion: Motion, symbols: Sequence[str], n_lags: int) -> dict[str, FloatArray]:
    """Return the mean squared displacement of each element at lags of 1 .. n frames, angstrom^2, shape (n_lags,).

    It is averaged over atoms and time origins, after the drift of the centre of all atoms is taken off.
    """
    places = np.asarray(motion.positions, dtype=float)
    places = places - places.mean(axis=1, keepdims=True)
    names = np.asarray(symbols)
    squares = np.array(
        [((places[lag:] - places[:-lag]) ** 2).sum(axis=-1).mean(axis=0) for lag in range(1, n_lags + 1)]
    )
    return {str(element): squares[:, names == element].mean(axis=1) for element in sorted(set(symbols))}


def compare_displacements(
    student: Sequence[Motion], teacher: Sequence[Motion], symbols: Sequence[str]
) -> dict[str, Any]:
    """Return displacements of both at equal lags, with the scatter of their runs.

    :param student: runs at the temperature and with the frame spacing of the teacher's.
    :param teacher: its runs.
    :returns: ``lags_ps``; for each element ``teacher_A2``, ``student_A2`` (means over runs), ``teacher_scatter_A2``,
        ``student_scatter_A2`` (standard deviations of the runs' parts) and ``within_scatter``, whether the means differ
        by at most twice the root of the sum of their squared errors at every lag.
    :raises ValueError: if a run has fewer than :data:`MIN_FRAMES` frames.
    """
    shortest = min(len(motion.positions) for motion in (*student, *teacher))
    if shortest < MIN_FRAMES:
        raise ValueError(f"the shortest run has {shortest} frames, and displacements need {MIN_FRAMES}")
    n_lags = max(1, int(MAX_LAG_FRACTION * (shortest // N_PARTS)))
    both = {name: _parts(runs, symbols, n_lags) for name, runs in (("teacher", teacher), ("student", student))}
    lags_ps = [float(lag * teacher[0].spacing_ps) for lag in range(1, n_lags + 1)]
    result: dict[str, Any] = {"lags_ps": lags_ps, "elements": {}}
    for element in sorted(set(symbols)):
        values = {name: np.array([part[element] for part in parts]) for name, parts in both.items()}
        means = {name: value.mean(axis=0) for name, value in values.items()}
        scatter = {name: _scatter(value) for name, value in values.items()}
        error = np.sqrt(sum(scatter[name] ** 2 / len(values[name]) for name in values))
        result["elements"][element] = {
            **{f"{name}_A2": means[name].tolist() for name in values},
            **{f"{name}_scatter_A2": scatter[name].tolist() for name in values},
            "within_scatter": bool((np.abs(means["student"] - means["teacher"]) <= 2.0 * error).all()),
        }
    return result


def compare_distributions(
    student: Sequence[Motion], teacher: Sequence[Motion], symbols: Sequence[str]
) -> dict[str, Any]:
    """Return the distance of g(r) of student and teacher, and that of the student's own runs.

    :returns: by pair of elements ``student_teacher`` and ``student_student`` (``None`` for a single run), from 0 for
        equal functions to 1; the largest distance of two of the student's runs is what they can tell.
    """
    everything = [radial_distribution(run.positions, run.cells, symbols) for run in student]
    reference = radial_distribution(
        np.concatenate([run.positions for run in teacher]), np.concatenate([run.cells for run in teacher]), symbols
    )
    own = radial_distribution(
        np.concatenate([run.positions for run in student]), np.concatenate([run.cells for run in student]), symbols
    )
    between = rdf_distance(own, reference).by_pair
    within = [rdf_distance(one, other).by_pair for i, one in enumerate(everything) for other in everything[:i]]
    return {
        pair: {
            "student_teacher": between[pair],
            "student_student": max((each[pair] for each in within), default=None),
        }
        for pair in between
    }


def _parts(runs: Sequence[Motion], symbols: Sequence[str], n_lags: int) -> list[dict[str, FloatArray]]:
    result = []
    for run in runs:
        length = len(run.positions) // N_PARTS
        result += [
            displacement_by_element(run.part(slice(part * length, (part + 1) * length)), symbols, n_lags)
            for part in range(N_PARTS)
        ]
    return result


def _scatter(values: FloatArray) -> FloatArray:
    spread: FloatArray = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(values.shape[1])
    return spread
