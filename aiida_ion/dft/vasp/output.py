"""The files of a VASP job: its steps in the order of the structure, how it ended, its cost and versions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from ase import units
from numpy.typing import NDArray

from aiida_ion.dft.steps import DftSteps, FloatArray
from aiida_ion.dft.vasp.log import failure, head_and_tail, read_outcar
from aiida_ion.dft.vasp.motion import unwrapped
from aiida_ion.dft.vasp.xml import Vasprun, read_vasprun
from aiida_ion.endings import find_ending, last_lines
from aiida_ion.units import GPA_PER_KBAR

VASPRUN, OUTCAR, CONTCAR, STDOUT = "vasprun.xml", "OUTCAR", "CONTCAR", "vasp_output"
#: Bytes at the end of the standard output that are searched for errors: VASP survived earlier warnings.
SEARCHED_BYTES = 1 << 13


@dataclass(frozen=True)
class Start:
    """The starting point of a job; arrays in the order of the structure.

    :param positions: shape (N, 3), angstrom.
    :param velocities: shape (N, 3), angstrom/fs, from POSCAR; zero for a relaxation.
    :param step: integration step.
    :param inverse: shape (N,), the index of each site in POSCAR.
    :param masses: shape (N,), g/mol.
    """

    positions: FloatArray
    velocities: FloatArray
    step: int
    inverse: NDArray[np.int64]
    masses: NDArray[Any]


@dataclass(frozen=True)
class VaspFiles:
    """The files in the folder of a job, complete or not.

    :param errors: the error streams of the program and of the scheduler.
    """

    folder: Path
    errors: str = ""

    @cached_property
    def run(self) -> Vasprun:
        """``vasprun.xml`` as far as it goes."""
        path = self.folder / VASPRUN
        return read_vasprun(path) if path.is_file() else Vasprun()

    @cached_property
    def outcar(self) -> dict[str, Any]:
        """Facts about the whole run from OUTCAR."""
        return read_outcar(self.folder / OUTCAR)

    def steps(self, start: Start) -> DftSteps | None:
        """Return the ionic steps, None when there are none.

        :raises ValueError: if they are of other atoms, or start elsewhere.
        """
        run = self.run
        if not len(run):
            return None
        if run.positions.shape[1] != len(start.inverse):
            raise ValueError(f"{VASPRUN} holds {run.positions.shape[1]} atoms, the structure {len(start.inverse)}")
        if np.ptp(run.cells, axis=0).max() > 0:
            raise ValueError(f"the cell in {VASPRUN} changes, but this job is at constant volume")
        kinetic = run.energies["kinetic_energy_eV"]
        return DftSteps(
            first_step=start.step,
            positions=unwrapped(run.positions[:, start.inverse], run.cell, start.positions),
            next_positions=None,
            cell=run.cell,
            forces=run.forces[:, start.inverse],
            potential_energy_eV=run.energies["free_energy_eV"],
            kinetic_energy_eV=kinetic,
            conserved_energy_eV=run.energies["total_energy_eV"],
            temperature_K=2.0 * kinetic / (run.degrees_of_freedom * units.kB),
            scf_iterations=run.scf_iterations,
            stress=in_ase_convention(run.stresses),
        )

    def onward(self, inverse: NDArray[np.int64]) -> list[FloatArray]:
        """Return candidates for the positions after the last step, fractional, shape (N, 3) each, the best first."""
        candidates = [read_contcar(self.folder / CONTCAR), self.run.final_positions]
        return [places[inverse] for places in candidates if places is not None and len(places) == len(inverse)]

    def scf_message(self, row: int, first_step: int) -> str:
        """Return a sentence on the step whose electrons did not converge."""
        run = self.run
        return (
            f"at step {first_step + row} the energy still changed by {run.last_change_eV[row]:.2g} eV in iteration "
            f"{run.scf_iterations[row]} (ediff {run.number('EDIFF'):g} eV); try `algo` All and a larger `nelm`"
        )

    def why_it_ended(self, n_whole: int, first_step: int, n_steps: int) -> tuple[str | None, str]:
        """Return status and sentence of a run that did not reach its last step; no status when it was killed.

        :param n_whole: number of complete steps, of which the first is ``first_step``.
        """
        when = f"after step {first_step + n_whole - 1} of {n_steps}" if n_whole else "before it completed a step"
        if self.run.ended or self.outcar["ended"]:
            return "walltime", f"VASP was told to stop {when}"
        head, tail = head_and_tail(self.folder / STDOUT, SEARCHED_BYTES)
        last_words = (head + tail)[-SEARCHED_BYTES:]
        known = failure(f"{last_words}\n{self.errors}")
        if known is not None:
            return known
        words = last_lines(last_words, 2) or "none"
        return None, f"VASP was stopped {when}: {find_ending(self.errors).message}; its last output: {words}"

    def cost(self) -> dict[str, Any]:
        """Return the cost ledger; for a killed run the sum over complete steps, empty when there are none."""
        names = ("wall_time_s", "cpu_time_s", "peak_memory_MiB", "processes", "threads")
        cost = {name: self.outcar[name] for name in names if name in self.outcar}
        if "wall_time_s" not in cost and len(self.run):
            cpu, wall = np.nansum(self.run.seconds, axis=0)
            cost |= {"wall_time_s": float(wall), "cpu_time_s": float(cpu) * cost["processes"]}
        return cost if "wall_time_s" in cost else {}

    def versions(self) -> dict[str, Any]:
        """Return VASP's version and electronic settings; empty if it did not get that far."""
        run = self.run
        facts = {
            "program": run.program.replace("vasp", "VASP"),
            "encut_eV": run.number("ENMAX"),
            "ediff_eV": run.number("EDIFF"),
            "n_electrons": run.number("NELECT"),
            "n_kpoints": run.n_kpoints or None,
        }
        return {key: value for key, value in facts.items() if value not in (None, "")}


def in_ase_convention(stresses_kbar: FloatArray) -> FloatArray:
    """Return stresses of VASP, kbar and positive when compressed, in eV/angstrom^3, positive when stretched."""
    turned: FloatArray = -stresses_kbar * (GPA_PER_KBAR * units.GPa)
    return turned


def read_contcar(path: Path) -> FloatArray | None:
    """Return the fractional positions in CONTCAR, shape (N, 3), in its order; None when it is incomplete."""
    lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
    try:
        n_atoms = sum(int(count) for count in lines[6].split())
        rows = [[float(number) for number in line.split()[:3]] for line in lines[8 : 8 + n_atoms]]
        return np.array(rows).reshape(n_atoms, 3) if lines[7].strip()[:1] in "Dd" else None
    except (IndexError, ValueError):
        return None
