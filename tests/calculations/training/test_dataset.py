"""Datasets of stored runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from ase import Atoms
from ase.calculators.emt import EMT

from aiida_ion.calculations.training.dataset import training_dataset
from aiida_ion.calculations.training.frames import dataset_frames
from aiida_ion.training.frames import SPLITS, of_split
from tests.calculations.training.nodes import inputs_of
from tests.training.md import run_md

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


def make(parameters: dict[str, Any] | None = None, **inputs: Any) -> Any:
    return training_dataset(orm.Dict(parameters or {}), **inputs)


def test_one_run_is_split_in_blocks_with_gaps() -> None:
    dataset = make(**inputs_of(run_md()))
    attributes = dataset.base.attributes.all
    assert attributes["split_rule"] == "by_block"
    counts = [attributes[f"n_{split}"] for split in SPLITS]
    assert counts[0] > 2 * counts[2] > 2 * counts[1] > 0
    times = dataset.get_array("step") * 4.0
    split = dataset.get_array("split")
    assert np.diff(times).min() >= attributes["strides_fs"][0] == max(50.0, attributes["correlation_fs"][0])
    for before, after in ((0, 1), (1, 2)):
        assert times[split == after].min() - times[split == before].max() >= 200.0
    assert attributes["temperatures_K"] == [600.0]
    assert attributes["elements"] == ["Au", "Cu"]
    assert attributes["has_stress"]
    assert not attributes["constants_are_determined"]
    left_out = attributes["refused"]
    assert sum(left_out.values()) + sum(counts) == 400


def test_frames_are_those_of_the_calculator() -> None:
    """What is read back has the energies, forces and stress that EMT itself gives for those positions."""
    frames = dataset_frames(make(**inputs_of(run_md())))
    assert len(frames) > 20
    for frame in frames[::6]:
        atoms = Atoms(frame.symbols, positions=frame.positions, cell=frame.cell, pbc=True, calculator=EMT())
        assert ((atoms.get_scaled_positions(wrap=False) > -1e-6) & (atoms.get_scaled_positions(wrap=False) < 1)).all()
        assert frame.energy_eV == pytest.approx(atoms.get_potential_energy(), abs=1e-4)
        assert frame.forces == pytest.approx(atoms.get_forces(), abs=1e-3)
        assert frame.stress == pytest.approx(atoms.get_stress(voigt=False), abs=1e-5)
        assert frame.temperature_K == 600.0


def test_three_runs_are_split_whole_and_the_hottest_tests() -> None:
    runs = [run_md(temperature_K=kelvin, n_frames=60, seed=seed) for seed, kelvin in enumerate((300.0, 900.0, 600.0))]
    dataset = make(**inputs_of(*runs))
    source, split = dataset.get_array("source"), dataset.get_array("split")
    assert dataset.base.attributes.get("split_rule") == "by_run"
    assert {SPLITS[split[source == number][0]] for number in range(3)} == set(SPLITS)
    assert all(np.ptp(split[source == number]) == 0 for number in range(3))
    frames = dataset_frames(dataset)
    assert {frame.temperature_K for frame in of_split(frames, "test")} == {900.0}


def test_a_changed_source_is_seen() -> None:
    dataset = make(**inputs_of(run_md()))
    copy = orm.ArrayData()
    for name in dataset.get_arraynames():
        copy.set_array(name, dataset.get_array(name))
    other = dataset.get_array("frame").copy()
    other[3] += 1
    copy.set_array("frame", other)
    copy.base.attributes.set_many(
        {key: value for key, value in dataset.base.attributes.all.items() if "array" not in key}
    )
    with pytest.raises(ValueError, match="are not those that it was made of"):
        dataset_frames(copy)
