"""``ion.surrogate_predict``: a model and sampled materials -> their diffusivity and conductivity, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import ExitCode
from numpy.typing import NDArray

from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.calculations.cleaning import CleaningCalculation
from aiida_ion.calculations.script import (
    FILENAME_INPUTS,
    UNREADABLE,
    ScriptParser,
    define_ledger,
    seconds_allowed,
    threads_of,
    write_json,
)
from aiida_ion.calculations.surrogate.arrays import (
    FILENAME_DATASET,
    FILENAME_MODEL,
    TEMPERATURE_TOLERANCE,
    validate_dataset,
    validate_model,
    without_nan,
    write_dataset,
)
from aiida_ion.calculations.surrogate.labels import diffusivity_cm2_s

FILENAME_PREDICTIONS = "predictions.npz"
#: Array -> its further dimensions, after that of the materials.
PREDICTED: dict[str, tuple[int, ...]] = {
    "log10_slope": (),
    "std": (),
    "interval95": (2,),
    "in_domain": (),
    "domain_distance": (),
    "seconds": (),
}
PREDICT_DEFAULTS: dict[str, Any] = {"seed": 1, "device": "cpu"}


class SurrogatePredictCalculation(CleaningCalculation):
    """Predict materials with a trained surrogate; those unlike its training set are marked."""

    _program = "surrogate.predict"

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare model, dataset and predictions."""
        super().define(spec)
        spec.input("model", valid_type=orm.SinglefileData, help="The `model` of an `ion.surrogate_train`.")
        spec.input(
            "dataset", valid_type=orm.ArrayData, help="The sampled materials; labels are not looked at, and not needed."
        )
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            default=lambda: orm.Dict({}),
            validator=validate_predict_parameters,
            help="`seed` (1) and `device` (cpu).",
        )
        spec.output(
            "predictions",
            valid_type=orm.ArrayData,
            required=False,
            help="log10 of the slope of the mean squared displacement (angstrom^2/ps) with std and 95 % interval, "
            "whether the material is like those learnt from; diffusivity and conductivity in `materials`.",
        )
        define_ledger(spec)
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.surrogate_predict"
        spec.inputs.validator = validate_predict_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write settings and arrays; the model is copied from its node."""
        inputs = self.inputs
        attributes = inputs.dataset.base.attributes
        write_json(
            folder,
            FILENAME_INPUTS,
            PREDICT_DEFAULTS
            | inputs.parameters.get_dict()
            | {
                "threads": threads_of(inputs.metadata.options),
                "max_seconds": seconds_allowed(inputs.metadata.options.get("max_wallclock_seconds")),
                "temperature_K": attributes.get("temperature_K"),
                "materials": attributes.get("materials"),
            },
        )
        write_dataset(folder.get_abs_path(FILENAME_DATASET), inputs.dataset)
        info = self.describe(folder, [FILENAME_PREDICTIONS], excluded=(FILENAME_DATASET,))
        info.local_copy_list = [(inputs.model.uuid, inputs.model.filename, FILENAME_MODEL)]
        return info


class SurrogatePredictParser(ScriptParser):
    """Turns the arrays of the program into predictions with units."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach the predictions."""
        try:
            results = self.read_results()
            if results is None:
                return self.exit_code_of_ending(self.ending())
            self.attach_ledger(results)
            failure = self.exit_code_of_status(results)
            if failure is not None:
                return failure
            node = self._predictions(Path(retrieved_temporary_folder or ""), results)
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        self.out("predictions", node)
        return None

    def _predictions(self, folder: Path, results: Mapping[str, Any]) -> orm.ArrayData:
        dataset, model = self.node.inputs.dataset, self.node.inputs.model
        n_materials = dataset.base.attributes.get("n_materials")
        arrays = read_predictions(folder / FILENAME_PREDICTIONS, n_materials)
        reasons = results.get("reasons") or [None] * n_materials
        if len(reasons) != n_materials:
            raise ValueError(f"results.json gives {len(reasons)} reasons for {n_materials} materials")
        node = orm.ArrayData()
        for name, array in arrays.items():
            node.set_array(name, array)
        node.base.attributes.set_many(
            {
                "materials": without_nan(predicted_materials(dataset, arrays, reasons)),
                "temperature_K": dataset.base.attributes.get("temperature_K"),
                "model_uuid": model.uuid,
                "model_sha256": model.base.attributes.get("sha256"),
                "dataset_uuid": dataset.uuid,
            }
        )
        return node


def read_predictions(path: Path, n_materials: int) -> dict[str, NDArray[Any]]:
    """Read the arrays of the program.

    :raises ValueError: if one is missing or not of these materials.
    """
    with np.load(path, allow_pickle=False) as content:
        missing = sorted(set(PREDICTED) - set(content.files))
        if missing:
            raise ValueError(f"{path.name} lacks {', '.join(missing)}")
        arrays = {name: content[name] for name in PREDICTED}
    for name, more in PREDICTED.items():
        if arrays[name].shape != (n_materials, *more):
            raise ValueError(f"{path.name}: {name} has shape {arrays[name].shape}, not {(n_materials, *more)}")
    return arrays


def predicted_materials(
    dataset: orm.ArrayData, arrays: Mapping[str, NDArray[Any]], reasons: list[Any]
) -> list[dict[str, Any]]:
    """Return each prediction: slope, diffusivity, Nernst-Einstein conductivity, and cost.

    There is no conductivity where the charge of the mobile ion is unknown.
    """
    offsets, mobile, cells = (dataset.get_array(name) for name in ("atom_offsets", "mobile", "cells_A"))
    predictions = []
    for index, about in enumerate(dataset.base.attributes.get("materials")):
        low, high = (float(edge) for edge in arrays["interval95"][index])
        slope = float(arrays["log10_slope"][index])
        entry = {
            "formula": about["formula"],
            "structure_uuid": about["structure_uuid"],
            "log10_slope": slope,
            "log10_slope_ci95": [low, high],
            "tracer_diffusivity_cm2_s": diffusivity_cm2_s(slope),
            "tracer_diffusivity_ci95_cm2_s": [diffusivity_cm2_s(low), diffusivity_cm2_s(high)],
            "in_domain": bool(arrays["in_domain"][index]),
            "reason": reasons[index],
            "seconds_forces": about.get("seconds_forces"),
            "seconds_model": float(arrays["seconds"][index]),
        }
        density = float(mobile[offsets[index] : offsets[index + 1]].sum() / abs(np.linalg.det(cells[index])))
        predictions.append(entry | _conductivity(entry, about, density))
    return predictions


def _conductivity(entry: Mapping[str, Any], about: Mapping[str, Any], number_density_A3: float) -> dict[str, Any]:
    if about.get("charge_e") is None:
        return {}

    def sigma(diffusivity: float) -> float:
        return ionic_conductivity_mS_cm(diffusivity, about["charge_e"], number_density_A3, about["temperature_K"])

    return {
        "ionic_conductivity_mS_cm": sigma(entry["tracer_diffusivity_cm2_s"]),
        "ionic_conductivity_ci95_mS_cm": [sigma(edge) for edge in entry["tracer_diffusivity_ci95_cm2_s"]],
    }


def validate_predict_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the settings; ``None`` if nothing is."""
    settings = value.get_dict() if value is not None else {}
    unknown = sorted(set(settings) - set(PREDICT_DEFAULTS))
    if unknown:
        return f"unknown setting {', '.join(unknown)}; choose from {', '.join(PREDICT_DEFAULTS)}"
    seed = settings.get("seed", PREDICT_DEFAULTS["seed"])
    return None if type(seed) is int and seed >= 0 else f"seed must be a whole number from 0 on, got {seed!r}"


def validate_predict_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what does not match between model and dataset; ``None`` if everything does."""
    model, dataset = inputs.get("model"), inputs.get("dataset")
    if model is None or dataset is None:
        return None
    problem = validate_model(model) or validate_dataset(dataset)
    if problem is not None:
        return problem
    learnt, asked = model.base.attributes.all, dataset.base.attributes.all
    if abs(learnt["temperature_K"] - asked["temperature_K"]) > TEMPERATURE_TOLERANCE * learnt["temperature_K"]:
        return f"the model knows {learnt['temperature_K']:g} K only, and the dataset is of {asked['temperature_K']:g} K"
    for name, words in (("mobile_species", "mobile species"), ("levels_of_theory", "level of theory")):
        unknown = sorted(set(asked[name]) - set(learnt[name]))
        # A model that was trained on several potentials is meant for others, too.
        if unknown and not (name == "levels_of_theory" and len(learnt[name]) > 1):
            known = ", ".join(learnt[name])
            return f"the model has learnt from the {words} {known}, and the dataset is of {', '.join(unknown)}"
    return None
