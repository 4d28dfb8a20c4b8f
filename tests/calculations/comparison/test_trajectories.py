"""The job that compares trajectories, run for real on argon of two depths, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from aiida.plugins import CalculationFactory

from aiida_ion.calculations.comparison.compare_levels import compare_levels
from aiida_ion.calculations.comparison.trajectories import TrajectoryComparisonCalculation
from aiida_ion.calculations.trajectory_data import trajectory_node
from tests.conftest import OPTIONS

LEVELS = {"formula": "Ar", "level_of_theory": "soft", "reference_level_of_theory": "deep"}
DEPTH_EV = {"": 0.0090, "reference_": 0.01032}


def argon_runs(python_code: Any, argon: orm.StructureData) -> dict[str, Any]:
    """Return the inputs of the job: runs of both levels, and the forces of one on frames of the other."""
    settings = {"temperature_K": 60.0, "timestep_fs": 4.0, "n_steps": 600, "sample_every": 5, "seed": 7}
    common = {"metadata": {"options": OPTIONS}}
    nodes: dict[str, Any] = {}
    potentials = {
        prefix: orm.Dict({"name": "lj", "kwargs": {"sigma": 3.405, "epsilon": depth, "rc": 8.5125}})
        for prefix, depth in DEPTH_EV.items()
    }
    for prefix, potential in potentials.items():
        inputs = {"structure": argon, "potential": potential, "code": python_code("ion.mlip_md")}
        inputs["parameters"] = orm.Dict(settings | {"keep": ["velocities", "forces"], "equilibration_fs": 1000.0})
        run = run_get_node(CalculationFactory("ion.mlip_md"), **inputs, **common)[1].outputs
        nodes[f"{prefix}trajectories"] = {"T_0060K": run.trajectory}
        nodes[f"{prefix}thermo"] = {"T_0060K": run.thermo}
    inputs = {"code": python_code("ion.forces"), "potential": potentials[""]}
    inputs["trajectories"] = nodes["reference_trajectories"]
    inputs["parameters"] = orm.Dict({"max_frames": 20, "equilibration_fs": 1000.0})
    forces = run_get_node(CalculationFactory("ion.forces"), **inputs, **common)[1].outputs.forces
    del nodes["thermo"]
    parameters = orm.Dict(LEVELS | {"equilibration_fs": 1000.0})
    return nodes | {"forces": forces, "parameters": parameters, "code": python_code("ion.diffusion")}


@pytest.mark.usefixtures("aiida_profile_clean")
@pytest.mark.slow
def test_a_potential_and_a_softer_one(python_code: Any, argon: orm.StructureData) -> None:
    """Lennard-Jones argon with a shallower well: every force is smaller by the same factor."""
    node = run_get_node(TrajectoryComparisonCalculation, **argon_runs(python_code, argon), clean_workdir=True)[1]
    assert node.is_finished_ok, node.exit_message
    job = node.outputs.comparison
    result = compare_levels(parameters=orm.Dict(LEVELS), trajectories=job)
    attributes = result.base.attributes.all
    factor = DEPTH_EV[""] / DEPTH_EV["reference_"]
    assert attributes["force_slope"] == pytest.approx(factor, rel=1e-4)
    assert attributes["force_rmse_eV_A"] == pytest.approx(
        (1 - factor) * attributes["reference_force_rms_eV_A"], rel=1e-4
    )
    assert attributes["force_cosine_similarity"] == pytest.approx(1.0, abs=1e-5)
    assert attributes["energy_correlation"] == pytest.approx(1.0, abs=1e-5)
    assert (attributes["force_n_frames"], attributes["energy_n_frames"]) == (20, 20)
    assert 0.0 < attributes["rdf_distance"] < 0.2
    assert 0.0 < attributes["vdos_distance"] < 0.3
    assert attributes["reference_vdos_nyquist_THz"] == pytest.approx(25.0)
    words = f"forces off by {attributes['force_mae_eV_A']:.3f} eV/angstrom on 20 frames"
    assert attributes["summary"].startswith(f"Ar, soft against deep: {words}")
    assert sorted(result.get_arraynames()) == sorted(job.get_arraynames())
    assert not [line for line in attributes["missing"] if line.startswith(("Forces", "Structure", "Vibrations"))]
    # The numbers of a comparison stand in one node alone: a query finds each once.
    query = orm.QueryBuilder().append(orm.ArrayData, filters={"attributes.rdf_distance": {">": 0.0}}, project="uuid")
    assert query.all(flat=True) == [result.uuid]
    # No second copy of the frames, neither in the database nor, once it is read, where the job ran.
    kept = node.base.repository.list_object_names() + node.outputs.retrieved.base.repository.list_object_names()
    assert not [name for name in kept if name.endswith((".npy", ".npz"))]
    assert node.outputs.remote_folder.is_cleaned
    assert node.outputs.versions["pymatgen"]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_one_level_alone_says_what_is_missing(python_code: Any) -> None:
    positions = np.array([[[0.0, 0.0, 0.0], [2.0, 2.0, 2.0]]] * 3)
    lone = trajectory_node(["Li", "Cl"], np.arange(3), positions, np.eye(3) * 5.0, timestep_fs=2.0)
    inputs = {"code": python_code("ion.diffusion"), "parameters": orm.Dict(LEVELS)}
    node = run_get_node(TrajectoryComparisonCalculation, reference_trajectories={"a": lone}, **inputs)[1]
    assert node.is_finished_ok, node.exit_message
    assert node.outputs.comparison.base.attributes.get("missing") == [
        "Forces and energies: soft was not evaluated on frames of deep.",
        "Structure and vibrations: there is no trajectory of soft.",
    ]
    with pytest.raises(ValueError, match="no trajectory is given"):
        run_get_node(TrajectoryComparisonCalculation, **inputs)
    with pytest.raises(ValueError, match="forces has no forces, segment, frames, steps, the attribute segments"):
        run_get_node(TrajectoryComparisonCalculation, trajectories={"a": lone}, forces=orm.ArrayData(), **inputs)
    with pytest.raises(ValueError, match="reference_thermo has no trajectory of the same name for b"):
        run_get_node(
            TrajectoryComparisonCalculation,
            trajectories={"a": lone},
            reference_thermo={"b": orm.ArrayData()},
            **inputs,
        )
    for change, message in (({"max_rdf_frames": 0}, "max_rdf_frames"), ({"max_frames": 5}, "max_frames")):
        parameters = orm.Dict(LEVELS | change)
        with pytest.raises(ValueError, match=message):
            run_get_node(
                TrajectoryComparisonCalculation, **inputs | {"parameters": parameters}, trajectories={"a": lone}
            )
