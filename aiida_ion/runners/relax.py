"""Relaxation of the ions in the fixed cell with an ASE calculator: ``python -m aiida_ion.runners.relax`` in its folder.

Reads ``inputs.json`` (``{"potential": ..., "relax": {"max_force_eV_A": 0.02, "max_steps": 500}}``) and
``structure.json``; writes ``relaxed.npy`` (N, 3; float64; angstrom) and at last ``results.json``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiida_ion.runners.output import Ledger, RunnerError, is_out_of_memory, limit_threads, run_program, write_bytes

if TYPE_CHECKING:
    from ase import Atoms

#: Atoms that moved further than this from their start have flown apart, angstrom.
MAX_DISPLACEMENT_A = 10.0


def main() -> int:
    """Relax; the exit status is 0 whenever ``results.json`` was written."""
    limit_threads(Path("inputs.json"))
    return run_program(relax)


def relax(results: dict[str, Any], ledger: Ledger) -> None:
    """Relax the structure of the working folder; fill its results.

    :param results: gets status, energies, forces, displacements, versions.
    :param ledger: gets the costs.
    :raises RunnerError: for anything that keeps the relaxation from starting, or ends it.
    """
    from aiida_ion.runners.potentials import describe_potential, load_potential
    from aiida_ion.runners.run_inputs import potential_inputs, read_inputs, read_structure, relax_inputs

    inputs = read_inputs(Path("inputs.json"))
    limits = relax_inputs(inputs)
    potential_settings, atoms = potential_inputs(inputs), read_structure(Path("structure.json"))
    results["n_atoms"] = len(atoms)
    results["units"] = {
        "positions": "angstrom",
        "energies": "eV",
        "forces": "eV/angstrom",
        "cell": "angstrom",
    }
    results["engine"] = {
        "potential": potential_settings.name,
        "device": potential_settings.device,
        "threads": potential_settings.threads,
    }
    if potential_settings.device.startswith("cuda"):
        ledger.hold_gpu()
    potential = load_potential(potential_settings, atoms.numbers)
    describe_potential(results, potential)
    atoms.calc = potential.calculator
    try:
        _relax(atoms, limits.max_force_eV_A, limits.max_steps, results, ledger)
    except Exception as error:
        if isinstance(error, (RunnerError, OSError)) or is_out_of_memory(error):
            raise
        message = f"The potential cannot evaluate this structure ({type(error).__name__}: {error})."
        raise RunnerError("engine_failed", message) from error


def _relax(atoms: Atoms, max_force_eV_A: float, max_steps: int, results: dict[str, Any], ledger: Ledger) -> None:
    import numpy as np
    from ase.optimize import FIRE

    start = atoms.get_positions()
    initial_energy, initial_force = float(atoms.get_potential_energy()), _max_force(atoms)
    _require_finite(initial_energy, initial_force, start - start)
    optimizer: Any = FIRE(atoms, logfile=None)
    begin = time.monotonic()
    for _ in optimizer.irun(fmax=max_force_eV_A, steps=max_steps):
        _require_finite(float(atoms.get_potential_energy()), _max_force(atoms), atoms.positions - start)
    ledger.n_steps, ledger.loop_wall_s = int(optimizer.nsteps), time.monotonic() - begin
    final_force = _max_force(atoms)
    converged = final_force <= max_force_eV_A
    moved = atoms.positions - start
    moved = np.linalg.norm(moved - moved.mean(axis=0), axis=1)
    _write_positions(atoms)
    results |= _messages(converged, ledger.n_steps, final_force, max_force_eV_A) | {
        "converged": converged,
        "n_steps": ledger.n_steps,
        "positions": atoms.positions.tolist(),
        "cell": np.asarray(atoms.cell).tolist(),
        "potential_energy_eV": float(atoms.get_potential_energy()),
        "energy_drop_eV_atom": (initial_energy - float(atoms.get_potential_energy())) / len(atoms),
        "initial_max_force_eV_A": initial_force,
        "final_max_force_eV_A": final_force,
        "max_displacement_A": float(moved.max()),
        "rms_displacement_A": float(np.sqrt(np.mean(moved**2))),
    }


def _messages(converged: bool, n_steps: int, force: float, limit: float) -> dict[str, str]:
    if converged:
        return {"status": "finished", "message": f"The ions are relaxed after {n_steps} steps."}
    advice = "raise relax.max_steps, or start from the relaxed positions so far"
    message = f"After {n_steps} steps the largest force is {force:.4g} eV/angstrom, above {limit:g}; {advice}."
    return {"status": "not_converged", "message": message}


def _max_force(atoms: Atoms) -> float:
    import numpy as np

    forces = atoms.get_forces()
    return float(np.sqrt(np.einsum("ij,ij->i", forces, forces).max()))


def _require_finite(energy: float, force: float, moved: Any) -> None:
    import numpy as np

    if not (np.isfinite(energy) and np.isfinite(force)):
        raise RunnerError("exploded", "Energy or forces are not finite; look for atoms on top of each other.")
    if not float(np.abs(moved).max()) < MAX_DISPLACEMENT_A:
        message = f"An atom moved more than {MAX_DISPLACEMENT_A:g} angstrom; check that the potential suits it."
        raise RunnerError("exploded", message)


def _write_positions(atoms: Atoms) -> None:
    import io

    import numpy as np

    stream = io.BytesIO()
    np.save(stream, np.asarray(atoms.positions, dtype=np.float64), allow_pickle=False)
    write_bytes(Path("relaxed.npy"), stream.getvalue(), durable=True)


if __name__ == "__main__":
    sys.exit(main())
