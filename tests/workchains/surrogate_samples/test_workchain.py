"""The samples of a material by the real jobs: Lennard-Jones argon."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from aiida.plugins import WorkflowFactory

from aiida_ion.calculations.trajectory_data import trajectory_node
from aiida_ion.workchains.surrogate_samples.inputs import short_md_inputs, validate_inputs, validate_parameters
from aiida_ion.workchains.surrogate_samples.workchain import SurrogateSamplesWorkChain

SMALL = {
    "temperature_K": 60.0,
    "amplitudes_A": {"0.05": 2, "0.1": 3},
    "n_trajectory_frames": 4,
    "short_md_fs": 40.0,
    "n_short_md_frames": 5,
}


@pytest.fixture
def samples(
    python_code: Any, argon: orm.StructureData, lj_potential: orm.Dict, md_settings: dict[str, Any]
) -> dict[str, Any]:
    """Return inputs for the three kinds of configurations of argon."""
    atoms = argon.get_ase()
    steps = np.arange(12)
    noise = np.random.default_rng(1).normal(0, 0.05, (12, len(atoms), 3))
    run = trajectory_node(list(atoms.symbols), steps, atoms.positions + noise, atoms.cell.array, timestep_fs=2.0)
    return {
        "structure": argon,
        "trajectories": {"replica_00_segment_000": run},
        "parameters": orm.Dict(SMALL),
        "forces": {
            "entry_point": orm.Str("ion.forces"),
            "engine": {"code": python_code("ion.forces"), "potential": lj_potential},
        },
        "md": {
            "entry_point": orm.Str("ion.md.mlip"),
            "parameters": orm.Dict(md_settings),
            "engine": {"code": python_code("ion.mlip_md"), "potential": lj_potential},
        },
    }


@pytest.mark.usefixtures("aiida_profile_clean")
def test_every_kind_has_its_forces(samples: dict[str, Any], argon: orm.StructureData) -> None:
    _, node = run_get_node(WorkflowFactory("ion.surrogate_samples"), **samples)
    assert node.is_finished_ok, node.exit_message
    outputs = node.outputs
    assert outputs.displaced.base.attributes.get("amplitudes_A") == [0.05, 0.05, 0.1, 0.1, 0.1]
    shift = outputs.displaced.get_array("positions") - argon.get_ase().positions
    assert 0.04 < shift[:2].std() < 0.06 and 0.09 < shift[2:].std() < 0.11
    for kind, n_frames in (("displaced", 5), ("trajectory", 4), ("short_md", 5)):
        assert outputs[f"{kind}_forces"].get_array("forces").shape == (n_frames, 32, 3)
    # 40 fs at 2 fs in five frames, none of them the start.
    assert outputs.short_md_forces.get_array("steps").tolist() == [4, 8, 12, 16, 20]
    segment = outputs.short_md.segment_000
    assert segment.base.attributes.get("seed") == 100_000 + 600 + 50_000
    assert segment.creator.inputs.parameters.get_dict()["keep"] == []


@pytest.mark.usefixtures("aiida_profile_clean")
@pytest.mark.slow
def test_what_was_computed_stays_when_a_step_fails(samples: dict[str, Any]) -> None:
    samples["md"]["engine"]["potential"] = orm.Dict({"name": "emt"})  # knows no argon
    _, node = run_get_node(SurrogateSamplesWorkChain, **samples)
    assert node.exit_status == 711
    assert "Ar" in node.exit_message
    assert {"displaced", "displaced_forces", "trajectory_forces"} <= set(node.outputs)
    assert "short_md_forces" not in node.outputs


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_samples_of_a_conductor_in_lammps(fluorite: orm.StructureData, lammps_code: orm.InstalledCode) -> None:
    engine = {"code": lammps_code, "potential": orm.Dict({"name": "gillan-caf2-1986"})}
    supercell = orm.StructureData(ase=fluorite.get_ase().repeat(2))
    parameters = SMALL | {"temperature_K": 1500.0, "kinds": ["displaced", "short_md"]}
    _, node = run_get_node(
        SurrogateSamplesWorkChain,
        structure=supercell,
        parameters=orm.Dict(parameters),
        forces={"entry_point": orm.Str("ion.lammps_forces"), "engine": engine},
        md={"entry_point": orm.Str("ion.md.lammps"), "parameters": orm.Dict({"timestep_fs": 2.0}), "engine": engine},
    )
    assert node.is_finished_ok, node.exit_message
    displaced = node.outputs.displaced_forces.get_array("forces")
    assert displaced.shape == (5, 96, 3) and node.outputs.short_md_forces.get_array("forces").shape == (5, 96, 3)
    # Twice the displacement is about twice the force.
    assert 1.5 < displaced[2:].std() / displaced[:2].std() < 2.8


@pytest.mark.usefixtures("aiida_profile_clean")
def test_nothing_at_all_is_an_error(samples: dict[str, Any]) -> None:
    samples["forces"]["engine"]["potential"] = orm.Dict({"name": "emt"})
    samples["parameters"] = orm.Dict(SMALL | {"kinds": ["displaced"]})
    del samples["md"], samples["trajectories"]
    _, node = run_get_node(SurrogateSamplesWorkChain, **samples)
    assert node.exit_status == 506
    assert "displaced" in node.outputs


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_short_run_is_no_replica_of_the_long_ones(samples: dict[str, Any]) -> None:
    inputs = short_md_inputs(samples | {"parameters": orm.Dict({"temperature_K": 60.0})})
    settings = inputs["parameters"].get_dict()
    assert (settings["n_steps"], settings["sample_every"], settings["seed"]) == (500, 10, 150_600)
    with pytest.raises(ValueError, match="50 frames need 100 fs at 2 fs a step, and short_md_fs is 40"):
        short_md_inputs(samples | {"parameters": orm.Dict({"temperature_K": 60.0, "short_md_fs": 40.0})})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kinds": []}, "kinds must be a list of one or more of displaced, trajectory, short_md"),
        ({"kinds": ["phonons"]}, "kinds must be"),
        ({"amplitudes_A": {}}, "amplitudes_A must give"),
        ({"amplitudes_A": {"wide": 2}}, "'wide', which is not an amplitude"),
        ({"amplitudes_A": {"2.0": 2}}, "between 0 and 1 angstrom"),
        ({"amplitudes_A": {"0.1": 0.5}}, "amplitudes_A: 0.1 must be a whole number"),
        ({"n_short_md_frames": 0}, "n_short_md_frames must be"),
        ({"short_md_fs": -1.0}, "short_md_fs must be"),
        ({"seed": -1}, "seed must be"),
        ({"equilibration_fs": -1.0}, "equilibration_fs must be"),
        ({"n_frames": 3}, "unknown parameter n_frames"),
    ],
)
@pytest.mark.usefixtures("aiida_profile")
def test_bad_parameters_are_refused(changes: dict[str, Any], message: str) -> None:
    assert message in str(validate_parameters(orm.Dict(SMALL | changes), None))
    assert "lack temperature_K" in str(validate_parameters(orm.Dict({}), None))


@pytest.mark.usefixtures("aiida_profile_clean")
def test_inputs_that_do_not_fit_are_refused(samples: dict[str, Any], lithium_nitride: orm.StructureData) -> None:
    def problem(**changes: Any) -> str:
        return str(validate_inputs(samples | changes, None))

    assert problem() == "None"
    assert "give the segments of one run" in problem(trajectories={})
    assert "other atoms than the structure" in problem(structure=lithium_nitride)
    assert "md.entry_point is not given" in problem(md={})
    assert "'ion.diffusion' evaluates no frames" in problem(
        forces=samples["forces"] | {"entry_point": orm.Str("ion.diffusion")}
    )
    wrong = samples["md"] | {"parameters": orm.Dict({"timestep_fs": 2.0, "thermostat": "none"})}
    assert "thermostat" in problem(md=wrong)
