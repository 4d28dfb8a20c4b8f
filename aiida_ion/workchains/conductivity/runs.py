"""The runs of ``ion.conductivity`` as plain data: how long each is, what it has, and why it goes no further."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from aiida_ion.units import FS_PER_PS

#: Exit code of a run whose trajectory exploded.
EXPLODED = 410

#: A run: `temperature_K`, `seed`, `n_steps` in all, `pks` of its work chains round by round, and, where it goes no
#: further, `ended` (``exploded`` or ``failed``) with `reason`.
Run = dict[str, Any]


def temperature_label(temperature_K: float) -> str:
    """Return the output name of a temperature, such as ``T_0800K``."""
    whole = int(temperature_K)
    return f"T_{whole:04d}K" if whole == temperature_K else f"T_{whole:04d}_{round(temperature_K % 1 * 100):02d}K"


def round_suffix(number: int) -> str:
    """Return what the link labels of a round end with; nothing in the first."""
    return f"_round_{number}" if number > 1 else ""


def outcome(node: Any) -> str:
    """Return a child's own words on how it ended."""
    text = node.exit_message or (node.exception or "").strip().rpartition("\n")[2] or node.process_state.value
    return f"{node.process_label}<{node.pk}> [{node.exit_status}] {text}"


def expand_runs(parameters: Mapping[str, Any], n_steps: int) -> list[Run]:
    """Return a run for each temperature and seed, in the order in which they are submitted."""
    return [
        {"temperature_K": float(temperature), "seed": int(seed), "n_steps": n_steps, "pks": [], "ended": None}
        for seed in parameters["seeds"]
        for temperature in sorted(parameters["temperatures_K"], reverse=True)
    ]


def is_same_run(run: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two entries are one run."""
    return bool(run["temperature_K"] == other["temperature_K"] and run["seed"] == other["seed"])


def record_result(run: Run, node: Any, reason: str | None, n_steps: int) -> Run:
    """Return a run after one more work chain.

    What exploded is dropped whole, as it would be had it been run in one piece. What failed otherwise keeps the frames
    of the rounds before.

    :param node: the work chain, which has ended.
    :param reason: why it cannot be used; ``None`` where it is fine.
    :param n_steps: length that was asked for.
    """
    if reason is None:
        ended = (
            {} if "state" in node.outputs else {"ended": "failed", "reason": "the run left no state to continue from"}
        )
        return run | {"pks": [*run["pks"], node.pk], "n_steps": n_steps} | ended
    if node.exit_status == EXPLODED:
        return run | {"pks": [], "ended": "exploded", "reason": reason}
    return run | {"ended": "failed", "reason": reason}


def usable(runs: Sequence[Run]) -> dict[float, list[list[int]]]:
    """Return, for each temperature that has any, the work chains of each replica in order; temperatures rising."""
    runs_by_temperature: dict[float, list[list[int]]] = {}
    for run in sorted((run for run in runs if run["pks"]), key=lambda run: int(run["pks"][0])):
        runs_by_temperature.setdefault(run["temperature_K"], []).append(list(run["pks"]))
    return dict(sorted(runs_by_temperature.items()))


def summarise_runs(runs: Sequence[Run], timestep_fs: float, fit_errors: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what the decision needs to know of the runs at each temperature, temperatures rising.

    :param fit_errors: why the newest fit of a temperature failed, by its label.
    """
    entries = []
    for temperature in sorted({run["temperature_K"] for run in runs}):
        here = [run for run in runs if run["temperature_K"] == temperature]
        going = [run for run in here if run["ended"] is None]
        ended = min((run for run in here if run["ended"]), key=lambda run: (run["ended"], not run["pks"]), default=None)
        label = temperature_label(temperature)
        entry = {
            "label": label,
            "temperature_K": temperature,
            "time_ps": min(run["n_steps"] for run in going or here) * timestep_fs / FS_PER_PS,
            "n_runs": len(going or here),
        }
        # A run that failed before it had a frame is not missed; one whose frames count holds the others back.
        if ended is not None and (ended["ended"] == "exploded" or ended["pks"] or not going):
            entry |= {"ended": ended["ended"], "ended_because": ended["reason"]}
        elif label in fit_errors:
            entry |= {"ended": "failed", "ended_because": fit_errors[label]}
        entries.append(entry)
    return entries


def total_steps(time_ps: float, timestep_fs: float, sample_every: int) -> int:
    """Return the steps of a run that is at least so long and ends with a frame."""
    return sample_every * math.ceil(time_ps * FS_PER_PS / timestep_fs / sample_every - 1e-9)
