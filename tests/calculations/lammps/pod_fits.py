"""A dataset of copper and gold by effective-medium theory, and real fits of POD potentials to it."""

from __future__ import annotations

from typing import Any

from aiida import orm
from aiida.engine import run_get_node

from aiida_ion.calculations.lammps.train import LammpsTrainCalculation
from aiida_ion.calculations.training.dataset import training_dataset
from tests.calculations.training.nodes import inputs_of
from tests.training.md import run_md

#: Small enough for a dozen frames.
SMALL = {"rcut_A": 5.0, "radial_2": 6, "radial_3": 3, "angular_3": 2, "radial_4": 0, "angular_4": 0}


def dataset(**parameters: Any) -> orm.ArrayData:
    """Return a stored dataset of one run at 600 K."""
    node: orm.ArrayData = training_dataset(orm.Dict({"stride_fs": 20.0} | parameters), **inputs_of(run_md()))
    return node


def fit(code: orm.InstalledCode, frames: orm.ArrayData, **parameters: Any) -> orm.CalcJobNode:
    """Return the job of a fit."""
    parameters = {"settings": SMALL} | parameters
    node: orm.CalcJobNode = run_get_node(
        LammpsTrainCalculation, code=code, dataset=frames, parameters=orm.Dict(parameters)
    )[1]
    return node
