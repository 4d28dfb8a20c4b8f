"""What an output of DFT molecular dynamics holds, and where it is in the folder of a run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from aiida_ion.dft.steps import DftSteps, thermo_rows, velocities

#: Names that the outputs of pw.x go by, and that of VASP, in the order in which a folder is searched.
VASPRUN_NAMES = ("vasprun.xml", "vasprun.xml.gz")
PW_SUFFIXES = (".out", ".pwo", ".log")


@dataclass(frozen=True)
class DftOutput:
    """What an output holds.

    :param symbols: element of each of N atoms.
    :param steps: its ionic steps, those whose electrons converged.
    :param masses: shape (N,), g/mol, those that the program used.
    :param facts: ``timestep_fs``, ``sample_every``, ``target_temperature_K``, ``level_of_theory``, where it says them.
    :param remarks: sentences on what was found.
    """

    symbols: list[str]
    steps: DftSteps
    masses: NDArray[Any]
    facts: dict[str, Any]
    remarks: list[str] = field(default_factory=list)

    def rows(self, first: int) -> DftOutput:
        """Return what is left from a step on."""
        return replace(self, steps=self.steps.rows(first))

    def thermo(self, timestep_fs: float) -> NDArray[Any]:
        """Return one structured row for each step; there is no charge current, since no charges are known."""
        moving = velocities(self.steps, self.masses, timestep_fs)
        rows = thermo_rows(self.steps, moving, [0.0] * len(self.symbols))
        return rows[[name for name in rows.dtype.names or () if name != "charge_current_e_A_fs"]]


def output_in(folder: Path) -> Path:
    """Return the output of molecular dynamics in the folder of a run.

    :raises ValueError: if there is none, or more than one.
    """
    found = [folder / name for name in VASPRUN_NAMES if (folder / name).is_file()][:1]
    found = found or sorted(path for path in folder.iterdir() if path.suffix in PW_SUFFIXES and is_pw_output(path))
    if not found:
        raise ValueError(f"{folder.name}: neither a vasprun.xml nor an output of pw.x (.out, .pwo, .log) is in it")
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise ValueError(f"{folder.name} holds {names}: name the files themselves, in the order of time")
    return found[0]


def is_pw_output(path: Path) -> bool:
    """Whether a file is the standard output of pw.x."""
    with path.open("rb") as stream:
        return b"Program PWSCF" in stream.read(4096)


def enough_steps(steps: DftSteps) -> DftSteps:
    """Return the steps if they are a trajectory.

    :raises ValueError: for fewer than two.
    """
    if len(steps) < 2:
        raise ValueError(f"it holds {len(steps)} converged ionic step; a trajectory needs at least two")
    return steps
