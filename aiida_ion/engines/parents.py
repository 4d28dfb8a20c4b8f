"""The parent of a training, from the name of an engine, a node or a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiida import orm
from aiida.common.exceptions import MultipleObjectsError, NotExistent

from aiida_ion.calculations.stored_files import store_file
from aiida_ion.calculations.training.trained import potential_settings
from aiida_ion.engines.engine import Engine, load_engine
from aiida_ion.engines.trained import members_of
from aiida_ion.training.families import FAMILIES


def parent_inputs(given: str, potential: str, computer: orm.Computer) -> dict[str, Any]:
    """Return the inputs ``parent`` and ``parent_checkpoint`` of a training.

    :param given: name of an engine, pk or uuid of a training or of its potential, or path of a file of weights.
    :param potential: name of the family among the potentials of ``ion.mlip_md``.
    :param computer: where the training runs.
    :raises ValueError: if it is none of these, or of another family.
    """
    if Path(given).is_file():
        node = store_file(Path(given))
        settings = {"name": potential, "checkpoint_sha256": node.base.attributes.get("sha256")}
        return {"parent": orm.Dict(settings), "parent_checkpoint": node}
    found = _node(given)
    if isinstance(found, orm.ProcessNode):
        found = next(iter(members_of(found).values())).outputs.potential
    if isinstance(found, orm.SinglefileData):
        return _of_node(found, computer)
    return _of_engine(load_engine(given), computer)


def _node(given: str) -> Any:
    """Return the node of a pk or uuid; ``None`` where there is none."""
    try:
        return orm.load_node(given)
    except (NotExistent, MultipleObjectsError, ValueError):
        return None


def _of_node(node: orm.SinglefileData, computer: orm.Computer) -> dict[str, Any]:
    """Return the inputs of a trained potential; the package of one that was compiled."""
    if node.base.attributes.get("is_compiled", None):
        creator = node.creator
        if creator is None or "package" not in creator.outputs:
            raise ValueError(f"{node.filename} is compiled and its package is not here: it cannot be trained any more")
        node = creator.outputs.package
    return {"parent": orm.Dict(potential_settings(node, computer)), "parent_checkpoint": node}


def _of_engine(engine: Engine, computer: orm.Computer) -> dict[str, Any]:
    """Return the inputs of the potential of an engine."""
    if not engine.potential.get("name"):
        raise ValueError(f"the engine {engine.name} has no potential that a training can start from")
    if engine.checkpoint is not None and engine.trained:
        return _of_node(engine.checkpoint, computer)
    inputs: dict[str, Any] = {"parent": orm.Dict(dict(engine.potential))}
    return inputs | ({} if engine.checkpoint is None else {"parent_checkpoint": engine.checkpoint})


def training_code(name: str) -> orm.InstalledCode:
    """Return the code whose Python trains.

    :raises ValueError: if there is none of that name.
    """
    try:
        return orm.load_code(name)  # type: ignore[return-value]
    except NotExistent as error:
        known = ", ".join(sorted({family.environment for family in FAMILIES.values()}))
        raise ValueError(
            f"there is no engine {name}: make one with 'aiida-ion engine install', of {known}, or name another"
        ) from error
