"""Splits by whole runs: what tests is of a run, or a temperature, that training never saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from aiida_ion.training.runs import LabelledRun

TRAIN, VALIDATION, TEST = range(3)
#: Shares of the frames, or runs, of validation and test.
SHARES = {VALIDATION: 0.1, TEST: 0.2}
#: Fewest runs of which whole ones are set aside.
FEWEST_RUNS = 3

Rows = NDArray[np.int64]
Splits = NDArray[np.int8]


def by_run(sources: Sequence[LabelledRun], runs: Rows, test_temperature_K: float | None) -> Splits:
    """Return the split of each frame: one temperature tests, and of the other runs one in ten, at least one, validates.

    :param runs: shape (n,), the run of each frame.
    :raises ValueError: for too few runs, or a temperature that none has.
    """
    temperatures = {one.run: one.temperature_K for one in sources}
    order = sorted(set(runs.tolist()), key=lambda run: (temperatures[run] or 0.0, run))
    if len(order) < FEWEST_RUNS:
        raise ValueError(f"{len(order)} runs cannot be split by run, which needs {FEWEST_RUNS}; use split by_block")
    test = _test_runs(order, temperatures, test_temperature_K)
    rest = [run for run in order if run not in test]
    if len(rest) < 2:
        raise ValueError("all runs but one are of the test temperature: use another test temperature, or add runs")
    n_validation = max(1, round(SHARES[VALIDATION] * len(rest)))
    # From the middle, so that training has the coldest and the hottest of what is left where there are three.
    middle = [(2 * part + 1) * (len(rest) - 1) // (2 * n_validation) for part in range(n_validation)]
    validation = {rest[index] for index in middle}
    split = np.full(len(runs), TRAIN, dtype=np.int8)
    split[np.isin(runs, sorted(validation))] = VALIDATION
    split[np.isin(runs, sorted(test))] = TEST
    return split


def _test_runs(
    order: Sequence[int], temperatures: Mapping[int, float | None], test_temperature_K: float | None
) -> set[int]:
    """Return the runs of the test: those of its temperature; the last of them where there is only one."""
    known = sorted({value for run in order if (value := temperatures[run]) is not None})
    if test_temperature_K is not None:
        test = {run for run in order if temperatures[run] == test_temperature_K}
        if not test:
            choices = ", ".join(f"{value:g}" for value in known) or "none is known"
            raise ValueError(f"no run has the test temperature {test_temperature_K:g} K; choose from {choices}")
        return test
    highest = {run for run in order if temperatures[run] == temperatures[order[-1]]}
    if len(order) - len(highest) >= 2:
        return highest
    return set(order[-max(1, round(SHARES[TEST] * len(order))) :])
