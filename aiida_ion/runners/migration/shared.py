"""One potential for many images: each image has its own calculator that remembers its last result.

ASE's bands ask each image several times per step. With a single calculator for all images nothing is remembered and
each question is a new evaluation, several times the cost; with calculators of their own, which share one model, each
geometry is evaluated once. The ends of a band do not move and keep the results that they have.
"""

from __future__ import annotations

from typing import Any

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.singlepoint import SinglePointCalculator


class Counter:
    """How many geometries the potential evaluated."""

    def __init__(self) -> None:
        self.calls = 0


class ImageCalculator(Calculator):  # type: ignore[misc]
    """A thin calculator around a potential that others use too.

    :param potential: the calculator of the potential.
    :param counter: is told of each evaluation.
    """

    implemented_properties = ("energy", "forces")

    def __init__(self, potential: Any, counter: Counter) -> None:
        super().__init__()
        self._potential, self._counter = potential, counter

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        """Evaluate energy (eV) and forces (eV/angstrom)."""
        super().calculate(atoms, properties, system_changes)
        assert atoms is not None
        plain = atoms.copy()
        plain.set_constraint()
        plain.calc = self._potential
        self._counter.calls += 1
        self.results = {"energy": float(plain.get_potential_energy()), "forces": plain.get_forces().copy()}


def frozen(atoms: Atoms) -> Atoms:
    """Return a copy that keeps the energy and the forces that the atoms have, and evaluates nothing."""
    copy = atoms.copy()
    copy.set_constraint()
    energy, forces = atoms.get_potential_energy(), atoms.get_forces(apply_constraint=False)
    copy.calc = SinglePointCalculator(copy, energy=energy, forces=forces)
    return copy
