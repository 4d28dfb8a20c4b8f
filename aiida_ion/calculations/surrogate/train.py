"""``ion.surrogate_train``: a dataset -> a model, with its errors on materials that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import ExitCode

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
    FILENAME_PROGRESS,
    IDENTITY,
    model_node,
    require_safetensors,
    validate_dataset,
    without_nan,
    write_dataset,
)
from aiida_ion.surrogate.plan import DEFAULT_PROTOCOL, TrainingPlan
from aiida_ion.surrogate.settings import Settings, amplitudes_read, kinds_read

FILENAME_REPORT = "report.npz"
FILENAME_RESTART = "restart.safetensors"
#: What the report repeats of each material.
MATERIAL_WORDS = ("formula", "chemical_system", "prototype", "level_of_theory", "diffusion_uuid")
#: What the program is told where the parameters say nothing.
DEFAULTS = {"protocol": DEFAULT_PROTOCOL, "device": "cpu"}
#: Entries of the results that are nodes of their own, or said by the exit code.
ELSEWHERE = {"status", "message", "versions", "cost", "metrics"}


class SurrogateTrainCalculation(CleaningCalculation):
    """Train the surrogate of the diffusivity, and judge it by cross-validation beside its controls."""

    _program = "surrogate.train"

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare dataset, settings, model and report."""
        super().define(spec)
        spec.input("dataset", valid_type=orm.ArrayData, help="What `aiida-ion surrogate dataset` made.")
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            default=lambda: orm.Dict({}),
            validator=validate_train_parameters,
            help="`protocol`, `settings` that differ from it, `split`, `n_folds`, `n_repeats`, `controls`, "
            "`ablations`, `seed`, `device`.",
        )
        spec.input(
            "restart_from",
            valid_type=orm.FolderData,
            required=False,
            help="The `state` of a training that stopped early: this one continues it.",
        )
        spec.output(
            "model",
            valid_type=orm.SinglefileData,
            required=False,
            help="The weights as safetensors; sha256 and what it was trained on as attributes.",
        )
        spec.output(
            "report",
            valid_type=orm.ArrayData,
            required=False,
            help="Metrics and arms (model, controls, baselines) as attributes; predictions for materials out of their "
            "fold and learning curves as arrays.",
        )
        define_ledger(spec)
        spec.output(
            "state",
            valid_type=orm.FolderData,
            required=False,
            help="The state from which a training that stopped early continues.",
        )
        spec.exit_code(
            400,
            "ERROR_OUT_OF_WALLTIME",
            message="The training stopped early and can be continued from its state: {detail}",
            invalidates_cache=True,  # with more time the same inputs give a model
        )
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.surrogate_train"
        spec.inputs.validator = validate_train_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write settings and arrays; a restart file is copied from its node."""
        inputs = self.inputs
        settings = DEFAULTS | inputs.parameters.get_dict()
        options, attributes = inputs.metadata.options, inputs.dataset.base.attributes
        more = {
            "threads": threads_of(options),
            "max_seconds": seconds_allowed(options.get("max_wallclock_seconds")),
            "materials": attributes.get("materials"),
            "dataset_sha256": attributes.get("sha256"),
            "said": {key: attributes.get(key) for key in (*IDENTITY, "sha256")},
        }
        write_json(folder, FILENAME_INPUTS, settings | more)
        write_dataset(folder.get_abs_path(FILENAME_DATASET), inputs.dataset)
        temporary = [FILENAME_MODEL, FILENAME_REPORT, FILENAME_PROGRESS, FILENAME_RESTART]
        info = self.describe(folder, temporary, excluded=(FILENAME_DATASET,))
        if "restart_from" in inputs:
            info.local_copy_list = [(inputs.restart_from.uuid, FILENAME_RESTART, FILENAME_RESTART)]
        return info


class SurrogateTrainParser(ScriptParser):
    """Turns model, report and restart files of the program into nodes."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach what there is, then say how the job ended."""
        folder = Path(retrieved_temporary_folder or "")
        try:
            results = self.read_results()
            finished = results is not None and results["status"] == "finished"
            has_state = not finished and self._attach_state(folder)
            if results is None:
                ending = self.ending()
                if has_state:
                    return self.exit_code("ERROR_OUT_OF_WALLTIME", ending.message)
                return self.exit_code_of_ending(ending)
            self.attach_ledger(results)
            if finished:
                self._attach_model(folder, results)
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        if results["status"] in ("walltime", "terminated") and not has_state:
            return self.exit_code("ERROR_OUT_OF_WALLTIME_NO_RESTART", str(results.get("message")))
        return self.exit_code_of_status(results)

    def _attach_state(self, folder: Path) -> bool:
        """Attach the restart file and return whether there is one that is further than what the job started from."""
        file = folder / FILENAME_RESTART
        if not file.is_file() or file.read_bytes() == self._start():
            return False
        require_safetensors(file.read_bytes())
        node = orm.FolderData()
        node.base.repository.put_object_from_file(str(file), file.name)
        self.out("state", node)
        return True

    def _start(self) -> bytes | None:
        if "restart_from" not in self.node.inputs:
            return None
        content: bytes = self.node.inputs.restart_from.base.repository.get_object_content(FILENAME_RESTART, "rb")
        return content

    def _attach_model(self, folder: Path, results: Mapping[str, Any]) -> None:
        """Attach the model and the report.

        :raises ValueError: if the model is not a safetensors file, or the report does not fit the dataset.
        """
        origin = self._origin()
        report = orm.ArrayData()
        with np.load(folder / FILENAME_REPORT, allow_pickle=False) as arrays:
            for name in arrays.files:
                report.set_array(name, arrays[name])
        n_materials = self.node.inputs.dataset.base.attributes.get("n_materials")
        for name in ("true", "predicted"):
            if report.get_shape(name) != (n_materials,):
                raise ValueError(f"{FILENAME_REPORT}: {name} is not of the {n_materials} materials of the dataset")
        rest = {key: value for key, value in results.items() if key not in ELSEWHERE}
        report.base.attributes.set_many(without_nan(dict(results["metrics"]) | rest) | origin)
        kept = {key: origin[key] for key in (*IDENTITY, "protocol", "dataset_uuid")}
        model = model_node(folder / FILENAME_MODEL, kept | {"sampling": self._sampling()})
        self.out("model", model)
        self.out("report", report)

    def _sampling(self) -> dict[str, Any]:
        of_dataset = self.node.inputs.dataset.base.attributes.get("sampling", None) or {}
        return sampling_read(TrainingPlan.from_parameters(self.node.inputs.parameters.get_dict()).settings, of_dataset)

    def _origin(self) -> dict[str, Any]:
        dataset = self.node.inputs.dataset
        attributes = dataset.base.attributes.all
        parameters = self.node.inputs.parameters
        plan = TrainingPlan.from_parameters(parameters.get_dict())
        materials = [{key: item.get(key) for key in MATERIAL_WORDS} for item in attributes["materials"]]
        return {
            **{key: attributes[key] for key in IDENTITY},
            "protocol": parameters.get("protocol", DEFAULT_PROTOCOL),
            "split": plan.split,
            "seed": plan.seed,
            "n_folds": plan.n_folds,
            "n_repeats": plan.n_repeats,
            "dataset_uuid": dataset.uuid,
            "dataset_sha256": attributes["sha256"],
            "materials": materials,
        }


def sampling_read(settings: Settings, of_dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a material is sampled for a prediction: as those of the dataset, less what the model never reads.

    :param of_dataset: parameters of ``ion.surrogate_samples`` by which its materials were sampled.
    """
    needed = {key: value for key, value in of_dataset.items() if key != "n_trajectory_frames"}
    amplitudes = amplitudes_read(settings)
    if amplitudes is not None:
        needed["amplitudes_A"] = {f"{amplitude:g}": count for amplitude, count in amplitudes.items()}
    return needed | {"kinds": kinds_read(settings)}


def validate_train_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the settings; ``None`` if nothing is."""
    try:
        TrainingPlan.from_parameters({} if value is None else value.get_dict())
    except (TypeError, ValueError) as error:
        return str(error)
    return None


def validate_train_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what does not fit together among dataset, settings and restart files."""
    dataset, parameters = inputs.get("dataset"), inputs.get("parameters")
    if dataset is None or parameters is None or validate_train_parameters(parameters, None) is not None:
        return None
    problem = validate_dataset(dataset)
    if problem is not None:
        return problem
    n_labelled = int(np.isfinite(dataset.get_array("log10_slope")).sum())
    if n_labelled < len(dataset.get_array("log10_slope")):
        return "the dataset holds materials without a label: it is for predictions; train with a labelled one"
    n_folds = TrainingPlan.from_parameters(parameters.get_dict()).n_folds
    if n_labelled < n_folds:
        return f"the dataset has {n_labelled} materials, fewer than the {n_folds} folds: more materials, or fewer folds"
    state = inputs.get("restart_from")
    if state is not None and FILENAME_RESTART not in state.base.repository.list_object_names():
        return f"restart_from has no {FILENAME_RESTART}; give the `state` of an ion.surrogate_train"
    return None
