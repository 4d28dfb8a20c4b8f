"""Molecular dynamics and relaxations of VASP, complete or interrupted, in the form of all DFT engines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aiida_ion.dft.steps import DftRun, DftSteps, FloatArray
from aiida_ion.dft.vasp.input import CSVR_SINCE
from aiida_ion.dft.vasp.motion import (
    kinetic_deviation,
    next_positions,
    restart_velocities,
    takes_half_step_velocities,
)
from aiida_ion.dft.vasp.output import Start, VaspFiles
from aiida_ion.settings.md import MdSettings


@dataclass(frozen=True)
class VaspMd:
    """Molecular dynamics of VASP.

    :param run: the run; its steps are those whose electrons converged.
    :param restart_velocities: shape (N, 3), angstrom/fs: velocities for POSCAR to continue from the last step; ``None``
        if unknown.
    """

    run: DftRun
    restart_velocities: FloatArray | None = None


def read_md(files: VaspFiles, start: Start, settings: MdSettings) -> VaspMd:
    """Read molecular dynamics.

    :raises ValueError: for the output of a different run, or one that cannot be read.
    """
    bare = DftRun(None, "", None, files.cost(), files.versions())
    too_old = without_csvr(files, settings)
    if too_old is not None:
        return VaspMd(replace(bare, status="invalid_input", message=too_old))
    steps, bad = files.steps(start), files.run.unconverged()
    kept = steps if steps is None or bad is None else steps.rows(0, bad)
    n_whole = 0 if kept is None else len(kept)
    status: str | None
    if bad is not None:
        status, message = "scf_not_converged", files.scf_message(bad, start.step)
    elif start.step + n_whole > settings.n_steps:
        status, message = "finished", ""
    else:
        status, message = files.why_it_ended(n_whole, start.step, settings.n_steps)
    with_status = replace(bare, status=status, message=message)
    if kept is None or not len(kept):
        return VaspMd(with_status)
    if bad is None:
        kept = replace(kept, next_positions=_next_positions(files, kept, start, settings))
    return _with_restart(replace(with_status, steps=kept), kept, files, start, settings)


def _next_positions(files: VaspFiles, steps: DftSteps, start: Start, settings: MdSettings) -> FloatArray | None:
    for places in files.onward(start.inverse):
        following = next_positions(places, steps, start.velocities, start.masses, settings.timestep_fs)
        if following is not None:
            return following
    return None


def _with_restart(run: DftRun, steps: DftSteps, files: VaspFiles, start: Start, settings: MdSettings) -> VaspMd:
    mdalgo = int(files.run.number("MDALGO") or 0)
    timestep_fs = settings.timestep_fs
    half_step = takes_half_step_velocities(steps, start.velocities, start.masses, timestep_fs, mdalgo)
    facts: dict[str, Any] = {"mdalgo": mdalgo, "poscar_velocities": "t - dt/2" if half_step else "t"}
    deviation = kinetic_deviation(steps, start.masses, timestep_fs)
    if deviation is not None:
        facts["kinetic_energy_deviation"] = deviation
    if "nose_period_steps" in files.outcar:
        # The thermostat's friction is not in POSCAR: each segment starts it at zero.
        facts |= {
            "nose_period_fs": files.outcar["nose_period_steps"] * timestep_fs,
            "thermostat_state": "not continued",
        }
    run = replace(run, versions={**run.versions, **facts})
    if len(steps) < 2 and steps.next_positions is None:
        return VaspMd(run)
    onward = restart_velocities(steps, len(steps) - 1, start.masses, timestep_fs, half_step=half_step)
    return VaspMd(run, start.velocities if onward is None else onward)


def without_csvr(files: VaspFiles, settings: MdSettings) -> str | None:
    """Return a sentence when VASP is too old for csvr: it would run without any thermostat."""
    version = files.run.version
    if settings.ensemble != "nvt" or settings.thermostat != "csvr" or not version or version >= CSVR_SINCE:
        return None
    since = ".".join(map(str, CSVR_SINCE))
    return f"{files.run.program} has no csvr, which was added in {since}: choose thermostat nose_hoover or a newer VASP"


def read_relaxation(files: VaspFiles, start: Start, max_force_eV_A: float, max_steps: int) -> DftRun:
    """Read a relaxation, judged by its forces: its last row is the best geometry.

    :raises ValueError: for the output of a different run, or one that cannot be read.
    """
    steps, bad = files.steps(start), files.run.unconverged()
    run = DftRun(None, "", None, files.cost(), files.versions())
    whole = steps if steps is None or bad is None else steps.rows(0, bad)
    largest = np.linalg.norm(whole.forces, axis=2).max(axis=1) if whole is not None else np.zeros(0)
    best = int(np.argmin(largest)) if len(largest) else -1
    text = f"largest force {largest[best]:.3g} eV/angstrom after {len(largest) - 1} steps" if len(largest) else ""
    status: str | None
    if len(largest) and largest[best] <= max_force_eV_A:
        status, message = "finished", text
    elif bad is not None:
        status, message = "scf_not_converged", files.scf_message(bad, 0)
    elif len(largest) >= max_steps:
        status, message = "not_converged", f"{text}; allow more `max_steps`, or start again from this structure"
    else:
        status, message = files.why_it_ended(len(largest), 0, max_steps)
    kept = whole.rows(0, best + 1) if whole is not None and len(largest) else None
    return replace(run, status=status, message=message, steps=kept)
