"""The cells that a student is made for: its crystal, and others of the same atoms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm

from aiida_ion.calculations.functions import make_supercell, multiples_of
from aiida_ion.calculations.training.domain import formula
from aiida_ion.workchains.student.parameters import SEEDS_OF_A_LOOP, StudentParameters

#: Name of the cell that student and teacher are compared in.
MAIN = "structure"


def structures_of(inputs: Mapping[str, Any]) -> dict[str, orm.StructureData]:
    """Return the crystals of a student by their names, the main one first."""
    others = inputs.get("other_structures") or {}
    return {MAIN: inputs["structure"]} | {name: others[name] for name in sorted(others)}


def link_label(label: str, name: str) -> str:
    """Return the link label of a process for one of the crystals."""
    return label if name == MAIN else f"{label}_{name}"


def make_cells(structures: Mapping[str, orm.StructureData], parameters: StudentParameters) -> dict[str, Any]:
    """Return the cells that are simulated; of several all have their atoms in the same order, by element."""
    settings: dict[str, Any] = parameters.supercell_settings()
    if len(structures) > 1:
        settings["sort_atoms"] = True
    return {name: make_supercell(one, orm.Dict(settings)) for name, one in structures.items()}


def cell_of_run(cells: Sequence[Any], number: int) -> Any:
    """Return the cell of a run of a loop: they take turns."""
    return cells[number % len(cells)]


def validate_structures(inputs: Mapping[str, Any]) -> str | None:
    """Return why one student cannot be made for the crystals; ``None`` if it can."""
    structures = structures_of(inputs)
    if len(structures) == 1:
        return None
    parameters = StudentParameters.from_dict(inputs["parameters"].get_dict())
    if len(structures) > parameters.n_seeds:
        return (
            f"other_structures: {len(structures)} crystals in all, and n_seeds = {parameters.n_seeds} runs of a loop: "
            f"each crystal needs one, so give n_seeds of at least {len(structures)}"
        )
    if 3 * len(structures) > SEEDS_OF_A_LOOP:
        return f"other_structures: at most {SEEDS_OF_A_LOOP // 3 - 1}"
    counts = {name: _atoms(one, parameters) for name, one in structures.items()}
    for name, own in counts.items():
        if own != counts[MAIN]:
            return (
                f"other_structures.{name}: its cell is {formula(own)}, and that of structure {formula(counts[MAIN])}: "
                "a student is made for cells of the same atoms"
            )
    return None


def _atoms(structure: orm.StructureData, parameters: StudentParameters) -> dict[str, int]:
    """Return the number of atoms of each element in the cell that is simulated."""
    n_cells = 1
    for multiple in multiples_of(structure, parameters.supercell_settings()):
        n_cells *= int(multiple)
    symbols = Counter(structure.get_site_kindnames())
    elements: Counter[str] = Counter()
    for kind, count in symbols.items():
        elements[structure.get_kind(kind).symbol] += count * n_cells
    return {element: elements[element] for element in sorted(elements)}
