"""Outputs of DFT molecular dynamics that were run elsewhere -> ionic steps, and what they say of their run."""

from __future__ import annotations

import gzip
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import units
from ase.data import atomic_masses, atomic_numbers
from numpy.typing import NDArray

from aiida_ion.dft.pw_md_output import as_steps, is_whole
from aiida_ion.dft.pw_output import read_output
from aiida_ion.dft.pw_status import read_versions
from aiida_ion.dft.steps import DftSteps, thermo_rows, velocities
from aiida_ion.dft.vasp_functional import functional_name
from aiida_ion.dft.vasp_output import Start, VaspFiles
from aiida_ion.dft.vasp_xml import Vasprun

#: Names that the outputs of pw.x go by, and that of VASP, in the order in which a folder is searched.
VASPRUN_NAMES = ("vasprun.xml", "vasprun.xml.gz")
PW_SUFFIXES = (".out", ".pwo", ".log")
#: VASP's molecular dynamics with a thermostat: one of these algorithms, or a Nose mass.
THERMOSTATS = (2, 3, 4, 5, 13)


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


def read_vasp(path: Path) -> DftOutput:
    """Return the molecular dynamics of a ``vasprun.xml``, which may be cut anywhere.

    :raises ValueError: if it holds no molecular dynamics at constant volume.
    """
    with _as_vasp_folder(path) as folder:
        files = VaspFiles(folder)
        run = files.run
        if run.number("IBRION") not in (None, 0.0):
            raise ValueError(f"it is no molecular dynamics (IBRION = {run.number('IBRION'):g})")
        symbols = [block["symbol"] for block in run.blocks for _ in range(block["count"])]
        masses = np.array([block["mass"] for block in run.blocks for _ in range(block["count"])])
        if not len(run) or len(symbols) != run.positions.shape[1]:
            raise ValueError("it holds no whole ionic step")
        begin = Start(run.positions[0] @ run.cell, np.zeros((len(symbols), 3)), 0, np.arange(len(symbols)), masses)
        steps, bad = files.steps(begin), run.unconverged()
    assert steps is not None
    kept, remarks = steps if bad is None else steps.rows(0, bad), []
    if bad is not None:
        remarks.append(f"WARNING: the electrons of step {bad} did not converge; the {bad} steps before are taken.")
    return DftOutput(symbols, _enough(kept), masses, _vasp_facts(run), remarks)


def _vasp_facts(run: Vasprun) -> dict[str, Any]:
    tags = {name.lower(): value for name, value in run.parameters.items()}
    level = f"VASP {functional_name(tags, [str(block['title']) for block in run.blocks])}"
    facts: dict[str, Any] = {"timestep_fs": run.number("POTIM"), "sample_every": 1, "level_of_theory": level}
    begin, end, mass = (run.number(name) for name in ("TEBEG", "TEEND", "SMASS"))
    thermostat = int(run.number("MDALGO") or 0) in THERMOSTATS or (mass is not None and mass >= 0)
    if thermostat and begin is not None and begin == (begin if end is None else end):
        facts["target_temperature_K"] = begin
    return facts


def read_pw(path: Path) -> DftOutput:
    """Return the molecular dynamics of an output of pw.x, which may be cut anywhere.

    An input file of the same name beside it gives cell and first positions with more digits than the output has.

    :raises ValueError: if it holds no molecular dynamics at constant volume.
    """
    with _unpacked(path) as file:
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
    facts: dict[str, Any] = {"sample_every": 1, "level_of_theory": f"QE {versions.get('functional', '')}".strip()}
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
    return DftOutput(symbols, _enough(steps), masses, facts, remarks)


def _enough(steps: DftSteps) -> DftSteps:
    if len(steps) < 2:
        raise ValueError(f"it holds {len(steps)} converged ionic step; a trajectory needs at least two")
    return steps


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


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    if path.suffix != ".gz":
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / path.stem
        with gzip.open(path, "rb") as packed, target.open("wb") as plain:
            shutil.copyfileobj(packed, plain)
        yield target


@contextmanager
def _as_vasp_folder(path: Path) -> Iterator[Path]:
    """Give a vasprun.xml of any name the name that it has in VASP's folder."""
    with _unpacked(path) as file, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "vasprun.xml").symlink_to(file.absolute())
        yield Path(folder)


def _text(path: Path) -> str:
    with _unpacked(path) as file:
        return file.read_text(errors="replace")
