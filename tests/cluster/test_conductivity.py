"""A conductivity whose molecular dynamics and fits run on the cluster, by each of AiiDA's transports."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase.io import write
from ase.spacegroup import crystal

from aiida_ion.campaigns.plans import make_plans
from aiida_ion.campaigns.request import RunRequest
from aiida_ion.engines.fits import register_diffusion_code
from aiida_ion.engines.requests import JobRequest
from aiida_ion.workchains.md.requests import EngineRequest
from tests.cli.conftest import Invoke
from tests.conftest import engine_environment

pytestmark = pytest.mark.slow
#: Enough for a fit, not for a result worth quoting.
REQUEST = RunRequest(
    protocol="fast",
    temperatures_K=[1700.0, 1900.0],
    supercell=[2, 2, 2],
    time_ps=4.0,
    equilibration_ps=0.5,
    sample_every=20,
    engine=EngineRequest(potential="gillan-caf2-1986"),
    jobs=JobRequest(job_options={"queue_name": "gpu"}),
)


@pytest.mark.parametrize("computer", ["ssh_computer", "async_computer"])
def test_dynamics_and_fits_run_on_the_cluster(
    computer: str, request: pytest.FixtureRequest, invoke: Invoke, tmp_path: Path
) -> None:
    where = request.getfixturevalue(computer).label
    lammps = engine_environment("lammps")
    register_diffusion_code()
    library = f"export LD_LIBRARY_PATH={lammps}/lib:$LD_LIBRARY_PATH"
    engine = ("--executable", lammps / "bin" / "lmp", "--prepend-text", library)
    invoke("engine", "add", "lammps", *engine, "--computer", where, "--job-options", '{"account": "my-project"}')
    fits = ("--kind", "fits", "--python", sys.executable, "--computer", where)
    invoke("engine", "add", "kinisi", *fits, "--job-options", '{"queue_name": "batch", "max_memory_kb": 1024000}')
    path = tmp_path / "CaF2.cif"
    write(path, crystal(["Ca", "F"], [(0, 0, 0), (0.25, 0.25, 0.25)], spacegroup=225, cellpar=[5.72] * 3 + [90] * 3))
    (plan,) = make_plans([str(path)], ["lammps"], REQUEST)
    node = run_get_node(plan.builder)[1]
    assert node.is_finished_ok, node.exit_message
    result = node.outputs.conductivity.base.attributes.all
    assert result["mobile_species"] == "F"
    assert sorted(node.outputs.diffusion) == ["T_1700K", "T_1900K"]
    jobs: list[Any] = [job for job in node.called_descendants if isinstance(job, orm.CalcJobNode)]
    assert {job.computer.label for job in jobs} == {where}
    options = {
        job.process_class.__name__: (job.get_option("queue_name"), job.get_option("account"), job.get_option("withmpi"))
        for job in jobs
    }
    assert options["LammpsMdCalculation"] == ("gpu", "my-project", False)
    assert options["DiffusionCalculation"] == ("batch", None, False)
    assert all(job.get_job_id().isdigit() for job in jobs)
