"""Crystals from the command line: a file, or a node by its pk or uuid."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiida import orm

#: Formats that only ASE reads.
ASE_SUFFIXES = (".extxyz", ".exyz", ".traj", ".in", ".pwi", ".pwo")


def structure_node(given: str) -> orm.StructureData:
    """Return a crystal as a node: stored where it was named by pk or uuid, new where it is read from a file.

    :param given: path of a file, pk or uuid.
    :raises ValueError: if it is neither, or the crystal cannot be simulated.
    """
    from aiida import orm
    from aiida.common.exceptions import MultipleObjectsError, NotExistent

    path = Path(given)
    if path.is_file():
        return _from_file(path)
    if path.suffix or "/" in given:
        raise ValueError(f"{given}: no such file")
    try:
        node = orm.load_node(given)
    except (NotExistent, MultipleObjectsError, ValueError) as error:
        raise ValueError(f"{given}: neither a file nor the pk or uuid of a node") from error
    if not isinstance(node, orm.StructureData):
        raise ValueError(f"{given} is a {node.__class__.__name__}, not a StructureData")
    return node


def _from_file(path: Path) -> orm.StructureData:
    from aiida import orm

    from aiida_ion.analysis.structure import read_structure

    structure = read_structure(_with_ase(path) if path.suffix.lower() in ASE_SUFFIXES else path)
    structure.remove_oxidation_states()
    for name in list(structure.site_properties):
        structure.remove_site_property(name)
    node = orm.StructureData(pymatgen=structure)
    node.label = path.stem
    node.description = f"read from {path.name}"
    return node


def _with_ase(path: Path) -> Any:
    from ase.io import read
    from pymatgen.io.ase import AseAtomsAdaptor

    try:
        atoms = read(str(path), index=-1)
    except Exception as error:  # parsers raise whatever they meet in a broken file
        raise ValueError(f"{path.name}: cannot be read as a crystal ({' '.join(str(error).split())[:200]})") from error
    if not atoms.cell.rank == 3:
        raise ValueError(f"{path.name}: no periodic cell: this is a molecule, not a crystal")
    return AseAtomsAdaptor.get_structure(atoms)
