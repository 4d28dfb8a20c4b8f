"""From the files of a training to its nodes: the potential and the report."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.calculations.surrogate.arrays import without_nan
from aiida_ion.calculations.training.frames import dataset_frames
from aiida_ion.calculations.training.ports import dataset_facts, errors_of, potential_facts, prediction_arrays
from aiida_ion.training.frames import SPLITS
from aiida_ion.training.plan import TrainingPlan

Arrays = Mapping[str, NDArray[Any]]
#: What the report takes over from the results of the program.
FROM_RESULTS = (
    *("settings", "labels", "constants_eV", "constants_are_determined", "stop_reason", "n_epochs", "best_epoch"),
    *("segments", "n_weights", "trains_on_stress", "message"),
)
#: Attributes of the report that say where and how it was trained.
MACHINE = ("device", "threads", "dtype")
UNITS = {
    "predicted_forces": "eV/angstrom",
    "reference_forces": "eV/angstrom",
    "parent_forces": "eV/angstrom",
    "predicted_energies": "eV",
    "reference_energies": "eV",
    "parent_energies": "eV",
    "offsets": "1",
    "row": "1",
}


def potential_node(
    folder: Path, dataset: orm.ArrayData, plan: TrainingPlan, results: Mapping[str, Any]
) -> orm.SinglefileData:
    """Return the trained potential as an unstored node.

    :raises ValueError: if the file is not the one whose hash the program says.
    """
    node = _file(folder, results["files"]["potential"])
    parent = (results.get("parent") or {}).get("sha256")
    sha256 = results["files"]["potential"]["sha256"]
    facts = potential_facts(dataset, plan.to_dict(), plan.kind.label, sha256, parent)
    more = {
        "potential": plan.kind.potential,
        "is_compiled": plan.kind.is_compiled,
        "dtype": results["engine"]["dtype"],
        "n_weights": results.get("n_weights"),
        "stop_reason": results["stop_reason"],
        "trains_on_stress": results["trains_on_stress"],
    }
    node.base.attributes.set_many(without_nan(facts | more))
    node.label = facts["level_of_theory"]
    return node


def package_node(folder: Path, dataset: orm.ArrayData, results: Mapping[str, Any]) -> orm.SinglefileData | None:
    """Return the package of a compiled potential as an unstored node; ``None`` where there is none.

    :raises ValueError: if the file is not the one whose hash the program says.
    """
    about = results["files"].get("package")
    if about is None:
        return None
    node = _file(folder, about)
    compiled = results["files"]["potential"]["sha256"]
    node.base.attributes.set_many(dataset_facts(dataset) | {"sha256": about["sha256"], "compiled_sha256": compiled})
    return node


def _file(folder: Path, about: Mapping[str, str]) -> orm.SinglefileData:
    path = folder / about["name"]
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    if sha256 != about["sha256"]:
        raise ValueError(f"{path.name} has sha256 {sha256[:12]}, and the program wrote one of {about['sha256'][:12]}")
    return orm.SinglefileData(path.absolute(), filename=path.name)


def report_node(
    dataset: orm.ArrayData,
    plan: TrainingPlan,
    results: Mapping[str, Any],
    curve: Arrays,
    predictions: Arrays,
) -> orm.ArrayData:
    """Return learning curve, predictions and errors as an unstored node.

    :param curve: columns of the learning curve, shape (epochs,).
    :param predictions: what the program evaluated; empty where it stopped before that.
    :raises ValueError: if the predictions do not fit the dataset.
    """
    node = orm.ArrayData()
    for name, array in curve.items():
        node.set_array(name, array)
    attributes = {name: results.get(name) for name in FROM_RESULTS} | dataset_facts(dataset)
    attributes |= {name: results["engine"].get(name) for name in MACHINE}
    attributes |= {name: getattr(plan, name) for name in ("family", "protocol", "seed")}
    attributes |= {"parent": results.get("parent"), "sha256": results["files"]["potential"]["sha256"], "units": UNITS}
    if predictions:
        frames = dataset_frames(dataset)
        rows = _rows(dataset, predictions)
        chosen = [frames[row] for row in rows]
        arrays = prediction_arrays(chosen, rows, predictions["predicted_energies"], predictions["predicted_forces"])
        attributes["errors"] = errors_of(
            chosen, arrays["predicted_energies"], arrays["predicted_forces"], arrays["offsets"]
        )
        if "parent_energies" in predictions:
            parent = prediction_arrays(chosen, rows, predictions["parent_energies"], predictions["parent_forces"])
            arrays |= {f"parent_{kind}": parent[f"predicted_{kind}"] for kind in ("energies", "forces")}
            errors = errors_of(chosen, arrays["parent_energies"], arrays["parent_forces"], arrays["offsets"])
            attributes["errors_of_parent"] = errors
        for name, array in arrays.items():
            node.set_array(name, array)
    node.base.attributes.set_many(without_nan(attributes))
    return node


def _rows(dataset: orm.ArrayData, predictions: Arrays) -> list[int]:
    """Return the row in the dataset of each frame that was evaluated.

    :raises ValueError: if the dataset has no such frame.
    """
    split = dataset.get_array("split")
    of_split = [np.flatnonzero(split == number) for number in range(len(SPLITS))]
    try:
        return [int(of_split[s][i]) for s, i in zip(predictions["split"], predictions["index"], strict=True)]
    except IndexError as error:
        raise ValueError("the program evaluated frames that the dataset does not have") from error
