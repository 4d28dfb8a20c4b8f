"""The materials of a screening: from files, folders, nodes, groups and OPTIMADE servers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aiida import orm
from aiida.common import exceptions

from aiida_ion.aiida_private.caching import HASH, hash_before_storing
from aiida_ion.calculations.screening.batch import structure_hash_of
from aiida_ion.campaigns.optimade import optimade_crystals
from aiida_ion.campaigns.structures import files_of, is_node_name, structure_node
from aiida_ion.messages import one_line

OPTIMADE = "optimade:"


@dataclass
class Materials:
    """The materials of a screening.

    :param crystals: name, node (stored or not) and hash of each; the same crystal once.
    :param refused: name of each source that is not a crystal, and why.
    :param n_repeated: crystals that are the same as one before, in whatever cell.
    """

    crystals: list[tuple[str, orm.StructureData, str | None]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    n_repeated: int = 0


def find_materials(sources: Sequence[str], max_materials: int | None = None) -> Materials:
    """Return the materials of sources; nothing is stored.

    :param sources: crystal files, folders of them, pks and uuids, labels of groups, `optimade:URL?filter`.
    :param max_materials: no more than this.
    :raises ValueError: for a source that is none of these.
    """
    materials, seen = Materials(), set[str]()
    for name, node in _crystals(sources, materials.refused):
        if len(materials.crystals) == max_materials:
            break
        digest = structure_hash_of(node)
        key = digest or node.uuid
        if key in seen:
            materials.n_repeated += 1
            continue
        seen.add(key)
        materials.crystals.append((name, node, digest))
    return materials


def _crystals(sources: Sequence[str], refused: dict[str, str]) -> Iterator[tuple[str, orm.StructureData]]:
    for source in sources:
        if source.startswith(OPTIMADE):
            yield from optimade_crystals(source, refused)
        elif Path(source).exists() or is_node_name(source) or Path(source).suffix:
            for name in files_of([source]):
                try:
                    yield name, structure_node(name)
                except (ValueError, OSError) as error:
                    refused[name] = one_line(error)
        else:
            yield from _of_group(source, refused)


def _of_group(label: str, refused: dict[str, str]) -> Iterator[tuple[str, orm.StructureData]]:
    try:
        group = orm.load_group(label)
    except exceptions.NotExistent as error:
        raise ValueError(f"{label}: neither a file or folder, nor a node, nor the label of a group") from error
    for node in group.nodes:
        if isinstance(node, orm.StructureData):
            yield node.label or f"{node.get_formula()} <{node.pk}>", node
        else:
            refused[f"{label} <{node.pk}>"] = f"it is a {node.__class__.__name__}, not a StructureData"


def stored(node: orm.StructureData) -> orm.StructureData:
    """Return a crystal as it is in the database: the one with the same content, if there is one."""
    if node.is_stored:
        return node
    known = {HASH: hash_before_storing(node)}
    same = orm.QueryBuilder().append(orm.StructureData, filters=known).first(flat=True)
    return node.store() if same is None else same
