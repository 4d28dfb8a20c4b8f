"""The forces job, run for real on frames of a trajectory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT

from aiida_ion.calculations.chosen_frames import choose_frames, coarse_to_fine
from aiida_ion.calculations.mlip.forces import (
    ForcesCalculation,
    read_forces,
    validate_forces_inputs,
    validate_forces_parameters,
)
from aiida_ion.calculations.trajectory_data import trajectory_node

Segment = Callable[..., orm.TrajectoryData]
SAMPLE_EVERY = 5


@pytest.fixture
def copper() -> Atoms:
    """Return 8 atoms of copper with one silver among them."""
    atoms = bulk("Cu", cubic=True).repeat((2, 1, 1))
    atoms.symbols[3] = "Ag"
    return atoms


@pytest.fixture
def segment(copper: Atoms) -> Segment:
    """Return a factory of segments of rattled frames, 2 fs a step, each frame with a cell of its own."""

    def make(n_frames: int = 10, first_step: int = 0, atoms: Atoms = copper) -> orm.TrajectoryData:
        steps = first_step + SAMPLE_EVERY * np.arange(n_frames)
        frames = []
        for step in steps:
            frames.append(atoms.copy())
            frames[-1].set_cell(atoms.cell * (1.0 + 1e-4 * step), scale_atoms=True)
            frames[-1].rattle(0.05, seed=int(step))
        positions = np.array([frame.positions for frame in frames], dtype="f4")
        cells = np.array([frame.cell.array for frame in frames])
        return trajectory_node(list(atoms.symbols), steps, positions, cells, timestep_fs=2.0)

    return make


def evaluate(code: orm.InstalledCode, trajectories: dict[str, Any], **inputs: Any) -> orm.CalcJobNode:
    inputs = {"code": code, "potential": orm.Dict({"name": "emt"}), "trajectories": trajectories} | inputs
    return run_get_node(ForcesCalculation, **inputs)[1]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_each_frame_has_its_forces(python_code: Any, segment: Segment, copper: Atoms) -> None:
    segments = {"run_0": segment(10), "run_1": segment(6, first_step=50)}
    parameters = orm.Dict({"max_frames": 5, "equilibration_fs": 40.0})
    node = evaluate(python_code("ion.forces"), segments, parameters=parameters)
    assert node.is_finished_ok, node.exit_message
    forces = node.outputs.forces
    attributes = forces.base.attributes.all
    assert (attributes["n_frames"], attributes["n_atoms"], attributes["segments"]) == (5, 8, ["run_0", "run_1"])
    assert attributes["symbols"] == list(copper.symbols)
    assert (attributes["batch_size"], attributes["evaluated_by"]) == (1, "ase_calculator")
    assert attributes["units"]["forces"] == "eV/angstrom" and attributes["units"]["energies"] == "eV"
    assert forces.get_array("forces").dtype == np.float32 and forces.get_array("energies").dtype == np.float64
    # Twelve frames are left after 20 steps: 6 of the first segment, 6 of the second.
    assert forces.get_array("segment").tolist() == [0, 0, 1, 1, 1]
    assert forces.get_array("frames").tolist() == [5, 7, 0, 2, 4]
    assert forces.get_array("steps").tolist() == [25, 35, 50, 60, 70]
    for row in range(5):
        source = segments[attributes["segments"][forces.get_array("segment")[row]]]
        frame = int(forces.get_array("frames")[row])
        atoms = copper.copy()
        atoms.set_cell(source.get_array("cells")[frame])
        atoms.positions = source.get_array("positions")[frame]
        atoms.calc = EMT()
        np.testing.assert_allclose(forces.get_array("forces")[row], atoms.get_forces(), atol=1e-5)
        assert forces.get_array("energies")[row] == pytest.approx(atoms.get_potential_energy(), abs=1e-8)
    assert node.outputs.cost.get_dict()["n_steps"] == 5
    assert node.outputs.versions.get_dict()["ase"]
    # The frames are in the trajectories and nowhere else.
    kept = node.base.repository.list_object_names() + node.outputs.retrieved.base.repository.list_object_names()
    assert not [name for name in kept if name.endswith((".npy", ".npz", ".py"))]
    assert len(json.loads(node.base.repository.get_object_content("inputs.json", "r"))["frames"]) == 5


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_program_that_runs_out_of_time_leaves_frames_of_the_whole_run(
    python_code: Any, argon: orm.StructureData, lj_potential: orm.Dict
) -> None:
    n_frames = 20000
    atoms = argon.get_ase().repeat((2, 2, 4))
    positions = np.broadcast_to(atoms.positions.astype("f4"), (n_frames, len(atoms), 3))
    run = trajectory_node(list(atoms.symbols), np.arange(n_frames), positions, atoms.cell.array, timestep_fs=2.0)
    node = evaluate(
        python_code("ion.forces"),
        {"run": run},
        potential=lj_potential,
        parameters=orm.Dict({"max_frames": n_frames}),
        metadata={"options": {"max_wallclock_seconds": 6}},
    )
    assert node.exit_status == 400, node.exit_message
    assert "max_seconds ran out" in node.exit_message
    frames = node.outputs.forces.get_array("frames")
    assert 100 < len(frames) == node.outputs.forces.base.attributes.get("n_frames") < n_frames
    assert (np.diff(frames) > 0).all()
    # What is done is spread over the run.
    gaps = np.diff([0, *frames, n_frames])
    assert gaps.max() < 4 * n_frames / len(frames)
    assert node.outputs.cost.get_dict()["n_steps"] == len(frames)


@pytest.mark.usefixtures("aiida_profile_clean")
def test_an_element_that_the_potential_does_not_know(python_code: Any, walk: Callable[..., Any]) -> None:
    node = evaluate(python_code("ion.forces"), {"run": walk(n_frames=20)})
    assert node.exit_status == 220
    assert "Li" in node.exit_message and "forces" not in node.outputs


@pytest.mark.usefixtures("aiida_profile_clean")
def test_sevennet(python_code: Any, lithium_oxide: orm.StructureData, segment: Segment) -> None:
    code = python_code("ion.forces", "sevenn")
    potential = orm.Dict({"name": "sevenn", "model": "7net-0"})
    runs = {"run": segment(4, atoms=lithium_oxide.get_ase())}
    node = evaluate(code, runs, potential=potential)
    assert node.is_finished_ok, node.exit_message
    attributes = node.outputs.forces.base.attributes.all
    assert (attributes["n_frames"], attributes["evaluated_by"]) == (4, "model_batches")
    assert attributes["batch_size"] > 1
    forces = node.outputs.forces.get_array("forces")
    # Action equals reaction in every frame of the batch.
    np.testing.assert_allclose(forces.sum(axis=1), 0.0, atol=1e-5)
    assert len(np.unique(node.outputs.forces.get_array("energies"))) == 4
    assert node.outputs.versions.get_dict()["checkpoint"]["sha256"]


@pytest.mark.usefixtures("aiida_profile")
def test_chosen_frames_are_spread_evenly(segment: Segment) -> None:
    runs = {"b": segment(30, first_step=100), "a": segment(20)}
    assert [key for key, _ in sorted(choose_frames(runs, 1000, 0.0))] == ["a"] * 20 + ["b"] * 30
    chosen = sorted(choose_frames(runs, 10, 0.0))
    assert chosen == [("a", 2), ("a", 7), ("a", 12), ("a", 17), *(("b", 5 * i + 2) for i in range(6))]
    assert choose_frames(runs, 10, 0.0) == choose_frames(dict(reversed(runs.items())), 10, 0.0)
    assert sorted(choose_frames(runs, 1, 0.0)) == [("b", 5)]
    # 2 fs a step, a frame every 5: the frame at 490 fs is the last that is left.
    assert choose_frames(runs, 10, 490.0) == [("b", 29)]
    assert choose_frames(runs, 10, 490.1) == []


@pytest.mark.parametrize("n", [0, 1, 2, 7, 100])
def test_any_first_part_of_the_order_is_spread(n: int) -> None:
    order = coarse_to_fine(n)
    assert sorted(order) == list(range(n))
    for done in range(1, n + 1):
        assert np.diff([-1, *sorted(order[:done]), n]).max() <= 2 * 2 ** np.ceil(np.log2(n / done)) + 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_frames": 0}, "max_frames must be a whole number"),
        ({"max_frames": None}, "max_frames"),
        ({"max_frames": True}, "max_frames"),
        ({"batch_size": 2.0}, "batch_size"),
        ({"equilibration_fs": -1.0}, "equilibration_fs"),
        ({"equilibration_fs": "1"}, "equilibration_fs"),
        ({"n_frames": 3}, "unknown setting n_frames"),
    ],
)
@pytest.mark.usefixtures("aiida_profile")
def test_bad_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    assert message in str(validate_forces_parameters(orm.Dict(settings), None))
    assert validate_forces_parameters(orm.Dict({"max_frames": 3, "batch_size": 2, "equilibration_fs": 1}), None) is None


@pytest.mark.usefixtures("aiida_profile")
def test_segments_of_other_atoms_are_refused(segment: Segment, copper: Atoms) -> None:
    def problem(**parameters: Any) -> str:
        return str(validate_forces_inputs({"trajectories": segments, "parameters": orm.Dict(parameters)}, None))

    segments = {"a": segment(), "b": segment(atoms=copper[::-1])}
    assert "b has the atoms of a in another order" in problem()
    segments = {"a": segment(), "b": segment(atoms=copper[:-1])}
    assert "b has other atoms than a" in problem()
    segments = {"a": segment(10)}
    assert problem() == "None"
    assert "no frame is as late as equilibration_fs = 91" in problem(equilibration_fs=91)
    segments["a"].delete_array("times")
    assert "a has no times" in problem()
    segments = {}
    assert "no trajectory" in problem()
    segments = {"a": segment()}
    segments["a"].base.attributes.set("symbols", ["Cu1"] * 8)
    assert "Cu1, which is not an element" in problem()


def test_a_killed_job_counts_up_to_its_last_report(tmp_path: Path) -> None:
    assert len(read_forces(tmp_path, None)["energies"]) == 0
    np.save(tmp_path / "forces.npy", np.zeros((9, 8, 3), dtype="f4"))
    np.save(tmp_path / "energies.npy", np.arange(9.0))
    assert len(read_forces(tmp_path, None)["energies"]) == 0
    (tmp_path / "progress.json").write_text(json.dumps({"step": 4, "n_steps": 9}))
    result = read_forces(tmp_path, None)
    assert result["energies"].tolist() == [0, 1, 2, 3] and result["forces"].shape == (4, 8, 3)
    assert len(read_forces(tmp_path, {"status": "walltime", "n_frames": 7})["forces"]) == 7
    with pytest.raises(ValueError, match="forces.npy holds 9 rows, the run says 10"):
        read_forces(tmp_path, {"status": "finished", "n_frames": 10})


def test_rows_that_were_never_written_do_not_count(tmp_path: Path) -> None:
    np.save(tmp_path / "forces.npy", np.zeros((9, 8, 3), dtype="f4"))
    (tmp_path / "progress.json").write_text(json.dumps({"step": 6, "n_steps": 9}))
    for unwritten in (np.nan, 0.0):
        np.save(tmp_path / "energies.npy", np.array([0.0, 0.0, -1.0, *[unwritten] * 6]))
        assert read_forces(tmp_path, None)["energies"].tolist() == [0.0, 0.0, -1.0]
        with pytest.raises(ValueError, match="6 frames are counted, but those after 3 were not written"):
            read_forces(tmp_path, {"status": "finished", "n_frames": 6})
    # A page of the file that was lost, with what followed it kept.
    np.save(tmp_path / "energies.npy", np.array([-1.0, np.nan, *[-1.0] * 7]))
    assert read_forces(tmp_path, None)["energies"].tolist() == [-1.0]
