"""The MD interface of a DFT job: exit codes, checks, and the nodes that its steps become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.calculations.md import MdRun, validate_md_inputs
from aiida_ion.dft.steps import (
    DftRun,
    DftSteps,
    charges_of,
    explosion,
    state_arrays,
    thermo_rows,
    velocities,
)
from aiida_ion.settings.md import MdSettings
from aiida_ion.starting_velocities import starting_velocities


def define_scf_exit_code(spec: Any) -> None:
    """Declare the exit code that only DFT has."""
    spec.exit_code(
        440,
        "ERROR_SCF_NOT_CONVERGED",
        message="The electrons did not converge; the steps before are kept: {detail}",
        invalidates_cache=True,
    )


def validate_dft_md_inputs(inputs: Mapping[str, Any], port: Any, thermostats: tuple[str, ...]) -> str | None:
    """Return what a DFT program cannot run, in addition to what no engine can.

    :param thermostats: the thermostats that the program has.
    """
    problem = validate_md_inputs(inputs, port)
    if problem is not None or inputs.get("parameters") is None:
        return problem
    settings = MdSettings.from_dict(inputs["parameters"].get_dict())
    if settings.ensemble == "npt":
        return "ensemble npt is not available with DFT; equilibrate the cell first and run nvt or nve"
    if settings.ensemble == "nvt" and settings.thermostat not in thermostats:
        return f"thermostat {settings.thermostat} is not in this program, which has {', '.join(thermostats)}"
    state = inputs.get("restart_from")
    if state is not None and "velocities_A_fs" not in state.get_arraynames():
        return "restart_from has no velocities_A_fs; give its positions and velocities as a new start instead"
    return None


def start(inputs: Any, masses: Any, settings: MdSettings) -> tuple[Any, Any, int]:
    """Return positions (angstrom), velocities (angstrom/fs), both (N, 3), and the step at which a job starts."""
    if "restart_from" in inputs:
        state = inputs.restart_from
        step = int(state.base.attributes.get("step"))
        return state.get_array("positions"), state.get_array("velocities_A_fs"), step
    positions = np.array([site.position for site in inputs.structure.sites])
    if "initial_velocities" in inputs:
        return positions, inputs.initial_velocities.get_array("velocities"), 0
    return positions, starting_velocities(masses, settings.temperature_K, settings.seed), 0


def as_md_run(
    run: DftRun, settings: MdSettings, symbols: list[str], masses: Any, charges: Mapping[str, float], first_step: int
) -> MdRun:
    """Return the results of a DFT program as those of the MD interface.

    Row 0 of a continued run is the step from which it continues; the segment before it has that step.

    :param run: what the program left.
    :param symbols: element of each of N atoms.
    :param masses: shape (N,), g/mol, those that the program used.
    :param charges: formal charge of each element, e.
    :param first_step: step at which the job started.
    """
    steps, status, message = run.steps, run.status, run.message
    if steps is None or (len(steps) < 2 and steps.next_positions is None):
        return _empty(run)
    blown = explosion(steps, settings)
    if blown is not None:
        steps, status, message = steps.rows(0, blown[0] + 1), "exploded", blown[1]
    v_A_fs = velocities(steps, masses, settings.timestep_fs)
    state = state_arrays(steps, v_A_fs, first_step)
    skipped = 1 if first_step else 0
    kept, v_A_fs = steps.rows(skipped), v_A_fs[skipped:]
    chosen = (kept.first_step + np.arange(len(kept))) % settings.sample_every == 0
    extra = {"forces": kept.forces[chosen].astype(np.float32)}
    if "velocities" in settings.keep:
        extra["velocities"] = v_A_fs[chosen].astype(np.float32)
    return MdRun(
        status=status,
        message=message,
        steps=(kept.first_step + np.flatnonzero(chosen)).astype(np.int64),
        positions=kept.positions[chosen].astype(np.float32),
        cells=kept.cell,
        thermo=thermo_rows(kept, v_A_fs, charges_of(symbols, charges)),
        state=state,
        extra=extra,
        cost=_with_rate(run.cost, steps, len(symbols)),
        versions=run.versions,
    )


def _empty(run: DftRun) -> MdRun:
    nothing: Any = np.empty(0)
    return MdRun(run.status, run.message, nothing, nothing, nothing, nothing, {}, {}, run.cost, run.versions)


def _with_rate(cost: Mapping[str, Any], steps: DftSteps, n_atoms: int) -> dict[str, Any]:
    """Complete a cost ledger: every ionic step counts, including the repeated first one of a continued run."""
    ledger = {"gpu_time_s": 0.0, "device": "cpu", **cost, "n_atoms": n_atoms, "n_steps": len(steps) - 1}
    if ledger.get("wall_time_s"):
        ledger["steps_per_s"] = len(steps) / ledger["wall_time_s"]
    return ledger


def dft_symbols_and_masses(structure: orm.StructureData) -> tuple[list[str], Any]:
    """Return the element and the mass (g/mol, ASE's) of each atom; every engine uses the same masses."""
    atoms = structure.get_ase()
    from ase.data import atomic_masses

    return atoms.get_chemical_symbols(), atomic_masses[atoms.numbers]
