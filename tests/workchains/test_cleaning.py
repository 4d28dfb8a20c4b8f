"""Scratch: what was parsed is removed from the compute machine, what failed stays, and nothing needs it later."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from aiida.manage.caching import enable_caching

from aiida_ion.calculations.cleaning import clean_jobs
from aiida_ion.calculations.mlip.md import MlipMdCalculation
from aiida_ion.workchains.md.mlip import MlipMdWorkChain
from tests.conftest import OPTIONS

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


def jobs(node: orm.WorkChainNode) -> list[orm.CalcJobNode]:
    return [child for child in node.called_descendants if isinstance(child, orm.CalcJobNode)]


def has_files(job: orm.CalcJobNode) -> bool:
    folder = Path(job.outputs.remote_folder.get_remote_path())
    return folder.is_dir() and any(folder.iterdir())


@pytest.fixture
def inputs(python_code: Any, argon: orm.StructureData, lj_potential: orm.Dict, md_settings: dict[str, Any]) -> Any:
    return {
        "structure": argon,
        "parameters": orm.Dict(md_settings),
        "engine": {
            "code": python_code("ion.mlip_md"),
            "potential": lj_potential,
            "metadata": {"options": OPTIONS},
        },
    }


def test_a_run_leaves_no_scratch_unless_it_is_to(inputs: Any) -> None:
    run = run_get_node(MlipMdWorkChain, **inputs)[1]
    assert run.is_finished_ok
    assert [has_files(job) for job in jobs(run)] == [False]
    assert jobs(run)[0].outputs.remote_folder.is_cleaned
    kept = run_get_node(MlipMdWorkChain, clean_workdir=orm.Bool(False), **inputs)[1]
    assert [has_files(job) for job in jobs(kept)] == [True]


def test_what_failed_stays(inputs: Any) -> None:
    inputs["engine"]["potential"] = orm.Dict({"name": "emt"})  # it has no argon
    run = run_get_node(MlipMdWorkChain, **inputs)[1]
    assert run.exit_status == 500
    assert [has_files(job) for job in jobs(run)] == [True]


def test_a_run_goes_on_from_nodes_and_not_from_folders(
    inputs: Any, md_settings: dict[str, Any], tmp_path: Path, aiida_code_installed: Any
) -> None:
    """The first job was killed, parsed and cleaned; the next work chain continues it."""
    script = tmp_path / "python-killed"
    script.write_text(f"""#!/bin/bash
{sys.executable} "$@" &
while [ ! -e progress.json ]; do sleep 0.01; done
sleep 0.2
kill -9 $!
""")
    script.chmod(0o755)
    settings = md_settings | {"n_steps": 10**6, "restart_every_seconds": 0.05}
    code = inputs["engine"]["code"]
    inputs["engine"]["code"] = aiida_code_installed(
        label="killed", default_calc_job_plugin="ion.mlip_md", filepath_executable=str(script)
    )
    inputs["parameters"] = orm.Dict(settings)
    first = run_get_node(MlipMdWorkChain, **inputs | {"max_iterations": orm.Int(1)})[1]
    assert jobs(first)[0].exit_status == 400, jobs(first)[0].exit_message
    assert not has_files(jobs(first)[0])
    inputs["engine"]["code"] = code
    step = first.outputs.state.base.attributes.get("step")
    onward = {"restart_from": first.outputs.state, "parameters": orm.Dict(settings | {"n_steps": step + 10})}
    second = run_get_node(MlipMdWorkChain, **inputs | onward)[1]
    assert second.is_finished_ok, second.exit_message
    assert second.outputs.thermo["segment_000"].get_array("steps")[0] == step + 1


def test_a_cleaned_run_is_served_from_the_cache_and_does_not_take_another_ones_folder(inputs: Any) -> None:
    with enable_caching(identifier="aiida.calculations:ion.*"):
        kept = run_get_node(MlipMdWorkChain, clean_workdir=orm.Bool(False), **inputs)[1]
        again = run_get_node(MlipMdWorkChain, **inputs)[1]
        assert jobs(again)[0].base.caching.is_created_from_cache
        assert has_files(jobs(kept)[0])
        assert clean_jobs(jobs(kept)) == [jobs(kept)[0].pk]
        third = run_get_node(MlipMdWorkChain, **inputs)[1]
    assert third.is_finished_ok and jobs(third)[0].base.caching.is_created_from_cache
    assert len(third.outputs.trajectories["segment_000"].get_array("steps")) == 9


def test_jobs_by_themselves_are_left_alone(inputs: Any) -> None:
    engine = inputs.pop("engine")
    job = run_get_node(MlipMdCalculation, **inputs, **engine)[1]
    assert job.is_finished_ok and has_files(job)


@pytest.mark.parametrize("clean", [True, False])
def test_a_whole_conductivity(builder: Any, clean: bool) -> None:
    node = run_get_node(
        builder(
            temperatures_K=[400],
            supercell=[1, 1, 1],
            clean_workdir=clean,
            md={"n_steps": 100, "equilibration_fs": 0.0, "sample_every": 2},
        )
    )[1]
    result = {job.process_type.rpartition(".")[2]: has_files(job) for job in jobs(node)}
    assert result == dict.fromkeys(("lammps_relax", "lammps_md", "diffusion"), not clean)
