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
from aiida_ion.campaigns.obelix.materials import Material
from aiida_ion.campaigns.plan import Plan
from aiida_ion.campaigns.plans import comparison, plans_of
from aiida_ion.campaigns.request import RunRequest
from aiida_ion.datasets.obelix import Entry
from aiida_ion.queries.experiments import experiments
from aiida_ion.queries.reuse import compared_conductivities, failed_run, finished_run, running_run

DONE, RUNNING, FAILED, NEW = "done", "running", "failed", "new"


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
    reasons: dict[str, str] = {}
    plans = sound_plans(_plans(by_name, engines, request, reasons), reasons)
    if reasons and (refused is None or not plans):
        raise ValueError(next(iter(reasons.values())))
    if refused is not None:
        refused += reasons.values()
    if not all(plan.conductivity.parameters.get_dict().get("relax_ions") for plan in plans):
        raise ValueError("relax_ions is off: the public coordinates of OBELiX carry noise and have to be relaxed first")
    tasks = []
    for plan in plans:
        state, pk = (NEW, None) if request.fresh else _state(builder_inputs(plan.builder))
        tasks.append(Task(by_name[plan.crystal], plan, state, pk))
    todo = open_tasks(tasks)
    if todo:
        comparison([task.plan for task in todo], request)  # checked here, made again when it is submitted
    return tasks


def _plans(
    materials: Mapping[str, Material], engines: Sequence[str], request: RunRequest, reasons: dict[str, str]
) -> list[Plan]:
    """Return the plans of all crystals, in their order, those with partly occupied sites as ensembles.

    :param reasons: filled with each crystal that cannot be run, and why.
    """
    ordered = [(name, one.structure) for name, one in materials.items() if one.ordering is None]
    plans = plans_of(ordered, engines, request, reasons) if ordered else []
    for name, material in materials.items():
        if material.ordering is not None:
            own = [(name, material.structure)]
            plans += plans_of(own, engines, material.request(request), reasons, with_ensembles=True)
    places = {name: place for place, name in enumerate(materials)}
    return sorted(plans, key=lambda plan: places[plan.crystal])


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
        _linked(material.structure, material.facts, links.get((material.structure.uuid, material.entry.entry_id)), True)
        for material in materials
    )


def link(structure: orm.StructureData, entry: Entry, linked_uuid: str | None, from_dataset: bool) -> bool:
    """Link a crystal to an entry, unless the same link exists.

    :param linked_uuid: the existing link, if any.
    :param from_dataset: whether the crystal is the dataset's own.
    :returns: whether the link is new.
    :raises ValueError: if the crystal is another compound.
    """
    return _linked(structure, entry.attributes(), linked_uuid, from_dataset)


def _linked(
    structure: orm.StructureData, facts: Mapping[str, Any], linked_uuid: str | None, from_dataset: bool
) -> bool:
    attributes = {**facts, "from_dataset": from_dataset}
    check_link(structure, attributes)
    if linked_uuid is not None:
        existing = orm.load_node(linked_uuid).base.attributes.all
        if all(existing.get(name) == value for name, value in attributes.items()):
            return False
    link_experiment(structure.store(), orm.Dict(attributes))
    return True


def _state(inputs: Mapping[str, Any]) -> tuple[str, int | None]:
    for state, find in ((DONE, finished_run), (RUNNING, running_run), (FAILED, failed_run)):
        pk = find(inputs)
        if pk is not None:
            return state, pk
    return NEW, None
