"""The nodes that belong with chosen results: their provenance, and no more of the database.

Links are followed as AiiDA does for an archive (inputs of every process, and everything it created and called), except
from a process up to its caller. So a campaign that called a thousand runs is not included, and the time depends on the
choice, not on the size of the database.
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

from aiida_ion.queries.ensembles import MEMBERS
from aiida_ion.queries.reading.shared import ENSEMBLE_PROCESS, of_function
from aiida_ion.queries.reading.uuids import is_uuid
from aiida_ion.queries.screening.chains import chains

#: Jobs whose files are potentials, and the inputs under which jobs load one.
TRAININGS = ["aiida.calculations:ion.train", "aiida.calculations:ion.lammps_train"]
CHECKPOINTS = ["checkpoint", "parent_checkpoint"]
#: A pk, or a uuid or a long enough beginning of one.
NODE = re.compile(r"[0-9]{1,18}|(?=[0-9]*[a-f-])[0-9a-f]{8}[0-9a-f-]{0,28}")


@dataclass(frozen=True)
class Choice:
    """The content of an archive.

    :param groups: the named groups, which keep their labels.
    :param nodes: the named nodes and those in the groups, and the work chains that computed them.
    :param pks: all nodes that are included.
    :param trajectories: those of them with frames.
    :param retrieved: those of them with retrieved files of a job.
    :param potentials: those of them that hold a potential: what a training left, and checkpoints that jobs loaded.
    """

    groups: tuple[orm.Group, ...]
    nodes: tuple[orm.Node, ...]
    pks: frozenset[int]
    trajectories: frozenset[int]
    retrieved: frozenset[int]
    potentials: frozenset[int] = frozenset()


def choose(names: Sequence[str]) -> Choice:
    """Return what belongs to groups (by label) and nodes (by PK or UUID).

    A conductivity or a comparison includes the work chain that computed it, and so every run; that of an ensemble
    includes all of its members; a diffusion node includes
    its fit, and the jobs of its trajectories. A screening includes its jobs, results, decisions and crystals.
    Measurements linked to the crystals are included.

    :raises ValueError: if a group or node does not exist, a group is empty, or something is still running.
    """
    groups, named = _resolve(names)
    start = named | _members(groups)
    if not start:
        raise ValueError(
            f"there is nothing in {', '.join(group.label for group in groups)}: add nodes, or name another"
        )
    start |= _computed_by(start)
    start |= _computed_by(_members_of_ensembles(start))
    pks, links = _closure(start)
    more = (_experiments(pks) | _screened(pks)) - pks
    if more:
        start |= more
        pks, links = _closure(start)
    measured = _experiments(pks) - pks
    if measured:  # of crystals that a screening did not reach
        start |= measured
        pks, links = _closure(start)
    _refuse_running(pks)
    kept = {LinkType.CREATE.value}
    retrieved = {link.target_id for link in links if link.link_type in kept and link.link_label == "retrieved"}
    trajectories = _pks(orm.TrajectoryData, {"id": {"in": pks}})
    potentials = _potentials(pks)
    nodes = orm.QueryBuilder().append(orm.Node, filters={"id": {"in": start}}).all(flat=True)
    return Choice(
        tuple(groups), tuple(nodes), frozenset(pks), frozenset(trajectories), frozenset(retrieved), potentials
    )


def _resolve(names: Sequence[str]) -> tuple[list[orm.Group], set[int]]:
    """Return the named groups and PKs; a label takes precedence over a number."""
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
    """Return the work chains that computed some of the nodes through a calculation function."""
    if not pks:
        return set()
    query = orm.QueryBuilder().append(orm.Data, filters={"id": {"in": pks}}, tag="result")
    query.append(orm.CalcFunctionNode, with_outgoing="result", tag="function")
    return set(query.append(orm.WorkChainNode, with_outgoing="function", project="id").all(flat=True))


def _members_of_ensembles(pks: set[int]) -> set[int]:
    """Return the conductivities of the members of ensembles, which an ensemble may have found in the database."""
    if not pks:
        return set()
    ensembles = {"id": {"in": pks}, "process_type": ENSEMBLE_PROCESS}
    query = orm.QueryBuilder().append(orm.WorkChainNode, filters=ensembles, tag="ensemble")
    query.append(orm.ArrayData, with_incoming="ensemble", edge_project="label", project="id")
    return {pk for pk, label in query.all() if str(label).startswith(MEMBERS)}


def _closure(start: set[int]) -> tuple[set[int], Iterable[Any]]:
    closure = get_nodes_export(start, get_links=True, call_calc_backward=False, call_work_backward=False)
    return set(closure["nodes"]), closure["links"] or ()


def _experiments(pks: set[int]) -> set[int]:
    structures = _pks(orm.StructureData, {"id": {"in": pks}})
    if not structures:
        return set()
    # They are linked to the crystal, not to the chosen nodes.
    query = orm.QueryBuilder().append(orm.StructureData, filters={"id": {"in": structures}}, tag="structure")
    links = of_function("link_experiment")
    return set(
        query.append(orm.CalcFunctionNode, with_incoming="structure", filters=links, project="id").all(flat=True)
    )


def _screened(pks: set[int]) -> set[int]:
    """Return the crystals of screenings, also those that no stage reached, which nothing links to them."""
    given = [entry.get("uuid") for entries in chains(pks)["materials"] for entry in entries]
    uuids = [uuid for uuid in given if is_uuid(uuid)]
    return _pks(orm.StructureData, {"uuid": {"in": uuids}}) if uuids else set()


def _potentials(pks: set[int]) -> frozenset[int]:
    """Return the files of potentials: outputs of trainings, and checkpoints that jobs were given."""
    chosen = {"id": {"in": pks}}
    made = orm.QueryBuilder().append(orm.CalcJobNode, filters={"process_type": {"in": TRAININGS}}, tag="training")
    made.append(orm.SinglefileData, with_incoming="training", filters=chosen, project="id")
    loaded = orm.QueryBuilder().append(orm.SinglefileData, filters=chosen, project="id", tag="file")
    loaded.append(orm.CalcJobNode, with_incoming="file", edge_filters={"label": {"in": CHECKPOINTS}})
    return frozenset(made.all(flat=True)) | frozenset(loaded.all(flat=True))


def _refuse_running(pks: set[int]) -> None:
    running = _pks(orm.ProcessNode, {"id": {"in": pks}, "attributes.sealed": {"!in": [True]}})
    if running:
        raise ValueError(f"process {min(running)} has not ended: export when it has, or choose other results")


def _pks(kind: Any, filters: dict[str, Any]) -> set[int]:
    return set(orm.QueryBuilder().append(kind, filters=filters, project="id").all(flat=True))
