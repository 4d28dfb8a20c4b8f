"""Batches on machine-learned potentials: each replica is its single run, within rounding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from tests.runners.conftest import Folder, engine_python, md_settings
from tests.runners.dynamics.batches import assert_same_run, continued, replica, write_batch

#: Steps after which rounding has not grown yet.
N_STEPS = 12


def salts() -> dict[str, Atoms]:
    """Return cells of other sizes and elements, off their sites."""
    oxide = bulk("Li2O", "fluorite", a=4.63)
    cells = {"oxide": oxide.repeat((2, 1, 1)), "fluoride": bulk("LiF", "rocksalt", a=4.03, cubic=True)}
    for atoms in cells.values():
        atoms.rattle(0.03, seed=5)
    return cells


def runs() -> dict[str, tuple[str, dict[str, Any]]]:
    md = md_settings(temperature_K=600.0, timestep_fs=1.0, n_steps=N_STEPS, sample_every=2, keep=["forces"])
    return {
        "oxide_csvr": ("oxide", {**md}),
        "fluoride_langevin": ("fluoride", {**md, "thermostat": "langevin", "seed": 11}),
        "fluoride_nve": ("fluoride", {**md, "ensemble": "nve", "seed": 12}),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sevenn", "chgnet"])
def test_replicas_are_single_runs_within_rounding(tmp_path: Path, name: str) -> None:
    python, potential = engine_python(name), {"name": name}
    cells, replicas = salts(), runs()
    together = write_batch(tmp_path / "together", cells, replicas, potential=potential, atoms_at_once=100)
    results = together.run("batch_md", python)
    assert results["status"] == "finished", results["message"]
    singles = {
        key: Folder(tmp_path / key).write(cells[cell], md=md, potential=potential)
        for key, (cell, md) in replicas.items()
    }
    first, *others = singles.values()
    first.run_with(others, python)
    for key, single in singles.items():
        assert single.results()["status"] == "finished"
        assert_same_run(replica(together, key), single, tolerance=2e-4)
        forces, expected = replica(together, key).array("forces"), single.array("forces")
        np.testing.assert_allclose(forces[0], expected[0], atol=1e-5)
        assert np.abs(expected).max() > 0.1


@pytest.mark.slow
def test_a_batch_is_continued_with_the_same_noise(tmp_path: Path) -> None:
    python, potential = engine_python("sevenn"), {"name": "sevenn"}
    cells, replicas = salts(), runs()
    whole = write_batch(tmp_path / "whole", cells, replicas, potential=potential, atoms_at_once=100)
    assert whole.run("batch_md", python)["status"] == "finished"
    half = {key: (cell, md | {"n_steps": N_STEPS // 2}) for key, (cell, md) in replicas.items()}
    first = write_batch(tmp_path / "first", cells, half, potential=potential, atoms_at_once=100)
    assert first.run("batch_md", python)["status"] == "finished"
    # The second half in other company: one at a time.
    second = write_batch(tmp_path / "second", cells, replicas, potential=potential, atoms_at_once=1)
    continued(first, second, list(replicas))
    assert second.run("batch_md", python)["status"] == "finished"
    for key in replicas:
        one, other = replica(second, key).restart(), replica(whole, key).restart()
        assert str(one["rng_state"]) == str(other["rng_state"])
        np.testing.assert_allclose(one["positions"], other["positions"], atol=2e-4)
