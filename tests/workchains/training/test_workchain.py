"""``ion.training``: real committees of a few frames, and members that fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node

from aiida_ion.calculations.training.report import report_training
from aiida_ion.workchains.training.workchain import TrainingWorkChain, validate_inputs
from tests.calculations.training.lithia import dataset
from tests.conftest import engine_environment

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")
TEST = {"family": "sevenn", "protocol": "test", "seed": 5}


def run(code: orm.InstalledCode, **inputs: Any) -> orm.WorkChainNode:
    inputs = {"dataset": dataset(), "parameters": orm.Dict(TEST), "n_members": orm.Int(2)} | inputs
    return run_get_node(TrainingWorkChain, code=code, **inputs)[1]


def test_nothing_is_trained_without_the_package(python_code: Any) -> None:
    node = run(python_code("ion.train"), parameters=orm.Dict(TEST))
    assert node.exit_status == 509, node.exit_message
    assert "member_1" in node.exit_message and "member_2" in node.exit_message and "sevenn" in node.exit_message
    assert "report" not in node.outputs


@pytest.mark.slow
def test_a_member_that_fails_is_named_and_the_others_are_reported(aiida_code_installed: Any, tmp_path: Path) -> None:
    """The Python of this code ends at once for one of the seeds."""
    python, script = engine_environment("sevenn") / "bin" / "python", tmp_path / "python"
    script.write_text(f'#!/bin/sh\ngrep -q \'"seed": 6\' inputs.json && exit 1\nexec {python} "$@"\n')
    script.chmod(0o755)
    code = aiida_code_installed(label="flaky", default_calc_job_plugin="ion.train", filepath_executable=str(script))
    node = run(code, n_members=orm.Int(3), max_concurrent=2)
    assert node.exit_status == 713 and "member_2" in node.exit_message, node.exit_message
    assert set(node.outputs.potentials) == set(node.outputs.reports) == {"member_1", "member_3"}
    about, report = node.outputs.report.base.attributes.all, node.outputs.report
    assert (about["n_members"], about["n_done"]) == (3, 2) and "member_2" in about["failed"][0]
    assert about["seeds"] == {"member_1": 5, "member_3": 7}
    assert report.get_array("force_std_mean_eV_A").shape == (8,) and (report.get_array("force_std_max_eV_A") > 0).all()
    first = node.outputs.reports.member_1.get_array("predicted_forces")
    both = first, node.outputs.reports.member_3.get_array("predicted_forces")
    distance = np.linalg.norm(both[0] - both[1], axis=1) / 2  # of each of two from their mean
    assert report.get_array("force_std_mean_eV_A") == pytest.approx(distance.reshape(8, 3).mean(axis=1))
    assert about["committee"]["test"]["error_per_std"] > 0
    again = run(code, dataset=node.inputs.dataset, n_members=orm.Int(1))
    assert again.is_finished_ok and again.outputs.potentials.member_1.base.attributes.get(
        "sha256"
    ) == node.outputs.potentials.member_1.base.attributes.get("sha256")
    (job,) = again.called_descendants[:1]
    assert job.base.caching.is_created_from_cache


@pytest.mark.parametrize(
    ("parameters", "n_members", "words"),
    [
        ({"family": "sevenn", "protocol": "finetune"}, 1, "finetune needs a parent"),
        ({"family": "gap"}, 1, "family must be one of"),
        (TEST | {"seed": 2**31 - 1}, 2, "the seeds must be at most"),
    ],
)
def test_refused(parameters: dict[str, Any], n_members: int, words: str) -> None:
    inputs = {"dataset": dataset(), "parameters": orm.Dict(parameters), "n_members": orm.Int(n_members)}
    assert words in str(validate_inputs(inputs, None))


def test_refused_by_a_port(python_code: Any) -> None:
    with pytest.raises(ValueError, match="n_members must be from 1"):
        run(python_code("ion.train"), n_members=orm.Int(0))
    with pytest.raises(ValueError, match=r"entry_point must be one of ion\.train"):
        run(python_code("ion.train"), entry_point=orm.Str("ion.forces"))


def member(data: orm.ArrayData, rows: list[int]) -> orm.ArrayData:
    node = orm.ArrayData()
    n_frames = len(rows)
    node.set_array("row", np.array(rows))
    node.set_array("offsets", 3 * np.arange(n_frames + 1))
    node.set_array("predicted_energies", np.zeros(n_frames))
    node.set_array("predicted_forces", np.zeros((3 * n_frames, 3)))
    return node


def test_members_that_saw_other_frames_are_not_compared() -> None:
    data = dataset()
    with pytest.raises(ValueError, match="member_2 was evaluated on other frames"):
        report_training(data, orm.Dict({}), member_1=member(data, [0, 5]), member_2=member(data, [0, 6]))
    with pytest.raises(ValueError, match="member_1 has no predictions"):
        report_training(data, orm.Dict({}), member_1=orm.ArrayData())
    alone = report_training(data, orm.Dict({"n_members": 1}), member_1=member(data, [0, 5]))
    assert "committee" not in alone.base.attributes.all and set(alone.base.attributes.get("errors")) == {
        "train",
        "validation",
    }
