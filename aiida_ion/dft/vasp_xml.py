"""``vasprun.xml`` as far as it was written: every whole ionic step of it, also when the run was killed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Element = ElementTree.Element

#: What of an ionic step's `<energy>` is kept: the free energy is the one whose gradient the forces are.
ENERGIES = {"e_fr_energy": "free_energy_eV", "kinetic": "kinetic_energy_eV", "total": "total_energy_eV"}


@dataclass
class Vasprun:
    """n ionic steps of N atoms, in the order of POSCAR.

    :param program: name and version, empty when the file ends before them.
    :param parameters: every tag with the value VASP used, as text.
    :param blocks: of each block of atoms: number, element, mass (g/mol), valence electrons, title of its POTCAR.
    :param n_kpoints: k-points of the irreducible wedge.
    :param cell: shape (3, 3), angstrom, rows are the vectors; that of the last step.
    :param positions: shape (n, N, 3), fractional, as VASP wraps them.
    :param forces: shape (n, N, 3), eV/angstrom.
    :param energies: ``free_energy_eV``, ``kinetic_energy_eV`` and ``total_energy_eV``, each of shape (n,); NaN where
        a step has none.
    :param scf_iterations: shape (n,).
    :param last_change_eV: shape (n,), change of the free energy in the last electronic iteration.
    :param seconds: shape (n, 2), CPU and wall time of each step, s.
    :param final_positions: shape (N, 3), fractional: where a run that ended by itself would have gone on.
    """

    program: str = ""
    version: tuple[int, ...] = ()
    parameters: dict[str, str] = field(default_factory=dict)
    blocks: list[dict[str, Any]] = field(default_factory=list)
    n_kpoints: int = 0
    cell: FloatArray = field(default_factory=lambda: np.zeros((3, 3)))
    positions: FloatArray = field(default_factory=lambda: np.zeros((0, 0, 3)))
    forces: FloatArray = field(default_factory=lambda: np.zeros((0, 0, 3)))
    energies: dict[str, FloatArray] = field(default_factory=dict)
    scf_iterations: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    last_change_eV: FloatArray = field(default_factory=lambda: np.zeros(0))
    seconds: FloatArray = field(default_factory=lambda: np.zeros((0, 2)))
    final_positions: FloatArray | None = None
    ended: bool = False

    def __len__(self) -> int:
        return len(self.positions)

    def number(self, tag: str) -> float | None:
        """Return the value of a tag as a number, nothing when VASP did not write it."""
        try:
            return float(self.parameters[tag])
        except (KeyError, ValueError):
            return None

    def unconverged(self) -> int | None:
        """Return the first step that used up its electronic iterations without convergence.

        VASP goes on from there with forces that mean nothing, and says so nowhere in this file.
        """
        limit, tolerance = self.number("NELM"), self.number("EDIFF")
        if limit is None or tolerance is None:
            return None
        bad = (self.scf_iterations >= limit) & ~(self.last_change_eV <= tolerance)
        return int(np.argmax(bad)) if bad.any() else None


def read_vasprun(path: Path) -> Vasprun:
    """Read what is there, step by step: never more than one of them in memory as XML."""
    run, steps = Vasprun(), list[dict[str, Any]]()
    for element in _whole_elements(path):
        if element.tag == "calculation":
            step = _step(element)
            if step is not None:
                steps.append(step)
            element.clear()
        else:
            _read_header(run, element)
    _collect(run, steps)
    return run


def _whole_elements(path: Path) -> Iterator[Element]:
    """Yield the elements that were written to their end; what is cut off is not there."""
    try:
        for _, element in ElementTree.iterparse(path):
            yield element
    except ElementTree.ParseError:
        return


def _read_header(run: Vasprun, element: Element) -> None:
    if element.tag == "generator":
        named = _items(element)
        version = named.get("version", "")
        run.program = " ".join(f"{named.get('program', '')} {version}".split())
        run.version = tuple(int(part) for part in version.split(".")[:3] if part.isdigit())
    elif element.tag == "parameters":
        run.parameters = _items(element)
    elif element.tag == "kpoints":
        run.n_kpoints = len(element.findall("varray[@name='kpointlist']/v"))
    elif element.tag == "atominfo":
        run.blocks = [_block(row) for row in element.findall("array[@name='atomtypes']/set/rc")]
    elif element.tag == "structure" and element.get("name") == "finalpos":
        run.final_positions = _vectors(element.find("varray[@name='positions']"))
    elif element.tag == "modeling":
        run.ended = True


def _items(element: Element) -> dict[str, str]:
    return {str(item.get("name")): (item.text or "").strip() for item in element.iter() if item.tag in ("i", "v")}


def _block(row: Element) -> dict[str, Any]:
    count, symbol, mass, valence, title = ((cell.text or "").strip() for cell in row.findall("c"))
    return {
        "count": int(count),
        "symbol": symbol,
        "mass": float(mass),
        "valence": float(valence),
        "title": " ".join(title.split()),
    }


def _step(element: Element) -> dict[str, Any] | None:
    """Return one ionic step; nothing for a block without forces, which VASP also writes."""
    forces = _vectors(element.find("varray[@name='forces']"))
    if not len(forces):
        return None
    scf = [_items(step).get("e_fr_energy", "nan") for step in element.findall("scstep/energy")]
    last = _numbers(" ".join(scf[-2:]))
    said = _items(element.find("energy") or Element("energy"))
    time = next((item.text for item in element.findall("time") if item.get("name") == "totalsc"), "")
    return {
        "cell": _vectors(element.find("structure/crystal/varray[@name='basis']")),
        "positions": _vectors(element.find("structure/varray[@name='positions']")),
        "forces": forces,
        "scf_iterations": len(scf),
        "last_change_eV": abs(last[1] - last[0]) if len(last) == 2 else np.nan,
        "seconds": np.resize(_numbers(time or "nan"), 2),
        **{name: _numbers(said.get(key, "nan"))[0] for key, name in ENERGIES.items()},
    }


def _vectors(varray: Element | None) -> FloatArray:
    if varray is None:
        return np.zeros((0, 3))
    return _numbers(" ".join(row.text or "" for row in varray.findall("v"))).reshape(-1, 3)


def _numbers(text: str) -> FloatArray:
    """Return the numbers of a text; where VASP's field was too narrow and holds asterisks, NaN."""
    words = text.split()
    try:
        return np.array(words, dtype=float)
    except ValueError:
        return np.array([np.nan if "*" in word else float(word) for word in words])


def _collect(run: Vasprun, steps: list[dict[str, Any]]) -> None:
    if not steps:
        return
    run.cell = steps[-1]["cell"]
    for name in ("positions", "forces", "last_change_eV", "seconds"):
        setattr(run, name, np.array([step[name] for step in steps]))
    run.scf_iterations = np.array([step["scf_iterations"] for step in steps], dtype=np.int64)
    run.energies = {name: np.array([step[name] for step in steps]) for name in ENERGIES.values()}
