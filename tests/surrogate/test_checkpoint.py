"""Models in files, and predictions by them; a file from elsewhere may be anything."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from aiida_ion.surrogate.checkpoint import FORMAT, HEADER, Model, load_model, save_model
from aiida_ion.surrogate.dataset import TRAJECTORY, Dataset
from aiida_ion.surrogate.domain import Domain, descriptors
from aiida_ion.surrogate.evaluation import Evaluation
from aiida_ion.surrogate.prediction import predict, with_stand_in_frames
from aiida_ion.surrogate.settings import Settings
from benchmarks.synthetic.springs import synthetic_dataset


@pytest.fixture(scope="module")
def model(dataset: Dataset, evaluation: Evaluation, small_settings: Settings) -> Model:
    domain = Domain.of(descriptors(dataset, small_settings))
    return Model(evaluation.members, 0.7, domain, {"temperature_K": 1000.0})


@pytest.fixture(scope="module")
def path(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    save_model(path, model)
    return path


@pytest.mark.slow
def test_a_model_says_the_same_after_it_was_kept(model: Model, path: Path, dataset: Dataset) -> None:
    kept = load_model(path)
    assert kept.settings == model.settings
    assert kept.said == {"temperature_K": 1000.0}
    first, second = predict(model, dataset), predict(kept, dataset)
    assert np.array_equal(first.log10_slope, second.log10_slope)
    assert np.array_equal(first.domain_distance, second.domain_distance)
    assert first.in_domain.mean() > 0.9


@pytest.mark.slow
def test_new_materials_are_predicted_with_an_interval(model: Model) -> None:
    others = synthetic_dataset(16, seed=7)
    true = np.array([one.mean() for one in others.replicas()])
    values = predict(model, Dataset({**others.arrays, "log10_slope": np.full(16, np.nan)}))
    assert np.corrcoef(values.log10_slope, true)[0, 1] > 0.9
    held = (values.interval95[:, 0] <= true) & (true <= values.interval95[:, 1])
    assert held.mean() >= 0.7
    assert (values.seconds > 0).all()


@pytest.mark.slow
def test_a_material_of_another_kind_is_flagged(model: Model, dataset: Dataset) -> None:
    forces = dataset["forces_eV_A"] * np.where(dataset["material"] == 0, 1e4, 1.0)[_owners(dataset)][:, None]
    values = predict(model, dataset.with_forces(forces.astype(np.float32)))
    assert not values.in_domain[0]
    assert "unlike the training materials" in values.reasons[0]
    assert values.in_domain[1:].mean() > 0.9
    assert values.reasons[1:].count("") == values.in_domain[1:].sum()


def _owners(dataset: Dataset) -> Any:
    return np.repeat(np.arange(len(dataset["material"])), np.diff(dataset["position_offsets"]))


def test_the_short_run_stands_in_for_the_trajectory(dataset: Dataset) -> None:
    without = Dataset({**dataset.arrays, "kind": np.where(dataset["kind"] == TRAJECTORY, 0, dataset["kind"])})
    assert (with_stand_in_frames(without, "trajectory")["kind"] == TRAJECTORY).sum() == 24 * 24
    assert with_stand_in_frames(dataset, "trajectory") is dataset
    assert with_stand_in_frames(without, "displaced") is without


class Trap:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("trapped"),))


def test_a_pickle_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    hostile = tmp_path / "model.safetensors"
    for write in (lambda: hostile.write_bytes(pickle.dumps(Trap())), lambda: torch.save({"a": Trap()}, hostile)):
        write()
        with pytest.raises(ValueError, match="is not a safetensors file"):
            load_model(hostile)
    assert not (tmp_path / "trapped").exists()


def changed(path: Path, target: Path, tensors: dict[str, Any], header: dict[str, Any] | str) -> Path:
    attributes = {"format": FORMAT, "settings": load_model(path).settings.to_dict(), "said": {}}
    given = {name: one for name, one in (load_file(path) | tensors).items() if one is not None}
    text = header if isinstance(header, str) else json.dumps({**attributes, **header})
    save_file(given, target, metadata={HEADER: text})
    return target


@pytest.mark.parametrize(
    ("tensors", "header", "said"),
    [
        ({}, {"format": "another"}, "its format is 'another'"),
        ({}, "{", "is inconsistent"),
        ({}, "[1]", "is inconsistent"),
        ({}, {"settings": {"scalars": 100_000}}, "larger than this program allows"),
        ({}, {"settings": {"scalars": 9}}, "is inconsistent"),
        ({}, {"settings": {"run": "rm"}}, "unknown setting run"),
        ({}, {"said": 3}, "is inconsistent"),
        ({"domain/limit": None}, {}, "is inconsistent"),
        ({"halfwidth_dex": torch.tensor(float("nan"))}, {}, "not finite"),
        ({"member/7/mean": torch.zeros(1)}, {}, "not numbered in order"),
        ({"member/0/center_width": torch.zeros(3)}, {}, "too many values|does not hold together"),
    ],
)
def test_a_file_that_is_no_model(
    path: Path, tmp_path: Path, tensors: dict[str, Any], header: dict[str, Any] | str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        load_model(changed(path, tmp_path / "model.safetensors", tensors, header))


def test_equal_models_are_equal_files(model: Model, path: Path, tmp_path: Path) -> None:
    for _ in range(5):
        save_model(tmp_path / "again.safetensors", model)
        assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_a_truncated_file(path: Path, tmp_path: Path) -> None:
    short = tmp_path / "model.safetensors"
    short.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match="is not a safetensors file"):
        load_model(short)
    with pytest.raises(ValueError, match="is not a safetensors file"):
        load_model(tmp_path / "nowhere.safetensors")


def test_distances_are_in_spreads_of_what_is_known() -> None:
    domain = Domain.of(np.array([[1.0, 2.0], [1.1, 2.0], [0.9, 2.1], [1.0, 1.9]]))
    near, far = domain.distances(np.array([[1.0, 2.0], [9.0, -5.0]]))
    assert near <= domain.limit < 50 < far
