"""``ion.report_training``: the reports of the members of a committee -> one report, before and after the training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.calculations.surrogate.arrays import without_nan
from aiida_ion.calculations.training.frames import dataset_frames
from aiida_ion.calculations.training.ports import dataset_facts, errors_of
from aiida_ion.training.committee import Committee, summary

UNITS = {
    "force_std_mean_eV_A": "eV/angstrom",
    "force_std_max_eV_A": "eV/angstrom",
    "force_error_mean_eV_A": "eV/angstrom",
    "energy_std_eV_atom": "eV/atom",
    "row": "1",
}


@calcfunction
def report_training(dataset: orm.ArrayData, parameters: orm.Dict, **members: orm.ArrayData) -> orm.ArrayData:
    """Report how a committee does on the frames of its dataset, and how its parent did.

    :param dataset: what all members were trained on.
    :param parameters: ``n_members`` that were asked for, and ``failed``, a sentence for each that gave nothing.
    :param members: the ``report`` of each member, ``member_1`` and so on.
    :returns: for each frame that was evaluated, with its ``row`` in the dataset, spread and error of the committee
        (only with two members or more); attributes ``committee`` by split, ``errors`` of the committee's mean,
        ``errors_by_member`` and ``errors_of_parent``.
    :raises ValueError: if the members were evaluated on different frames, or one has no predictions.
    """
    names = sorted(members, key=lambda name: int(name.rpartition("_")[2]))
    first = members[names[0]]
    for name in names:
        if "row" not in members[name].get_arraynames():
            raise ValueError(f"{name} has no predictions: its training stopped before they were made")
        if not np.array_equal(members[name].get_array("row"), first.get_array("row")):
            raise ValueError(f"{name} was evaluated on other frames than {names[0]}")
    all_frames = dataset_frames(dataset)
    frames = [all_frames[row] for row in first.get_array("row")]
    offsets = first.get_array("offsets")
    energies = np.array([members[name].get_array("predicted_energies") for name in names])
    forces = np.array([members[name].get_array("predicted_forces") for name in names])
    node = orm.ArrayData()
    node.set_array("row", first.get_array("row"))
    attributes = _attributes(names, members, parameters.get_dict()) | dataset_facts(dataset)
    attributes["errors"] = errors_of(frames, energies.mean(axis=0), forces.mean(axis=0), offsets)
    if len(names) > 1:
        arrays = Committee(energies, forces, offsets).arrays(frames)
        for name, array in arrays.items():
            node.set_array(name, array)
        attributes["committee"] = summary(frames, arrays)
    node.base.attributes.set_many(without_nan(attributes | {"units": UNITS}))
    return node


def _attributes(names: list[str], members: Mapping[str, orm.ArrayData], given: Mapping[str, Any]) -> dict[str, Any]:
    about = {name: members[name].base.attributes.all for name in names}
    first = about[names[0]]
    return {
        "n_members": given.get("n_members", len(names)),
        "n_done": len(names),
        "failed": list(given.get("failed") or []),
        **{name: first.get(name) for name in ("family", "protocol", "settings", "parent", "trains_on_stress")},
        "seeds": {name: about[name].get("seed") for name in names},
        "sha256": {name: about[name].get("sha256") for name in names},
        "stop_reasons": {name: about[name].get("stop_reason") for name in names},
        "errors_by_member": {name: about[name].get("errors") for name in names},
        "errors_of_parent": first.get("errors_of_parent"),
    }
