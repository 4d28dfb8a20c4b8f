"""One ordered cell relaxed by an ASE calculator: ions alone, or ions and volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from ase.filters import FrechetCellFilter
from ase.neighborlist import neighbor_list
from ase.optimize import FIRE

from aiida_ion.settings.ordering import RelaxOrderingsSettings
from aiida_ion.units import GPA_PER_KBAR, KBAR_PER_EV_A3

Array = np.ndarray[Any, np.dtype[np.float64]]

#: Longest step of an atom, angstrom: ions of split sites, and noisy coordinates, begin far from a minimum.
MAX_STEP_A = 0.1
#: What single precision may change, eV per atom.
NOISE_EV_ATOM = 1e-5
#: Atoms that moved further than this have flown apart, angstrom.
MAX_DISPLACEMENT_A = 10.0
#: Pairs of mobile ions are looked for up to here, angstrom.
REPORTED_A = 5.0


class NotRelaxableError(ValueError):
    """A cell that the potential cannot relax; the message says why."""


@dataclass(frozen=True)
class State:
    """A cell as the potential sees it.

    :param energy_eV: potential energy of the cell, eV.
    :param force_eV_A: largest force of an atom, eV/angstrom.
    :param pressure_GPa: minus a third of the trace of the stress, GPa; ``None`` of a potential without stresses.
    """

    energy_eV: float
    force_eV_A: float
    pressure_GPa: float | None

    @property
    def is_finite(self) -> bool:
        """Whether all of it is."""
        return bool(np.isfinite([self.energy_eV, self.force_eV_A, self.pressure_GPa or 0.0]).all())


def relax_ordering(atoms: Atoms, settings: RelaxOrderingsSettings) -> dict[str, Any]:
    """Relax a cell in place by FIRE; return how it changed, and where its atoms are.

    :param atoms: with its calculator; not wrapped into the cell, so that displacements are true.
    :returns: ``converged``; energies (eV), largest forces (eV/angstrom), pressures (GPa), volumes
        (angstrom**3) and closest mobile ions (angstrom) before and after; displacements (angstrom) without the mean
        shift of all atoms; ``cell_A`` (3, 3) and ``positions_A`` (N, 3).
    :raises NotRelaxableError: where energies are not finite, atoms fly apart, or a stress is needed and not there.
    """
    begin, cell, before = atoms.get_scaled_positions(wrap=False), atoms.cell.array.copy(), state_of(atoms)
    is_isotropic = settings.cell == "isotropic"
    if is_isotropic and before.pressure_GPa is None:
        raise NotRelaxableError("the potential has no stresses: relax the ions in the fixed cell")
    closest_A = closest_pair_A(atoms, settings.mobile_species)
    _check(before, np.zeros(1))
    moved: Any = FrechetCellFilter(atoms, hydrostatic_strain=True) if is_isotropic else atoms
    # Quasi-Newton steps without a line search may climb where ions begin far from a minimum.
    optimizer: Any = FIRE(moved, maxstep=MAX_STEP_A, logfile=None)
    after = before
    # Its own criterion mixes forces and stresses: it is replaced by limits of each.
    for _ in optimizer.irun(fmax=0.0, steps=settings.max_steps):
        after = state_of(atoms)
        _check(after, _moved(begin, atoms))
        if is_converged(after, settings):
            break
    return {
        "converged": is_converged(after, settings) and not _is_higher(before, after, len(atoms)),
        "n_steps": int(optimizer.nsteps),
        "n_atoms": len(atoms),
        "formula": atoms.get_chemical_formula(),
        **_changes(atoms, begin, before, after, settings.mobile_species),
        "closest_mobile_before_A": closest_A,
        "volume_before_A3": float(abs(np.linalg.det(cell))),
        "cell_A": atoms.cell.array.tolist(),
        "positions_A": atoms.positions.tolist(),
    }


def state_of(atoms: Atoms) -> State:
    """Return energy, largest force and pressure of a cell with a calculator."""
    energy_eV, forces = float(atoms.get_potential_energy()), atoms.get_forces()
    try:
        stress = atoms.get_stress()
    except (PropertyNotImplementedError, NotImplementedError):
        pressure_GPa = None
    else:
        pressure_GPa = float(-np.mean(stress[:3]) * KBAR_PER_EV_A3 * GPA_PER_KBAR)
    return State(energy_eV, float(np.sqrt((forces**2).sum(axis=1).max())), pressure_GPa)


def is_converged(state: State, settings: RelaxOrderingsSettings) -> bool:
    """Return whether forces, and where the volume relaxes the pressure, are within their limits."""
    if state.force_eV_A > settings.max_force_eV_A:
        return False
    return settings.cell == "fixed" or abs(state.pressure_GPa or 0.0) <= settings.max_pressure_GPa


def _is_higher(before: State, after: State, n_atoms: int) -> bool:
    """Return whether the energy rose: such a cell went over a barrier, and is not relaxed."""
    return after.energy_eV > before.energy_eV + NOISE_EV_ATOM * n_atoms


def closest_pair_A(atoms: Atoms, element: str) -> float | None:  # noqa: N802
    """Return the smallest distance of two atoms of an element, periodic images included; ``None`` above 5 angstrom."""
    distances = neighbor_list("d", atoms[[atom.symbol == element for atom in atoms]], REPORTED_A)
    return float(distances.min()) if len(distances) else None


def _check(state: State, moved_A: Array) -> None:
    if not state.is_finite:
        raise NotRelaxableError("energy, forces or stress are not finite: look for atoms on top of each other")
    if not float(moved_A.max()) < MAX_DISPLACEMENT_A:
        raise NotRelaxableError(
            f"an atom moved more than {MAX_DISPLACEMENT_A:g} angstrom: check that the potential suits the crystal"
        )


def _moved(begin: Array, atoms: Atoms) -> Array:
    """Return how far each atom is from where it began, in the present cell, without the mean shift, angstrom, (N,).

    :param begin: fractional coordinates, (N, 3).
    """
    differences = atoms.get_scaled_positions(wrap=False) - begin
    lengths: Array = np.linalg.norm((differences - differences.mean(axis=0)) @ atoms.cell.array, axis=1)
    return lengths


def _changes(atoms: Atoms, begin: Array, before: State, after: State, mobile_species: str) -> dict[str, Any]:
    moved_A = _moved(begin, atoms)
    framework = moved_A[[symbol != mobile_species for symbol in atoms.get_chemical_symbols()]]
    return {
        "energy_before_eV": before.energy_eV,
        "energy_eV": after.energy_eV,
        "max_force_before_eV_A": before.force_eV_A,
        "max_force_eV_A": after.force_eV_A,
        "pressure_before_GPa": before.pressure_GPa,
        "pressure_GPa": after.pressure_GPa,
        "volume_A3": float(atoms.get_volume()),
        "max_displacement_A": float(moved_A.max()),
        "rms_displacement_A": float(np.sqrt(np.mean(moved_A**2))),
        "max_framework_displacement_A": float(framework.max()) if len(framework) else None,
        "closest_mobile_A": closest_pair_A(atoms, mobile_species),
    }
