"""The inputs of ``ion.screening``: materials and stages as plain data, validated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from aiida import orm

from aiida_ion.screening.plan import ScreeningPlan, Stage
from aiida_ion.screening.quantities import METHODS
from aiida_ion.settings.values import SettingsError

#: What each material of a screening is described by.
OF_MATERIAL = ("label", "name", "uuid", "structure_hash")
#: Key of a stage under which its process stands: the entry point, and inputs with nodes by their uuids.
PROCESS = "process"


def material_entries(materials: Sequence[tuple[str, orm.StructureData, str | None]]) -> orm.List:
    """Return materials as one node.

    :param materials: name, stored crystal, and hash of the crystal (none where it is disordered).
    """
    entries = [
        {"label": f"m_{index:05d}", "name": name, "uuid": node.uuid, "structure_hash": digest}
        for index, (name, node, digest) in enumerate(materials)
    ]
    return orm.List(entries)


def stage_of(entry: Mapping[str, Any]) -> Stage:
    """Return the stage of an entry of the input, without its process."""
    names = {item.name for item in fields(Stage)}
    return Stage.from_dict({key: value for key, value in entry.items() if key in names})


def validate_materials(value: orm.List | None, _: Any) -> str | None:
    """Return what is wrong with the materials, nothing when they can be screened."""
    entries = value.get_list() if value is not None else []
    if not entries:
        return "a screening needs at least one material"
    for entry in entries:
        if not isinstance(entry, Mapping) or not set(OF_MATERIAL) <= entry.keys():
            return f"each material of a screening has {', '.join(OF_MATERIAL)}"
    labels = {entry["label"] for entry in entries}
    return None if len(labels) == len(entries) else "two materials have the same label"


def validate_stages(value: orm.List | None, _: Any) -> str | None:
    """Return what is wrong with the stages, nothing when they can run."""
    entries = value.get_list() if value is not None else []
    try:
        plain = [stage_of(entry) for entry in entries if isinstance(entry, Mapping)]
        ScreeningPlan(mobile_species="Li", stages=tuple(plain))
    except SettingsError as error:
        return str(error)
    for stage, entry in zip(plain, entries, strict=True):
        if METHODS[stage.method].computes and "entry_point" not in (entry.get(PROCESS) or {}):
            return f"stage {stage.name} has no process: see aiida_ion.campaigns.screening"
    return None
