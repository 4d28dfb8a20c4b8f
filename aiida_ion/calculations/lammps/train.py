"""``ion.lammps_train``: a POD potential fitted by LAMMPS, with the ports of ``ion.train``."""

from __future__ import annotations

import hashlib
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import ExitCode

from aiida_ion.calculations.lammps.fit_report import fit_report
from aiida_ion.calculations.lammps.fitted import COEFF, FILENAMES, PARAM, fit_attributes
from aiida_ion.calculations.lammps.job import FILENAME_LOG, lammps_job
from aiida_ion.calculations.lammps.training_inputs import (
    FitParameters,
    evaluated_rows,
    reference_place,
    validate_fit_inputs,
    validate_fit_parameters,
)
from aiida_ion.calculations.script import (
    FILENAME_INPUTS,
    UNREADABLE,
    ScriptParser,
    define_exit_codes,
    read_hardware,
    write_json,
)
from aiida_ion.calculations.surrogate.arrays import without_nan
from aiida_ion.calculations.training.frames import dataset_frames
from aiida_ion.calculations.training.ports import define_training_ports, prediction_arrays
from aiida_ion.lammps.logs import read_cost, read_ranks, read_versions
from aiida_ion.lammps.pod import inputs as pod_inputs
from aiida_ion.lammps.pod import job as pod_job
from aiida_ion.lammps.pod.outputs import Fit, check_fit, read_fit, with_constants
from aiida_ion.places.job import PlacedJob
from aiida_ion.training.families.pod import basis_of, drawn_frames, n_descriptors
from aiida_ion.training.frames import LabelledFrame, of_split


class LammpsTrainCalculation(PlacedJob):
    """The least-squares fit of a POD potential to the training frames of a dataset."""

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare the ports of a training, and the two files of the potential."""
        super().define(spec)
        define_exit_codes(spec)
        define_training_ports(spec, validate_fit_parameters)
        spec.inputs["parameters"].default = lambda: orm.Dict({})
        spec.inputs["parameters"].required = False
        spec.output_namespace(
            "files",
            valid_type=orm.SinglefileData,
            dynamic=True,
            help="`param` (cut-offs in angstrom, the order of the elements) and `coeff` (coefficients, eV), which "
            "`pair_style pod` reads; attributes of `coeff` say what they were fitted to and may be used for.",
        )
        spec.exit_code(350, "ERROR_FIT_FAILED", message="The fit cannot be used: {detail}")
        options = spec.inputs["metadata"]["options"]
        options["resources"].default = lambda: {"num_machines": 1, "num_mpiprocs_per_machine": 1}
        options["withmpi"].default = False
        options["parser_name"].default = "ion.lammps_train"
        spec.inputs.validator = validate_fit_inputs

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:
        """Write the input files of the fit and of the evaluation."""
        frames = dataset_frames(self.inputs.dataset)
        parameters = FitParameters.from_dict(self.inputs.parameters.get_dict())
        train = of_split(frames, "train")
        drawn = drawn_frames(len(train), parameters.seed)
        rows = evaluated_rows(frames, parameters.max_train_frames)
        evaluated = [frames[row] for row in rows]
        attributes = self.inputs.dataset.base.attributes
        counts = pod_job.write_job(
            Path(folder.get_abs_path(".")),
            [train[index] for index in drawn],
            evaluated,
            attributes.get("elements"),
            parameters.pod,
            attributes.get("element_constants_eV"),
        )
        write_json(folder, FILENAME_INPUTS, {"drawn": drawn, "rows": rows, "counts": counts})
        forces = f"{pod_job.EVALUATION.format(0)[:-2]}*/forces.bin"
        info = lammps_job(self.inputs, pod_job.INPUT, [pod_inputs.COEFFICIENTS])
        info.retrieve_temporary_list = [*(info.retrieve_temporary_list or []), (forces, ".", 2)]
        info.provenance_exclude_list = pod_job.excluded_files(len(pod_job.groups_of(evaluated)))
        return info


class LammpsTrainParser(ScriptParser):
    """Reads log, coefficients and predictions; a fit that is not what was asked for leaves no files."""

    def parse(self, retrieved_temporary_folder: str | None = None, **_: Any) -> ExitCode | None:
        """Attach the files of the potential and the report."""
        folder = Path(retrieved_temporary_folder or "")
        log, errors = self.text(FILENAME_LOG), self.error_streams()
        problem = self.validate_mpi(read_ranks(log))
        if problem is not None:
            return self.exit_code("ERROR_MPI_FAILED", problem)
        if cost := _cost(log):
            self.out("cost", orm.Dict(cost | {"hardware": read_hardware(folder)}))
        if versions := read_versions(log):
            self.out("versions", orm.Dict(versions))
        failure = pod_job.fit_problem(log, errors)
        if failure is not None:
            return self._failure(*failure)
        try:
            fit = read_fit(log)
        except UNREADABLE as error:
            return self.exit_code("ERROR_OUTPUT_UNREADABLE", str(error))
        return self._results(folder, fit, log, errors)

    def _failure(self, status: str, message: str) -> ExitCode | None:
        if status in ("walltime", "terminated"):
            return self.exit_code("ERROR_OUT_OF_WALLTIME_NO_RESTART", message)
        return self.exit_code_of_status({"status": status, "message": message})

    def _results(self, folder: Path, fit: Fit, log: str, errors: str) -> ExitCode | None:
        dataset = self.node.inputs.dataset
        attributes = dataset.base.attributes
        species, constants = attributes.get("elements"), attributes.get("element_constants_eV")
        parameters = FitParameters.from_dict(self.node.inputs.parameters.get_dict())
        plan = json.loads(self.node.base.repository.get_object_content(FILENAME_INPUTS, "r"))
        frames = dataset_frames(dataset)
        train = of_split(frames, "train")
        evaluated = [frames[row] for row in plan["rows"]]
        try:
            check_fit(
                fit,
                species=species,
                n_configurations=plan["counts"][0],
                n_atoms=plan["counts"][1],
                n_descriptors=n_descriptors(basis_of(parameters.pod, len(species)), len(species)),
                force_rms_eV_A=float(np.sqrt(np.mean(_forces([train[index] for index in plan["drawn"]]) ** 2))),
            )
            raw = (folder / pod_inputs.COEFFICIENTS).read_text()
            coefficients = with_constants(raw, species, constants, pod_inputs.PRECISION)
            predicted = pod_job.read_predictions(folder, evaluated, constants, log=log, errors=errors)
        except UNREADABLE as error:
            return self.exit_code("ERROR_FIT_FAILED", str(error))
        texts = {PARAM: self.node.base.repository.get_object_content(pod_inputs.PARAM, "r"), COEFF: coefficients}
        sha256 = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
        given = parameters.to_dict()
        place = reference_place(evaluated)
        reference = (evaluated[place], float(predicted.energies_eV[place]))
        facts = fit_attributes(dataset, given, parameters.pod, train, reference, sha256)
        for name, text in texts.items():
            node = orm.SinglefileData(BytesIO(text.encode()), filename=FILENAMES[name])
            node.label = facts["level_of_theory"]
            node.base.attributes.set_many(without_nan(facts) if name == COEFF else {"sha256": sha256[name]})
            self.out(f"files.{name}", node)
        arrays = prediction_arrays(evaluated, plan["rows"], predicted.energies_eV, np.concatenate(predicted.forces))
        resources = self.node.get_option("resources")
        self.out("report", fit_report(dataset, arrays, train, evaluated, fit, given, resources, plan))
        return None


def _cost(log: str) -> dict[str, Any]:
    """Return times, s. LAMMPS states the memory of its atoms only, not that of the normal equations."""
    seconds = pod_job.read_seconds(log)
    if not seconds:
        return {}
    cost = read_cost(log)
    kept = {name: cost[name] for name in ("device", "threads", "mpi_ranks", "gpu_time_s") if cost[name] is not None}
    return seconds | {"wall_time_s": sum(seconds.values())} | kept


def _forces(frames: list[LabelledFrame]) -> Any:
    return np.concatenate([frame.forces for frame in frames])
