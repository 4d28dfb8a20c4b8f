"""The runs of ``ion.conductivity`` as plain data: how long each is, what it has, and why it is not continued."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from aiida_ion.exit_codes import EXPLODED, LEFT_TRAINING
from aiida_ion.units import FS_PER_PS

#: Of a run that left the frames that its potential was trained on.
LEFT = "left_training"
#: What to do then.
REMEDY = (
    "have its last frames labelled by what the potential was trained on, and train it on them, too: "
    "'aiida-ion potential student' does both, 'aiida-ion potential dataset' gathers labels; "
    "--no-watch runs on unwatched"
)


class Run(TypedDict):
    """One temperature and seed.

    ``ended`` is ``exploded``, ``left_training`` or ``failed``, with a reason, where it is not continued.
    """

    temperature_K: float
    seed: int
    #: Length in all.
    n_steps: int
    #: Its work chains, round by round.
    pks: list[int]
    ended: str | None
    reason: NotRequired[str]


@dataclass(frozen=True)
class RunResult:
    """A work chain of a run that has ended."""

    pk: int
    exit_status: int | None
    #: Why it cannot be used; ``None`` where it can.
    failure: str | None
    #: Whether it left what an exact continuation needs.
    has_state: bool


def temperature_label(temperature_K: float) -> str:
    """Return the output name of a temperature, such as ``T_0800K``."""
    whole = int(temperature_K)
    return f"T_{whole:04d}K" if whole == temperature_K else f"T_{whole:04d}_{round(temperature_K % 1 * 100):02d}K"


def round_suffix(number: int) -> str:
    """Return the end of the link labels of a round; nothing in the first."""
    return f"_round_{number}" if number > 1 else ""


def expand_runs(parameters: Mapping[str, Any], n_steps: int) -> list[Run]:
    """Return a run for each temperature and seed, in the order in which they are submitted.

    :param parameters: ``temperatures_K`` and ``seeds``.
    :param n_steps: length of the first round.
    """
    return [
        Run(temperature_K=float(temperature), seed=int(seed), n_steps=n_steps, pks=[], ended=None)
        for seed in parameters["seeds"]
        for temperature in sorted(parameters["temperatures_K"], reverse=True)
    ]


def run_of(runs: Sequence[Run], queued: Mapping[str, Any]) -> int:
    """Return the index of a run that was queued."""
    keys = [(run["temperature_K"], run["seed"]) for run in runs]
    return keys.index((queued["temperature_K"], queued["seed"]))


def record_result(run: Run, result: RunResult, n_steps: int) -> Run:
    """Return a run after one more work chain.

    One that exploded, or left the frames that its potential was trained on, is dropped with its earlier rounds, as it
    would be if it had been run at once. One that failed otherwise keeps the frames of its earlier rounds.

    :param n_steps: length that the work chain was to reach.
    """
    after = run.copy()
    if result.failure is None:
        after["pks"], after["n_steps"] = [*run["pks"], result.pk], n_steps
        if not result.has_state:
            after["ended"], after["reason"] = "failed", "the run left no state to continue from"
    elif result.exit_status == EXPLODED:
        after["pks"], after["ended"], after["reason"] = [], "exploded", result.failure
    elif result.exit_status == LEFT_TRAINING:
        after["pks"], after["ended"], after["reason"] = [], LEFT, result.failure
    else:
        after["ended"], after["reason"] = "failed", result.failure
    return after


def replicas_by_temperature(runs: Sequence[Run]) -> dict[float, list[list[int]]]:
    """Return the work chains of each replica in order, for each temperature that has any; temperatures rising."""
    replicas: dict[float, list[list[int]]] = {}
    for run in sorted((run for run in runs if run["pks"]), key=lambda run: run["pks"][0]):
        replicas.setdefault(run["temperature_K"], []).append(list(run["pks"]))
    return dict(sorted(replicas.items()))


def summarise_runs(runs: Sequence[Run], timestep_fs: float, fit_errors: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what the decision after a round needs to know of each temperature, temperatures rising.

    :param fit_errors: why the newest fit of a temperature failed, by its label.
    """
    return [
        _summarise([run for run in runs if run["temperature_K"] == temperature], timestep_fs, fit_errors)
        for temperature in sorted({run["temperature_K"] for run in runs})
    ]


def _summarise(runs: Sequence[Run], timestep_fs: float, fit_errors: Mapping[str, str]) -> dict[str, Any]:
    """Return what is known of the runs at one temperature."""
    label = temperature_label(runs[0]["temperature_K"])
    continued = [run for run in runs if run["ended"] is None]
    ended = min((run for run in runs if run["ended"]), key=lambda run: (run["ended"], not run["pks"]), default=None)
    entry: dict[str, Any] = {
        "label": label,
        "temperature_K": runs[0]["temperature_K"],
        "time_ps": min(run["n_steps"] for run in continued or runs) * timestep_fs / FS_PER_PS,
        "n_runs": len(continued or runs),
    }
    # Without the frames of a run that failed at once the others can still be extended; one whose frames are part of
    # the fit stays as short as it is, and the others with it.
    if ended is not None and (ended["ended"] in ("exploded", LEFT) or ended["pks"] or not continued):
        return entry | {"ended": ended["ended"], "ended_because": ended["reason"]}
    return entry | ({"ended": "failed", "ended_because": fit_errors[label]} if label in fit_errors else {})


def total_steps(time_ps: float, timestep_fs: float, sample_every: int) -> int:
    """Return the steps of a run that is at least this long and ends with a frame."""
    return sample_every * math.ceil(time_ps * FS_PER_PS / timestep_fs / sample_every - 1e-9)


def extend_runs(runs: Sequence[Run], n_steps: Mapping[float, int]) -> list[Run]:
    """Return the runs of the next round, with their new lengths.

    :param n_steps: temperature, K -> the length of its runs in all.
    """
    extended = [run.copy() for run in runs if run["temperature_K"] in n_steps and run["ended"] is None]
    for run in extended:
        run["n_steps"] = n_steps[run["temperature_K"]]
    return extended
