"""A real fit of a short walk, made once for a module, in a profile that it has to itself."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from aiida import orm
from aiida.engine import run_get_node

from aiida_ion.calculations.diffusion import DiffusionCalculation, segment_key
from aiida_ion.calculations.trajectory_data import trajectory_node

PARAMETERS = {
    "mobile_species": "Li",
    "charges": {"Li": 1.0, "Cl": -1.0},
    "target_temperature_K": 500.0,
    "level_of_theory": "a | <b>walk</b>",
    "formula": "LiCl",
}


def code_here(workdir: Path) -> orm.InstalledCode:
    """Return this Python as a code on this computer."""
    computer = orm.Computer(
        label="here", hostname="localhost", transport_type="core.local", scheduler_type="core.direct"
    )
    computer.store()
    computer.set_workdir(str(workdir))
    computer.set_minimum_job_poll_interval(0.0)
    computer.configure()
    return orm.InstalledCode(
        label="kinisi",
        computer=computer,
        filepath_executable=sys.executable,
        default_calc_job_plugin="ion.diffusion",
    ).store()


def walk(seed: int, n_frames: int = 400, n_ions: int = 16) -> orm.TrajectoryData:
    """Return lithium that walks at random (1e-5 cm^2/s), and chlorine that stays."""
    rng = np.random.default_rng(seed)
    mobile = np.cumsum(rng.normal(0, 0.447, (n_frames, n_ions, 3)), axis=0)
    still = rng.normal(0, 0.05, (n_frames, n_ions, 3))
    positions = np.concatenate([mobile, still], axis=1) + rng.uniform(0, 15, (2 * n_ions, 3))
    symbols = ["Li"] * n_ions + ["Cl"] * n_ions
    steps = 50 * np.arange(n_frames)
    return trajectory_node(symbols, steps, positions.astype("f4"), np.eye(3) * 15.0, timestep_fs=2.0)


def fitted(workdir: Path) -> orm.CalcJobNode:
    """Return the fit of two replicas."""
    trajectories = {segment_key(i, 0): walk(seed=i) for i in range(2)}
    inputs = {"code": code_here(workdir), "trajectories": trajectories, "parameters": orm.Dict(PARAMETERS)}
    node = run_get_node(DiffusionCalculation, **inputs)[1]
    assert node.is_finished_ok, node.exit_message
    return node
