"""Measured crystals -> nodes, plans, the open tasks among them, and links to the measurements."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aiida import orm

from aiida_ion.aiida_private.builders import builder_inputs
from aiida_ion.calculations.experiment import check_link, link_experiment
from aiida_ion.campaigns.batch import sound_plans
from aiida_ion.campaigns.plan import Plan
from aiida_ion.campaigns.plans import comparison, plans_of
from aiida_ion.campaigns.request import RunRequest
from aiida_ion.campaigns.structures import node_of
from aiida_ion.datasets.obelix import DATASET, Entry
from aiida_ion.datasets.obelix_crystals import read_entry
from aiida_ion.queries.experiments import experiments
from aiida_ion.queries.reuse import (
    compared_conductivities,
    failed_conductivity,
    finished_conductivity,
    running_conductivity,
)

DONE, RUNNING, FAILED, NEW = "done", "running", "failed", "new"


@dataclass(frozen=True)
class Material:
    """An entry and its crystal: the stored node if the database has it already."""

    entry: Entry
    structure: orm.StructureData

    @property
    def name(self) -> str:
        """Its name in titles and, with an underscore, in links."""
        return f"{DATASET} {self.entry.entry_id}"


@dataclass(frozen=True)
class Task:
    """A plan, its state in the database (``done``, ``running``, ``failed`` or ``new``), and the process behind it."""

    material: Material
    plan: Plan
    state: str
    pk: int | None


def default_folder() -> Path:
    """Return the folder for the downloaded dataset, in ``XDG_DATA_HOME`` or ``~/.local/share``."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "aiida-ion" / "obelix"


def materials_of(entries: Sequence[Entry]) -> tuple[list[Material], list[str]]:
    """Return the crystals that can be simulated, and why each of the others cannot."""
    links = experiments()
    links = links[(links["dataset"] == DATASET) & links["from_dataset"].eq(True)]
    ids = zip(links["entry_id"], links["cif_sha256"], strict=True)
    stored = dict(zip(ids, links["structure_pk"].tolist(), strict=True))
    materials, refused = [], []
    for entry in entries:
        pk = stored.get((entry.entry_id, entry.attributes()["cif_sha256"]))
        try:
            node: Any = _new_structure(entry) if pk is None else orm.load_node(pk)
        except ValueError as error:
            refused.append(str(error))
            continue
        materials.append(Material(entry, node))
    return materials, refused


def tasks_of(
    materials: Sequence[Material],
    engines: Sequence[str],
    request: RunRequest,
    refused: list[str] | None = None,
) -> list[Task]:
    """Return a checked plan for each crystal with each engine, with its state.

    Velocities are kept, so that an engine which is added later can be compared with existing results.

    :param request: what is asked of them.
    :param refused: filled with the reasons why crystals cannot be run, if any can; without it the first raises.
    :raises ValueError: if nothing can be run, or the ions would not be relaxed.
    """
    request = replace(request, as_comparison=True, keep=request.keep or ["velocities"])
    by_name = {material.name: material for material in materials}
    crystals = [(name, material.structure) for name, material in by_name.items()]
    reasons: dict[str, str] = {}
    plans = sound_plans(plans_of(crystals, engines, request, reasons), reasons)
    if reasons and (refused is None or not plans):
        raise ValueError(next(iter(reasons.values())))
    if refused is not None:
        refused += reasons.values()
    if not all(plan.builder.parameters.get_dict().get("relax_ions") for plan in plans):
        raise ValueError("relax_ions is off: the public coordinates of OBELiX carry noise and have to be relaxed first")
    tasks = []
    for plan in plans:
        state, pk = (NEW, None) if request.fresh else _state(builder_inputs(plan.builder))
        tasks.append(Task(by_name[plan.crystal], plan, state, pk))
    todo = open_tasks(tasks)
    if todo:
        comparison([task.plan for task in todo], request)  # checked here, made again when it is submitted
    return tasks


def open_tasks(tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks of all crystals whose results are incomplete and not running.

    All engines of a crystal stay together, as their comparison needs each; existing results are not recomputed.
    """
    compared = compared_conductivities()
    missing = []
    for name in dict.fromkeys(task.material.name for task in tasks):
        mine = [task for task in tasks if task.material.name == name]
        states = {task.state for task in mine}
        chains = {task.pk for task in mine}
        is_done = states == {DONE} and (len(mine) == 1 or chains <= compared)
        if not is_done and RUNNING not in states:
            missing += mine
    return missing


def store_and_link(materials: Sequence[Material]) -> int:
    """Store the crystals and link each to its measurement, once.

    :returns: the number of new links.
    """
    links = experiments().set_index(["structure_uuid", "entry_id"])["uuid"].to_dict()
    return sum(
        link(material.structure, material.entry, links.get((material.structure.uuid, material.entry.entry_id)), True)
        for material in materials
    )


def link(structure: orm.StructureData, entry: Entry, linked_uuid: str | None, from_dataset: bool) -> bool:
    """Link a crystal to an entry, unless the same link exists.

    :param linked_uuid: the existing link, if any.
    :param from_dataset: whether the crystal is the dataset's own.
    :returns: whether the link is new.
    :raises ValueError: if the crystal is another compound.
    """
    attributes = entry.attributes() | {"from_dataset": from_dataset}
    check_link(structure, attributes)
    if linked_uuid is not None:
        existing = orm.load_node(linked_uuid).base.attributes.all
        if all(existing.get(name) == value for name, value in attributes.items()):
            return False
    link_experiment(structure.store(), orm.Dict(attributes))
    return True


def _new_structure(entry: Entry) -> orm.StructureData:
    node = node_of(read_entry(entry))
    node.label = f"{DATASET} {entry.entry_id}"
    node.description = f"{entry.formula}, public structure file of {DATASET}"
    check_link(node, entry.attributes())
    return node


def _state(inputs: Mapping[str, Any]) -> tuple[str, int | None]:
    for state, find in ((DONE, finished_conductivity), (RUNNING, running_conductivity), (FAILED, failed_conductivity)):
        pk = find(inputs)
        if pk is not None:
            return state, pk
    return NEW, None
