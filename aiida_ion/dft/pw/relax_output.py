"""Result of a pw.x relaxation, judged by the largest force on an atom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import units

from aiida_ion.dft.pw.output import PwOutput
from aiida_ion.dft.pw.status import judge, read_cost, read_versions
from aiida_ion.dft.pw.tables import FloatArray


@dataclass(frozen=True)
class PwRelaxation:
    """Result of a relaxation.

    :param status: ``finished``, ``not_converged`` after some progress, or what went wrong.
    :param message: one sentence on the status.
    :param positions: shape (N, 3), angstrom; ``None`` when no forces were computed.
    :param numbers: ``n_steps``, energies (eV) and largest forces (eV/angstrom) before and after, ``converged``.
    :param cost: cost ledger.
    :param versions: what was computed.
    """

    status: str
    message: str
    positions: FloatArray | None = None
    numbers: dict[str, Any] = field(default_factory=dict)
    cost: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, Any] = field(default_factory=dict)


def relaxation(run: PwOutput, errors: str, start_positions: FloatArray, max_force_eV_A: float) -> PwRelaxation:
    """Return the result of a relaxation: its last step if it converged, else the step of lowest energy.

    :param errors: its error stream.
    :param start_positions: shape (N, 3), angstrom, from the input.
    :param max_force_eV_A: magnitude of the force below which an atom counts as relaxed.
    :raises ValueError: for positions in a unit other than that of the input, angstrom.
    """
    places, energies, forces = [start_positions], [], []
    for step in run.steps:
        if step.forces_Ry_bohr is None:
            break
        energies.append(step.energy_Ry * units.Ry)
        forces.append(float(np.linalg.norm(step.forces_Ry_bohr, axis=1).max()) * units.Ry / units.Bohr)
        if step.next_positions is None:
            break
        if step.unit != "angstrom":
            raise ValueError(f"pw.x writes positions in {step.unit or 'alat'}, and its input is in angstrom")
        places.append(step.next_positions)
    cost, versions = read_cost([run]), read_versions(run)
    status, message = judge([run], [errors], n_steps=len(energies) + 1, reached=len(energies))
    if not energies:
        return PwRelaxation(status or "killed", message, cost=cost, versions=versions)
    converged = forces[-1] <= max_force_eV_A
    best = len(energies) - 1 if converged else int(np.argmin(energies))
    if converged:
        status, message = "finished", "the ions are relaxed"
    elif status in (None, "walltime") or (run.done and status == "engine_failed"):
        why = "pw.x was stopped" if status != "engine_failed" else "pw.x used up its steps or gave up"
        text = f"the largest force is {forces[best]:.4g} eV/angstrom after {len(energies) - 1} steps"
        status, message = "not_converged", f"{why}, {text}; allow more max_steps or wall time"
    return PwRelaxation(
        status=str(status),
        message=message,
        positions=places[best],
        numbers={
            "n_steps": len(energies) - 1,
            "initial_energy_eV": energies[0],
            "final_energy_eV": energies[best],
            "initial_max_force_eV_A": forces[0],
            "final_max_force_eV_A": forces[best],
            "converged": converged,
        },
        cost=cost,
        versions=versions,
    )
