from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node

from aiida_ion.calculations.training.watch import WatchCalculation
from aiida_ion.calculations.trajectory_data import trajectory_node
from tests.calculations.training.nodes import inputs_of
from tests.calculations.training.test_dataset import make
from tests.training.md import run_md

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


@pytest.fixture
def watch(python_code: Any) -> Any:
    """Return a function that watches a trajectory against a dataset of EMT's run."""
    dataset = make({"stride_fs": 20.0}, **inputs_of(run_md()))

    def run(trajectories: dict[str, Any], **inputs: Any) -> Any:
        code = python_code("ion.watch")
        return run_get_node(WatchCalculation, code=code, trajectories=trajectories, dataset=dataset, **inputs)[1]

    run.dataset = dataset  # type: ignore[attr-defined]
    return run


def copy_of(trajectory: Any, positions: Any) -> Any:
    """Return a trajectory with other positions."""
    return trajectory_node(
        list(trajectory.base.attributes.get("symbols")),
        trajectory.get_array("steps")[: len(positions)],
        positions,
        trajectory.get_array("cells")[: len(positions)],
        timestep_fs=trajectory.base.attributes.get("timestep_fs"),
    )


def forces_of(n_atoms: int, frames: list[int], scale: float) -> orm.ArrayData:
    node = orm.ArrayData()
    node.set_array("forces", np.full((len(frames), n_atoms, 3), scale))
    node.set_array("frames", np.array(frames))
    node.set_array("segment", np.zeros(len(frames), dtype=int))
    return node


def test_a_run_like_the_training_is_not_flagged_and_one_with_a_close_pair_is(watch: Any) -> None:
    trajectory = inputs_of(run_md())["trajectory_000"]
    positions = np.array(trajectory.get_array("positions")[:20], dtype=float)
    quiet = watch({"segment_000": copy_of(trajectory, positions)})
    assert quiet.is_finished_ok, quiet.exit_message
    assert quiet.outputs.watch.base.attributes.get("n_flagged") == 0
    assert quiet.outputs.cost["cpu_time_s"] > 0
    closer = positions.copy()
    closer[7, 1] = closer[7, 0] + [1.2, 0.0, 0.0]
    node = watch({"segment_000": copy_of(trajectory, closer)})
    seen = node.outputs.watch
    flagged = seen.base.attributes.get("flagged")
    assert [one["frame"] for one in flagged] == [7]
    assert flagged[0]["reason"] == "closest_pair"
    assert flagged[0]["step"] == trajectory.get_array("steps")[7]
    assert flagged[0]["value"] == pytest.approx(1.2, abs=1e-3)
    # The surroundings of that atom are far from all that were trained on; those of the run are not.
    away, bound = seen.get_array("environment"), seen.base.attributes.get("environment_bound")
    assert away.shape == (20,)
    assert int(np.argmax(away)) == 7
    assert away[7] > bound
    assert quiet.outputs.watch.get_array("environment").max() < bound
    assert len(seen.base.attributes.get("environment_held_out")) >= 10
    assert seen.get_array("closest_A").shape == (20, len(seen.base.attributes.get("pairs")))


def test_a_committee_is_heard_on_the_frames_that_it_has(watch: Any) -> None:
    trajectory = inputs_of(run_md())["trajectory_000"]
    positions = np.array(trajectory.get_array("positions")[:20], dtype=float)
    n_atoms = positions.shape[1]
    members = {"first": forces_of(n_atoms, [0, 10], 0.0), "second": forces_of(n_atoms, [0, 10], 0.2)}
    node = watch(
        {"segment_000": copy_of(trajectory, positions)},
        committee=members,
        parameters=orm.Dict({"committee_bound_eV_A": 0.1}),
    )
    assert node.is_finished_ok, node.exit_message
    spread = node.outputs.watch.get_array("committee_spread_eV_A")
    assert np.isfinite(spread[[0, 10]]).all()
    assert np.isnan(spread[[1, 5, 19]]).all()
    assert spread[0, 0] == pytest.approx(0.1 * 3**0.5)
    assert node.outputs.watch.base.attributes.get("flagged_by") == {"committee": 2}


@pytest.mark.slow
def test_the_bound_of_a_committee_is_from_its_validation(watch: Any) -> None:
    trajectory = inputs_of(run_md())["trajectory_000"]
    positions = np.array(trajectory.get_array("positions")[:20], dtype=float)
    n_atoms, split = positions.shape[1], np.asarray(watch.dataset.get_array("split"))
    report = orm.ArrayData()
    # Frames of validation, and those that were trained on, whose spread does not count.
    rows = np.concatenate([np.repeat(np.flatnonzero(split == 1), 12), np.flatnonzero(split == 0)])
    report.set_array("row", rows)
    spread = np.where(split[rows] == 1, 0.010 + 1e-4 * (np.arange(len(rows)) % 7), 9.0)
    report.set_array("force_std_mean_eV_A", spread)
    members = {"first": forces_of(n_atoms, [0, 10], 0.0), "second": forces_of(n_atoms, [0, 10], 0.2)}
    given = {"segment_000": copy_of(trajectory, positions)}
    node = watch(given, committee=members, report=report, parameters=orm.Dict({"environments": False}))
    about = node.outputs.watch.base.attributes.all
    assert 0.0106 < about["committee_bound_eV_A"] < 0.1
    assert about["flagged_by"] == {"committee": 2}
    without = watch(given, committee=members, parameters=orm.Dict({"environments": False})).outputs.watch
    assert without.base.attributes.get("committee_bound_eV_A") is None
    assert "the committee has no bound" in without.base.attributes.get("remarks")[0]
    assert "environment" not in node.outputs.watch.get_arraynames()


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (lambda: {"committee": {"first": forces_of(2, [0], 0.0)}}, "two or more members"),
        (lambda: {"parameters": orm.Dict({"pair_margin": 0.1})}, "pair_margin_A"),
    ],
)
def test_what_cannot_be_watched_is_refused(watch: Any, inputs: Any, message: str) -> None:
    trajectory = inputs_of(run_md())["trajectory_000"]
    positions = np.array(trajectory.get_array("positions")[:2], dtype=float)
    with pytest.raises(ValueError, match=message):
        watch({"segment_000": copy_of(trajectory, positions)}, **inputs())
