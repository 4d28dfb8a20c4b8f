"""``ion.train``: a real fine-tuning of a few frames, and what becomes of bad input and broken programs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node

from aiida_ion.calculations.training.frames import dataset_frames
from aiida_ion.calculations.training.train import TrainCalculation, validate_inputs
from aiida_ion.training.frames import SPLITS
from tests.calculations.training.lithia import dataset

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")
TEST = {"family": "sevenn", "protocol": "test", "seed": 7}
SEVENN = {"name": "sevenn"}


@pytest.fixture
def train(python_code: Any) -> Any:
    def run(data: Any, environment: str | None = "sevenn", **inputs: Any) -> orm.CalcJobNode:
        inputs.setdefault("parameters", orm.Dict(TEST))
        return run_get_node(TrainCalculation, code=python_code("ion.train", environment), dataset=data, **inputs)[1]

    return run


@pytest.mark.slow
def test_sevenn_is_finetuned_on_labels_with_another_zero(train: Any) -> None:
    data = dataset(offset_eV_atom=-300.0)
    job = train(data, parent=orm.Dict(SEVENN))
    assert job.is_finished_ok, job.exit_message
    report, potential = job.outputs.report, job.outputs.potential
    about, frames = report.base.attributes.all, dataset_frames(data)
    assert [frames[row].split for row in report.get_array("row")] == ["train"] * 4 + ["validation"] * 2 + ["test"] * 2
    assert np.array_equal(report.get_array("reference_forces"), np.concatenate([frame.forces for frame in frames]))
    assert about["labels"]["train"] == {"frames": 4, "energies": 4, "forces": 36, "stresses": 0}
    assert (
        about["constants_eV"]["Li"] == pytest.approx(about["constants_eV"]["O"])
        and not about["constants_are_determined"]
    )
    # Forces get better from the parent on, and its zero of energy, 300 eV away, is gone.
    for split in SPLITS:
        before, after = about["errors_of_parent"][split], about["errors"][split]
        assert after["forces"]["mae_eV_A"] < before["forces"]["mae_eV_A"]
        assert before["energies"]["mae_eV_atom"] > 290.0
        assert after["energies"]["mae_eV_atom"] < 1.0
    curve = report.get_array("validation_force_rmse_eV_A")
    # The learning curve is of components, and that of the finished file is the one of its best epoch.
    assert about["errors"]["validation"]["forces"]["rmse_eV_A"] == pytest.approx(
        curve[int(about["best_epoch"]) - 1], rel=1e-3
    )
    said = potential.base.attributes.all
    assert said["sha256"] == about["sha256"] and said["dataset_sha256"] == data.base.attributes.get("sha256")
    assert (said["family"], said["seed"], said["elements"]) == ("sevenn", 7, ["Li", "O"])
    assert said["level_of_theory"] == "pairs by SevenNet" and said["single_composition"]
    assert said["parent_sha256"] == about["parent"]["sha256"] and about["segments"] == 1
    assert job.outputs.cost["n_steps"] == 2 and job.outputs.cost["cpu_time_s"] > 1.0
    assert {"sevenn", "torch", "e3nn"} < set(job.outputs.versions.get_dict())
    # Frames are in the database once: in their trajectories.
    assert not [name for name in job.base.repository.list_object_names() if name.endswith("xyz")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"parent": None}, "finetune needs a parent"),
        ({"parameters": {"family": "sevenn", "settings": {"batch_size": 5}}}, "larger than the 4 frames"),
        ({"parent_checkpoint": orm.SinglefileData.from_bytes, "parent": None}, "parent_checkpoint is given without"),
        ({"dataset": "array"}, "the dataset is not one"),
    ],
)
def test_refused_before_submission(changes: dict[str, Any], words: str) -> None:
    inputs: dict[str, Any] = {
        "dataset": dataset(),
        "parameters": orm.Dict({"family": "sevenn"} | changes.get("parameters", {})),
        "parent": orm.Dict(SEVENN) if changes.get("parent", 1) else None,
    }
    if "dataset" in changes:
        inputs["dataset"] = orm.ArrayData()
    if "parent_checkpoint" in changes:
        inputs["parent_checkpoint"] = orm.SinglefileData.from_bytes(b"weights", filename="a.pth")
    assert words in str(validate_inputs(inputs, None))


def test_a_parent_that_lacks_an_element() -> None:
    checkpoint = orm.SinglefileData.from_bytes((2).to_bytes(8, "little") + b"{}", filename="a.pth")
    checkpoint.base.attributes.set("elements", ["Li", "S"])
    inputs = {
        "dataset": dataset(),
        "parameters": orm.Dict({"family": "sevenn"}),
        "parent": orm.Dict(SEVENN),
        "parent_checkpoint": checkpoint,
    }
    assert "the parent does not know O" in str(validate_inputs(inputs, None))


def test_no_frames_for_validation() -> None:
    data = dataset()
    data_without = data.clone()
    data_without.base.attributes.set("n_validation", 0)
    inputs = {"dataset": data_without, "parameters": orm.Dict({"family": "sevenn"}), "parent": orm.Dict(SEVENN)}
    assert "no frames for validation" in str(validate_inputs(inputs, None))


def program(text: str) -> orm.FolderData:
    """Return a program of a few lines in the place of the real one."""
    node = orm.FolderData()
    start = "import json, hashlib, numpy as np\nfrom pathlib import Path\n"
    node.base.repository.put_object_from_bytes((start + text).encode(), "trainers_train.py")
    return node


def ended(**results: Any) -> str:
    return f"Path('results.json').write_text({json.dumps(json.dumps(results))})\n"


RESULTS: dict[str, Any] = {
    "status": "finished",
    "files": {"potential": {"name": "potential.pth", "sha256": "0" * 64}},
    "engine": {"dtype": "float32", "device": "cpu", "threads": 1},
    "stop_reason": "all epochs",
    "trains_on_stress": False,
    "versions": {},
    "cost": {},
}


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ("", 300, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 300, "killed from outside"),
        (ended(status="walltime", message="no epoch was done"), 340, "no epoch was done"),
        (ended(status="element_unknown", message="does not know O"), 220, "does not know O"),
        ("Path('potential.pth').write_bytes(b'other')\n" + ended(**RESULTS), 310, "potential.pth has sha256"),
        ("Path('results.json').write_text('{')", 310, ""),
    ],
)
def test_what_a_broken_program_leaves(train: Any, text: str, status: int, words: str) -> None:
    job = train(dataset(), environment=None, parent=orm.Dict(SEVENN), program=program(text))
    assert job.exit_status == status, job.exit_message
    assert words in str(job.exit_message) and "potential" not in job.outputs


def test_a_training_without_predictions_is_not_a_finished_one(train: Any) -> None:
    write = "content = b'weights'; Path('potential.pth').write_bytes(content)\nresults = json.loads({!r})\n"
    write = write.format(json.dumps(RESULTS))
    write += "results['files']['potential']['sha256'] = hashlib.sha256(content).hexdigest()\n"
    finished = train(
        dataset(),
        environment=None,
        parent=orm.Dict(SEVENN),
        program=program(write + "Path('results.json').write_text(json.dumps(results))"),
    )
    assert finished.exit_status == 310 and "no predictions.npz" in finished.exit_message
    stopped = train(
        dataset(),
        environment=None,
        parent=orm.Dict(SEVENN),
        program=program(
            write + "results |= {'status': 'terminated', 'stop_reason': 'terminated', 'message': 'a signal came'}\n"
            "np.savez('curve.npz', epoch=np.array([1.0]))\nPath('results.json').write_text(json.dumps(results))"
        ),
    )
    assert stopped.exit_status == 400 and "a signal came" in stopped.exit_message
    assert stopped.outputs.potential.base.attributes.get("stop_reason") == "terminated"
    assert stopped.outputs.report.get_arraynames() == ["epoch"]
