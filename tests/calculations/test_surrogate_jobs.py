"""The jobs that train a surrogate and predict with it: the real programs, and what becomes of broken ones."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node

from aiida_ion.calculations.programs import program_files
from aiida_ion.calculations.surrogate.arrays import FILENAME_MODEL, validate_model
from aiida_ion.calculations.surrogate.predict import (
    SurrogatePredictCalculation,
    predicted_materials,
    read_predictions,
    validate_predict_inputs,
    validate_predict_parameters,
)
from aiida_ion.calculations.surrogate.train import (
    SurrogateTrainCalculation,
    validate_train_inputs,
    validate_train_parameters,
)
from aiida_ion.surrogate.plan import TrainingPlan
from tests.calculations.surrogate_nodes import dataset

#: A network that trains in no time.
TINY = {"scalars": 4, "vectors": 2, "n_epochs": 2, "n_samplings": 1, "n_layers": 1}
HEADER = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
SAFE = len(HEADER).to_bytes(8, "little") + HEADER + bytes(4)
START = "import json, numpy as np\nfrom pathlib import Path\nm = len(json.load(open('inputs.json'))['materials'])\n"


def program(name: str, text: str) -> orm.FolderData:
    """Return a program of a few lines in the place of the real one."""
    node = orm.FolderData()
    node.base.repository.put_object_from_bytes((START + text).encode(), f"{name.replace('.', '_')}.py")
    return node


def model(content: bytes = SAFE, **changes: Any) -> orm.SinglefileData:
    """Return a model node as a training leaves it."""
    node = orm.SinglefileData.from_bytes(content, filename=FILENAME_MODEL)
    attributes = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "temperature_K": 1000.0,
        "mobile_species": ["Li"],
        "levels_of_theory": ["toy"],
    }
    node.base.attributes.set_many(attributes | changes)
    return node


@pytest.fixture
def train(python_code: Any) -> Any:
    """Return a function that runs a training of a few lines."""

    def run(text: str, **inputs: Any) -> orm.CalcJobNode:
        given = {"code": python_code("ion.surrogate_train"), "program": program("surrogate.train", text)} | inputs
        given.setdefault("dataset", dataset(5))
        return run_get_node(SurrogateTrainCalculation, **given)[1]

    return run


@pytest.mark.usefixtures("aiida_profile_clean")
@pytest.mark.slow
def test_a_model_is_trained_and_predicts(python_code: Any) -> None:
    data = dataset(6)
    parameters = {"settings": TINY, "n_folds": 2, "controls": False}
    code = python_code("ion.surrogate_train", "surrogate")
    job = run_get_node(SurrogateTrainCalculation, code=code, dataset=data, parameters=orm.Dict(parameters))[1]
    assert job.is_finished_ok, job.exit_message
    report, trained = job.outputs.report, job.outputs.model
    attributes = report.base.attributes.all
    assert (attributes["n_materials"], attributes["n_censored"], attributes["protocol"], attributes["split"]) == (
        6,
        1,
        "baseline",
        "material",
    )
    assert attributes["arms"][0]["arm"] == "model" and "R2" in attributes["verdict"]
    assert attributes["dataset_sha256"] == data.base.attributes.get("sha256")
    assert report.get_array("predicted").shape == (6,) and report.get_array("train_loss").shape[0] == 2
    assert trained.base.attributes.get("levels_of_theory") == ["toy"] and validate_model(trained) is None
    # What it never reads need not be computed for a prediction.
    assert trained.base.attributes.get("sampling") == {"kinds": ["displaced"], "amplitudes_A": {"0.1": 1}}
    assert "state" not in job.outputs and job.outputs.cost.get_dict()["wall_time_s"] > 0
    # The arrays are in the dataset node and nowhere else.
    kept = job.base.repository.list_object_names() + job.outputs.retrieved.base.repository.list_object_names()
    assert not [name for name in kept if name.endswith((".npz", ".py", ".safetensors"))]

    result = run_get_node(
        SurrogatePredictCalculation,
        code=python_code("ion.surrogate_predict", "surrogate"),
        model=trained,
        dataset=dataset(3, labelled=False),
    )[1]
    assert result.is_finished_ok, result.exit_message
    predictions = result.outputs.predictions
    (first, *_) = predictions.base.attributes.get("materials")
    slope = float(predictions.get_array("log10_slope")[0])
    assert first["tracer_diffusivity_cm2_s"] == pytest.approx(10**slope / 6e4)
    low, high = first["ionic_conductivity_ci95_mS_cm"]
    assert 0 < low < first["ionic_conductivity_mS_cm"] < high
    assert predictions.base.attributes.get("model_uuid") == trained.uuid


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_training_that_stops_early_leaves_its_state(train: Any, tmp_path: Path) -> None:
    stops = (
        f"Path('restart.safetensors').write_bytes({SAFE!r})\n"
        "Path('results.json').write_text(json.dumps({'status': 'walltime', 'message': 'out of time', "
        "'cost': {'wall_time_s': 1.0}}))\n"
    )
    job = train(stops)
    assert job.exit_status == 400 and "out of time" in job.exit_message
    assert {"state", "cost"} <= set(job.outputs) and "model" not in job.outputs
    # The next one finds it in its folder.
    looks = "import sys\nsys.exit(0 if Path('restart.safetensors').exists() else sys.stderr.write('nothing here'))\n"
    again = train(looks, restart_from=job.outputs.state)
    assert again.exit_status == 300 and "nothing here" not in again.exit_message
    killed = train(f"Path('restart.safetensors').write_bytes({SAFE!r})\n")
    assert killed.exit_status == 400 and "state" in killed.outputs
    at_once = train("Path('results.json').write_text(json.dumps({'status': 'walltime', 'message': 'at once'}))\n")
    assert at_once.exit_status == 340


@pytest.mark.usefixtures("aiida_profile_clean")
@pytest.mark.parametrize(
    ("model_bytes", "length", "message"),
    [(b"\x80\x04K\x01.", "m", "not a safetensors file"), (SAFE, "m + 1", "not of the 5 materials")],
)
def test_a_model_that_is_none_is_refused(train: Any, model_bytes: bytes, length: str, message: str) -> None:
    job = train(
        f"np.savez('report.npz', true=np.zeros({length}), predicted=np.zeros({length}))\n"
        f"Path('model.safetensors').write_bytes({model_bytes!r})\n"
        "said = {'status': 'finished', 'metrics': {'r2': float('nan')}, 'versions': {'torch': '1'}}\n"
        "Path('results.json').write_text(json.dumps(said))\n"
    )
    assert job.exit_status == 310 and message in job.exit_message
    assert "model" not in job.outputs


@pytest.mark.usefixtures("aiida_profile_clean")
def test_inputs_of_a_training_that_cannot_be_used(tmp_path: Path) -> None:
    def problem(**changes: Any) -> str:
        return str(validate_train_inputs({"dataset": data, "parameters": orm.Dict({})} | changes, None))

    data = dataset(5)
    assert problem() == "None"
    assert "5 materials, fewer than the 6 folds" in problem(parameters=orm.Dict({"n_folds": 6}))
    assert "without a label" in problem(dataset=dataset(5, labelled=False))
    assert "restart_from has no restart.safetensors" in problem(restart_from=orm.FolderData())
    assert "the dataset lacks" in problem(dataset=orm.ArrayData())
    for settings, message in (
        ({"protocol": "magic"}, "no protocol 'magic'"),
        ({"split": "colour"}, "split must be one of"),
        ({"n_folds": 1}, "n_folds must be a whole number from 2"),
        ({"controls": 1}, "controls must be true or false"),
        ({"settings": []}, "settings must be a mapping"),
        ({"epochs": 3}, "unknown setting epochs"),
    ):
        assert message in str(validate_train_parameters(orm.Dict(settings), None))


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_model_and_materials_that_do_not_belong_together() -> None:
    def problem(node: orm.SinglefileData) -> str:
        return str(validate_predict_inputs({"model": node, "dataset": data}, None))

    data = dataset(2, labelled=False)
    assert problem(model()) == "None"
    assert "not the one that its sha256" in problem(model(sha256="0" * 64))
    unsigned = model()
    unsigned.base.attributes.delete("sha256")
    assert "has no sha256" in problem(unsigned)
    assert "not a safetensors file" in problem(model(b"\x80\x04K\x01."))
    assert "knows 800 K only" in problem(model(temperature_K=800.0))
    assert "mobile species Na" in problem(model(mobile_species=["Na"]))
    assert "level of theory other" in problem(model(levels_of_theory=["other"]))
    # Whoever learns from many potentials is asked of others.
    assert problem(model(levels_of_theory=["other", "another"])) == "None"
    assert "seed must be" in str(validate_predict_parameters(orm.Dict({"seed": -1}), None))
    assert "unknown setting sed" in str(validate_predict_parameters(orm.Dict({"sed": 1}), None))


@pytest.mark.usefixtures("aiida_profile_clean")
def test_predictions_that_are_not_whole(tmp_path: Path) -> None:
    arrays = {name: np.ones(2) for name in ("log10_slope", "std", "in_domain", "domain_distance", "seconds")}
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match="lacks interval95"):
        read_predictions(tmp_path / "a.npz", 2)
    np.savez(tmp_path / "b.npz", **arrays, interval95=np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"interval95 has shape \(3, 2\), not \(2, 2\)"):
        read_predictions(tmp_path / "b.npz", 2)
    data = dataset(2, labelled=False)
    values = predicted_materials(data, arrays | {"interval95": np.array([[0.0, 2.0]] * 2)}, [None, "far away"])
    assert values[1]["reason"] == "far away" and values[0]["in_domain"] is True
    # Nernst-Einstein: 4 ions in (5 angstrom)^3, D = 10 / 6e4 cm^2/s at 1000 K.
    sigma_S_m = 4 / 125e-30 * 1.602176634e-19**2 * (10 / 6e4 * 1e-4) / (1.380649e-23 * 1000)
    assert values[0]["ionic_conductivity_mS_cm"] == pytest.approx(sigma_S_m * 10)


def test_the_programs_are_those_of_the_surrogate() -> None:
    assert {"aiida_ion/runners/surrogate/train.py", "aiida_ion/surrogate/network.py"} <= set(
        program_files("surrogate.train")
    )
    assert "aiida_ion/runners/surrogate/predict.py" in program_files("surrogate.predict")


def test_settings_are_refused_before_anything_is_submitted() -> None:
    with pytest.raises(ValueError, match="unknown setting epochs"):
        TrainingPlan.from_parameters({"settings": {"epochs": 3}})
    with pytest.raises(ValueError, match="no protocol 'fast'"):
        TrainingPlan.from_parameters({"protocol": "fast"})
    with pytest.raises(ValueError, match="unknown setting fold; choose from protocol, .*, device"):
        TrainingPlan.from_parameters({"fold": 3, "device": "cpu"})
