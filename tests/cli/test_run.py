"""`aiida-ion run` checks everything first, and submits what the options say."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from aiida import orm
from ase.build import bulk
from ase.io import write

from aiida_ion.aiida_private.builders import builder_inputs
from aiida_ion.campaigns import RunRequest
from aiida_ion.campaigns.expected_cost import describe, expected_cost, in_all, size_of, step_time
from aiida_ion.campaigns.overrides import collect_overrides
from aiida_ion.campaigns.plan import Plan
from aiida_ion.campaigns.plans import check, make_plans
from aiida_ion.engine_kinds import engine_class
from aiida_ion.engines.engine import load_engine, remember_test
from aiida_ion.engines.registration import register
from aiida_ion.engines.requests import JobRequest
from aiida_ion.workchains.conductivity.md import engine_inputs, md_inputs
from tests.cli.conftest import SAFETENSORS, Invoke, only_line

OPTIONS: dict[str, Any] = {"threads": 1, "protocol": "fast"}


def one_plan(crystal: Path, engine: str, **options: Any) -> Plan:
    plans = make_plans([str(crystal)], [engine], RunRequest.from_options(**OPTIONS | options))
    check(plans)
    return plans[0]


def test_a_dry_run_says_what_would_run_and_stores_nothing(invoke: Invoke, lj_engine: str, crystal_file: Path) -> None:
    options = [
        "--temperatures",
        "700,900",
        "--seeds",
        "1,2",
        "--time-ps",
        "4",
        "--protocol",
        "fast",
        "--min-width-A",
        "7",
    ]
    output = invoke("run", crystal_file, "--engine", lj_engine, *options, "--dry-run").output
    assert "Li3N with Lennard-Jones, Li mobile (Li +1, N -3), 72 atoms, 4 runs of 4 ps" in output
    assert "Nothing was submitted" in output
    assert orm.QueryBuilder().append(orm.WorkChainNode).count() == 0


def test_a_tested_engine_gives_the_cost(invoke: Invoke, lj_engine: str, crystal_file: Path) -> None:
    remember_test(load_engine(lj_engine), {}, {"steps_per_s": 10.0, "n_atoms": 36})
    options = [
        "--temperatures",
        "700",
        "--time-ps",
        "2",
        "--timestep-fs",
        "2",
        "--supercell",
        "3,3,2",
        "--protocol",
        "fast",
    ]
    output = invoke("run", crystal_file, "--engine", lj_engine, *options, "--dry-run").output
    assert "72 atoms, 1 run of 2 ps\n" in output
    # 1000 steps / 10 per s, twice the atoms
    assert "1,000 steps: about 3 min of computing (very roughly, by 'aiida-ion engine test')" in output


def test_options_become_inputs(invoke: Invoke, lj_engine: str, crystal_file: Path) -> None:
    plan = one_plan(
        crystal_file,
        lj_engine,
        temperatures_K=[650.0, 750.0],
        seeds=[3],
        time_ps=3.0,
        timestep_fs=1.5,
        sample_every=4,
        equilibration_ps=0.5,
        supercell=[2, 2, 1],
        relax_ions=False,
        thermostat="langevin",
        ensemble="npt",
        charges={"Li": 0.8, "N": -2.4},
        mobile_species="Li",
        threads=2,
        walltime_s=600,
        job_options={"queue_name": "gpu"},
        max_concurrent=3,
        target_temperature_K=350.0,
    )
    builder = plan.builder
    parameters, md = builder.parameters.get_dict(), builder.md.parameters.get_dict()
    assert (parameters["temperatures_K"], parameters["seeds"]) == ([650.0, 750.0], [3])
    assert (md["n_steps"], md["timestep_fs"], md["sample_every"], md["equilibration_fs"]) == (2000, 1.5, 4, 500.0)
    assert (md["thermostat"], md["ensemble"]) == ("langevin", "npt")
    assert parameters["supercell"] == [2, 2, 1]
    assert parameters["relax_ions"] is False
    assert parameters["charges"] == {"Li": 0.8, "N": -2.4}
    assert parameters["max_concurrent"] == 3
    assert parameters["target_temperature_K"] == 350.0
    assert builder.md.options["resources"]["num_cores_per_mpiproc"] == 2
    assert builder.md.options["max_wallclock_seconds"] == 600
    assert builder.md.options["queue_name"] == "gpu"
    assert builder.diffusion.code.label == "kinisi"


def test_options_win_over_the_file_and_the_file_over_the_protocol(tmp_path: Path) -> None:
    path = tmp_path / "overrides.yaml"
    path.write_text("seeds: [4, 5]\nmd: {n_steps: 10, sample_every: 2}\ndiffusion: {n_lags: 20}\n")
    overrides = collect_overrides(RunRequest(overrides=path, time_ps=1.0, seeds=[9]), cores_per_plan=2)
    assert overrides == {
        "seeds": [9],
        "md": {"n_steps": None, "sample_every": 2, "total_time_ps": 1.0},
        "diffusion": {"n_lags": 20},
        "max_concurrent": 2,
    }
    path.write_text("- a list")
    with pytest.raises(ValueError, match="must hold changes to a protocol"):
        RunRequest(overrides=path)


def test_the_tested_checkpoint_is_a_hashed_input(invoke: Invoke, lj_engine: str, crystal_file: Path) -> None:
    remember_test(load_engine(lj_engine), {"checkpoint": {"name": "x", "sha256": "ab" * 32}}, {})
    assert one_plan(crystal_file, lj_engine).builder.md.engine["potential"]["checkpoint_sha256"] == "ab" * 32
    register("other", sys.executable, "ion.md.mlip", potential={"name": "mace", "model": "small"})
    remember_test(load_engine("other"), {"checkpoint": {"name": "small", "sha256": "ab" * 32}}, {})
    potential = one_plan(crystal_file, "other", model="another", device="cpu").builder.md.engine["potential"].get_dict()
    assert potential == {"name": "mace", "model": "another", "device": "cpu"}


def test_the_engines_checkpoint_file_goes_along(
    invoke: Invoke, lj_engine: str, crystal_file: Path, tmp_path: Path
) -> None:
    weights = tmp_path / "trained.model"
    weights.write_bytes(SAFETENSORS)
    engine, _ = register("mine", sys.executable, "ion.md.mlip", potential={"name": "mace"}, checkpoint=weights)
    plan = one_plan(crystal_file, "mine")
    assert plan.builder.md.engine["checkpoint"].uuid == engine.checkpoint.uuid  # type: ignore[union-attr]
    assert plan.level_of_theory == "MACE trained.model"


def test_jobs_share_the_cores(
    invoke: Invoke, lj_engine: str, crystal_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert one_plan(crystal_file, lj_engine, threads=2).builder.parameters["max_concurrent"] == 4
    register("second", sys.executable, "ion.md.mlip", potential={"name": "lj"})
    plans = make_plans([str(crystal_file)], [lj_engine, "second"], RunRequest.from_options(**OPTIONS))
    assert [plan.builder.parameters["max_concurrent"] for plan in plans] == [4, 4]


def test_a_structure_node_will_do(invoke: Invoke, lj_engine: str, lithium_nitride: orm.StructureData) -> None:
    lithium_nitride.store()
    for given in (lithium_nitride.pk, lithium_nitride.uuid):
        output = invoke("run", given, "--engine", lj_engine, "--protocol", "fast", "--dry-run").output
        assert f"{given} / toy: Li3N" in output


def test_a_format_that_only_ase_reads_will_do(
    invoke: Invoke, lj_engine: str, lithium_nitride: orm.StructureData, tmp_path: Path
) -> None:
    path = tmp_path / "cell.extxyz"
    write(path, lithium_nitride.get_ase())
    assert "Li3N" in invoke("run", path, "--engine", lj_engine, "--protocol", "fast", "--dry-run").output


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--protocol", "quick"], 'unknown protocol "quick"'),
        (["--time-ps", "0.1"], "leaves nothing of a run of 100 fs"),
        (["--seeds", "1,1"], "--seeds must be a list of whole numbers from 0 to 2,147,483,647, each once"),
        (["--charges", "Li=1,N=-2"], "not neutral"),
        (["--charges", "Na=1"], "does not contain"),
        (["--mobile-species", "Na"], "no Na in Li3N"),
        (["--thermostat", "berendsen"], "thermostat must be one of"),
        (["--supercell", "2,2,0"], "--supercell must be a list of 3 whole numbers"),
        (["--min-width-A", "-1"], "--min-width-A must be a number above 0"),
        (["--potential", "pedone-2006"], "--potential is for engines of the kind lammps, and this is toy (mlip)"),
    ],
)
def test_what_cannot_run_is_one_line(
    invoke: Invoke, lj_engine: str, crystal_file: Path, options: list[str], words: str
) -> None:
    line = only_line(invoke("run", crystal_file, "--engine", lj_engine, "--protocol", "fast", *options, code=1))
    assert words in line


def test_everything_is_checked_before_anything_is_submitted(
    invoke: Invoke, lj_engine: str, crystal_file: Path, tmp_path: Path
) -> None:
    silicon = tmp_path / "Si.cif"
    write(silicon, bulk("Si", cubic=True))
    for bad in (silicon, tmp_path / "absent.cif", "4242"):
        result = invoke("run", crystal_file, bad, "--engine", lj_engine, "--protocol", "fast", code=1)
        first, last = result.stderr.strip().splitlines()
        assert first.startswith(f"REFUSED {bad}")
        assert last == ("Error: 1 of 2 crystals cannot be run, and nothing was submitted; --skip-bad runs the other 1")
    only_line(invoke("run", crystal_file, "--engine", lj_engine, "--engine", "gold", code=1))
    assert orm.QueryBuilder().append(orm.ProcessNode).count() == 0


def test_without_a_daemon_nothing_is_submitted(invoke: Invoke, lj_engine: str, crystal_file: Path) -> None:
    line = only_line(invoke("run", crystal_file, "--engine", lj_engine, "--protocol", "fast", code=1))
    assert "broker" in line  # the profile of the tests has none


def test_an_engine_of_lammps_needs_a_potential(invoke: Invoke, lj_engine: str, tmp_path: Path) -> None:
    register("lammps", "/bin/ls", "ion.md.lammps")
    path = tmp_path / "CaF2.cif"
    write(path, bulk("CaF2", "fluorite", a=5.46, cubic=True))
    line = only_line(invoke("run", path, "--engine", "lammps", "--protocol", "fast", code=1))
    assert "needs --potential" in line
    plan = one_plan(path, "lammps", potential="gillan-caf2-1986")
    assert plan.builder.md.engine["potential"].get_dict() == {"name": "gillan-caf2-1986"}
    assert plan.level_of_theory == "classical/Gillan-1986"
    assert "--device is for engines of the kind mlip" in only_line(
        invoke("run", path, "--engine", "lammps", "--device", "cuda", code=1)
    )


def test_a_potential_that_does_not_know_the_crystal_is_refused_at_once(
    invoke: Invoke, lj_engine: str, crystal_file: Path
) -> None:
    register("lammps", "/bin/ls", "ion.md.lammps")
    command = ["run", crystal_file, "--engine", "lammps", "--protocol", "fast", "--potential", "pedone-2006"]
    line = only_line(invoke(*command, "--dry-run", code=1))
    assert "Li3N.cif / lammps: md: the potential 'pedone-2006' has no N" in line


def test_files_of_a_lammps_potential_go_along(
    invoke: Invoke, lj_engine: str, crystal_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "deployed.pth").write_bytes(b"x")
    text = "{commands: 'pair_style table linear 10', level_of_theory: mine, files: [deployed.pth]}"
    (tmp_path / "own.yaml").write_text(text)
    register("lammps", "/bin/ls", "ion.md.lammps")
    plan = one_plan(crystal_file, "lammps", potential=str(tmp_path / "own.yaml"))
    assert [node.filename for node in plan.builder.md.engine["files"].values()] == ["deployed.pth"]


def test_resources_of_many_processes_mean_mpi(invoke: Invoke, lj_engine: str, crystal_file: Path) -> None:
    for resources, expected in (
        ({"num_machines": 2, "num_mpiprocs_per_machine": 8}, True),
        ({"tot_num_mpiprocs": 4}, True),
        ({"num_machines": 1}, False),
    ):
        plan = one_plan(crystal_file, lj_engine, job_options={"resources": resources})
        assert plan.builder.md.options["withmpi"] is expected
    orm.load_computer("localhost").delete_property("default_mpiprocs_per_machine")
    with pytest.raises(ValueError, match="resources do not suit the scheduler of localhost: At least two among"):
        one_plan(crystal_file, lj_engine, job_options={"resources": {"tot_num_mpiprocs": 4}})


def test_job_options_are_checked_first(invoke: Invoke, lj_engine: str, crystal_file: Path) -> None:
    """Also where several engines share the cores, for which they are counted."""
    register("second", sys.executable, "ion.md.mlip", potential={"name": "lj"})
    engines = ("--engine", lj_engine, "--engine", "second")
    line = only_line(invoke("run", crystal_file, *engines, "--job-options", '{"resources": [1]}', code=1))
    assert "job option resources must be a mapping" in line


def test_job_options_win(invoke: Invoke, lj_engine: str, crystal_file: Path) -> None:
    options = one_plan(crystal_file, lj_engine, job_options={"withmpi": True}).builder.md.options
    assert options["withmpi"] is True
    assert "max_wallclock_seconds" not in options


def test_options_of_a_run_win_over_those_of_the_engine(invoke: Invoke, lj_engine: str, crystal_file: Path) -> None:
    own = {"queue_name": "gpu", "account": "mine", "max_wallclock_seconds": 600, "resources": {"num_machines": 2}}
    register("toy", sys.executable, "ion.md.mlip", potential={"name": "lj"}, jobs=JobRequest(job_options=own))
    options = one_plan(crystal_file, lj_engine, threads=None).builder.md.options
    assert dict(options) == own | {"withmpi": True}
    given = {"walltime_s": 60, "processes": 3, "job_options": {"queue_name": "cpu"}}
    options = one_plan(crystal_file, lj_engine, threads=None, **given).builder.md.options
    assert (options["queue_name"], options["account"], options["max_wallclock_seconds"]) == ("cpu", "mine", 60)
    assert options["resources"] == {"num_machines": 2, "num_mpiprocs_per_machine": 3}
    one = {"resources": {"num_machines": 1, "num_mpiprocs_per_machine": 1}}
    options = one_plan(crystal_file, lj_engine, threads=None, job_options=one).builder.md.options
    assert (options["resources"], options["withmpi"]) == (one["resources"], False)


def test_job_options_reach_every_job_of_the_engine(invoke: Invoke, lj_engine: str, crystal_file: Path) -> None:
    register(
        "toy",
        sys.executable,
        "ion.md.mlip",
        potential={"name": "lj"},
        jobs=JobRequest(job_options={"queue_name": "gpu"}),
    )
    builder = one_plan(crystal_file, lj_engine).builder
    md = engine_class("ion.md.mlip")
    inputs = builder_inputs(builder)
    assert md_inputs(inputs, builder.structure, 300.0, 1)["engine"]["metadata"]["options"]["queue_name"] == "gpu"
    relax = md.relax_builder(builder.structure, engine_inputs(inputs))
    assert relax.metadata.options["queue_name"] == "gpu"


def test_a_target_becomes_inputs(invoke: Invoke, lj_engine: str, crystal_file: Path) -> None:
    given = {"target_relative_error": 0.2, "first_time_ps": 4.0, "max_time_ps": 40.0, "max_total_time_ps": 100.0}
    plan = one_plan(crystal_file, lj_engine, timestep_fs=1.0, target_quantity="ionic_conductivity", **given)
    parameters = plan.builder.parameters.get_dict()
    assert parameters["target_relative_error"] == 0.2
    assert parameters["target_quantity"] == "ionic_conductivity"
    assert (parameters["max_time_ps"], parameters["max_total_time_ps"], parameters["max_rounds"]) == (40.0, 100.0, 8)
    assert plan.builder.md.parameters["n_steps"] == 4000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--max-time-ps", "40"), "--max-time-ps: only runs with --target-relative-error are extended"),
        (("--target-relative-error", "0.2", "--time-ps", "5"), "give --first-time-ps and --max-time-ps"),
        (("--target-relative-error", "0"), "--target-relative-error must be a number above 0"),
        (("--target-relative-error", "0.2", "--max-time-ps", "2"), "max_time_ps = 2 is less than the first round"),
    ],
)
def test_an_impossible_target_is_one_line(
    invoke: Invoke, lj_engine: str, crystal_file: Path, options: tuple[str, ...], message: str
) -> None:
    result = invoke("run", crystal_file, "--engine", lj_engine, "--protocol", "fast", *options, code=1)
    assert message in only_line(result)


def costs(**more: Any) -> pd.DataFrame:
    """Return a ledger: three jobs of Lennard-Jones that took 1, 2 and 4 ms a step, and others that do not count."""
    job = {"computer": "localhost", "level_of_theory": "Lennard-Jones", "cores": 1, "n_atoms": 36, "n_steps": 1000}
    job |= {"share": None}
    rows = [job | {"wall_time_s": seconds} for seconds in (1.0, 2.0, 4.0)]
    rows += [job | {"wall_time_s": 100.0, "n_atoms": 500}, job | {"wall_time_s": 100.0, "cores": 8}]
    others = ({"computer": "far"}, {"level_of_theory": "PBE"}, {"share": 0.1})
    rows += [job | {"wall_time_s": 100.0, **other} for other in others]
    return pd.DataFrame([row | more for row in rows])


def test_earlier_jobs_tell_the_cost(invoke: Invoke, lj_engine: str, crystal_file: Path) -> None:
    plan = one_plan(crystal_file, lj_engine, supercell=[3, 3, 2], temperatures_K=[700.0], time_ps=4.0, timestep_fs=2.0)
    known = step_time(plan, costs())
    assert known is not None
    assert known.seconds == pytest.approx((0.002, 0.004, 0.008))  # twice the atoms
    assert known.origin == "by 3 earlier jobs with 36 atoms"
    assert expected_cost(plan, costs()) == (
        "2,000 steps: about 8 s of computing (4 s to 16 s by 3 earlier jobs with 36 atoms)"
    )
    small = one_plan(crystal_file, lj_engine, supercell=[1, 1, 1], temperatures_K=[700.0])
    fewer = step_time(small, costs())
    assert fewer is not None
    assert fewer.seconds[1] == pytest.approx(0.002)
    assert step_time(plan, costs(level_of_theory="PBE")) is None
    assert "time unknown: run 'aiida-ion engine test toy' first" in expected_cost(plan, costs(computer="far"))


def test_a_target_costs_between_the_first_round_and_the_budget(
    invoke: Invoke, lj_engine: str, crystal_file: Path
) -> None:
    given = {"target_relative_error": 0.2, "first_time_ps": 4.0, "max_time_ps": 40.0, "timestep_fs": 2.0}
    plan = one_plan(crystal_file, lj_engine, supercell=[3, 3, 1], temperatures_K=[700.0, 800.0], **given)
    assert (
        "2 runs of 4 ps, each on to at most 40 ps until the tracer diffusivity is known to 0.2"
        in describe(plan, costs())[0]
    )
    assert expected_cost(plan, costs()).startswith(
        "4,000 to 40,000 steps: about 8 s to 80 s of computing (4 s to 3 min by"
    )
    assert expected_cost(plan, costs()).endswith("; 4 s to 40 s with 2 in parallel")
    limited = one_plan(
        crystal_file, lj_engine, supercell=[3, 3, 1], temperatures_K=[700.0, 800.0], max_total_time_ps=20.0, **given
    )
    assert size_of(limited).n_steps == (4000, 10000)
    both = in_all([plan, limited], costs())
    assert both == "In all: 2 cells and engines, computing 16 s to 100 s"
    assert "computing unknown" in in_all([plan], costs(computer="far"))
