"""Jobs that end in ways that are not their own: each has its exit code, and its message quotes what says it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase.build import bulk

from aiida_ion.calculations.lammps.md import LammpsMdCalculation
from aiida_ion.calculations.mlip.md import MlipMdCalculation
from aiida_ion.calculations.mlip.relax import MlipRelaxCalculation
from aiida_ion.engines.environments import ENV_FOLDER, prepend_text
from tests.conftest import OPTIONS, engine_environment
from tests.test_endings import open_mpi

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")
SEVENNET_WARNS = (
    "import sys; print('sevenn/util.py:1: UserWarning: no accelerator\\n  warnings.warn(x)', file=sys.stderr)\n"
)


@pytest.fixture
def run_md(
    python_code: Any, argon: orm.StructureData, lj_potential: orm.Dict, md_settings: dict[str, Any]
) -> Callable[..., orm.CalcJobNode]:
    """Return a function that runs a job of molecular dynamics with another program, or shell lines before it."""

    def run(program: str | None = None, prepend: str = "", **settings: Any) -> orm.CalcJobNode:
        inputs: dict[str, Any] = {
            "code": python_code("ion.mlip_md"),
            "structure": argon,
            "potential": lj_potential,
            "parameters": orm.Dict(md_settings | settings),
            "metadata": {"options": OPTIONS | {"prepend_text": prepend}},
        }
        if program is not None:
            node = orm.FolderData()
            node.base.repository.put_object_from_bytes(program.encode(), "md.py")
            inputs["program"] = node
        job: orm.CalcJobNode = run_get_node(MlipMdCalculation, **inputs)[1]
        return job

    return run


@pytest.mark.parametrize(
    ("program", "status", "words"),
    [
        ("import os; os.kill(os.getpid(), 9)", 340, "killed from outside"),
        ("import os; os.kill(os.getpid(), 11)", 320, "Segmentation fault"),
        ("import os; os.kill(os.getpid(), 4)", 420, "Illegal instruction"),
        ("import no_such_module", 420, "No module named 'no_such_module'"),
        ("bytearray(10**18)", 430, "MemoryError"),
        ("open('/dev/full', 'wb').write(bytes(10**6))", 330, "No space left on device"),
        ("1 / 0", 320, "ZeroDivisionError: division by zero"),
        ("pass", 340, "the reason is unknown"),
    ],
)
def test_a_program_that_left_nothing(run_md: Any, program: str, status: int, words: str) -> None:
    job = run_md(SEVENNET_WARNS + program)
    assert job.exit_status == status, job.exit_message
    assert words in job.exit_message and "accelerator" not in job.exit_message


def test_a_file_that_may_not_grow(run_md: Any) -> None:
    """The program writes its results all the same, and says what it met."""
    job = run_md(prepend="ulimit -f 16", n_steps=2000, sample_every=1)
    assert job.exit_status == 330, job.exit_message
    assert "File too large" in job.exit_message


def test_a_relaxation_whose_python_is_gone(
    aiida_code_installed: Any, tmp_path: Path, argon: orm.StructureData, lj_potential: orm.Dict
) -> None:
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    code = aiida_code_installed(label="gone", default_calc_job_plugin="ion.mlip_relax", filepath_executable=str(python))
    python.unlink()
    inputs = {"code": code, "structure": argon, "potential": lj_potential, "metadata": {"options": OPTIONS}}
    job = run_get_node(MlipRelaxCalculation, **inputs)[1]
    assert job.exit_status == 420, job.exit_message
    assert "No such file or directory" in job.exit_message


def run_lammps(code: orm.InstalledCode, settings: dict[str, Any]) -> Any:
    options = {"resources": {"num_machines": 1, "num_mpiprocs_per_machine": 2}, "withmpi": True}
    return run_get_node(
        LammpsMdCalculation,
        code=code,
        structure=orm.StructureData(ase=bulk("Ar", "fcc", a=5.4, cubic=True).repeat(3)),
        potential=orm.Dict({"name": "lennard-jones-argon"}),
        parameters=orm.Dict(settings),
        metadata={"options": options},
    )[1]


def test_two_processes_take_the_mpi_of_the_environment(
    aiida_code_installed: Any, md_settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = engine_environment("lammps")
    monkeypatch.setenv(ENV_FOLDER, str(folder.parent))
    code = aiida_code_installed(
        label="own-mpi",
        default_calc_job_plugin="ion.lammps_md",
        filepath_executable=str(folder / "bin" / "lmp"),
        prepend_text=prepend_text("lammps"),
    )
    job = run_lammps(code, md_settings)
    assert job.is_finished_ok, job.exit_message
    assert job.outputs.cost["mpi_ranks"] == 2
    assert job.outputs.trajectory.get_array("steps").tolist() == list(range(0, 41, 5))


def test_an_mpirun_of_another_mpi(aiida_code_installed: Any, md_settings: dict[str, Any]) -> None:
    folder, as_root = engine_environment("lammps"), "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
    path = Path(open_mpi()).parent
    code = aiida_code_installed(
        label="other-mpi",
        default_calc_job_plugin="ion.lammps_md",
        filepath_executable=str(folder / "bin" / "lmp"),
        prepend_text=f"{as_root}\nexport PATH={path}:$PATH\nexport LD_LIBRARY_PATH={folder}/lib:$LD_LIBRARY_PATH",
    )
    job = run_lammps(code, md_settings)
    assert job.exit_status == 425, job.exit_message
    assert "mpirun" in job.exit_message and "trajectory" not in job.outputs
