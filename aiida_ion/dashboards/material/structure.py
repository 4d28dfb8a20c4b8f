"""The structure card of a material: its cell, the supercell that was run, and how it was ordered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash.development.base_component import Component

from aiida_ion.dashboards.components import card, empty_state, facts, uuid_label
from aiida_ion.dashboards.figures.theme import formula_label
from aiida_ion.dashboards.numbers import short
from aiida_ion.queries.structures import Cell, repetitions, stored_cells


def structure_card(formula: object, structure: Any, supercell: Any, attributes: Mapping[str, Any]) -> Component:
    """Return the crystal of a result, or of a material without one.

    :param structure: UUID of the crystal; anything but text where there is none.
    :param supercell: UUID of the cell that was run.
    :param attributes: of the result; empty without one.
    """
    cells = stored_cells([structure, supercell])
    cell, run = cells.get(str(structure)), cells.get(str(supercell))
    if cell is None and run is None:
        words = "Imported trajectories have no crystal of their own, and an export may leave structures out."
        return card("Structure", empty_state("No structure is stored.", words))
    pairs: list[tuple[str, Any]] = [("formula", formula_label(formula))]
    if cell is not None:
        pairs += [("space group", cell.space_group or "unknown"), *_cell_facts(cell), *_occupation(cell)]
    pairs += _members(attributes)
    if run is not None:
        pairs.append(("supercell that was run", supercell_words(cell, run)))
    nodes = (("crystal", structure), ("supercell", supercell))
    pairs += [(f"node of the {name}", uuid_label(uuid)) for name, uuid in nodes if isinstance(uuid, str)]
    return card("Structure", facts(pairs))


def _cell_facts(cell: Cell) -> list[tuple[str, Any]]:
    lengths = ", ".join(f"{length:.3f}" for length in cell.lengths_angstrom)
    angles = ", ".join(f"{angle:.2f}" for angle in cell.angles_degree)
    density = "unknown" if cell.density_g_cm3 is None else f"{cell.density_g_cm3:.3f} g/cm³"
    return [
        ("a, b, c", f"{lengths} Å"),
        ("α, β, γ", f"{angles}°"),
        ("sites in the cell", f"{cell.n_sites}, {cell.volume_angstrom3:.1f} Å³"),
        ("density", density),
    ]


def _occupation(cell: Cell) -> list[tuple[str, Any]]:
    if not cell.n_partial:
        return [("ordering", "ordered: every site holds one element")]
    return [("ordering", f"disordered: {cell.n_partial} of {cell.n_sites} sites are partly occupied or shared")]


def _members(attributes: Mapping[str, Any]) -> list[tuple[str, Any]]:
    listed = attributes.get("members")
    if not isinstance(listed, list):
        return []
    pooled = short(attributes.get("n_members"))
    return [("ensemble", f"{len(listed)} ordered cells, {pooled} of them pooled")]


def supercell_words(cell: Cell | None, run: Cell) -> str:
    """Return the supercell in words: how often the cell is repeated, where that is so, and its size."""
    size = f"{run.n_sites} atoms, {' × '.join(f'{length:.1f}' for length in run.lengths_angstrom)} Å"
    if cell is None:
        return size
    times = repetitions(cell, run)
    return f"{' × '.join(map(str, times))} cells: {size}" if times is not None else f"not a repeated cell: {size}"
