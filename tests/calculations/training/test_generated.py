"""Frames for labels, as nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm

from aiida_ion.calculations.training.dataset import training_dataset
from aiida_ion.calculations.training.frames import dataset_frames
from aiida_ion.calculations.training.generated import generate_frames, pick_frames, push_pairs
from aiida_ion.calculations.trajectory_data import trajectory_node
from tests.calculations.training.nodes import nodes_of
from tests.training.md import run_md

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


def forces_node(trajectory: orm.TrajectoryData, forces: Any, frames: Any) -> orm.ArrayData:
    """Return forces as the jobs return them, of one trajectory."""
    node = orm.ArrayData()
    arrays = {"forces": forces, "energies": np.zeros(len(frames)), "frames": frames, "segment": 0 * frames}
    for name, array in arrays.items():
        node.set_array(name, np.asarray(array))
    node.base.attributes.set_many(
        {"symbols": trajectory.base.attributes.get("symbols"), "segments": ["a"], "level_of_theory": "teacher"}
    )
    return node.store()


def test_displaced_and_strained_copies(lithium_oxide: orm.StructureData) -> None:
    given = {"n_rattled": 4, "n_strained": 6, "seed": 5}
    node = generate_frames(lithium_oxide, orm.Dict(given))
    cells, about = node.get_array("cells"), node.base.attributes.all
    assert about["strained"] == [False] * 4 + [True] * 6
    assert about["amplitudes_A"][:4] == pytest.approx([0.05, 0.0833333, 0.1166667, 0.15])
    own = np.array(lithium_oxide.cell)
    assert np.array_equal(cells[:4], np.broadcast_to(own, (4, 3, 3)))
    strain = np.linalg.solve(own, cells[4:]) - np.eye(3)
    assert 0.005 < np.abs(strain).max() <= 0.015 + 1e-9
    moved = node.get_array("positions")[:4] - lithium_oxide.get_ase().positions
    assert (moved.std(axis=(1, 2)) > 0.02).all() and moved[3].std() > moved[0].std()
    again = generate_frames(lithium_oxide, orm.Dict(given))
    assert np.array_equal(again.get_array("positions"), node.get_array("positions"))
    other = generate_frames(lithium_oxide, orm.Dict(given | {"seed": 6}))
    assert not np.array_equal(other.get_array("positions"), node.get_array("positions"))
    # Far enough apart in time that a dataset takes every one of them.
    assert np.diff(node.get_array("times")).min() == 1.0


def test_pushed_pairs_say_where_they_are_from() -> None:
    trajectory, _ = nodes_of(run_md(n_frames=60), sample_every=10)
    node = push_pairs(orm.Dict({"fractions": [0.9, 0.8]}), run=trajectory)
    about = node.base.attributes.all
    assert about["pairs"] == [pair for pair in ("Au-Au", "Au-Cu", "Cu-Cu") for _ in range(2)]
    assert about["target_temperature_K"] == 600.0
    for row, origin in enumerate(about["origin"]):
        assert origin["trajectory"] == trajectory.uuid and origin["step"] == 10 * origin["frame"]
        before = trajectory.get_array("positions")[origin["frame"]]
        moved = np.flatnonzero(np.abs(node.get_array("positions")[row] - before).max(axis=1) > 1e-6)
        assert set(moved) == set(about["pushed_atoms"][row])
    other = trajectory_node(["Ar"], np.arange(2), np.zeros((2, 1, 3), "f4"), np.eye(3) * 9, timestep_fs=1.0)
    with pytest.raises(ValueError, match="no pair can be pushed together: Ar-Ar: no such pair"):
        push_pairs(orm.Dict({}), run=other)


def test_frames_are_picked_by_disagreement_and_from_the_end() -> None:
    trajectory, _ = nodes_of(run_md(n_frames=60), sample_every=2)
    rng = np.random.default_rng(2)
    one = rng.normal(size=(15, 8, 3))
    two = one.copy()
    two[7, 3] += [0.6, 0.8, 0.0]  # of frame 14
    members = {
        f"forces_000_{number:02d}": forces_node(trajectory, forces, 2 * np.arange(15))
        for number, forces in enumerate((one, two))
    }
    given = {"last": 2, "disagreement": 1, "indices": {"trajectory_000": [3]}}
    node = pick_frames(orm.Dict(given), trajectory_000=trajectory, **members)
    about = node.base.attributes.all
    assert [origin["frame"] for origin in about["origin"]] == [3, 14, 28, 29]
    assert about["reasons"] == ["index", "disagreement", "last", "last"]
    assert about["disagreement_eV_A"] == [None, pytest.approx(0.5), pytest.approx(0.0), None]
    assert np.array_equal(node.get_array("positions"), trajectory.get_array("positions")[[3, 14, 28, 29]])
    with pytest.raises(ValueError, match="needs forces of trajectory_000 by two or more"):
        pick_frames(orm.Dict({"disagreement": 1}), trajectory_000=trajectory)
    with pytest.raises(ValueError, match="there are forces for trajectory_001"):
        pick_frames(orm.Dict({"last": 1}), trajectory_000=trajectory, forces_001_00=members["forces_000_00"])
    with pytest.raises(ValueError, match="has 30 frames, counted from 0, and no frame 30"):
        pick_frames(orm.Dict({"indices": {"trajectory_000": [30]}}), trajectory_000=trajectory)


def test_frames_with_atoms_on_top_of_each_other_are_not_picked() -> None:
    trajectory, _ = nodes_of(run_md(n_frames=20))
    positions = trajectory.get_array("positions").copy()
    positions[18:, 0] = positions[18:, 1] + [0.5, 0.0, 0.0]
    exploded = trajectory_node(
        trajectory.base.attributes.get("symbols"), np.arange(20), positions, run_md().cell, timestep_fs=4.0
    )
    node = pick_frames(orm.Dict({"last": 3}), trajectory_000=exploded)
    assert [origin["frame"] for origin in node.base.attributes.get("origin")] == [15, 16, 17]


def test_a_dataset_takes_every_generated_frame() -> None:
    """Labels of one job for displaced copies: none is taken for correlated with its neighbour."""
    run = run_md()
    structure = orm.StructureData(cell=run.cell)
    for symbol, position in zip(run.symbols, run.positions[100], strict=True):
        structure.append_atom(position=position, symbols=symbol)
    node = generate_frames(structure, orm.Dict({"n_rattled": 15, "n_strained": 15}))
    rng = np.random.default_rng(1)
    forces = rng.normal(size=(30, 8, 3))
    forces -= forces.mean(axis=1, keepdims=True)
    labels = forces_node(node, forces, np.arange(30))
    given = {"split": "interpolated", "allow": ["work"]}
    dataset = training_dataset(orm.Dict(given), trajectory_000=node, labels_000=labels)
    attributes = dataset.base.attributes.all
    assert sum(attributes[f"n_{split}"] for split in ("train", "validation", "test")) == 30, attributes["refused"]
    assert len(dataset_frames(dataset)) == 30
