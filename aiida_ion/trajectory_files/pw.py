"""Molecular dynamics of Quantum ESPRESSO from the standard output of pw.x."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from ase import units
from ase.data import atomic_masses, atomic_numbers
from numpy.typing import NDArray

from aiida_ion.dft.pw_md_output import as_steps, is_whole
from aiida_ion.dft.pw_output import read_output
from aiida_ion.dft.pw_status import read_versions
from aiida_ion.trajectory_files.dft_output import DftOutput, enough_steps
from aiida_ion.trajectory_files.opening import unpacked


def read_pw(path: Path) -> DftOutput:
    """Return the molecular dynamics of an output of pw.x, which may be cut anywhere.

    An input file of the same name beside it gives cell and first positions with more digits than the output has.

    :raises ValueError: if it holds no molecular dynamics at constant volume.
    """
    with unpacked(path) as file:
        symbols, positions, cell = _pw_start(file, path)
        if any("CELL_PARAMETERS" in line for line in file.open(errors="replace")):
            raise ValueError("its cell changes; only molecular dynamics at constant volume is read")
        run = read_output(file, len(symbols))
    whole = []
    for step in run.steps:
        if not is_whole(step):
            break
        whole.append(step)
    if not whole:
        raise ValueError("it holds no whole step of molecular dynamics")
    head = "".join(run.head)
    versions = read_versions(run)
    facts: dict[str, object] = {"sample_every": 1, "level_of_theory": f"QE {versions.get('functional', '')}".strip()}
    for name, pattern in (
        ("timestep_fs", r"Time step\s+=\s+[\d.]+ a\.u\.,\s+([\d.]+) femto"),
        ("target_temperature_K", r"Starting temperature\s+=\s+([\d.]+)"),
    ):
        found = re.search(pattern, head) or re.search(pattern, _text(path))
        if found is not None:
            facts[name] = float(found[1])
    remarks = ["WARNING: the run ended with a step whose electrons did not converge."] if run.scf_failed else []
    masses = np.array([atomic_masses[atomic_numbers[symbol]] for symbol in symbols])
    steps = as_steps(whole, positions, cell, first_step=0, constant_energy=False)
    return DftOutput(symbols, enough_steps(steps), masses, facts, remarks)


def _pw_start(file: Path, path: Path) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Return elements, positions and cell (angstrom) of the first step."""
    symbols, positions, cell = _pw_head(file)
    for name in (path.with_suffix(".in"), path.with_suffix(".pwi")):
        if name.is_file():
            from ase.io import read

            atoms = read(str(name), format="espresso-in")
            same = atoms.get_chemical_symbols() == symbols and np.allclose(atoms.positions, positions, atol=1e-3)
            if same and np.allclose(atoms.cell.array, cell, atol=1e-3):
                return symbols, atoms.positions, atoms.cell.array
    return symbols, positions, cell


def _pw_head(file: Path) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Return elements, positions and cell (angstrom) as pw.x says them before its first step: six digits and more."""
    with file.open(errors="replace") as stream:
        head = "".join(line for _, line in zip(range(5000), stream, strict=False))
    alat = re.search(r"lattice parameter \(alat\)\s+=\s+([\d.]+)", head)
    axes = re.findall(r"a\([123]\) = \(([^)]*)\)", head)[:3]
    begin = head.find("positions (alat units)")
    rows = re.findall(r"^\s+\d+\s+([A-Z][a-z]?)\S*\s+tau\(\s*\d+\) = \(([^)]*)\)", head[begin:], re.MULTILINE)
    n_atoms = re.search(r"number of atoms/cell\s+=\s+(\d+)", head)
    if alat is None or len(axes) != 3 or n_atoms is None or len(rows) < int(n_atoms[1]):
        raise ValueError("its head does not say cell and atoms")
    unit = float(alat[1]) * units.Bohr
    rows = rows[: int(n_atoms[1])]
    cell = unit * np.array([axis.split() for axis in axes], dtype=float)
    return [name for name, _ in rows], unit * np.array([place.split() for _, place in rows], dtype=float), cell


def _text(path: Path) -> str:
    with unpacked(path) as file:
        return file.read_text(errors="replace")
