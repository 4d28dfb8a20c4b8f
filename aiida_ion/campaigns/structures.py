"""Crystals by their names: a file, or the pk or uuid of a node."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aiida_ion.settings.rules import Word
from aiida_ion.settings.values import SettingsError

if TYPE_CHECKING:
    from aiida import orm

    from aiida_ion.crystal_files.report import Crystal

#: A node of the database. A shorter start of a uuid may match another node later.
NODE = Word(pattern=(r"[0-9]{1,18}|(?=[0-9]*[a-f-])[0-9a-f]{8}[0-9a-f-]{0,28}", "the pk or the uuid of a node"))
#: Extra of a StructureData with the report on its file. It is an extra because attributes enter the hash of the node:
#: the same crystal from another file has the same hash, so that its results are found again.
READ_FROM = "aiida_ion_read_from"
#: Suffixes of the files that are read from a folder; other formats have to be named file by file.
IN_FOLDERS = (".cif", ".cif.gz", ".vasp", ".poscar")


def is_node_name(text: str) -> bool:
    """Return whether a text is a pk or a uuid."""
    try:
        NODE.read(text, "")
    except SettingsError:
        return False
    return True


def structure_node(name: str, insist: bool = False) -> orm.StructureData:
    """Return a crystal as a node: the stored one for a pk or uuid, a new one for a file.

    :param name: path of a file, pk or uuid.
    :param insist: accept a file that contradicts itself or does not look like a crystal.
    :raises DoubtfulCrystalError: for a file that ``insist`` would accept.
    :raises ValueError: if it is neither, or the crystal cannot be simulated.
    """
    from aiida import orm
    from aiida.common.exceptions import MultipleObjectsError, NotExistent

    path = Path(name)
    if path.is_file():
        return _from_file(path, insist)
    if path.suffix or "/" in name:
        raise ValueError(f"{name}: no such file")
    try:
        if not is_node_name(name):
            raise ValueError("an empty name or a pattern would match any node")
        node = orm.load_node(name)
    except (NotExistent, MultipleObjectsError, ValueError) as error:
        raise ValueError(f"{name}: neither a file nor the pk or uuid of a node") from error
    if not isinstance(node, orm.StructureData):
        raise ValueError(f"{name} is a {node.__class__.__name__}, not a StructureData")
    return node


def node_of(crystal: Crystal) -> orm.StructureData:
    """Return a crystal as a new node, with the report on its file."""
    from aiida import orm

    structure = crystal.structure.copy()
    for name in list(structure.site_properties):
        structure.remove_site_property(name)
    node = orm.StructureData(pymatgen=structure)
    node.label = Path(crystal.report.file).stem
    node.description = f"read from {crystal.report.file}"
    node.base.extras.set(READ_FROM, crystal.report.attributes())
    return node


def reading_lines(node: orm.StructureData) -> list[str]:
    """Return lines on the file that a crystal was read from; without a file, on what is unusual about the crystal."""
    from aiida_ion.crystal_files.plausible import caveats_and_notes
    from aiida_ion.crystal_files.report import lines_of

    attributes = node.base.extras.get(READ_FROM, None)
    if isinstance(attributes, dict):
        return lines_of(attributes)
    if node.has_vacancies or node.is_alloy:
        return []  # refused elsewhere, with the reason
    return [sentence for part in caveats_and_notes(node.get_pymatgen_structure()) for sentence in part]


def files_of(names: Sequence[str]) -> list[str]:
    """Return names without duplicates, each folder replaced by the crystals in it.

    :raises ValueError: for a folder without crystals.
    """
    files: dict[str, None] = {}
    for name in names:
        if not Path(name).is_dir():
            files[name] = None
            continue
        inside = [path for path in sorted(Path(name).iterdir()) if _is_crystal(path)]
        if not inside:
            raise ValueError(f"{name}: there is no crystal in this folder ({', '.join(IN_FOLDERS)}, POSCAR, CONTCAR)")
        files |= {str(path): None for path in inside}
    return list(files)


def _is_crystal(path: Path) -> bool:
    name = path.name.lower()
    return path.is_file() and (name.endswith(IN_FOLDERS) or name.startswith(("poscar", "contcar")))


def _from_file(path: Path, insist: bool) -> orm.StructureData:
    from aiida_ion.crystal_files.read import read_crystal

    return node_of(read_crystal(path, insist=insist))
