"""What a student's loop decides, from plain data: which runs survived, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiida_ion.units import S_PER_HOUR
from aiida_ion.workchains.student.parameters import StudentParameters

#: Runs of a loop: short ones first, then those that decide.
EXPLORE, ACCEPT = "explore", "accept"
#: How a run of a student ended.
SURVIVED, EXPLODED, CLOSE_PAIR = "survived", "exploded", "close_pair"
#: What comes next.
RUN_LONGER, RETRAIN, ACCEPTED = "run_longer", "retrain", "accepted"
#: Why it ended without an accepted student.
OUT_OF_LOOPS, OUT_OF_BUDGET, DIVERGED = "out_of_loops", "out_of_budget", "diverged"


@dataclass(frozen=True)
class TestErrors:
    """Errors of a student on the teacher's own run that it was not trained on.

    :param mae_eV_A: mean absolute error of force components, eV/angstrom.
    :param slope: of predicted against reference components.
    :param mean_force_eV_A: mean length of the reference force vectors, eV/angstrom.
    """

    #: So that a test runner does not take it for a test.
    __test__ = False

    mae_eV_A: float
    slope: float | None
    mean_force_eV_A: float

    def target_eV_A(self, parameters: StudentParameters) -> float:  # noqa: N802
        """Return the error that is accepted, eV/angstrom."""
        return parameters.target_force_error_eV_A or parameters.target_force_fraction * self.mean_force_eV_A


def is_survivor(run: Mapping[str, Any]) -> bool:
    """Whether a run went to its end without a pair that is closer than any it was trained on."""
    return bool(run["ended"] == SURVIVED)


def next_step(history: Sequence[Mapping[str, Any]], cpu_s: float, parameters: StudentParameters) -> str:
    """Return what comes after a loop.

    :param history: the loops so far; each has ``stage``, ``training`` (its number), ``runs``, ``force_mae_eV_A`` and
        ``target_eV_A``.
    :param cpu_s: CPU time of everything so far, s.
    :returns: one of ``run_longer``, ``retrain``, ``accepted``, ``out_of_loops``, ``out_of_budget``, ``diverged``.
    """
    last = history[-1]
    is_accurate = last["force_mae_eV_A"] <= last["target_eV_A"]
    if is_accurate and all(map(is_survivor, last["runs"])):
        return ACCEPTED if last["stage"] == ACCEPT else RUN_LONGER
    if has_diverged([loop["force_mae_eV_A"] for loop in history], parameters.diverged_ratio):
        return DIVERGED
    if last["training"] >= parameters.max_loops:
        return OUT_OF_LOOPS
    return OUT_OF_BUDGET if cpu_s >= parameters.max_cpu_hours * S_PER_HOUR else RETRAIN


def has_diverged(errors: Sequence[float], ratio: float) -> bool:
    """Whether the last error is far above the smallest of those before it."""
    return len(errors) > 1 and errors[-1] > ratio * min(errors[:-1])


def survival(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return how the runs of a loop ended, in a few words."""
    parts = [
        f"{run['survived_ps']:.3g} of {run['length_ps']:g} ps" + ("" if is_survivor(run) else f" ({run['ended']})")
        for run in runs
    ]
    return ", ".join(parts)


def judged(history: Sequence[Mapping[str, Any]], decision: str) -> str:
    """Return what the last loop came to, in a sentence."""
    loop = history[-1]
    return (
        f"training {loop['training']} on {loop['n_train']} frames: force error {loop['force_mae_eV_A']:.3f} of "
        f"{loop['target_eV_A']:.3f} eV/angstrom; {survival(loop['runs'])}; {decision.replace('_', ' ')}"
    )


def given_up(history: Sequence[Mapping[str, Any]], decision: str) -> str:
    """Return why no student was accepted, in a sentence."""
    last = history[-1]
    return f"{decision.replace('_', ' ')} after {last['training']} trainings: {survival(last['runs'])}"
