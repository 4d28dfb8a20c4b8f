"""The same runs as nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.calculations.trajectory_data import trajectory_node
from tests.training.md import Md, voigt


def nodes_of(md: Md, sample_every: int = 1, level: str | None = "EMT", **attributes: Any) -> tuple[Any, Any]:
    """Return trajectory and thermo of a run, stored."""
    rows = np.arange(0, len(md.positions), sample_every)
    trajectory = trajectory_node(
        list(md.symbols),
        rows,
        md.positions[rows].astype(np.float32),
        md.cell,
        timestep_fs=md.timestep_fs,
        extra={"forces": md.forces[rows].astype(np.float32)},
    )
    about: dict[str, Any] = {"target_temperature_K": md.temperature_K, "sample_every": sample_every}
    trajectory.base.attributes.set_many(about | ({"level_of_theory": level} if level else {}) | attributes)
    thermo = orm.ArrayData()
    thermo.set_array("steps", np.arange(len(md.positions)))
    thermo.set_array("potential_energy", md.energies_eV)
    thermo.set_array("stress", voigt(md).astype(np.float32))
    return trajectory.store(), thermo.store()


def inputs_of(*runs: Md, **more: Any) -> dict[str, Any]:
    """Return the inputs of a dataset of runs."""
    inputs: dict[str, Any] = {}
    for number, md in enumerate(runs):
        inputs[f"trajectory_{number:03d}"], inputs[f"thermo_{number:03d}"] = nodes_of(md, **more)
    return inputs
