"""Disordered crystals for ``ion.order_structure``: a CIF or a node, and the plan in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aiida_ion.analysis.disorder.crystal import DisorderedCrystal, disordered_crystal
from aiida_ion.analysis.disorder.plan import Plan

if TYPE_CHECKING:
    from aiida import orm

    from aiida_ion.crystal_files.disordered import DisorderedFile

#: Largest file that is read, bytes.
MAX_CIF_BYTES = 20_000_000


def read_file(path: Path) -> DisorderedFile:
    """Return what a CIF holds.

    :raises ValueError: for another format, or with the reason in a sentence.
    """
    from aiida_ion.crystal_files.disordered import read_disordered_cif

    if path.suffix.lower() != ".cif":
        raise ValueError(f"{path.name}: occupancies of sites are read from CIF files (.cif); give one, or a node")
    if not path.is_file():
        raise ValueError(f"{path.name}: no such file")
    if path.stat().st_size > MAX_CIF_BYTES:
        raise ValueError(f"{path.name}: larger than {MAX_CIF_BYTES:,} bytes")
    file = read_disordered_cif(path.read_text(encoding="utf-8", errors="replace"), path.name)
    if file.reading.caveats:
        raise ValueError(f"{path.name}: {'; '.join(file.reading.caveats)}")
    return file


def crystal_of_file(file: DisorderedFile) -> DisorderedCrystal:
    """Return the crystal of a file, its orbits named as its sites are."""
    return disordered_crystal(file.structure)


def node_of(file: DisorderedFile, path: Path) -> orm.StructureData:
    """Return the crystal of a file as a new node, occupancies as weights of its kinds."""
    import hashlib

    from aiida import orm

    from aiida_ion.campaigns.structures import READ_FROM
    from aiida_ion.crystal_files.report import report_of

    node = orm.StructureData(pymatgen=file.structure)
    node.label = path.stem
    node.description = f"read from {path.name}"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    report = report_of(file.structure, file.reading, path.name, digest).attributes()
    # Its sites are not atoms.
    report["n_atoms"] = None
    node.base.extras.set(READ_FROM, report)
    return node


def plan_lines(plan: Plan) -> list[str]:
    """Return a plan in words, a line each."""
    counts = plan.counts
    charges = ", ".join(f"{element} {state:+g}" for element, state in sorted(counts.states.items()))
    lines = [
        f"disorder: {plan.roles.kind}",
        f"cell: {counts.n_atoms} atoms on {sum(plan.counts_of_places())} sites, {plan.n_cells} primitive cells, "
        f"{plan.supercell.width_A:.1f} angstrom wide",
        f"charges: {charges}",
        f"{plan.mobile_species}: {counts.n_mobile} in the cell, {100 * counts.mobile_deviation:+.2f} % from the stated "
        f"composition, which differs by {100 * counts.composition_deviation:.2f} % of the atoms; the occupancy of a "
        f"framework site by {100 * counts.orbit_deviation:.1f} % of its places",
    ]
    return lines + list(plan.remarks)
