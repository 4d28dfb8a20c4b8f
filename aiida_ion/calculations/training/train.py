"""``ion.train``: a dataset -> a potential, with its errors on frames that it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import ExitCode

from aiida_ion.calculations.cleaning import CleaningCalculation
from aiida_ion.calculations.mlip.job import checkpoint_name, potential_inputs, validate_checkpoint
from aiida_ion.calculations.script import (
    FILENAME_INPUTS,
    FILENAME_RESULTS,
    FILENAME_STDERR,
    UNREADABLE,
    ScriptParser,
    seconds_allowed,
    threads_of,
    write_json,
)
from aiida_ion.calculations.training.frames import dataset_frames
from aiida_ion.calculations.training.ports import define_training_ports
from aiida_ion.calculations.training.results import package_node, potential_node, report_node
from aiida_ion.training.extxyz import write_extxyz
from aiida_ion.training.families import FAMILIES
from aiida_ion.training.frames import SPLITS, of_split
from aiida_ion.training.plan import TrainingPlan, validate_elements, validate_plan

FILENAME_PREDICTIONS, FILENAME_CURVE, FILENAME_PACKAGE = "predictions.npz", "curve.npz", "potential.nequip.zip"
FILENAME_LOG = "trainer.log"
#: Files that a training may leave; large ones are parsed into nodes and then dropped, so that there is one copy.
TEMPORARY_FILES = [
    *sorted({family.filename for family in FAMILIES.values()}),
    FILENAME_PACKAGE,
    FILENAME_PREDICTIONS,
    FILENAME_CURVE,
]


class TrainCalculation(CleaningCalculation):
    """Train a potential with the program of its family, and evaluate it as molecular dynamics does."""

    _program = "trainers.train"

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare dataset, parameters, parent, potential and report."""
        super().define(spec)
        define_training_ports(spec, validate_parameters)
        spec.output(
            "potential",
            valid_type=orm.SinglefileData,
            required=False,
            help="The file that molecular dynamics loads; sha256, elements, compositions, seed and level of theory as "
            "attributes. That of NequIP and Allegro is compiled for the computer that made it.",
        )
        spec.output(
            "package",
            valid_type=orm.SinglefileData,
            required=False,
            help="NequIP and Allegro: the potential before it was compiled, for other computers and as a parent.",
        )
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.train"
        spec.inputs.validator = validate_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write plan and labelled frames; the checkpoint of the parent is copied from its node."""
        inputs, options = self.inputs, self.inputs.metadata.options
        frames = dataset_frames(inputs.dataset)
        for split in SPLITS:
            Path(folder.get_abs_path(f"{split}.extxyz")).write_text(write_extxyz(of_split(frames, split)))
        write_json(
            folder,
            FILENAME_INPUTS,
            {
                "plan": TrainingPlan.from_dict(inputs.parameters.get_dict()).to_dict(),
                "parent": _parent_inputs(inputs, options),
                "threads": threads_of(options),
                "max_seconds": seconds_allowed(options.get("max_wallclock_seconds")),
            },
        )
        info = self.describe(folder, TEMPORARY_FILES, excluded=tuple(f"{split}.extxyz" for split in SPLITS))
        info.retrieve_list = [FILENAME_RESULTS, FILENAME_STDERR, FILENAME_LOG]
        checkpoint = inputs.get("parent_checkpoint")
        if checkpoint is not None:
            info.local_copy_list = [(checkpoint.uuid, checkpoint.filename, checkpoint_name(checkpoint))]
        return info


def _as_potential(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parent under the names that a potential has in the other jobs."""
    names = {"parent": "potential", "parent_checkpoint": "checkpoint"}
    return {theirs: inputs[ours] for ours, theirs in names.items() if inputs.get(ours) is not None}


def _parent_inputs(inputs: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any] | None:
    if inputs.get("parent") is None:
        return None
    plan = TrainingPlan.from_dict(inputs["parameters"].get_dict())
    return potential_inputs(_as_potential(inputs), options) | {"device": plan.device}


class TrainParser(ScriptParser):
    """Turns what the program left into nodes, also where it stopped early."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach potential and report, then say how the job ended."""
        folder = Path(retrieved_temporary_folder or "")
        try:
            results = self.read_results()
            if results is None:
                return self.exit_code_of_ending(self.ending())
            self.attach_ledger(results)
            has_potential = "potential" in (results.get("files") or {})
            if has_potential and results["status"] in ("finished", "walltime", "terminated"):
                self._attach(folder, results)
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        if results["status"] in ("walltime", "terminated") and not has_potential:
            return self.exit_code("ERROR_OUT_OF_WALLTIME_NO_RESTART", str(results.get("message")))
        return self.exit_code_of_status(results)

    def _attach(self, folder: Path, results: Mapping[str, Any]) -> None:
        """Attach the potential, and the report of its training.

        :raises ValueError: if a file is not the one that the results name, or does not fit the dataset.
        """
        dataset = self.node.inputs.dataset
        plan = TrainingPlan.from_dict(self.node.inputs.parameters.get_dict())
        potential = potential_node(folder, dataset, plan, results)
        predictions, curve = _arrays(folder / FILENAME_PREDICTIONS), _arrays(folder / FILENAME_CURVE)
        if not predictions and results["status"] == "finished":
            raise ValueError(f"the training finished, and there is no {FILENAME_PREDICTIONS}")
        report = report_node(dataset, plan, results, curve, predictions)
        package = package_node(folder, dataset, results)
        self.out("potential", potential)
        self.out("report", report)
        if package is not None:
            self.out("package", package)


def _arrays(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def validate_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the parameters by themselves; ``None`` if nothing is."""
    try:
        TrainingPlan.from_dict({} if value is None else value.get_dict())
    except ValueError as error:
        return str(error)
    return None


def validate_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what does not match among dataset, parameters and parent; ``None`` if everything does."""
    dataset, parameters, parent = (inputs.get(name) for name in ("dataset", "parameters", "parent"))
    if dataset is None or parameters is None:
        return None
    if "sources" not in dataset.base.attributes.all:
        return "the dataset is not one: make it with 'aiida-ion potential dataset'"
    checkpoint = inputs.get("parent_checkpoint")
    if parent is None and checkpoint is not None:
        return "parent_checkpoint is given without parent, which says how it is loaded"
    about = None if parent is None else parent.get_dict()
    problem = validate_plan(parameters.get_dict(), about, dataset.base.attributes.all)
    return problem or validate_checkpoint(_as_potential(inputs)) or _validate_elements(checkpoint, dataset)


def _validate_elements(checkpoint: orm.SinglefileData | None, dataset: orm.ArrayData) -> str | None:
    """Return which elements a trained parent does not know; of other checkpoints the program says it."""
    known = None if checkpoint is None else checkpoint.base.attributes.get("elements", None)
    return validate_elements(known, dataset.base.attributes.get("elements"), "the parent")
