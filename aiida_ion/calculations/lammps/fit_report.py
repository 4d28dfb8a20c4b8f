"""The report of a fit: errors on every split, evaluated as molecular dynamics does."""

from __future__ import annotations

from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.calculations.lammps.fitted import widths
from aiida_ion.calculations.lammps.training_inputs import FitParameters
from aiida_ion.calculations.surrogate.arrays import without_nan
from aiida_ion.calculations.training.ports import dataset_facts, errors_of
from aiida_ion.lammps.pod.outputs import Fit
from aiida_ion.training.frames import LabelledFrame

REPORT_UNITS = {
    "predicted_forces": "eV/angstrom",
    "reference_forces": "eV/angstrom",
    "predicted_energies": "eV",
    "reference_energies": "eV",
    "train_force_rmse_eV_A": "eV/angstrom",
    "validation_force_rmse_eV_A": "eV/angstrom",
}


def fit_report(
    dataset: orm.ArrayData,
    arrays: dict[str, Any],
    train: list[LabelledFrame],
    evaluated: list[LabelledFrame],
    fit: Fit,
    parameters: dict[str, Any],
    resources: Any,
    plan: dict[str, Any],
) -> orm.ArrayData:
    """Return the report of a fit as an unstored node: predictions, errors, and what was fitted to what.

    :param arrays: predictions beside their references, as of :func:`prediction_arrays`.
    :param train: all training frames.
    :param evaluated: the frames of the predictions.
    :param fit: what LAMMPS said of the fit.
    :param parameters: those of the job.
    :param resources: of the job.
    :param plan: ``drawn``: the training frames that were fitted.
    """
    pod = FitParameters.from_dict(parameters).pod
    errors = errors_of(evaluated, arrays["predicted_energies"], arrays["predicted_forces"], arrays["offsets"])
    node = orm.ArrayData()
    for name, array in arrays.items():
        node.set_array(name, array)
    node.set_array("epoch", np.array([1]))
    node.set_array("train_force_rmse_eV_A", np.array([fit.force_rmse_eV_A]))
    if "validation" in errors:
        wrong = [
            _part(arrays, row, "predicted_forces") - frame.forces
            for row, frame in enumerate(evaluated)
            if frame.split == "validation"
        ]
        rmse = float(np.sqrt(np.mean(np.concatenate(wrong) ** 2)))
        node.set_array("validation_force_rmse_eV_A", np.array([rmse]))
    node.base.attributes.set_many(
        without_nan(
            dataset_facts(dataset)
            | {name: parameters[name] for name in ("family", "protocol", "seed", "dtype")}
            | {
                "settings": pod.to_dict(),
                "errors": errors,
                "fit": {name: getattr(fit, name) for name in fit.__dataclass_fields__ if name != "species"},
                "n_configurations": fit.n_configurations,
                "n_distinct_frames": len(set(plan["drawn"])),
                "n_weights": fit.n_descriptors,
                "equations_per_weight": 3 * fit.n_atoms / fit.n_descriptors,
                "n_epochs": 1,
                "stop_reason": "solved",
                "segments": 1,
                "threads": int(resources.get("num_cores_per_mpiproc") or 1),
                "evaluated_by": "lammps_rerun",
                **widths(train, pod.rcut_A),
                "units": REPORT_UNITS,
            }
        )
    )
    return node


def _part(arrays: dict[str, Any], row: int, name: str) -> Any:
    return arrays[name][arrays["offsets"][row] : arrays["offsets"][row + 1]]
