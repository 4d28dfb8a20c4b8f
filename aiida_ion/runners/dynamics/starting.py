"""How a segment starts: positions, momenta and cell of its first step, its first forces, and its arrays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms, units

from aiida_ion.runners.dynamics.ensembles import has_drift, without_drift
from aiida_ion.runners.dynamics.recorder import Recorder, own_counts
from aiida_ion.runners.output import RunnerError, is_out_of_memory
from aiida_ion.runners.potentials import restore_neighbours
from aiida_ion.runners.run_inputs import require
from aiida_ion.starting_velocities import starting_velocities

if TYPE_CHECKING:
    from aiida_ion.settings.md import MdSettings

Array = np.ndarray[Any, Any]


def set_momenta(atoms: Atoms, settings: MdSettings, restart: dict[str, Array] | None, folder: Path) -> str:
    """Set positions, cell and momenta of the starting step; return where the velocities came from.

    :param restart: the restart file of the run that is continued.
    :param folder: where ``initial_velocities.npy`` may be: (N, 3), angstrom/fs.
    :raises RunnerError: ``invalid_input`` for velocities that cannot be used.
    """
    masses = atoms.get_masses()[:, None]
    if restart is not None:
        atoms.set_positions(restart["positions"])
        atoms.set_cell(restart["cell"], scale_atoms=False)
        atoms.set_momenta(restart["momenta"])
        return "restart"
    given = folder / "initial_velocities.npy"
    if not given.exists():
        velocities = starting_velocities(masses[:, 0], settings.temperature_K, settings.seed)
        atoms.set_momenta(velocities / units.fs * masses)
        return "maxwell_boltzmann"
    try:
        velocities = np.load(given, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise RunnerError("invalid_input", f"{given.name} cannot be read: {error}") from error
    require(velocities.shape == atoms.positions.shape, f"{given.name} must have the shape {atoms.positions.shape}")
    require(bool(np.isfinite(velocities).all()), f"{given.name} has velocities that are not finite")
    momenta = velocities.astype(float) / units.fs * masses
    drifts = has_drift(momenta)
    atoms.set_momenta(without_drift(momenta, masses) if drifts else momenta)
    return "file, its drift removed" if drifts else "file"


def evaluate_start(atoms: Atoms, calculator: Any, restart: dict[str, Array] | None, n_warm_up: int = 0) -> None:
    """Attach the calculator and evaluate it, with the pair list that the uninterrupted run would have.

    :param calculator: an ASE calculator.
    :param restart: the restart file of the run that is continued.
    :param n_warm_up: evaluations before the first that counts, so that just-in-time compilation is finished.
    :raises RunnerError: if the potential cannot evaluate this structure.
    """
    try:
        atoms.calc = calculator
        for _ in range(n_warm_up):
            calculator.calculate(atoms.copy(), ["energy", "forces"])
        if restart is not None and "neighbour_positions" in restart:
            reference = (restart["neighbour_positions"], restart["neighbour_cell"])
            restore_neighbours(calculator, atoms, reference)
        atoms.get_forces()
    except Exception as error:
        if is_out_of_memory(error) or isinstance(error, (RunnerError, OSError)):
            raise
        message = f"The potential cannot evaluate this structure ({type(error).__name__}: {error})."
        raise RunnerError("engine_failed", message) from error


def make_recorder(
    settings: MdSettings, n_atoms: int, step: int, restart: dict[str, Array] | None, folder: Path
) -> Recorder:
    """Return the arrays of a segment; those of its folder go on where the restart file belongs to them.

    :param step: global step the segment starts at.
    :param restart: the restart file of the run that is continued.
    :param folder: where the arrays go.
    """
    counts = own_counts(folder, restart, settings) if restart is not None else None
    if restart is None or counts is None:
        return Recorder(folder, settings, n_atoms, step, restart is None, None)
    start_step, writes_start = int(restart["start_step"]), bool(restart["writes_start"])
    return Recorder(folder, settings, n_atoms, start_step, writes_start, counts)
