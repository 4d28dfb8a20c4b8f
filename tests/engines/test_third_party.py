"""An engine of another package: registered under ``ion.md.*``, it works wherever the engines of this package do."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from aiida.plugins import entry_point as plugins
from ase.io import write

from aiida_ion import queries
from aiida_ion.campaigns import JobRequest, RunRequest
from aiida_ion.campaigns.expected_cost import step_time
from aiida_ion.campaigns.plans import comparison, plans_of
from aiida_ion.engine_kinds import engine_class, engine_kinds, installed_engines, kind_of_executable, kind_of_job
from aiida_ion.engines.engine import load_engine
from aiida_ion.queries import job_runs, process_table
from aiida_ion.queries.running import activity
from tests.cli.conftest import Invoke, Shell, crystal_file, invoke, lj_engine, only_line, shell

__all__ = ["crystal_file", "invoke", "lj_engine", "shell"]
SOURCE = Path(__file__).parent / "third_party"
METADATA = "Metadata-Version: 2.1\nName: aiida-toy\nVersion: 1.0\n"
DEPTH_EV = 0.012
ADD = ("engine", "add", "well", "--kind", "toy", "--python", sys.executable)
INPUTS = ("--inputs", json.dumps({"epsilon_eV": DEPTH_EV}))
RUN = RunRequest(
    protocol="fast",
    temperatures_K=[150.0],
    charges={"Ar": 0.0},
    mobile_species="Ar",
    supercell=[1, 1, 1],
    time_ps=0.4,
    timestep_fs=2.0,
    sample_every=4,
    equilibration_ps=0.1,
    relax_ions=False,
    keep=["forces", "velocities"],
    jobs=JobRequest(threads=1),
)


def look_again() -> None:
    """Let AiiDA read the entry points anew, which it does once in a process."""
    importlib.invalidate_caches()
    for cached in (
        plugins.eps,
        plugins.eps_select,
        plugins.get_entry_point_from_class,
        plugins.is_registered_entry_point,
    ):
        cached.cache_clear()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the package is installed, as pip would lay it out."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(SOURCE / "aiida_toy", folder / "aiida_toy")
    about = folder / "aiida_toy-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(METADATA)
    shutil.copy(SOURCE / "entry_points.txt", about)
    return folder


@pytest.fixture
def toy_package(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the package on the path of this process."""
    monkeypatch.syspath_prepend(str(site))
    look_again()
    yield
    monkeypatch.undo()
    look_again()
    for name in [name for name in sys.modules if name.partition(".")[0] == "aiida_toy"]:
        del sys.modules[name]


@pytest.mark.usefixtures("toy_package")
def test_it_is_added_tested_and_listed_by_its_own_kind(invoke: Invoke, lj_engine: str) -> None:
    assert "toy" in engine_kinds()
    invoke(*ADD, *INPUTS, "--job-options", '{"max_wallclock_seconds": 600}')
    engine = load_engine("well")
    assert (engine.entry_point, engine.job, engine.choices) == ("ion.md.toy", "toy.md", {"epsilon_eV": DEPTH_EV})
    assert "steps/s with 32 atoms" in invoke("engine", "test", "well", "--steps", 5).output
    (job,) = orm.QueryBuilder().append(orm.CalcJobNode).all(flat=True)
    assert job.process_type == "aiida.calculations:toy.md"
    assert job.get_option("max_wallclock_seconds") == 600
    row = next(line for line in invoke("engine", "list").output.splitlines() if line.startswith("well"))
    assert "ion.md.toy" in row and "max_wallclock_seconds 600" in row


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*INPUTS, "--model", "x"), "toy takes no --model"),
        (("--kind", "tyo"), "there is no kind 'tyo' of engines: choose from lammps, mlip, quantumespresso, toy, vasp"),
    ],
)
@pytest.mark.usefixtures("toy_package")
def test_what_it_does_not_take_is_refused(
    invoke: Invoke, lj_engine: str, arguments: tuple[str, ...], words: str
) -> None:
    assert words in invoke(*ADD, *arguments, code=2).stderr


@pytest.mark.usefixtures("toy_package")
def test_what_is_missing_is_asked_for_before_anything_is_submitted(
    invoke: Invoke, lj_engine: str, crystal_file: Path
) -> None:
    invoke(*ADD)
    line = only_line(invoke("run", crystal_file, "--engine", "well", code=1))
    assert "give epsilon_eV, the depth of the well" in line


@pytest.mark.slow
@pytest.mark.usefixtures("toy_package")
def test_it_is_compared_and_stands_in_every_table(
    invoke: Invoke, lj_engine: str, argon: orm.StructureData, tmp_path: Path
) -> None:
    invoke(*ADD, *INPUTS)
    known = json.dumps({"sigma": 3.405, "epsilon": 0.01032, "rc": 8.5125})
    invoke("engine", "add", "ours", "--python", sys.executable, "--potential", "lj", "--kwargs", known)
    plans = plans_of([("argon", argon)], ["ours", "well"], RUN)
    node: Any = run_get_node(comparison(plans, RUN))[1]
    assert node.is_finished_ok, node.exit_message
    about = node.outputs.comparisons.argon.well.base.attributes.all
    assert (about["level_of_theory"], about["reference_level_of_theory"]) == ("toy 12 meV", "Lennard-Jones")
    # Its forces on the frames of the reference go with the depth of its well: 0.012 / 0.01032 - 1.
    assert about["force_rmse_eV_A"] / about["reference_force_rms_eV_A"] == pytest.approx(0.1628, abs=2e-3)
    check_tables(invoke, node)
    check_cost(plans_of([("argon", argon)], ["well"], RUN)[0])
    (job,) = orm.QueryBuilder().append(orm.CalcJobNode, filters={"process_type": {"like": "%toy.md"}}).all(flat=True)
    assert kind_of_job(job) == "toy"
    assert engine_class("ion.md.toy").forces_job() == "ion.forces"
    check_archive(invoke, node, tmp_path / "toy.aiida")


def check_tables(invoke: Invoke, node: Any) -> None:
    """Everything that is asked of the database knows the engine's jobs."""
    (run,) = queries.runs().query("engine == 'well'").to_dict("records")
    assert (run["job_type"], run["level_of_theory"], run["formula"]) == ("toy.md", "toy 12 meV", "Ar")
    assert {"toy 12 meV", "Lennard-Jones"} == set(queries.cost()["level_of_theory"])
    assert "toy.md" in set(queries.potentials()["job_type"])
    assert set(queries.conductivity()["engine"]) == {"ours", "well"}
    assert queries.diffusion().set_index("level_of_theory").loc["toy 12 meV", "wall_time_s"] > 0
    assert activity.n_jobs() == 2
    assert "aiida.calculations:toy.md" in set(process_table()["process_type"])
    chain = queries.conductivity().set_index("engine").loc["well", "process_uuid"]
    assert len(job_runs.runs_of(chain)) == 1
    for words in (("table",), ("compare", node.pk), ("table", "--format", "csv")):
        assert "toy 12 meV" in invoke(*words).output
    assert "toy.md" in invoke("status").output
    assert "toy 12 meV" in invoke("show", queries.conductivity().set_index("engine").loc["well", "pk"]).output


def check_archive(invoke: Invoke, node: Any, path: Path) -> None:
    """Who gets the results reads them without the package."""
    invoke("export", node.pk, "-o", path, "--yes")
    program = f"""
from aiida_ion import queries
from aiida_ion.archives.open import open_archive
open_archive({str(path)!r})
print(*queries.runs()["job_type"], *queries.comparison()["level_of_theory"], sep=", ")
"""
    environment = {name: value for name, value in os.environ.items() if "aiida_toy" not in value}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "ion.mlip_md, toy.md, toy 12 meV\n"


def check_cost(plan: Any) -> None:
    """What the next run will take is known by the last."""
    known = step_time(plan, queries.cost())
    assert known is not None
    assert known.origin == "by 1 earlier job with 32 atoms"


@pytest.mark.slow
def test_the_daemon_runs_it(shell: Shell, site: Path, argon: orm.StructureData, tmp_path: Path) -> None:
    crystal = tmp_path / "argon.vasp"
    write(crystal, argon.get_ase())
    path = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH", ""))))
    shell("setup", "--workers", "1", PYTHONPATH=path)
    shell(*ADD, *INPUTS, PYTHONPATH=path)
    assert "steps/s with 32 atoms" in shell("engine", "test", "well", PYTHONPATH=path)
    run = ("run", crystal, "--engine", "well", "--protocol", "fast", "--temperatures", "150", "--no-relax")
    run += ("--force-structure", "--mobile-species", "Ar", "--charges", "Ar=0")
    run += ("--supercell", "1,1,1", "--time-ps", "0.4", "--timestep-fs", "2", "--sample-every", "4")
    output = shell(*run, "--equilibration-ps", "0.1", "--wait", PYTHONPATH=path)
    assert "toy 12 meV" in output


def test_an_engine_whose_package_is_gone_says_so() -> None:
    with pytest.raises(ValueError, match=r"'ion\.md\.absent' is not an installed engine"):
        engine_class("ion.md.absent")


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("raise RuntimeError('not built for this machine')", None),
        ("import absent_package", "is not an installed engine: ModuleNotFoundError: No module named 'absent_package'"),
        ("from aiida.engine import WorkChain as Odd", "'ion.md.odd' is not an engine: its class must build on"),
        ("from aiida_ion.workchains.md.lammps import LammpsMdWorkChain as Odd", ""),
    ],
)
def test_a_package_that_does_not_work_stops_nothing_but_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, words: str | None
) -> None:
    (tmp_path / "odd_engine.py").write_text(program)
    about = tmp_path / "odd_engine-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(METADATA.replace("aiida-toy", "odd-engine"))
    (about / "entry_points.txt").write_text("[aiida.workflows]\nion.md.odd = odd_engine:Odd\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "odd_engine", raising=False)
    look_again()
    try:
        assert "odd" in engine_kinds()
        assert kind_of_executable("/usr/bin/pw.x") == "quantumespresso"
        assert {"lammps", "mlip", "quantumespresso", "vasp"} <= set(installed_engines())
        if words == "":  # two engines that drive the same program
            with pytest.raises(ValueError, match="lmp may be any of lammps, odd: give --kind"):
                kind_of_executable("/usr/bin/lmp")
        elif words is not None:
            with pytest.raises(ValueError, match=re.escape(words)):
                engine_class("ion.md.odd")
    finally:
        monkeypatch.undo()
        look_again()
