"""One configuration by a DFT program: energy, forces and stress, in the units of the MD interface."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import units

from aiida_ion.dft.pw.md_output import stress_of
from aiida_ion.dft.pw.output import PwOutput
from aiida_ion.dft.pw.status import judge, read_cost, read_versions
from aiida_ion.dft.pw.tables import FloatArray
from aiida_ion.dft.steps import DftRun


@dataclass(frozen=True)
class SinglePoint:
    """What a single point left behind.

    :param status: as of ``DftRun``.
    :param message: one sentence on the status.
    :param energy_eV: the energy that the forces are the gradient of; ``None`` when there are no forces.
    :param forces: shape (N, 3), eV/angstrom.
    :param stress: shape (3, 3), eV/angstrom^3, positive when stretched; NaN where it was not computed.
    :param cost: cost ledger.
    :param versions: what was computed.
    """

    status: str | None
    message: str
    energy_eV: float | None = None
    forces: FloatArray | None = None
    stress: FloatArray | None = None
    cost: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, Any] = field(default_factory=dict)


def of_pw(run: PwOutput, errors: str) -> SinglePoint:
    """Return what a run of pw.x with `calculation = 'scf'` left.

    :param errors: its error stream.
    """
    whole = [step for step in run.steps if step.forces_Ry_bohr is not None] if not run.scf_failed else []
    status, message = judge([run], [errors], n_steps=1, reached=len(whole))
    told: dict[str, Any] = {"cost": read_cost([run]), "versions": read_versions(run)}
    if not whole:
        return SinglePoint(status, message, **told)
    step = whole[-1]
    forces = np.asarray(step.forces_Ry_bohr) * (units.Ry / units.Bohr)
    return SinglePoint(status, message, step.energy_Ry * units.Ry, forces, stress_of(step), **told)


def of_steps(run: DftRun) -> SinglePoint:
    """Return the last step of a run of VASP as a single point."""
    told: dict[str, Any] = {"cost": run.cost, "versions": run.versions}
    if run.steps is None or not len(run.steps):
        return SinglePoint(run.status, run.message, **told)
    steps = run.steps
    return SinglePoint(
        run.status, run.message, float(steps.potential_energy_eV[-1]), steps.forces[-1], steps.stress[-1], **told
    )


def pressure_of(stress: FloatArray) -> float:
    """Return the pressure, GPa, of a stress, shape (3, 3), eV/angstrom^3; nothing moves in a single point."""
    return float(-np.trace(stress) / 3.0 / units.GPa)
