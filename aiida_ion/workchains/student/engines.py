"""A finished training -> the engine that runs its potential, and what its report says of the test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.calculations.lammps.fitted import COEFF, fitted_potential
from aiida_ion.calculations.training.bounds import run_watch
from aiida_ion.calculations.training.trained import device_of, potential_settings
from aiida_ion.engine_kinds import entry_point_of
from aiida_ion.training.frames import SPLITS
from aiida_ion.workchains.student.loop import TestErrors

TEST = "test"


def watch_of_student(job: Any, dataset: orm.ArrayData, margin_A: float | None) -> dict[str, Any] | None:
    """Return the input ``watch`` of the runs of a trained potential.

    :param job: the finished training.
    :param dataset: its frames.
    :param margin_A: how far below the closest pair of the training frames a run may come; ``None`` for the bounds of
        the dataset.
    """
    below_A = None
    if "files" in job.outputs:
        below_A = float(job.outputs.files[COEFF].base.attributes.get("settings")["rcut_A"])
    return run_watch(dataset, margin_A, below_A)


def student_engine(
    job: Any, options: Mapping[str, Any] | None, watch: Mapping[str, Any] | None
) -> tuple[str, dict[str, Any]]:
    """Return the entry point of the MD work chain that runs a trained potential, and its engine inputs.

    :param job: the finished training.
    :param options: ``metadata.options`` of the jobs.
    :param watch: the input of that name; ``None`` for runs that are not watched.
    """
    metadata: dict[str, Any] = {"metadata": {"options": dict(options)}} if options else {}
    metadata |= {"watch": orm.Dict(dict(watch))} if watch is not None else {}
    if "files" not in job.outputs:
        settings = potential_settings(job.outputs.potential, job.computer) | device_of(job)
        weights = {"potential": orm.Dict(settings), "checkpoint": job.outputs.potential}
        return entry_point_of("mlip"), {"code": job.inputs.code} | weights | metadata
    potential, files = fitted_potential(dict(job.outputs.files.items()))
    engine = {"code": job.inputs.code, "potential": orm.Dict(potential), "files": files}
    return entry_point_of("lammps"), engine | metadata


def potential_files(job: Any) -> dict[str, orm.SinglefileData]:
    """Return the files of a trained potential by their names."""
    if "files" in job.outputs:
        return dict(job.outputs.files.items())
    return {"potential": job.outputs.potential}


def level_of_theory(job: Any) -> str:
    """Return the name that results of a trained potential carry."""
    files = potential_files(job)
    level: str = files.get(COEFF, files.get("potential")).base.attributes.get("level_of_theory")  # type: ignore[union-attr]
    return level


def test_errors(report: orm.ArrayData, dataset: orm.ArrayData) -> TestErrors:
    """Return the errors on the frames of the test, from the report of a training.

    :raises ValueError: if it has none.
    """
    errors = report.base.attributes.get("errors").get(TEST)
    if errors is None:
        raise ValueError("the training was not evaluated on frames of the test")
    split = np.asarray(dataset.get_array("split"))[np.asarray(report.get_array("row"))]
    sizes = np.diff(report.get_array("offsets"))
    of_test = np.repeat(split == SPLITS.index(TEST), sizes)
    mean = float(np.linalg.norm(report.get_array("reference_forces")[of_test], axis=1).mean())
    return TestErrors(float(errors["forces"]["mae_eV_A"]), errors["forces"]["slope"], mean)
