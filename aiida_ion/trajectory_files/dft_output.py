"""What an output of DFT molecular dynamics holds, and where it is in the folder of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aiida_ion.dft.steps import DftSteps, thermo_rows

#: Names that the outputs of pw.x go by, and that of VASP, in the order in which a folder is searched.
VASPRUN_NAMES = ("vasprun.xml", "vasprun.xml.gz")
PW_SUFFIXES = (".out", ".pwo", ".log")
#: How much of the head of a file says what it is, bytes: MPI may speak before pw.x does.
HEAD_BYTES = 1 << 16
#: No atom moves in one step by more than this multiple of what its element typically does, and this distance: of
#: 1e8 atoms of a gas the fastest has four times the median speed.
JUMP_RATIO, JUMP_A = 7.0, 0.5
#: A temperature further than this factor from the median is worth a warning, where it is that of many atoms.
TEMPERATURE_FACTOR, MANY_FREEDOM = 5.0, 30


@dataclass(frozen=True)
class DftOutput:
    """What an output holds.

    :param symbols: element of each of N atoms.
    :param steps: its ionic steps, those whose electrons converged; forces are NaN where the file has none.
    :param masses: shape (N,), g/mol, those that the program used.
    :param facts: ``timestep_fs``, ``sample_every``, ``target_temperature_K``, ``level_of_theory``, where it says them;
        and what it says of its run: ``program``, ``ensemble``, ``thermostat``, ``mean_temperature_K`` (measured),
        ``cell_fixed``, ``length_unit`` (what was converted from), ``degrees_of_freedom``, ``frozen_atoms`` (held in
        all three directions), ``n_steps`` (read), ``n_steps_left_out``, ``n_steps_ab_initio`` (of a run with a
        machine-learned force field).
    :param remarks: sentences on what was found.
    :param numbered: whether the program numbers its steps, over all its restarts.
    :param unplaced: the step before the first one, where its positions are not in this output but in that of the run
        that was restarted; those it has here mean nothing.
    :param unplaced_remark: the one of ``remarks`` that says so.
    """

    symbols: list[str]
    steps: DftSteps
    masses: NDArray[Any]
    facts: dict[str, Any]
    remarks: list[str] = field(default_factory=list)
    numbered: bool = False
    unplaced: DftSteps | None = None
    unplaced_remark: str = ""

    def rows(self, first: int) -> DftOutput:
        """Return what is left from a step on."""
        return replace(self, steps=self.steps.rows(first))

    def thermo(self, _: float | None = None) -> NDArray[Any]:
        """Return one structured row for each step; there is no charge current, since no charges are known."""
        still = np.zeros_like(self.steps.positions)
        rows = thermo_rows(self.steps, still, [0.0] * len(self.symbols))
        return rows[[name for name in rows.dtype.names or () if name != "charge_current_e_A_fs"]]

    @property
    def is_complete(self) -> bool:
        """Whether the file has forces, energy and temperature of every step: what is kept beside the positions."""
        kept = (self.steps.forces, self.steps.potential_energy_eV, self.steps.temperature_K)
        return all(bool(np.isfinite(array).all()) for array in kept)


def output_in(folder: Path) -> Path:
    """Return the output of molecular dynamics in the folder of a run.

    :raises ValueError: if there is none, or more than one.
    """
    images = sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name in ("00", "01", "02"))
    files = [folder / name for name in VASPRUN_NAMES if (folder / name).is_file()][:1]
    if len(images) > 1 and not files:
        raise ValueError(
            f"{folder.name} holds the folders {', '.join(images)}, ...: images of a path, not molecular dynamics"
        )
    files = files or sorted(path for path in folder.iterdir() if path.suffix in PW_SUFFIXES and is_pw_output(path))
    if not files:
        raise ValueError(f"{folder.name}: neither a vasprun.xml nor an output of pw.x (.out, .pwo, .log) is in it")
    if len(files) > 1:
        names = ", ".join(path.name for path in files)
        raise ValueError(f"{folder.name} holds {names}: name the files themselves, in the order of time")
    return files[0]


def is_pw_output(path: Path) -> bool:
    """Whether a file is the standard output of pw.x."""
    with path.open("rb") as stream:
        return b"Program PWSCF" in stream.read(HEAD_BYTES)


def enough_steps(steps: DftSteps) -> DftSteps:
    """Return the steps if they are a trajectory.

    :raises ValueError: for fewer than two.
    """
    if len(steps) < 2:
        raise ValueError(f"it holds {len(steps)} converged ionic step; a trajectory needs at least two")
    return steps


def check_continuous(positions: NDArray[Any], cell: NDArray[Any], symbols: Sequence[str], first_step: int) -> None:
    """Check that no atom jumps: rows of a file that were lost or swapped make atoms move as none can.

    :param positions: shape (n, N, 3), angstrom, at every step.
    :param cell: shape (3, 3), angstrom: a jump by a lattice vector is not a jump.
    :raises ValueError: naming the first step at which one does.
    """
    elements = np.array(symbols)
    fractional = np.diff(positions, axis=0) @ np.linalg.inv(cell)
    moved = np.linalg.norm((fractional - np.round(fractional)) @ cell, axis=2)
    for symbol in dict.fromkeys(symbols):
        lengths = moved[:, elements == symbol]
        typical = float(np.median(lengths)) if lengths.size else 0.0
        bad = ~(lengths <= max(JUMP_RATIO * typical, JUMP_A))
        if bad.any():
            step = int(np.argmax(bad.any(axis=1)))
            raise ValueError(
                f"between its steps {first_step + step} and {first_step + step + 1} an atom of {symbol} moves "
                f"{lengths[step].max():.2f} angstrom, and {typical:.3g} angstrom is typical: this is not one "
                "continuous run, or lines of the file are lost, repeated or changed"
            )


def temperature_remarks(steps: DftSteps, degrees_of_freedom: int) -> list[str]:
    """Return a sentence on temperatures that do not belong to the others."""
    known = steps.temperature_K[np.isfinite(steps.temperature_K)]
    typical = float(np.median(known)) if len(known) else 0.0
    bad = steps.temperature_K > TEMPERATURE_FACTOR * max(typical, 1.0)
    if degrees_of_freedom < MANY_FREEDOM or not bad.any():
        return []
    step = int(np.argmax(bad))
    return [
        f"WARNING: {int(bad.sum())} steps have a temperature far from the others: step {steps.first_step + step} has "
        f"{steps.temperature_K[step]:.4g} K, and {typical:.4g} K is typical."
    ]
