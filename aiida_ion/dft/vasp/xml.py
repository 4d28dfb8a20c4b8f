"""``vasprun.xml`` as far as it was written: all complete ionic steps, even of a killed run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aiida_ion.dft.vasp.steps import Element, StepReader, items, vectors
from aiida_ion.dft.vasp.stream import documents

FloatArray = NDArray[np.float64]


@dataclass
class Vasprun:
    """n ionic steps of N atoms, in the order of POSCAR.

    :param program: name and version, empty when the file ends before them.
    :param incar: the user's tags, as text.
    :param parameters: all tags with the values VASP used, as text.
    :param blocks: for each block of atoms: number, element, mass (g/mol), valence electrons, POTCAR title.
    :param n_kpoints: k-points of the irreducible wedge.
    :param selective: shape (N, 3), whether a component of an atom may move; ``None`` where all may.
    :param cells: shape (n, 3, 3), angstrom, rows are the vectors.
    :param positions: shape (n, N, 3), fractional, as VASP wraps them.
    :param forces: shape (n, N, 3), eV/angstrom; NaN where a step has none, or VASP printed asterisks.
    :param stresses: shape (n, 3, 3), kbar, as VASP writes them: positive in a compressed crystal, without the motion of
        the ions; NaN where a step has none.
    :param energies: ``free_energy_eV``, ``kinetic_energy_eV`` and ``total_energy_eV``, each of shape (n,); NaN where
        a step has none.
    :param ab_initio: shape (n,), whether the electrons of a step were computed; a machine-learned step has none.
    :param scf_iterations: shape (n,).
    :param last_change_eV: shape (n,), change of the free energy in the last electronic iteration.
    :param seconds: shape (n, 2), CPU and wall time of each step, s.
    :param final_positions: shape (N, 3), fractional: the next positions of a run that ended normally.
    :param first_line: line of the file at which it begins.
    :param repaired: what was repaired to make it valid XML.
    :param problem: why its steps end before the file does, else empty.
    """

    program: str = ""
    version: tuple[int, ...] = ()
    incar: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    blocks: list[dict[str, Any]] = field(default_factory=list)
    n_kpoints: int = 0
    selective: NDArray[np.bool_] | None = None
    cells: FloatArray = field(default_factory=lambda: np.zeros((0, 3, 3)))
    positions: FloatArray = field(default_factory=lambda: np.zeros((0, 0, 3)))
    forces: FloatArray = field(default_factory=lambda: np.zeros((0, 0, 3)))
    stresses: FloatArray = field(default_factory=lambda: np.zeros((0, 3, 3)))
    energies: dict[str, FloatArray] = field(default_factory=dict)
    ab_initio: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    scf_iterations: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    last_change_eV: FloatArray = field(default_factory=lambda: np.zeros(0))
    seconds: FloatArray = field(default_factory=lambda: np.zeros((0, 2)))
    final_positions: FloatArray | None = None
    ended: bool = False
    first_line: int = 1
    repaired: list[str] = field(default_factory=list)
    problem: str = ""

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def cell(self) -> FloatArray:
        """Shape (3, 3), angstrom: that of the last step."""
        return self.cells[-1] if len(self.cells) else np.zeros((3, 3))

    @property
    def degrees_of_freedom(self) -> int:
        """Degrees of freedom of the kinetic energy: the centre of mass is at rest in directions without fixed atoms."""
        n_atoms = int(self.positions.shape[1])
        if self.selective is None or self.selective.shape != (n_atoms, 3):
            return max(3 * n_atoms - 3, 1)
        return max(int(self.selective.sum()) - int(self.selective.all(axis=0).sum()), 1)

    @property
    def machine_learned(self) -> bool:
        """Whether some steps may come from a machine-learned force field."""
        return self.has_force_field or not self.ab_initio.all()

    @property
    def has_force_field(self) -> bool:
        """Whether VASP was set to use or train a machine-learned force field."""
        return self.tag("ML_LMLFF").strip(".").upper() in ("T", "TRUE")

    def tag(self, name: str) -> str:
        """Return a tag as VASP used it, else as the user gave it; empty when absent."""
        return self.parameters.get(name, self.incar.get(name, "")).strip()

    def number(self, tag: str) -> float | None:
        """Return the value of a tag as a number, None when absent."""
        try:
            return float(self.tag(tag))
        except ValueError:
            return None

    def unconverged(self) -> int | None:
        """Return the first step that used up its electronic iterations without convergence.

        VASP continues from there with meaningless forces, without a note in this file.
        """
        limit, tolerance = self.number("NELM"), self.number("EDIFF")
        if limit is None or tolerance is None:
            return None
        bad = (self.scf_iterations >= limit) & ~(self.last_change_eV <= tolerance) & self.ab_initio
        return int(np.argmax(bad)) if bad.any() else None


def read_vasprun(path: Path) -> Vasprun:
    """Read the single run of a file as far as it goes, with at most one step in memory as XML.

    :raises ValueError: for a file of several runs.
    """
    runs = read_vaspruns(path)
    if len(runs) > 1:
        raise ValueError(f"{path.name} holds {len(runs)} runs, one after the other")
    return runs[0] if runs else Vasprun()


def read_vaspruns(path: Path) -> list[Vasprun]:
    """Read the runs of a file, which may be several joined together."""
    runs: list[Vasprun] = []
    last, reader = None, StepReader()
    for document, elements in documents(path):
        if document is not last:
            if runs:
                _collect(runs[-1], reader)
            last, reader = document, StepReader()
            runs.append(Vasprun(first_line=document.first_line, repaired=document.repaired))
        run = runs[-1]
        for element in elements:
            if not reader.take(element):
                _read_header(run, element)
        run.problem = document.broken
    if runs:
        _collect(runs[-1], reader)
    return runs


def _read_header(run: Vasprun, element: Element) -> None:
    if element.tag == "generator":
        named = items(element)
        version = named.get("version", "")
        run.program = " ".join(f"{named.get('program', '')} {version}".split())
        run.version = tuple(int(part) for part in version.split(".")[:3] if part.isdigit())
    elif element.tag == "incar":
        run.incar = items(element)
    elif element.tag == "parameters":
        run.parameters = items(element)
    elif element.tag == "kpoints":
        run.n_kpoints = len(element.findall("varray[@name='kpointlist']/v"))
    elif element.tag == "atominfo":
        rows = element.findall("array[@name='atomtypes']/set/rc")
        run.blocks = [block for block in map(_block, rows) if block is not None]
    elif element.tag == "structure" and element.get("name") == "initialpos":
        run.selective = _selective(element)
    elif element.tag == "structure" and element.get("name") == "finalpos":
        run.final_positions = vectors(element.find("varray[@name='positions']"))
    elif element.tag == "modeling":
        run.ended = True


def _block(row: Element) -> dict[str, Any] | None:
    words = [(cell.text or "").strip() for cell in row.findall("c")]
    try:
        count, symbol, mass, valence, title = words
        return {
            "count": int(count),
            "symbol": symbol,
            "mass": float(mass),
            "valence": float(valence),
            "title": " ".join(title.split()),
        }
    except ValueError:
        return None


def _selective(structure: Element) -> NDArray[np.bool_] | None:
    flags = structure.find("varray[@name='selective']")
    if flags is None:
        return None
    rows = [(row.text or "").split() for row in flags.findall("v")]
    if any(len(row) != 3 for row in rows):
        return None
    return np.array([[flag.strip(".").upper().startswith("T") for flag in row] for row in rows])


def _collect(run: Vasprun, reader: StepReader) -> None:
    """Add the steps to a run, up to the first with a different number of atoms."""
    steps = reader.finish(run.ended)
    if not steps:
        return
    n_atoms = sum(block["count"] for block in run.blocks) or len(steps[0]["positions"])
    n_whole = next((i for i, step in enumerate(steps) if not _fits(step, n_atoms)), len(steps))
    if n_whole < len(steps):
        rows = len(steps[n_whole]["positions"])
        run.problem = f"its step {n_whole} holds no cell, or {rows} positions or other forces for {n_atoms} atoms"
    steps = steps[:n_whole]
    if not steps:
        return
    for name in ("cells", "positions", "forces", "stresses", "last_change_eV", "seconds", "ab_initio"):
        setattr(run, name, np.array([step[name] for step in steps]))
    run.scf_iterations = np.array([step["scf_iterations"] for step in steps], dtype=np.int64)
    if run.has_force_field:
        run.ab_initio &= run.scf_iterations > 0
    names = ("free_energy_eV", "kinetic_energy_eV", "total_energy_eV")
    run.energies = {name: np.array([step[name] for step in steps]) for name in names}


def _fits(step: Mapping[str, Any], n_atoms: int) -> bool:
    shape = (n_atoms, 3)
    cells = step["cells"].shape == step["stresses"].shape == (3, 3)
    return bool(step["positions"].shape == shape == step["forces"].shape and cells)
