from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from aiida_ion.lammps.outputs import MdOutputs
from aiida_ion.lammps.watch import halted_at, watch_commands
from aiida_ion.training.nearest import closest_below
from tests.lammps.test_inputs import CAF2, argon, fluorite, lj

Run = Callable[..., MdOutputs]
HOT = {"temperature_K": 600.0, "timestep_fs": 4.0, "n_steps": 400, "sample_every": 10}


def test_a_run_stops_at_the_first_step_with_a_pair_below_its_bound(md: Run) -> None:
    watched = md(argon(), lj(**HOT), closest_allowed_A={"Ar-Ar": 3.0})
    assert watched.status == "left_training"
    every_step = md(argon(), lj(**HOT | {"sample_every": 1, "n_steps": watched.last_step}))
    symbols = argon().get_chemical_symbols()
    near = [closest_below(symbols, frame, every_step.cells, {"Ar-Ar": 3.0}) for frame in every_step.positions]
    first = next(step for step, seen in zip(every_step.steps, near, strict=True) if seen is not None)
    assert watched.last_step == first
    # Frames up to and including that one are there, also between two stored ones; the state is one before it.
    assert watched.steps.tolist() == sorted({*range(0, first + 1, 10), first})
    assert np.allclose(watched.positions[-1], every_step.positions[-1], atol=1e-4)
    assert len(watched.thermo) == first + 1
    assert int(watched.state["step"]) < first
    assert watched.extra["velocities"].shape == watched.positions.shape
    # Not one limit of temperature or force had been passed.
    assert watched.thermo["temperature_K"].max() < HOT["temperature_K"] * 2
    assert watched.thermo["max_force_eV_A"].max() < 5.0


def test_a_run_within_its_bounds_is_the_same_watched_or_not(md: Run) -> None:
    runs = [md(argon(), lj(**HOT), closest_allowed_A=bounds) for bounds in (None, {"Ar-Ar": 2.0, "Ar-Kr": 9.0})]
    assert [run.status for run in runs] == ["finished", "finished"]
    assert np.array_equal(runs[0].positions, runs[1].positions)
    assert int(runs[1].state["step"]) == HOT["n_steps"]


def test_each_pair_has_a_bound_of_its_own(md: Run) -> None:
    settings = lj(temperature_K=1500.0, timestep_fs=1.0, n_steps=300, keep=())
    far = {"Ca-Ca": 3.0, "F-F": 1.6}
    atoms = fluorite(2)
    assert md(atoms, settings, "gillan-caf2-1986", charges=CAF2, closest_allowed_A=far).status == "finished"
    run = md(atoms, settings, "gillan-caf2-1986", charges=CAF2, closest_allowed_A=far | {"Ca-F": 2.2})
    assert run.status == "left_training"
    seen = closest_below(atoms.get_chemical_symbols(), run.positions[-1], run.cells, {"Ca-F": 2.2 + 1e-4})
    assert seen is not None
    assert seen.distance_A == pytest.approx(2.2, abs=0.05)


def test_a_bound_above_the_cut_off_is_refused_and_not_ignored(md: Run) -> None:
    run = md(argon(), lj(**HOT), closest_allowed_A={"Ar-Ar": 9.0})
    assert run.status == "invalid_input"
    assert "longer than pairwise cutoff" in run.message


def test_many_elements_need_one_group_each() -> None:
    order = ["Li", "O", "P", "S", "Cl", "Ge", "Si", "N"]
    bounds = {f"{one}-{other}": 1.0 for one in order for other in order if one <= other}
    groups = [line for line in watch_commands(order, bounds) if line.startswith("group")]
    assert len(groups) <= len(order)
    assert watch_commands(["Ar"], {"Li-O": 1.0}) == []


def test_a_limit_that_was_passed_before_is_why_a_run_ended() -> None:
    left = "Fix halt condition for fix-id left_training met on step {} with value 2"
    hot = "Fix halt condition for fix-id too_strong met on step {} with value 200"
    assert halted_at(left.format(40)) == 40
    assert halted_at("\n".join((left.format(40), hot.format(41)))) == 40
    assert halted_at("\n".join((hot.format(40), left.format(40)))) is None
    assert halted_at(hot.format(40)) is None
