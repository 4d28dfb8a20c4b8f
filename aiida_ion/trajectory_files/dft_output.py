"""Contents of an output of DFT molecular dynamics, and where to find it in the folder of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aiida_ion.dft.steps import DftSteps, thermo_rows

#: Usual names of outputs of pw.x and of VASP, in the order in which a folder is searched.
VASPRUN_NAMES = ("vasprun.xml", "vasprun.xml.gz")
PW_SUFFIXES = (".out", ".pwo", ".log")
#: Bytes at the beginning of a file that are searched for its kind: MPI may print before pw.x does.
HEAD_BYTES = 1 << 16
#: No atom moves in one step by more than this multiple of the typical step of its element and more than this distance:
#: of 1e8 atoms in a gas the fastest has four times the median speed.
JUMP_RATIO, JUMP_A = 7.0, 0.5
#: A temperature of many atoms that differs from the median by more than this factor gets a warning.
TEMPERATURE_FACTOR, MANY_FREEDOM = 5.0, 30


@dataclass(frozen=True)
class DftOutput:
    """Contents of an output.

    :param symbols: element of each of N atoms.
    :param steps: its ionic steps, those whose electrons converged; forces are NaN where the file has none.
    :param masses: shape (N,), g/mol, as used by the program.
    :param facts: ``timestep_fs``, ``sample_every``, ``target_temperature_K``, ``level_of_theory``, where stated; and
        further statements on the run: ``program``, ``ensemble``, ``thermostat``, ``mean_temperature_K`` (measured),
        ``cell_fixed``, ``length_unit`` (of the file), ``degrees_of_freedom``, ``frozen_atoms`` (fixed in all three
        directions), ``n_steps`` (read), ``n_steps_left_out``, ``n_steps_ab_initio`` (of a run with a machine-learned
        force field).
    :param remarks: sentences for the user.
    :param numbered: whether the program numbers its steps continuously over restarts.
    :param unplaced: the step before the first one, if its positions are only in the output of the restarted run; its
        positions here are meaningless.
    :param unplaced_remark: the remark on this among ``remarks``.
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
        """Return the output from a row on."""
        return replace(self, steps=self.steps.rows(first))

    def thermo(self, _: float | None = None) -> NDArray[Any]:
        """Return one structured row for each step, without charge current, since charges are unknown."""
        still = np.zeros_like(self.steps.positions)
        rows = thermo_rows(self.steps, still, [0.0] * len(self.symbols))
        return rows[[name for name in rows.dtype.names or () if name != "charge_current_e_A_fs"]]

    @property
    def is_complete(self) -> bool:
        """Whether the file has forces, energy and temperature of every step, which are kept with the positions."""
        kept = (self.steps.forces, self.steps.potential_energy_eV, self.steps.temperature_K)
        return all(bool(np.isfinite(array).all()) for array in kept)


def output_in(folder: Path) -> Path:
    """Return the molecular-dynamics output in the folder of a run.

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
        raise ValueError(f"{folder.name}: it contains neither a vasprun.xml nor an output of pw.x (.out, .pwo, .log)")
    if len(files) > 1:
        names = ", ".join(path.name for path in files)
        raise ValueError(f"{folder.name} holds {names}: name the files themselves, in the order of time")
    return files[0]


def is_pw_output(path: Path) -> bool:
    """Whether a file is the standard output of pw.x."""
    with path.open("rb") as stream:
        return b"Program PWSCF" in stream.read(HEAD_BYTES)


def enough_steps(steps: DftSteps) -> DftSteps:
    """Return the steps if there are enough for a trajectory.

    :raises ValueError: for fewer than two.
    """
    if len(steps) < 2:
        raise ValueError(f"it holds {len(steps)} converged ionic step; a trajectory needs at least two")
    return steps


def check_continuous(positions: NDArray[Any], cell: NDArray[Any], symbols: Sequence[str], first_step: int) -> None:
    """Check that no atom jumps: lost or swapped rows of a file cause impossible displacements.

    :param positions: shape (n, N, 3), angstrom, at every step.
    :param cell: shape (3, 3), angstrom: a jump by a lattice vector is not a jump.
    :raises ValueError: naming the first such step.
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
                f"{lengths[step].max():.2f} angstrom, but {typical:.3g} angstrom is typical: this is not one "
                "continuous run, or lines of the file are lost, repeated or changed"
            )


def temperature_remarks(steps: DftSteps, degrees_of_freedom: int) -> list[str]:
    """Return a sentence on temperatures far from the others."""
    known = steps.temperature_K[np.isfinite(steps.temperature_K)]
    typical = float(np.median(known)) if len(known) else 0.0
    bad = steps.temperature_K > TEMPERATURE_FACTOR * max(typical, 1.0)
    if degrees_of_freedom < MANY_FREEDOM or not bad.any():
        return []
    step = int(np.argmax(bad))
    return [
        f"WARNING: {int(bad.sum())} steps have a temperature far from the others: step {steps.first_step + step} has "
        f"{steps.temperature_K[step]:.4g} K, but {typical:.4g} K is typical."
    ]
