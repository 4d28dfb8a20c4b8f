"""The integrator of the real VASP, read off its own trajectories."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ase import units

from aiida_ion.dft.steps import velocities
from aiida_ion.dft.vasp.motion import next_positions, restart_velocities, takes_half_step_velocities, unwrapped
from aiida_ion.dft.vasp.output import Start, VaspFiles
from aiida_ion.dft.vasp.runs import read_md
from aiida_ion.settings.md import MdSettings
from tests.dft.vasp.running import DATA
from tests.dft.vasp.test_xml import real

RUNS = pytest.mark.parametrize(("name", "timestep_fs"), [("ti", 2.0), ("h2o", 1.0)])


def load(name: str, timestep_fs: float) -> tuple[Any, Start]:
    """Return the steps of a recorded run and its start; vasprun.xml states velocities in lattice vectors a step."""
    import xml.etree.ElementTree as ET

    root = ET.parse(real(name)).getroot()
    rows = root.find("structure[@name='initialpos']").findall("varray[@name='velocities']/v")  # type: ignore[union-attr]
    files = VaspFiles(DATA / name)
    cell, n_atoms = files.run.cell, files.run.positions.shape[1]
    drawn = np.array([[float(x) for x in str(row.text).split()] for row in rows]) @ cell / timestep_fs
    masses = np.repeat([block["mass"] for block in files.run.blocks], [block["count"] for block in files.run.blocks])
    start = Start(files.run.positions[0] @ cell, drawn, 0, np.arange(n_atoms), masses)
    steps = files.steps(start)
    assert steps is not None
    following = next_positions(files.onward(start.inverse)[0], steps, drawn, masses, timestep_fs)
    return replace(steps, next_positions=following), start


def kick(steps: Any, start: Start, row: int, timestep_fs: float) -> Any:
    """Return what forces change velocities by in a step; VASP keeps the centre of mass at rest."""
    forces, masses = steps.forces[row], start.masses
    acceleration = forces / masses[:, None] - forces.sum(axis=0) / masses.sum()
    return acceleration * units.fs**2 * timestep_fs


@RUNS
def test_velocities_have_the_kinetic_energy_that_vasp_prints(name: str, timestep_fs: float) -> None:
    steps, start = load(name, timestep_fs)
    v_A_fs = velocities(steps, start.masses, timestep_fs)
    kinetic = 0.5 * (start.masses[:, None] * v_A_fs**2).sum(axis=(1, 2)) / units.fs**2
    assert kinetic == pytest.approx(steps.kinetic_energy_eV, rel=5e-5)
    half_steps = np.diff(steps.positions, axis=0) / timestep_fs
    at_half = 0.5 * (start.masses[:, None] * half_steps**2).sum(axis=(1, 2)) / units.fs**2
    assert np.abs(at_half / steps.kinetic_energy_eV[:-1] - 1).max() > 1e-2, "those of half steps are not"


@RUNS
def test_a_recorded_run_is_read_whole(name: str, timestep_fs: float) -> None:
    _, start = load(name, timestep_fs)
    settings = MdSettings(temperature_K=500.0, timestep_fs=timestep_fs, n_steps=9, ensemble="nve")
    read = read_md(VaspFiles(DATA / name), start, settings)
    assert (read.run.status, read.run.message) == ("finished", "")
    assert read.run.steps is not None
    assert read.run.steps.next_positions is not None
    assert read.run.versions["poscar_velocities"] == "t - dt/2"
    assert read.run.versions["kinetic_energy_deviation"] < 5e-5
    assert read.run.cost["wall_time_s"] > 50
    longer = read_md(VaspFiles(DATA / name), start, MdSettings(**(settings.to_dict() | {"n_steps": 20})))
    assert (longer.run.status, longer.run.message) == ("walltime", "VASP was told to stop after step 9 of 20")


@RUNS
def test_temperatures_are_those_of_outcar(name: str, timestep_fs: float) -> None:
    import re

    steps, _ = load(name, timestep_fs)
    text = re.findall(r"\(temperature\s+([\d.]+) K\)", real(name, "OUTCAR").read_text())
    assert steps.temperature_K == pytest.approx(np.array(text, dtype=float), abs=0.011)


def test_the_free_energy_is_the_one_that_is_conserved() -> None:
    steps, _ = load("ti", 2.0)
    total = steps.potential_energy_eV + steps.kinetic_energy_eV
    assert total == pytest.approx(steps.conserved_energy_eV, abs=2e-8)
    assert np.ptp(total) < 2e-3 < np.ptp(steps.potential_energy_eV)


@RUNS
def test_vasp_takes_the_velocities_of_half_a_step_before(name: str, timestep_fs: float) -> None:
    steps, start = load(name, timestep_fs)
    assert takes_half_step_velocities(steps, start.velocities, start.masses, timestep_fs, 0)
    moved = (steps.positions[1] - steps.positions[0]) / timestep_fs
    assert moved == pytest.approx(start.velocities + kick(steps, start, 0, timestep_fs), abs=2e-7)
    # So a run that continues at step 5 is given the velocity that it arrived with.
    onward = restart_velocities(steps, 5, start.masses, timestep_fs, half_step=True)
    assert onward is not None
    moved = (steps.positions[6] - steps.positions[5]) / timestep_fs
    assert moved == pytest.approx(onward + kick(steps, start, 5, timestep_fs), abs=4e-7)


@RUNS
def test_the_next_positions_are_recognised(name: str, timestep_fs: float) -> None:
    steps, start = load(name, timestep_fs)
    inverse_cell = np.linalg.inv(steps.cell)
    assert steps.next_positions is not None
    for row in range(1, 9):
        here = steps.rows(0, row + 1)
        for other, expected in ((row + 1, True), (row, False), (row - 1, False)):
            result = next_positions(
                (steps.positions[other] @ inverse_cell) % 1, here, start.velocities, start.masses, timestep_fs
            )
            assert (result is not None) == expected
            if result is not None:
                assert result == pytest.approx(steps.positions[other], abs=1e-7)


def test_paths_are_continuous_from_the_images_that_were_given() -> None:
    rng = np.random.default_rng(4)
    cell = np.array([[4.0, 0.0, 0.0], [1.5, 5.0, 0.0], [0.0, -1.0, 6.0]])
    start = rng.uniform(-20, 20, (7, 3))
    path = start + np.cumsum(np.concatenate([np.zeros((1, 7, 3)), rng.normal(0, 0.4, (300, 7, 3))]), axis=0)
    wrapped = (path @ np.linalg.inv(cell)) % 1.0
    assert unwrapped(wrapped, cell, start) == pytest.approx(path, abs=1e-9)
    assert unwrapped(path @ np.linalg.inv(cell), cell, start) == pytest.approx(path, abs=1e-9)
    with pytest.raises(ValueError, match="angstrom away from the POSCAR"):
        unwrapped(wrapped, cell, start + 0.1)


def test_without_forces_or_a_second_step_the_integrator_decides() -> None:
    steps, start = load("ti", 2.0)
    still = replace(steps, forces=np.zeros_like(steps.forces))
    for mdalgo, half in ((1, True), (5, True), (3, False)):
        assert takes_half_step_velocities(still, start.velocities, start.masses, 2.0, mdalgo) == half
        assert takes_half_step_velocities(steps.rows(0, 1), start.velocities, start.masses, 2.0, mdalgo) == half
