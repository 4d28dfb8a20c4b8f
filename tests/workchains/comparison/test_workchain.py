"""The whole of ``ion.comparison``: two potentials for argon, the second a little too deep."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node

from aiida_ion.workchains.comparison import workchain
from aiida_ion.workchains.comparison.inputs import trajectory_inputs
from aiida_ion.workchains.comparison.workchain import ComparisonWorkChain
from tests.conftest import OPTIONS

OVERRIDES: dict[str, Any] = {
    "temperatures_K": [150],
    "mobile_species": "Ar",
    "charges": {"Ar": 0.0},
    "supercell": [1, 1, 1],
    "relax_ions": False,
    "md": {"n_steps": 200, "equilibration_fs": 100.0, "sample_every": 4, "keep": ["forces", "velocities"]},
}


@pytest.fixture
def make(python_code: Any, argon: orm.StructureData, lj_potential: orm.Dict) -> Any:
    """Return a factory of builders: argon with two potentials."""
    deeper = lj_potential.get_dict()
    deeper["kwargs"] = deeper["kwargs"] | {"epsilon": 0.012}

    def engine(potential: dict[str, Any]) -> dict[str, Any]:
        code = python_code("ion.mlip_md")
        return {"entry_point": "ion.md.mlip", "code": code, "potential": potential, "options": OPTIONS}

    def build(reference: str | None = "right", **change: Any) -> Any:
        return ComparisonWorkChain.get_builder_from_protocol(
            {"argon": argon},
            {"deep": engine(deeper), "right": engine(lj_potential.get_dict())},
            protocol="fast",
            overrides=OVERRIDES | change,
            diffusion_code=python_code("ion.diffusion"),
            reference=reference,
            max_concurrent=2,
            max_force_frames=20,
        )

    return build


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_two_levels_of_theory_are_compared_and_nothing_is_computed_twice(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = run_get_node(make())[1]
    assert node.is_finished_ok, node.exit_message
    assert sorted(node.outputs.conductivities.argon) == ["deep", "right"]
    attributes = node.outputs.comparisons.argon.deep.base.attributes.all
    assert attributes["reference_level_of_theory"] == attributes["level_of_theory"] == "Lennard-Jones"
    # Forces of a Lennard-Jones potential go with its depth: 0.012 / 0.01032 - 1 = 0.163 of each is wrong.
    assert attributes["force_rmse_eV_A"] / attributes["reference_force_rms_eV_A"] == pytest.approx(0.1628, abs=2e-3)
    assert attributes["force_cosine_similarity"] == pytest.approx(1.0, abs=1e-4)
    assert attributes["force_n_frames"] == 20
    assert [item["temperature_K"] for item in attributes["temperatures"]] == [150.0]
    assert 0 <= attributes["rdf_distance"] < 0.5
    assert attributes["wall_speed_ratio"] > 0

    again = run_get_node(make())[1]
    assert again.is_finished_ok, again.exit_message
    assert [child.process_label for child in again.called] == [
        *("ForcesCalculation", "TrajectoryComparisonCalculation", "compare_levels")
    ]
    assert again.outputs.conductivities.argon.deep.uuid == node.outputs.conductivities.argon.deep.uuid

    builder = make()
    builder.fresh = True
    fresh = run_get_node(builder)[1]
    assert fresh.is_finished_ok, fresh.exit_message
    jobs = [child for child in fresh.called_descendants if isinstance(child, orm.CalcJobNode)]
    assert len(jobs) == 6  # 2 engines x (1 run + 1 fit), the forces, and the comparison of the trajectories
    assert not any(job.base.caching.is_created_from_cache for job in jobs)

    def broken(*given: Any) -> Any:
        inputs: Any = trajectory_inputs(*given)
        inputs["metadata"]["options"]["prepend_text"] = "echo 'No space left on device' >&2; exit 1"
        return inputs

    monkeypatch.setattr(workchain, "trajectory_inputs", broken)
    without = run_get_node(make())[1]
    assert without.exit_status == 710, without.exit_message
    attributes = without.outputs.comparisons.argon.deep.base.attributes.all
    assert [item["temperature_K"] for item in attributes["temperatures"]] == [150.0]
    assert "wall_speed_ratio" in attributes and "force_rmse_eV_A" not in attributes
    reasons = [line for line in attributes["missing"] if line.startswith("Forces, structure and vibrations: ")]
    assert len(reasons) == 1 and "TrajectoryComparisonCalculation" in reasons[0], reasons
    assert "TrajectoryComparisonCalculation" in without.exit_message


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_lammps_is_evaluated_on_frames_of_the_reference(
    python_code: Any, lammps_code: orm.InstalledCode, argon: orm.StructureData, lj_potential: orm.Dict
) -> None:
    """By its own job; its argon is that of the reference, whose frames hold positions of single precision."""
    ase = {"entry_point": "ion.md.mlip", "code": python_code("ion.mlip_md"), "potential": lj_potential.get_dict()}
    lammps = {"entry_point": "ion.md.lammps", "code": lammps_code, "potential": {"name": "lennard-jones-argon"}}
    builder = ComparisonWorkChain.get_builder_from_protocol(
        {"argon": argon},
        {"ase": ase | {"options": OPTIONS}, "lammps": lammps | {"options": OPTIONS}},
        protocol="fast",
        overrides=OVERRIDES,
        diffusion_code=python_code("ion.diffusion"),
        max_force_frames=20,
    )
    node = run_get_node(builder)[1]
    assert node.is_finished_ok, node.exit_message
    job = node.outputs.forces.argon.lammps.creator
    assert job.process_type == "aiida.calculations:ion.lammps_forces"
    about = node.outputs.comparisons.argon.lammps.base.attributes.all
    assert about["level_of_theory"].startswith("classical/")
    assert about["force_n_frames"] == 20
    assert about["force_rmse_eV_A"] < 0.02 * about["reference_force_rms_eV_A"]
    assert about["force_cosine_similarity"] > 0.999


@pytest.mark.usefixtures("aiida_profile_clean")
@pytest.mark.slow
def test_a_run_that_fails_does_not_stop_the_others(make: Any) -> None:
    builder = make(md=OVERRIDES["md"] | {"max_force_eV_A": 100.0})
    broken = orm.Dict(builder.runs["argon"]["deep"]["md"]["engine"]["potential"].get_dict() | {"kwargs": {"sgma": 1.0}})
    builder.runs["argon"]["deep"]["md"]["engine"]["potential"] = broken
    node = run_get_node(builder)[1]
    assert node.exit_status == 710, node.exit_message
    assert "sgma" in node.exit_message
    assert sorted(node.outputs.conductivities.argon) == ["right"]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_engines_that_would_not_do_the_same_are_refused(make: Any) -> None:
    builder = make()
    other = make(temperatures_K=[160])
    builder.runs["argon"]["deep"] = other.runs["argon"]["deep"]
    with pytest.raises(ValueError, match="deep and right differ in temperatures_K"):
        run_get_node(builder)


@pytest.mark.usefixtures("aiida_profile_clean")
def test_the_reference_must_be_among_the_engines(make: Any) -> None:
    with pytest.raises(ValueError, match="argon has no run with the reference 'vasp'; it has deep, right"):
        run_get_node(make(reference="vasp"))


@pytest.mark.usefixtures("aiida_profile_clean")
def test_what_a_conductivity_refuses_is_refused_by_name(make: Any) -> None:
    with pytest.raises(ValueError, match=r"argon with deep: md\.max_force_eV_A must be a number above 0 .*got -1\.0"):
        run_get_node(make(md=OVERRIDES["md"] | {"max_force_eV_A": -1.0}))
