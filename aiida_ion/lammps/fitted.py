"""What a potential that was fitted to frames carries along: where it may be used, and a frame to recognise it by."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aiida_ion.settings.elements import Element
from aiida_ion.settings.lists import Many
from aiida_ion.settings.rules import Number
from aiida_ion.settings.schema import Settings, number, setting
from aiida_ion.settings.values import SettingsError

if TYPE_CHECKING:
    from aiida_ion.lammps.potentials import Potential

#: Largest number of atoms of a reference frame.
MAX_ATOMS = 2000
#: Volumes may leave the range of the training frames by this part of it.
VOLUME_TOLERANCE = 0.005
REFERENCE_DATA = "reference.data"
#: Start of the line that a job prints when its potential is not the one that was stored.
MISMATCH = "aiida-ion: the potential gives the reference frame"


@dataclass(frozen=True)
class Reference(Settings):
    """A frame with the energy that the potential gave when it was stored."""

    what: ClassVar[str] = "setting of the reference frame"

    symbols: list[str] = setting(Many(item=Element(), most=MAX_ATOMS, help="Element of every atom"))
    positions_A: list[float] = setting(Many(item=Number(unit="angstrom"), most=3 * MAX_ATOMS, help="Atom by atom"))
    cell_A: list[float] = setting(Many(item=Number(unit="angstrom"), length=9, help="The three cell vectors"))
    energy_eV: float = number(help="Energy of the frame by this very potential", unit="eV")
    tolerance_eV: float = number(1e-4, help="Largest difference that is rounding", above=0.0, most=10.0, unit="eV")

    def check_together(self) -> None:
        """Refuse positions of another number of atoms.

        :raises SettingsError: with both numbers.
        """
        if len(self.positions_A) != 3 * len(self.symbols):
            raise SettingsError(f"positions_A has {len(self.positions_A)} numbers for {len(self.symbols)} atoms")

    @classmethod
    def of(cls, symbols: Sequence[str], positions: ArrayLike, cell: ArrayLike, energy_eV: float) -> Reference:
        """Build from arrays: positions (N, 3) and cell (3, 3), angstrom."""
        flat = [np.asarray(array, dtype=float).ravel().tolist() for array in (positions, cell)]
        return cls(list(symbols), flat[0], flat[1], float(energy_eV))

    @property
    def positions(self) -> NDArray[np.float64]:
        """Positions (N, 3), angstrom."""
        return np.array(self.positions_A).reshape(-1, 3)

    @property
    def cell(self) -> NDArray[np.float64]:
        """Rows are the cell vectors, (3, 3) angstrom."""
        return np.array(self.cell_A).reshape(3, 3)


def reduced_formula(symbols: Sequence[str]) -> str:
    """Return the composition of atoms in smallest whole numbers, elements in alphabetical order, such as ``Li3N``."""
    counts = Counter(symbols)
    divisor = math.gcd(*counts.values())
    parts = ((name, count // divisor) for name, count in sorted(counts.items()))
    return "".join(name if count == 1 else f"{name}{count}" for name, count in parts)


def validate_composition(compositions: Sequence[str], symbols: Sequence[str], name: str) -> str | None:
    """Return why a potential must not be used for a composition; ``None`` where it may.

    :param compositions: reduced formulas that it was fitted to; none means any.
    :param name: of the potential.
    """
    formula = reduced_formula(symbols)
    if not compositions or formula in compositions:
        return None
    return (
        f"{name} was fitted to {', '.join(compositions)} and the cell is {formula}: energies of other compositions, "
        "vacancies and surfaces are not known to it"
    )


def validate_volume(volumes_A3_atom: Sequence[float], volume_A3_atom: float, name: str) -> str | None:
    """Return why a potential must not be used at a volume; ``None`` where it may.

    :param volumes_A3_atom: smallest and largest volume of the frames that it was fitted to; empty means any.
    """
    if not volumes_A3_atom:
        return None
    low, high = volumes_A3_atom
    if low * (1 - VOLUME_TOLERANCE) <= volume_A3_atom <= high * (1 + VOLUME_TOLERANCE):
        return None
    return (
        f"{name} was fitted to volumes of {low:.4g} to {high:.4g} A^3 per atom and the cell has {volume_A3_atom:.4g}: "
        "take the cell of its frames, or add strained ones"
    )


def reference_commands(reference: Reference, system: Sequence[str]) -> list[str]:
    """Return the commands that stop LAMMPS unless the potential gives the reference frame the energy that is stored.

    :param system: commands that read :data:`REFERENCE_DATA` and set the potential.
    """
    return [
        *system,
        "thermo_style custom step pe",
        "run 0 post no",
        f"variable reference_error equal abs(pe-({reference.energy_eV:.16g}))",
        f'if "${{reference_error}} <= {reference.tolerance_eV:.16g}" then &',
        "  'print \"aiida-ion: the reference frame has its energy\"' else &",
        f"  'print \"{MISMATCH} $(pe:%.10g) eV instead of {reference.energy_eV:.10g} eV\"' 'quit 1'",
        "clear",
    ]


def write_reference(folder: Path, potential: Potential) -> list[str]:
    """Write the reference frame of a potential for LAMMPS, where it has one; return the names of what was written."""
    from aiida_ion.lammps.structure import write_data

    reference: Any = potential.reference
    if reference is None:
        return []
    text = write_data(reference.positions, reference.cell, reference.symbols, potential)
    (folder / REFERENCE_DATA).write_text(text)
    return [REFERENCE_DATA]
