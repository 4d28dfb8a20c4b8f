"""The whole of ``ion.conductivity`` with real engines, and what it refuses before anything runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from aiida.engine.persistence import AiiDAPersister
from aiida.engine.utils import instantiate_process
from aiida.manage import get_manager
from plumpy.persistence import LoadSaveContext

from aiida_ion.cli.text.results import result_lines
from aiida_ion.workchains.conductivity.fits import Fit
from aiida_ion.workchains.conductivity.workchain import ConductivityWorkChain
from tests.conftest import OPTIONS

#: A fraction of a picosecond from a lattice at rest has not reached its temperature.
COLD = {
    "limits": dict.fromkeys([f"temperature_{of}_{end}" for of in ("off", "drift") for end in ("warn", "fail")], 1.0)
}


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_superionic_crystal_gets_a_conductivity_with_its_origin(builder: Any) -> None:
    node = run_get_node(
        builder(
            temperatures_K=[1700, 1900, 2100],
            target_temperature_K=1500.0,
            supercell=[2, 2, 2],
            md={"total_time_ps": 10.0, "equilibration_fs": 1000.0, "timestep_fs": 2.0, "sample_every": 25},
        )
    )[1]
    assert node.is_finished_ok, node.exit_message
    result = node.outputs.conductivity.base.attributes.all
    assert result["verdict"] == "measured", result["reason"]
    assert result["mobile_species"] == "F"
    low, high = result["activation_energy_ci95_eV"]
    assert 0 < low < result["activation_energy_eV"] < high
    low, high = result["ionic_conductivity_ci95_mS_cm"]
    assert low < result["ionic_conductivity_mS_cm"] < high
    assert len(node.outputs.supercell.sites) == 96
    assert node.outputs.relaxation["converged"]
    assert sorted(node.outputs.diffusion) == ["T_1700K", "T_1900K", "T_2100K"]
    # From the number back to the crystal, the potential and the program, by the graph alone.
    ancestors = orm.QueryBuilder()
    ancestors.append(orm.ArrayData, filters={"uuid": node.outputs.conductivity.uuid}, tag="sigma")
    ancestors.append(orm.Node, with_descendants="sigma", project="uuid")
    results = set(ancestors.all(flat=True))
    assert {node.inputs.structure.uuid, node.inputs.md.engine.potential.uuid} <= results
    fit = node.outputs.diffusion["T_1700K"].creator
    assert fit.inputs.program.uuid in results


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_crystal_that_does_not_move_gets_no_number(builder: Any) -> None:
    node = run_get_node(
        builder(
            temperatures_K=[300, 400],
            supercell=[1, 1, 1],
            md={"n_steps": 400, "equilibration_fs": 100.0, "sample_every": 4},
            diffusion=COLD,
        )
    )[1]
    assert node.is_finished_ok, node.exit_message
    result = node.outputs.conductivity.base.attributes.all
    assert result["verdict"] == "not_measurable"
    assert result["ionic_conductivity_mS_cm"] is None
    assert result["ionic_conductivity_upper_bound_mS_cm"] > 0
    assert "0 different temperatures" in result["reason"]
    assert "too short for a useful bound" in result["reason"]
    assert all(item["reason"] for item in result["temperatures_bound"])
    assert len(result["temperatures_bound_K"]) == 2


@pytest.mark.usefixtures("aiida_profile_clean")
def test_runs_that_leave_the_training_frames_are_named_with_what_to_do(builder: Any) -> None:
    inputs = builder(
        temperatures_K=[300, 2500],
        supercell=[2, 2, 2],
        relax_ions=False,
        md={"n_steps": 400, "equilibration_fs": 100.0, "sample_every": 4},
        diffusion=COLD,
    )
    inputs.md.engine.watch = orm.Dict({"bounds_A": {"Ca-F": 2.0}})
    node = run_get_node(inputs)[1]
    assert node.is_finished_ok, node.exit_message
    assert sorted(node.outputs.diffusion) == ["T_0300K"]
    result = node.outputs.conductivity.base.attributes.all
    assert result["watched"] is True
    (refused,) = [one for one in result["temperatures_refused"] if one["temperature_K"] == 2500]
    assert "[411]" in refused["reason"]
    assert "Ca-F" in refused["reason"]
    assert "aiida-ion potential student" in refused["reason"]
    assert "watched: runs that leave" in "\n".join(result_lines(node.outputs.conductivity))


@pytest.mark.usefixtures("aiida_profile_clean")
@pytest.mark.slow
def test_seeds_are_different_runs_and_the_same_run_is_not_run_twice(builder: Any) -> None:
    from aiida.manage.caching import enable_caching

    inputs = {
        "temperatures_K": [400],
        "seeds": [1, 2],
        "supercell": [1, 1, 1],
        "relax_ions": False,
        "md": {"n_steps": 100, "equilibration_fs": 0.0, "sample_every": 2},
    }
    with enable_caching(identifier="aiida.calculations:ion.*"):
        first = run_get_node(builder(**inputs))[1]
        second = run_get_node(builder(**inputs))[1]

    def jobs(node: orm.WorkChainNode) -> list[orm.CalcJobNode]:
        return [child for child in node.called_descendants if isinstance(child, orm.CalcJobNode)]

    assert len(jobs(first)) == len(jobs(second)) == 3
    assert not any(job.base.caching.is_created_from_cache for job in jobs(first))
    assert all(job.base.caching.is_created_from_cache for job in jobs(second))
    runs = [job for job in jobs(first) if job.process_type.endswith("ion.lammps_md")]
    frames = [job.outputs.trajectory.get_positions()[-1] for job in runs]
    assert np.abs(frames[0] - frames[1]).max() > 1e-3


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            {"temperatures_K": [800, -1]},
            "temperatures_K must be a list of numbers from 1 to 10,000 K, each once, got -1",
        ),
        ({"temperatures_K": [800, 800]}, "each once, got .800, 800."),
        ({"seeds": [1, 1]}, "seeds must be a list of whole numbers .*, each once"),
        ({"md": {"timestep_fs": 0.0}}, "timestep_fs must be a number from"),
        ({"md": {"equilibration_fs": 1e9}}, "leaves nothing of a run"),
        ({"mobile_species": "Na"}, "Na"),
        ({"charges": {"F": 3.0, "Ca": 1.0}}, "neutral"),
        ({"supercell": [0, 1, 1]}, "supercell must be a list of 3 whole numbers"),
        ({"no_such": 1}, "unknown override no_such"),
        ({"priors": {"max_activation_energy_eV": -1.0}}, "prior of the activation energy is empty"),
        ({"priors": {"max_ea": 1.0}}, "max_ea"),
    ],
)
@pytest.mark.usefixtures("aiida_profile_clean")
def test_bad_input_is_refused_before_anything_runs(builder: Any, overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_get_node(builder(**overrides))
    assert orm.QueryBuilder().append(orm.CalcJobNode).count() == 0


@pytest.mark.usefixtures("aiida_profile_clean")
def test_runs_and_fits_survive_a_restart_of_the_daemon(builder: Any) -> None:
    """The checkpoint that AiiDA writes in each step, read back."""
    runner = get_manager().get_runner()
    chain = instantiate_process(runner, builder())
    chain.setup()
    chain.ctx.supercell = orm.StructureData(ase=chain.inputs.structure.get_ase()).store()
    chain.queue_runs()
    chain.ctx.runs = [run | {"pks": [index]} for index, run in enumerate(chain.ctx.runs)]
    chain.ctx.fits = {"T_0700K": Fit(temperature_K=700.0, runs=[[0]], pk=1)}
    persister = AiiDAPersister()
    persister.save_checkpoint(chain)
    again = persister.load_checkpoint(chain.pid).unbundle(LoadSaveContext(runner=runner))
    assert type(again) is ConductivityWorkChain
    assert again.ctx.supercell.uuid == chain.ctx.supercell.uuid
    for name in ("runs", "fits", "pending", "running", "round_number", "goes_on"):
        assert again.ctx[name] == chain.ctx[name]
    assert again.window_is_open()


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_missing_code_is_named(builder: Any) -> None:
    inputs = builder()
    del inputs.diffusion.code
    with pytest.raises(ValueError, match="diffusion.code is not given"):
        run_get_node(inputs)


@pytest.mark.usefixtures("aiida_profile_clean")
def test_structures_that_cannot_be_simulated_are_refused(builder: Any, fluorite: orm.StructureData) -> None:
    close = fluorite.get_ase()
    close.positions[1] = close.positions[0] + [0.3, 0, 0]
    with pytest.raises(ValueError, match="0.5 angstrom"):
        builder(orm.StructureData(ase=close))
    partial = orm.StructureData(cell=np.eye(3) * 5.0)
    partial.append_atom(position=(0, 0, 0), symbols=["Ca"], weights=[0.5])
    partial.append_atom(position=(2.5, 2.5, 2.5), symbols=["F"])
    with pytest.raises(ValueError, match=r"disordered|occupied"):
        builder(partial)
    oxide = fluorite.get_ase()
    oxide.symbols[4:] = "O"
    with pytest.raises(ValueError, match="O"):
        run_get_node(builder(orm.StructureData(ase=oxide)))


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_universal_potential_leaves_its_checkpoint_in_the_graph(
    python_code: Any, lithium_nitride: orm.StructureData
) -> None:
    builder = ConductivityWorkChain.get_builder_from_protocol(
        lithium_nitride,
        "ion.md.mlip",
        protocol="fast",
        overrides={
            "temperatures_K": [800],
            "supercell": [1, 1, 1],
            "relax": {"max_steps": 3},
            "md": {"n_steps": 30, "equilibration_fs": 0.0, "sample_every": 1},
        },
        code=python_code("ion.mlip_md", "sevenn"),
        potential={"name": "sevenn"},
        diffusion_code=python_code("ion.diffusion"),
        options=OPTIONS,
    )
    node = run_get_node(builder)[1]
    assert node.is_finished_ok, node.exit_message
    assert node.outputs.relaxation["max_displacement_A"] < 0.5
    result = node.outputs.conductivity.base.attributes.all
    assert result["level_of_theory"] == "SevenNet 7net-0"
    assert result["verdict"] == "not_measurable"
    runs = [child for child in node.called_descendants if child.process_type == "aiida.calculations:ion.mlip_md"]
    checkpoint = runs[0].outputs.versions["checkpoint"]
    assert len(checkpoint["sha256"]) == 64
    assert runs[0].inputs.program.base.attributes.get("program") == "md"
    fit = node.outputs.diffusion.T_0800K.creator
    assert fit.inputs.trajectories.replica_00_segment_000.uuid == runs[0].outputs.trajectory.uuid
