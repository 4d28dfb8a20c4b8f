"""Chosen results -> the nodes that belong with them: what a number came from, and no more of the database.

Links are followed as AiiDA does for an archive (inputs of every process, all that it made and called), with one
difference: not from a process up to its caller. A campaign that called a thousand runs is left where it is, and the
time this takes depends on what was chosen, not on the size of the database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aiida import orm
from aiida.common.exceptions import MultipleObjectsError, NotExistent
from aiida.common.links import LinkType
from aiida.tools.graph.graph_traversers import get_nodes_export

from aiida_ion.queries.reading.shared import of_function

#: A pk, or a uuid or a good part of its start.
NODE = re.compile(r"[0-9]{1,18}|(?=[0-9]*[a-f-])[0-9a-f]{8}[0-9a-f-]{0,28}")


@dataclass(frozen=True)
class Choice:
    """What goes into an archive.

    :param groups: groups that were named; they keep their label.
    :param nodes: nodes that were named or stand in those groups, and the work chains that computed them.
    :param pks: all nodes that come along.
    :param trajectories: those of them that hold frames.
    :param retrieved: those of them that hold files as a job left them.
    """

    groups: tuple[orm.Group, ...]
    nodes: tuple[orm.Node, ...]
    pks: frozenset[int]
    trajectories: frozenset[int]
    retrieved: frozenset[int]


def choose(names: Sequence[str]) -> Choice:
    """Return what belongs to groups, by label, and nodes, by PK or UUID.

    A conductivity or a comparison brings the work chain that computed it, and so every run; a diffusion node its fit,
    and the jobs of its trajectories. Measurements that were linked to one of the crystals come along.

    :raises ValueError: if there is no such group or node, nothing in a group, or something that still runs.
    """
    groups, named = _resolve(names)
    start = named | _members(groups)
    if not start:
        raise ValueError(
            f"there is nothing in {', '.join(group.label for group in groups)}: add nodes, or name another"
        )
    start |= _computed_by(start)
    pks, links = _closure(start)
    measured = _experiments(pks)
    if measured - pks:
        start |= measured
        pks, links = _closure(start)
    _refuse_running(pks)
    kept = {LinkType.CREATE.value}
    retrieved = {link.target_id for link in links if link.link_type in kept and link.link_label == "retrieved"}
    trajectories = _pks(orm.TrajectoryData, {"id": {"in": pks}})
    nodes = orm.QueryBuilder().append(orm.Node, filters={"id": {"in": start}}).all(flat=True)
    return Choice(tuple(groups), tuple(nodes), frozenset(pks), frozenset(trajectories), frozenset(retrieved))


def _resolve(names: Sequence[str]) -> tuple[list[orm.Group], set[int]]:
    """Return the groups and the PKs that are meant; a label goes before a number."""
    groups, pks = [], set()
    for name in names:
        labelled = orm.QueryBuilder().append(orm.Group, filters={"label": name}).all(flat=True)
        if labelled:
            groups += labelled
            continue
        try:
            if not NODE.fullmatch(name):
                raise ValueError("an empty name, or a pattern, would find any node")
            pks |= _pks(orm.Node, {"uuid": orm.load_node(name).uuid})
        except (NotExistent, MultipleObjectsError, ValueError) as error:
            raise ValueError(f"there is no group {name!r}, and no node with this PK or UUID") from error
    return groups, pks


def _members(groups: list[orm.Group]) -> set[int]:
    if not groups:
        return set()
    query = orm.QueryBuilder().append(orm.Group, filters={"id": {"in": [group.pk for group in groups]}}, tag="group")
    return set(query.append(orm.Node, with_group="group", project="id").all(flat=True))


def _computed_by(pks: set[int]) -> set[int]:
    """Return the work chains that computed some of the nodes in a calculation function of their own."""
    query = orm.QueryBuilder().append(orm.Data, filters={"id": {"in": pks}}, tag="result")
    query.append(orm.CalcFunctionNode, with_outgoing="result", tag="function")
    return set(query.append(orm.WorkChainNode, with_outgoing="function", project="id").all(flat=True))


def _closure(start: set[int]) -> tuple[set[int], Iterable[Any]]:
    closure = get_nodes_export(start, get_links=True, call_calc_backward=False, call_work_backward=False)
    return set(closure["nodes"]), closure["links"] or ()


def _experiments(pks: set[int]) -> set[int]:
    structures = _pks(orm.StructureData, {"id": {"in": pks}})
    if not structures:
        return set()
    # They hang on the crystal, not on what was chosen.
    query = orm.QueryBuilder().append(orm.StructureData, filters={"id": {"in": structures}}, tag="structure")
    links = of_function("link_experiment")
    return set(
        query.append(orm.CalcFunctionNode, with_incoming="structure", filters=links, project="id").all(flat=True)
    )


def _refuse_running(pks: set[int]) -> None:
    running = _pks(orm.ProcessNode, {"id": {"in": pks}, "attributes.sealed": {"!in": [True]}})
    if running:
        raise ValueError(f"process {min(running)} has not ended: export when it has, or choose other results")


def _pks(kind: Any, filters: dict[str, Any]) -> set[int]:
    return set(orm.QueryBuilder().append(kind, filters=filters, project="id").all(flat=True))
