"""One job of molecular dynamics with pw.x: what is refused, what is kept, how it fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from aiida.manage.caching import enable_caching
from aiida.plugins import CalculationFactory

from aiida_ion.calculations.quantumespresso.job import with_ase_masses
from aiida_ion.calculations.quantumespresso.md import validate_inputs
from tests.conftest import engine_environment
from tests.quantumespresso_fixtures import NAMELISTS, pw_executable

SETTINGS = {"temperature_K": 300.0, "timestep_fs": 2.0, "n_steps": 3, "sample_every": 1, "ensemble": "nve", "seed": 7}

Inputs = dict[str, Any]
RunJob = Callable[..., orm.CalcJobNode]


@pytest.fixture
def inputs(quantumespresso_engine: Inputs, lithium_oxide: orm.StructureData) -> Inputs:
    """Return what makes a job of three steps."""
    return quantumespresso_engine | {"structure": lithium_oxide, "parameters": orm.Dict(SETTINGS)}


@pytest.fixture
def run_job(inputs: Inputs) -> RunJob:
    """Return a factory: the job with a change."""

    def run(**change: Any) -> orm.CalcJobNode:
        return run_get_node(CalculationFactory("ion.quantumespresso_md"), **(inputs | change))[1]

    return run


@pytest.mark.usefixtures("aiida_profile_clean")
def test_what_is_kept_of_a_job_and_that_it_is_taken_from_the_cache(run_job: RunJob) -> None:
    job = run_job()
    assert job.is_finished_ok, job.exit_message
    kept = set(job.outputs.retrieved.base.repository.list_object_names())
    assert kept == {"stderr.txt", "_scheduler-stderr.txt", "_scheduler-stdout.txt"}, "the output of pw.x is not kept"
    assert "md.in" in job.base.repository.list_object_names()
    log = job.outputs.log.get_content()
    assert "Program PWSCF" in log and "lines left out" in log and "JOB DONE" in log
    assert len(log) < 20_000
    assert job.outputs.cost["hardware"]
    assert job.outputs.trajectory.get_array("steps").tolist() == [0, 1, 2, 3]
    with enable_caching(identifier="aiida.calculations:ion.quantumespresso_md"):
        again = run_job()
    assert again.base.caching.is_created_from_cache
    assert (again.outputs.trajectory.get_positions() == job.outputs.trajectory.get_positions()).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"thermostat": "nose_hoover", "ensemble": "nvt"},
            "thermostat nose_hoover is not in this program, which has csvr",
        ),
        ({"thermostat": "langevin", "ensemble": "nvt"}, "thermostat langevin is not in this program"),
        ({"ensemble": "npt"}, "ensemble npt is not available with DFT"),
    ],
)
@pytest.mark.usefixtures("aiida_profile")
def test_what_pw_cannot_do_is_refused(inputs: Inputs, change: dict[str, Any], message: str) -> None:
    text = validate_inputs(inputs | {"parameters": orm.Dict(SETTINGS | change)}, None)
    assert text is not None and message in text


@pytest.mark.parametrize(
    ("system", "more", "message"),
    [
        ({"tot_charge": 1}, {}, "11 electrons cannot fill bands in pairs"),
        ({"ecutwfc": None}, {}, "no SYSTEM ecutwfc"),
        ({}, {"parallelization": {"npool": 5}}, "asks for 5 pools, and there are 4 k-points"),
        ({}, {"pseudos": ("Li",)}, "no pseudopotential for O; give one of the element O"),
        ({}, {"pseudos": {"Li": "O", "O": "O"}}, "the pseudopotential of Li is one of O"),
    ],
)
@pytest.mark.usefixtures("aiida_profile")
def test_electrons_that_do_not_fit_are_refused(
    inputs: Inputs, system: dict[str, Any], more: dict[str, Any], message: str
) -> None:
    changed = {key: value for key, value in (NAMELISTS["SYSTEM"] | system).items() if value is not None}
    change: Inputs = {"namelists": orm.Dict({"SYSTEM": changed})}
    if "parallelization" in more:
        change["parallelization"] = orm.Dict(more["parallelization"])
    if isinstance(more.get("pseudos"), dict):
        change["pseudos"] = {kind: inputs["pseudos"][element] for kind, element in more["pseudos"].items()}
    elif "pseudos" in more:
        change["pseudos"] = {kind: inputs["pseudos"][kind] for kind in more["pseudos"]}
    text = validate_inputs(inputs | change, None)
    assert text is not None and message in text
    # The builder says the same, before anything is submitted.
    with pytest.raises(ValueError, match="."):
        run_get_node(CalculationFactory("ion.quantumespresso_md"), **(inputs | change))


@pytest.mark.usefixtures("aiida_profile")
def test_what_fits_is_not_refused(inputs: Inputs) -> None:
    smeared = NAMELISTS["SYSTEM"] | {"tot_charge": 1, "occupations": "smearing", "degauss": 0.01}
    assert validate_inputs(inputs | {"namelists": orm.Dict({"SYSTEM": smeared})}, None) is None
    assert validate_inputs(inputs | {"parallelization": orm.Dict({"npool": 4})}, None) is None
    assert validate_inputs(inputs, None) is None


@pytest.mark.usefixtures("aiida_profile")
def test_the_state_of_a_run_without_velocities_is_refused(inputs: Inputs) -> None:
    state = orm.ArrayData()
    state.set_array("positions", np.zeros((3, 3)))
    assert "restart_from has no velocities_A_fs" in str(validate_inputs(inputs | {"restart_from": state}, None))


@pytest.mark.usefixtures("aiida_profile")
def test_masses_are_those_of_every_engine(lithium_oxide: orm.StructureData) -> None:
    masses = {kind.name: kind.mass for kind in with_ase_masses(lithium_oxide).kinds}
    assert masses == {"Li": 6.94, "O": 15.999}


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_wrong_executable_is_said(run_job: RunJob, aiida_code_installed: Any) -> None:
    code = aiida_code_installed(label="absent", filepath_executable="/nowhere/pw.x")
    job = run_job(code=code)
    assert job.exit_status == 420, job.exit_message
    assert "/nowhere/pw.x" in job.exit_message
    assert "correct its path" in job.exit_message


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_missing_mpirun_is_said(
    run_job: RunJob, tmp_path: Path, aiida_computer_local: Any, aiida_code_installed: Any
) -> None:
    computer = aiida_computer_local(label="without-mpi")
    computer.set_mpirun_command(["mpirun-absent", "-np", "{tot_num_mpiprocs}"])
    code = aiida_code_installed(label="pw-mpi", computer=computer, filepath_executable=pw_executable())
    options = {"resources": {"num_machines": 1, "num_mpiprocs_per_machine": 2}, "withmpi": True}
    job = run_job(code=code, metadata={"options": options})
    assert job.exit_status == 420, job.exit_message
    assert "mpirun-absent" in job.exit_message


@pytest.mark.usefixtures("aiida_profile_clean")
def test_two_copies_under_the_mpirun_of_another_mpi(
    run_job: RunJob, aiida_computer_local: Any, aiida_code_installed: Any
) -> None:
    """pw.x of Open MPI, started by MPICH, runs twice by itself, and both write the same files."""
    mpiexec = engine_environment("lammps") / "bin" / "mpiexec"
    computer = aiida_computer_local(label="other-mpi")
    computer.set_mpirun_command([str(mpiexec), "-np", "{tot_num_mpiprocs}"])
    code = aiida_code_installed(label="pw-mpi", computer=computer, filepath_executable=pw_executable())
    options = {"resources": {"num_machines": 1, "num_mpiprocs_per_machine": 2}, "withmpi": True}
    job = run_job(code=code, metadata={"options": options})
    assert job.exit_status == 425, job.exit_message
    assert "2 MPI processes were asked for, and the program ran with 1" in job.exit_message
    assert "trajectory" not in job.outputs


@pytest.mark.usefixtures("aiida_profile_clean")
def test_two_processes_are_counted(
    run_job: RunJob, tmp_path: Path, aiida_computer_local: Any, aiida_code_installed: Any
) -> None:
    computer = aiida_computer_local(label="with-mpi")
    computer.set_mpirun_command(["mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "{tot_num_mpiprocs}"])
    code = aiida_code_installed(label="pw-mpi", computer=computer, filepath_executable=pw_executable())
    options = {"resources": {"num_machines": 1, "num_mpiprocs_per_machine": 2}, "withmpi": True}
    job = run_job(code=code, metadata={"options": options}, parallelization=orm.Dict({"npool": 2}))
    assert job.is_finished_ok, job.exit_message
    cost = job.outputs.cost.get_dict()
    assert (cost["processes"], cost["threads"]) == (2, 1)
    assert cost["peak_memory_MiB"] > 0
