"""What a plan will run, and the cost that earlier jobs of the database predict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from aiida_ion.analysis.crystals.cell import perpendicular_widths
from aiida_ion.campaigns.plan import Plan
from aiida_ion.campaigns.plans import multiples
from aiida_ion.places.demand import cores_per_job
from aiida_ion.units import FS_PER_PS, duration


@dataclass(frozen=True)
class Size:
    """How much a plan runs: in the first round and at most; both are the same without a target.

    :param n_runs: temperatures times seeds, of each ordered cell.
    :param first_ps: length of each run in the first round, ps; ``longest_ps`` the longest a run may get.
    :param n_steps: steps of all runs of all ordered cells, fewest and most.
    """

    n_runs: int
    first_ps: float
    longest_ps: float
    n_steps: tuple[int, int]


@dataclass(frozen=True)
class StepTime:
    """Time of a step, s: lowest, median and highest of earlier jobs, and which jobs these are."""

    seconds: tuple[float, float, float]
    origin: str


def size_of(plan: Plan) -> Size:
    """Return how much a plan runs."""
    parameters, md = plan.conductivity.parameters.get_dict(), plan.conductivity.md.parameters.get_dict()
    n_runs = len(parameters["temperatures_K"]) * len(parameters["seeds"])
    first_ps = md["n_steps"] * md["timestep_fs"] / FS_PER_PS
    longest_ps = max(first_ps, parameters.get("max_time_ps") or 0.0)
    most_ps = min(n_runs * longest_ps, parameters.get("max_total_time_ps") or math.inf)
    steps_per_ps = FS_PER_PS / md["timestep_fs"]
    steps = n_runs * md["n_steps"], round(most_ps * steps_per_ps)
    return Size(n_runs, first_ps, longest_ps, (steps[0] * plan.n_members, steps[1] * plan.n_members))


def atoms_of(plan: Plan) -> int:
    """Return the atoms of the simulated cell."""
    return len(plan.conductivity.structure.sites) * math.prod(multiples(plan.conductivity))


def step_time(plan: Plan, costs: pd.DataFrame) -> StepTime | None:
    """Return the time of a step: from earlier jobs of the nearest size, else from the engine's test, else ``None``.

    If earlier jobs had as many cores as these will have, only those count. The time is proportional to the number of
    atoms with potentials, and to about its square with DFT at these sizes; fewer atoms are not assumed to be faster.

    :param costs: :func:`~aiida_ion.queries.cost`.
    """
    n_atoms, power = atoms_of(plan), 2 if plan.engine.md.is_dft else 1
    same = costs[
        (costs["level_of_theory"] == plan.level_of_theory)
        & (costs["computer"] == plan.engine.code.computer.label)
        & costs["share"].isna()  # a replica of a batch says nothing of a run by itself
    ]
    cores = cores_per_job(dict(plan.conductivity.md.options or {})) if plan.conductivity.md.options else 1
    same = same[same["cores"] == cores] if (same["cores"] == cores).any() else same
    if len(same):
        distance = np.abs(np.log(same["n_atoms"].astype(float) / n_atoms))
        nearest = same[distance <= distance.min() + 1e-9]
        of_atoms = int(nearest["n_atoms"].iloc[0])
        seconds = nearest["wall_time_s"] / nearest["n_steps"] * max(1.0, n_atoms / of_atoms) ** power
        low, middle, high = (float(np.quantile(seconds.astype(float), part)) for part in (0.0, 0.5, 1.0))
        jobs = f"{len(nearest)} earlier job{'s' if len(nearest) > 1 else ''}"
        return StepTime((low, middle, high), f"by {jobs} with {of_atoms} atoms")
    rate, tested_atoms = plan.engine.tested.get("steps_per_s"), plan.engine.tested.get("n_atoms")
    if not rate or not tested_atoms:
        return None
    step_s = max(1.0, n_atoms / tested_atoms) ** power / rate
    return StepTime((step_s, step_s, step_s), "very roughly, by 'aiida-ion engine test'")


def describe(plan: Plan, costs: pd.DataFrame) -> list[str]:
    """Return lines on what a plan will run and its expected cost."""
    parameters, size = plan.conductivity.parameters.get_dict(), size_of(plan)
    charges = ", ".join(f"{element} {charge:+g}" for element, charge in parameters["charges"].items())
    what = f"{parameters['formula']} with {plan.level_of_theory}, {parameters['mobile_species']} mobile ({charges})"
    runs = f"{size.n_runs} run{'s' if size.n_runs > 1 else ''} of {size.first_ps:g} ps"
    runs += f" of each of {plan.n_members} ordered cells" if plan.n_members > 1 else ""
    if parameters.get("target_relative_error") is not None:
        aim = parameters.get("target_quantity", "tracer_diffusivity").replace("_", " ")
        runs += f", each on to at most {size.longest_ps:g} ps until the {aim} is known to "
        runs += f"{parameters['target_relative_error']:g}"
    line = f"{plan.title}: {what}, {atoms_of(plan)} atoms, {runs}"
    if "checkpoint" in plan.engine.md.engine_ports and not plan.engine.tested:
        line += f" (untested: 'aiida-ion engine test {plan.engine.name}' pins its checkpoint)"
    ordering = [] if plan.ensemble is None else plan.ensemble.lines()
    return [line, *ordering, *_cell_and_runs(plan, size), f"  {expected_cost(plan, costs)}"]


def _cell_and_runs(plan: Plan, size: Size) -> list[str]:
    """Return lines on the simulated cell, and on temperatures, seeds and steps of the runs."""
    parameters, md = plan.conductivity.parameters.get_dict(), plan.conductivity.md.parameters.get_dict()
    counts = multiples(plan.conductivity)
    cell = plan.conductivity.structure.get_ase().cell.array * np.array(counts)[:, None]
    width = float(perpendicular_widths(cell).min())
    line = f"  cell {' x '.join(map(str, counts))}, smallest width {width:.1f} angstrom"
    least = None if parameters.get("supercell") else parameters.get("min_width_A")
    if least is not None and width < least - 1e-6:
        # The rule `edges` measures along the vectors, which in a skewed cell is more than the distance of the faces.
        line += f", less than the {least:g} asked for: supercell_rule {parameters['supercell_rule']} measures the edges"
    temperatures = ", ".join(f"{value:g}" for value in parameters["temperatures_K"])
    seeds = ", ".join(str(seed) for seed in parameters["seeds"])
    runs = f"  temperatures {temperatures} K, seeds {seeds}; {md['n_steps']:,} steps of {md['timestep_fs']:g} fs each"
    return [line, runs + (" in the first round" if size.longest_ps > size.first_ps else "")]


def expected_cost(plan: Plan, costs: pd.DataFrame) -> str:
    """Return the number of steps and the time of a plan as text, without relaxation and fits."""
    size, timing = size_of(plan), step_time(plan, costs)
    least, most = size.n_steps
    steps = f"{least:,} steps" if least == most else f"{least:,} to {most:,} steps"
    if timing is None:
        return f"{steps}, time unknown: run 'aiida-ion engine test {plan.engine.name}' first"
    n_parallel = min(size.n_runs, plan.conductivity.parameters.get_dict().get("max_concurrent", 1))
    low, middle, high = timing.seconds
    spread = "" if low == high else f"{_between(low * least, high * most)} "
    wall = "" if n_parallel == 1 else f"; {_between(middle * least / n_parallel, middle * most / n_parallel)}"
    wall += f" with {n_parallel} in parallel" if wall else ""
    return f"{steps}: about {_between(middle * least, middle * most)} of computing ({spread}{timing.origin}){wall}"


def in_all(plans: Sequence[Plan], costs: pd.DataFrame) -> str:
    """Return the computing time of all plans, for each engine and in total."""
    sums: dict[str, list[float]] = {}
    unknown: dict[str, None] = {}
    for plan in plans:
        timing, size = step_time(plan, costs), size_of(plan)
        if timing is None:
            unknown[plan.engine.name] = None
            continue
        least, most = timing.seconds[1] * size.n_steps[0], timing.seconds[1] * size.n_steps[1]
        before = sums.get(plan.engine.name, [0.0, 0.0])
        sums[plan.engine.name] = [before[0] + least, before[1] + most]
    parts = [f"{name} {_between(*seconds)}" for name, seconds in sums.items()] + [f"{name} unknown" for name in unknown]
    total = [sum(seconds[end] for seconds in sums.values()) for end in (0, 1)]
    whole = "unknown" if not sums else f"{'more than ' if unknown else ''}{_between(*total)}"
    engines = f" ({', '.join(parts)})" if len(parts) > 1 else ""
    return f"In all: {len(plans)} cells and engines, computing {whole}{engines}"


def _between(low_s: float, high_s: float) -> str:
    low, high = duration(low_s), duration(high_s)
    return low if low == high else f"{low} to {high}"
