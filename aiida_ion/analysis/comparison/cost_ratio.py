"""Cost of a molecular-dynamics step at two levels of theory, from their cost ledgers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

#: Entry of a ledger -> its name per step.
PER_STEP = {
    "wall_time_s": "wall_s_per_step",
    "cpu_time_s": "core_s_per_step",
    "gpu_time_s": "gpu_s_per_step",
}
KEPT = ("wall_time_s", "cpu_time_s", "gpu_time_s", "n_steps", "n_atoms", "peak_memory_MiB", "peak_gpu_memory_MiB")


def cost_per_step(ledger: Mapping[str, Any]) -> dict[str, float]:
    """Return the known entries of a ledger, the cost per step, and the number of steps per second.

    :param ledger: ``wall_time_s``, ``cpu_time_s`` (core-seconds), ``gpu_time_s``, ``n_steps``; any may be missing.
    """
    costs = {name: float(ledger[name]) for name in KEPT if is_number(ledger.get(name))}
    for name, per_step in PER_STEP.items():
        if name in costs and costs.get("n_steps", 0.0) > 0:
            costs[per_step] = costs[name] / costs["n_steps"]
    if costs.get("wall_s_per_step"):
        costs["steps_per_s"] = 1.0 / costs["wall_s_per_step"]
    elif is_number(ledger.get("steps_per_s")):
        costs["steps_per_s"] = float(ledger["steps_per_s"])
    return costs


def speed_ratios(reference: Mapping[str, Any], ledger: Mapping[str, Any]) -> dict[str, float]:
    """Return how many times cheaper a step is than in the reference; empty if unknown.

    ``wall_speed_ratio`` compares wall times, whatever the hardware, ``core_speed_ratio`` core-seconds, which do not
    include the work of a GPU. Runs of different numbers of atoms are not compared.

    :param reference: cost ledger of the reference.
    :param ledger: cost ledger of the level of theory compared with it.
    """
    slow, fast = cost_per_step(reference), cost_per_step(ledger)
    if slow.get("n_atoms") != fast.get("n_atoms") and "n_atoms" in slow and "n_atoms" in fast:
        return {}
    names = {"wall_speed_ratio": "wall_s_per_step", "core_speed_ratio": "core_s_per_step"}
    return {
        name: slow[per_step] / fast[per_step]
        for name, per_step in names.items()
        if slow.get(per_step, 0.0) > 0 and fast.get(per_step, 0.0) > 0
    }


def is_number(value: Any) -> bool:
    """Whether an entry of a ledger is a usable number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
