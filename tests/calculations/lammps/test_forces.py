"""Forces by LAMMPS's rerun, run for real on frames of its own molecular dynamics."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase import Atoms
from ase.build import bulk

from aiida_ion.calculations.lammps.forces import LammpsForcesCalculation, validate_inputs, validate_parameters
from aiida_ion.calculations.lammps.md import LammpsMdCalculation
from aiida_ion.calculations.mlip.forces import ForcesCalculation
from aiida_ion.calculations.trajectory_data import trajectory_node

PEDONE = {"name": "pedone-2006"}


def evaluate(code: orm.InstalledCode, trajectories: dict[str, Any], **inputs: Any) -> orm.CalcJobNode:
    inputs = {"code": code, "potential": orm.Dict(PEDONE), "trajectories": trajectories} | inputs
    return run_get_node(LammpsForcesCalculation, **inputs)[1]


def still(atoms: Atoms, n_frames: int = 1) -> orm.TrajectoryData:
    """Return a trajectory of atoms that stay where they are."""
    positions = np.broadcast_to(atoms.positions.astype("f4"), (n_frames, len(atoms), 3))
    return trajectory_node(list(atoms.symbols), np.arange(n_frames), positions, atoms.cell.array, timestep_fs=2.0)


@pytest.mark.usefixtures("aiida_profile_clean")
def test_the_forces_are_those_of_the_run(lammps_code: orm.InstalledCode) -> None:
    # The primitive cell of fluorite is skew: LAMMPS turns and tilts it.
    atoms = bulk("OLi2", "fluorite", a=4.87).repeat((2, 2, 2))
    atoms.rattle(0.05, seed=3)
    settings = {
        "temperature_K": 1500.0,
        "timestep_fs": 1.0,
        "n_steps": 200,
        "sample_every": 20,
        "keep": ["forces", "velocities"],
    }
    run, md = run_get_node(
        LammpsMdCalculation,
        code=lammps_code,
        structure=orm.StructureData(ase=atoms),
        potential=orm.Dict(PEDONE),
        parameters=orm.Dict(settings),
    )
    assert md.is_finished_ok, md.exit_message
    parameters = orm.Dict({"max_frames": 4, "equilibration_fs": 100.0, "batch_size": None})
    node = evaluate(lammps_code, {"segment_000": run["trajectory"]}, parameters=parameters)
    assert node.is_finished_ok, node.exit_message
    forces = node.outputs.forces
    frames = forces.get_array("frames")
    assert frames.tolist() == [5, 7, 8, 10] and forces.get_array("steps").tolist() == [100, 140, 160, 200]
    own = run["trajectory"].get_array("forces")[frames]
    assert np.abs(own).max() > 1.0
    np.testing.assert_allclose(forces.get_array("forces"), own, atol=2e-4)
    energies = dict(zip(run["thermo"].get_array("steps"), run["thermo"].get_array("potential_energy"), strict=True))
    own_energies = [energies[step] for step in forces.get_array("steps")]
    np.testing.assert_allclose(forces.get_array("energies"), own_energies, atol=2e-4)
    attributes = forces.base.attributes.all
    assert (attributes["n_frames"], attributes["n_atoms"], attributes["segments"]) == (4, 24, ["segment_000"])
    assert (attributes["batch_size"], attributes["evaluated_by"]) == (1, "lammps_rerun")
    assert attributes["equilibration_fs"] == 100.0 and attributes["units"]["forces"] == "eV/angstrom"
    assert forces.get_array("forces").dtype == np.float32 and forces.get_array("energies").dtype == np.float64
    assert node.outputs.cost.get_dict()["n_steps"] == 4 and node.outputs.versions.get_dict()["lammps"]
    # The frames are in the trajectory and nowhere else.
    kept = node.base.repository.list_object_names() + node.outputs.retrieved.base.repository.list_object_names()
    assert not [name for name in kept if name.endswith((".dump", ".data", ".bin"))]
    assert len(json.loads(node.base.repository.get_object_content("inputs.json", "r"))["frames"]) == 4


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_program_that_runs_out_of_time_leaves_frames_of_the_whole_run(
    lammps_code: orm.InstalledCode, argon: orm.StructureData
) -> None:
    n_frames = 15000
    run = still(argon.get_ase().repeat((1, 1, 2)), n_frames)
    node = evaluate(
        lammps_code,
        {"run": run},
        potential=orm.Dict({"name": "lennard-jones-argon"}),
        parameters=orm.Dict({"max_frames": n_frames}),
        metadata={"options": {"max_wallclock_seconds": 1}},
    )
    assert node.exit_status == 400, node.exit_message
    assert f"of {n_frames} frames" in node.exit_message
    frames = node.outputs.forces.get_array("frames")
    assert 10 < len(frames) == node.outputs.forces.base.attributes.get("n_frames") < n_frames
    # What is done is spread over the run.
    assert np.diff([0, *frames, n_frames]).max() < 4 * n_frames / len(frames)
    assert not node.base.caching.is_valid_cache


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_style_that_this_lammps_does_not_have(lammps_code: orm.InstalledCode, argon: orm.StructureData) -> None:
    potential = {"commands": "pair_style no/such 8.0\npair_coeff * *", "level_of_theory": "none"}
    node = evaluate(lammps_code, {"run": still(argon.get_ase())}, potential=orm.Dict(potential))
    assert node.exit_status == 420 and "no/such" in node.exit_message
    assert "forces" not in node.outputs


@pytest.mark.usefixtures("aiida_profile")
def test_what_cannot_be_evaluated_is_refused() -> None:
    oxide = bulk("OLi2", "fluorite", a=4.87)

    def problem(atoms: Atoms, potential: dict[str, Any] = PEDONE, **parameters: Any) -> str:
        inputs = {"trajectories": {"a": still(atoms)}, "parameters": orm.Dict(parameters)}
        return str(validate_inputs(inputs | {"potential": orm.Dict(potential)}, None))

    assert problem(oxide) == "None"
    assert "has no N" in problem(Atoms("NLi", positions=[(0, 0, 0), (2, 2, 2)], cell=[4, 4, 4], pbc=True))
    assert "the cell carries -0.6 e" in problem(oxide[:-1])
    reads = {"commands": "pair_style mace\npair_coeff * * m.pt", "level_of_theory": "m", "files": ["m.pt"]}
    assert "the potential reads m.pt, which is not among `files`" in problem(oxide, reads)
    assert "no frame is as late as equilibration_fs = 5" in problem(oxide, equilibration_fs=5.0)
    assert "no trajectory" in str(validate_inputs({"trajectories": {}, "parameters": orm.Dict({})}, None))


@pytest.mark.usefixtures("aiida_profile")
def test_settings_are_those_of_the_other_forces_without_batches() -> None:
    assert validate_parameters(orm.Dict({"max_frames": 3, "equilibration_fs": 1, "batch_size": None}), None) is None
    assert "one frame at a time" in str(validate_parameters(orm.Dict({"batch_size": 2}), None))
    assert "max_frames" in str(validate_parameters(orm.Dict({"max_frames": 0}), None))
    ours, theirs = LammpsForcesCalculation.spec(), ForcesCalculation.spec()
    assert set(theirs.outputs) == set(ours.outputs)
    codes = [{code.status for code in spec.exit_codes.values()} for spec in (theirs, ours)]
    # A potential that was fitted to frames is recognised by one of them.
    assert codes[1] - codes[0] == {225} and not codes[0] - codes[1]
    assert ours.exit_codes["ERROR_OUT_OF_WALLTIME"].invalidates_cache
