"""Controls take away what they say, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.surrogate.baselines import force_calls, make_baselines, run_steps
from aiida_ion.surrogate.controls import make_arms, no_accelerations, random_vectors, shuffled_accelerations
from aiida_ion.surrogate.dataset import Dataset
from aiida_ion.surrogate.settings import PROTOCOLS


def sizes(dataset: Dataset) -> np.ndarray:
    masses = np.tile(dataset["masses_amu"][:8], len(dataset["material"]))
    return np.asarray(np.linalg.norm(dataset["forces_eV_A"], axis=1) / masses)


def test_random_vectors_have_the_sizes_of_all_and_say_nothing_of_any(dataset: Dataset) -> None:
    result = random_vectors(dataset, seed=1)
    assert np.sort(sizes(result)) == pytest.approx(np.sort(sizes(dataset)), rel=1e-4, abs=1e-9)
    means = [sizes(one).reshape(len(one["material"]), 8).mean(axis=1) for one in (dataset, result)]
    label = dataset["log10_slope"][dataset["material"]]
    assert abs(np.corrcoef(means[1], label)[0, 1]) < 0.1 < abs(np.corrcoef(means[0], label)[0, 1])
    assert np.array_equal(result["positions_A"], dataset["positions_A"])


def test_shuffled_accelerations_stay_in_their_configuration(dataset: Dataset) -> None:
    result = shuffled_accelerations(dataset, seed=1)
    rows = dataset.rows(17)
    assert np.sort(sizes(result)[rows]) == pytest.approx(np.sort(sizes(dataset)[rows]), rel=1e-5)
    assert not np.allclose(result["forces_eV_A"][rows], dataset["forces_eV_A"][rows])


def test_nothing_is_left_where_nothing_should_be(dataset: Dataset) -> None:
    assert not no_accelerations(dataset, 1)["forces_eV_A"].any()


def test_a_report_has_every_control(dataset: Dataset) -> None:
    arms = make_arms(dataset, PROTOCOLS["baseline"], 1, controls=True, ablations=True)
    assert [arm.name for arm in arms] == [
        "model",
        "random_vectors",
        "shuffled_accelerations",
        "no_accelerations",
        "species",
    ]
    assert arms[-1].settings.inputs == ("species",)


def test_the_best_model_is_also_tried_without_each_of_its_parts(dataset: Dataset) -> None:
    best = PROTOCOLS["best"]
    names = [arm.name for arm in make_arms(dataset, best, 1, controls=False, ablations=True)]
    assert names[0] == "model"
    assert {"without_accelerations", "without_mobile_mask", "without_later_motion", "without_pretraining"} < set(names)
    assert {f"without_{group}_numbers" for group in best.invariants} < set(names)


def test_the_short_run_may_cost_what_the_model_costs(dataset: Dataset) -> None:
    assert run_steps(dataset, 0) == 23
    assert force_calls(dataset, PROTOCOLS["baseline"]) == 4
    assert force_calls(dataset, PROTOCOLS["best"]) == 23 + 12
    assert "short_md_same_calls" in make_baselines(dataset, PROTOCOLS["baseline"])
    bare = Dataset({**dataset.arrays, "kind": np.zeros_like(dataset["kind"])})
    assert set(make_baselines(bare, PROTOCOLS["baseline"])) == {"mean", "composition_forest"}
