"""A watched run stops at the first stored frame with a pair below its bound; the state of the frame before is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from aiida_ion.training.nearest import closest_below
from tests.runners.conftest import EMT, Folder, md_settings

HOT = {"temperature_K": 1500.0, "n_steps": 200}


def copper() -> Atoms:
    atoms: Atoms = bulk("Cu", "fcc", a=3.6, cubic=True).repeat(2)
    return atoms


def below(folder: Folder, bound_A: float) -> list[int]:
    cell, symbols = np.array(copper().cell), list(copper().symbols)
    frames = zip(folder.array("steps").tolist(), folder.array("positions"), strict=True)
    return [step for step, frame in frames if closest_below(symbols, frame, cell, {"Cu-Cu": bound_A}) is not None]


@pytest.mark.parametrize("ensemble", ["nvt", "npt"])
def test_the_first_frame_below_the_bound_is_the_last_one(tmp_path: Path, ensemble: str) -> None:
    settings = md_settings(**HOT, ensemble=ensemble)
    whole = Folder(tmp_path / "whole").write(copper(), md=settings, potential=EMT)
    assert whole.run()["status"] == "finished"
    bound = 2.1 if ensemble == "nvt" else 2.15
    first = below(whole, bound)[0] if ensemble == "nvt" else None
    watched = Folder(tmp_path / "watched").write(
        copper(), md=settings, potential=EMT, closest_allowed_A={"Cu-Cu": bound}
    )
    results = watched.run()
    assert results["status"] == "left_training"
    last = int(watched.array("steps")[-1])
    assert results["last_step"] == last
    assert first is None or last == first
    assert results["message"].startswith("Cu-Cu 2.")
    assert f"at step {last} ({last * settings['timestep_fs'] / 1000:.4g} ps)" in results["message"]
    assert results["n_thermo"] == last + 1 == len(watched.array("thermo"))
    assert int(watched.restart()["step"]) == last - settings["sample_every"]
    # Not watched, it goes on from there exactly as the whole run did.
    rest = Folder(tmp_path / "rest").write(copper(), md=settings, potential=EMT)
    (rest.path / "restart.npz").write_bytes((watched.path / "restart.npz").read_bytes())
    assert rest.run()["status"] == "finished"
    assert np.array_equal(rest.restart()["positions"], whole.restart()["positions"])


def test_a_first_frame_below_the_bound_leaves_that_frame_and_no_state(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "run").write(copper(), md=md_settings(), potential=EMT, closest_allowed_A={"Cu-Cu": 2.6})
    results = folder.run()
    assert (results["status"], results["n_frames"], results["n_thermo"]) == ("left_training", 1, 1)
    assert not (folder.path / "restart.npz").exists()


def test_bounds_of_other_elements_and_no_bounds_change_nothing(tmp_path: Path) -> None:
    runs = [
        Folder(tmp_path / name).write(copper(), md=md_settings(), potential=EMT, closest_allowed_A=bounds)
        for name, bounds in (("none", {}), ("others", {"Li-O": 3.0}), ("far", {"Cu-Cu": 1.0}))
    ]
    assert [run.run()["status"] for run in runs] == ["finished"] * 3
    assert all(np.array_equal(run.array("positions"), runs[0].array("positions")) for run in runs)


def test_bounds_that_are_none_are_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "run").write(copper(), md=md_settings(), potential=EMT, closest_allowed_A={"Cu": 2.0})
    assert folder.run()["status"] == "invalid_input"
