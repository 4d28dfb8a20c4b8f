"""DFT engines from the command line: registered, tried, and run beside a potential."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from ase.io import write

from aiida_ion.campaigns import EngineRequest, JobRequest, RunRequest
from aiida_ion.campaigns.plans import comparison, label_of, make_plans
from aiida_ion.engines.engine import load_engine
from aiida_ion.engines.programs import mpi_as_root
from aiida_ion.workchains.conductivity.builder import with_thermostat
from tests.cli.conftest import Invoke, only_line
from tests.dft.pw.outputs import run_pw
from tests.quantumespresso_fixtures import pseudo_paths, pw_executable

SMALL = ("--ecutwfc-Ry", 25, "--ecutrho-Ry", 150)


@pytest.fixture
def oxide_file(lithium_oxide: orm.StructureData, tmp_path: Path) -> Path:
    """Write Li2O as a POSCAR."""
    path = tmp_path / "Li2O.vasp"
    write(path, lithium_oxide.get_ase())
    return path


@pytest.fixture
def pw_engine(invoke: Invoke, lj_engine: str) -> str:
    """Register pw.x with two pseudopotential files."""
    pseudos = [word for path in pseudo_paths().values() for word in ("--pseudos", path)]
    invoke("engine", "add", "qe", "--executable", pw_executable(), *pseudos, *SMALL)
    return "qe"


def test_pw_is_registered_tried_and_listed(invoke: Invoke, pw_engine: str) -> None:
    engine = load_engine(pw_engine)
    assert engine.entry_point == "ion.md.quantumespresso"
    assert engine.choices["ecutrho_Ry"] == 150.0
    assert "steps/s with 3 atoms" in invoke("engine", "test", pw_engine, "--steps", 2).output
    versions = load_engine(pw_engine).tested["versions"]
    assert versions["functional"] == "PBEsol"
    row = invoke("engine", "list").output
    assert "ion.md.quantumespresso" in row
    assert engine.choices["pseudo_family"] in row


def test_meshes_of_an_engine_can_be_shifted(invoke: Invoke, lj_engine: str, oxide_file: Path) -> None:
    pseudos = [word for path in pseudo_paths().values() for word in ("--pseudos", path)]
    mesh = ("--kpoints", "2,2,2", "--shift-kpoints")
    invoke("engine", "add", "shifted", "--executable", pw_executable(), *pseudos, *SMALL, *mesh)
    (plan,) = make_plans([str(oxide_file)], ["shifted"], RunRequest(protocol="fast", supercell=[1, 1, 1]))
    engine = plan.builder.md.engine
    assert engine["kpoints"].get_kpoints_mesh() == ([2, 2, 2], [0.5, 0.5, 0.5])
    # A scan of meshes, and labels, are shifted as the runs are.
    points = load_engine("shifted").md.single_points
    assert points is not None
    finer = points.at(engine, (25.0, 150.0), [3, 3, 3])["kpoints"]
    assert finer.get_kpoints_mesh() == ([3, 3, 3], [0.5, 0.5, 0.5])
    request = RunRequest(protocol="fast", engine=EngineRequest(kpoints=[1, 2, 2]))
    (plan,) = make_plans([str(oxide_file)], ["shifted"], request)
    assert plan.builder.md.engine["kpoints"].get_kpoints_mesh() == ([1, 2, 2], [0.5, 0.5, 0.5])
    error = invoke("engine", "add", "toy2", "--python", sys.executable, "--potential", "lj", mesh[2], code=2).stderr
    assert "takes no --shift-kpoints" in error


def test_files_that_suggest_cutoffs_need_none(invoke: Invoke, lj_engine: str, tmp_path: Path) -> None:
    add = ("engine", "add", "qe-files", "--executable", pw_executable())
    pseudos = [word for path in pseudo_paths().values() for word in ("--pseudos", path)]
    assert "WARNING" not in invoke(*add, *pseudos).stderr
    choices = load_engine("qe-files").choices
    assert not {"ecutwfc_Ry", "ecutrho_Ry"} & set(choices)
    assert "WARNING" not in invoke(*add, "--pseudos", choices["pseudo_family"]).stderr
    silent = tmp_path / "O.UPF"
    silent.write_text(re.sub(r'(wfc|rho)_cutoff="[^"]*"', r'\1_cutoff="0.0"', pseudo_paths()["O"].read_text()))
    files = ("--pseudos", pseudo_paths()["Li"], "--pseudos", silent)
    assert "Error: O.UPF suggests no cut-offs: give --ecutwfc-Ry" in invoke(*add, *files, code=1).stderr


def test_cutoffs_below_the_files_are_warned_of_by_name(invoke: Invoke, lj_engine: str) -> None:
    pseudos = [word for path in pseudo_paths().values() for word in ("--pseudos", path)]
    lines = invoke("engine", "add", "low", "--executable", pw_executable(), *pseudos, *SMALL).stderr.splitlines()
    assert [line.split()[:2] for line in lines] == [["WARNING:", "Li:"], ["WARNING:", "O:"]]
    assert "suggests at least 78/355 Ry, and 25/150 Ry is given" in lines[0]
    assert pseudo_paths()["Li"].name in lines[0]


def test_the_same_files_are_the_same_family(invoke: Invoke, pw_engine: str, tmp_path: Path) -> None:
    for path in pseudo_paths().values():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    invoke(
        "engine",
        "add",
        "again",
        "--executable",
        pw_executable(),
        "--pseudos",
        load_engine("qe").choices["pseudo_family"],
        *SMALL,
    )
    assert load_engine("again").choices["pseudo_family"] == load_engine("qe").choices["pseudo_family"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "give --pseudos: a family"),
        (("--pseudos", "SSSP/none"), "neither a folder nor an installed family"),
        (("--pseudos", "{empty}"), "no such pseudopotential"),
        (("--pseudos", "{li}", "--processes", "999"), "999 cores for each job, and this machine has"),
        (("--pseudos", "{li}", "--pseudos", "{other}"), "more than one pseudopotential for Li"),
        (("--pseudos", "{li}", "--potcars", "PBE"), "quantumespresso takes no --potcars"),
    ],
)
def test_what_pw_cannot_use_is_named(
    invoke: Invoke, lj_engine: str, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    (tmp_path / "empty").mkdir()
    lithium = pseudo_paths()["Li"]
    (tmp_path / "other.UPF").write_bytes(lithium.read_bytes())
    places = {"empty": tmp_path / "empty", "li": lithium, "other": tmp_path / "other.UPF"}
    given = [word.format(**places) for word in arguments]
    code = 2 if "--potcars" in given else 1
    assert words in invoke("engine", "add", "qe", "--executable", pw_executable(), *given, code=code).stderr


def test_vasp_needs_its_family(invoke: Invoke, lj_engine: str, potcar_family: str) -> None:
    add = ("engine", "add", "vasp", "--executable", "/bin/true", "--kind", "vasp")
    assert "give --potcars" in only_line(invoke(*add, code=1))
    assert "no family of POTCARs 'PBE.99'" in only_line(invoke(*add, "--potcars", "PBE.99", code=1))
    invoke(*add, "--potcars", potcar_family, "--potcar-map", "Li=Li_sv")
    assert load_engine("vasp").choices == {"potential_family": potcar_family, "potential_mapping": {"Li": "Li_sv"}}


def test_encut_below_enmax_is_warned_of(invoke: Invoke, lj_engine: str, potcar_family: str, tmp_path: Path) -> None:
    (tmp_path / "tags.yaml").write_text("encut: 300\n")
    add = ("engine", "add", "vasp", "--executable", "/bin/true", "--kind", "vasp", "--potcars", potcar_family)
    done = invoke(*add, "--potcar-map", "Li=Li_sv", "--settings", tmp_path / "tags.yaml")
    assert "WARNING: Li: the POTCAR PAW_PBE Li_sv 10Sep2004 suggests at least 400 eV" in done.stderr


def test_what_an_executable_is_can_be_told_from_its_name(invoke: Invoke, lj_engine: str) -> None:
    line = only_line(invoke("engine", "add", "what", "--executable", "/bin/true", code=1))
    assert line.startswith("Error: cannot tell the kind of engine from the name true: give --kind")
    assert "pw-none.x is not on the PATH" in invoke("engine", "add", "w", "--executable", "pw-none.x", code=1).stderr


def test_several_engines_are_one_comparison(invoke: Invoke, pw_engine: str, oxide_file: Path) -> None:
    options = ("--temperatures", "300", "--supercell", "1,1,1", "--time-ps", "0.006", "--timestep-fs", "1.5")
    options += ("--sample-every", "1")
    run = ("run", oxide_file, "--engine", "toy", "--engine", "qe", *options, "--equilibration-ps", "0", "--dry-run")
    result = invoke(*run, "--protocol", "obelix")
    assert "Li2O with QE PBEsol (25/150 Ry, below 78/355 Ry)" in result.output
    assert "it has no nose_hoover thermostat and runs with csvr" in result.stderr
    line = only_line(invoke(*run, "--protocol", "obelix", "--thermostat", "nose_hoover", code=1))
    assert "thermostat nose_hoover is not in this program" in line
    assert "--reference must be one of the engines" in invoke(*run, "--reference", "gold", code=1).stderr


def test_the_reference_is_the_first_with_dft_and_the_cores_are_shared(
    invoke: Invoke, pw_engine: str, oxide_file: Path
) -> None:
    request = RunRequest(temperatures_K=[300.0], supercell=[1, 1, 1], fresh=True)
    plans = make_plans([str(oxide_file)], ["toy", "qe"], request)
    builder = comparison(plans, request)
    parameters = builder.parameters.get_dict()
    assert parameters["reference"] == "qe"
    assert parameters["max_concurrent"] == min(2, os.cpu_count() or 1)
    assert builder.fresh is True
    assert sorted(builder.runs["Li2O"]) == ["qe", "toy"]
    md = builder.runs["Li2O"]["toy"]["md"]["parameters"].get_dict()
    assert md["keep"] == ["velocities"]
    assert builder.runs["Li2O"]["qe"]["parameters"].get_dict()["max_concurrent"] >= 1


def test_processes_and_threads_reach_the_jobs(invoke: Invoke, pw_engine: str, oxide_file: Path) -> None:
    if (os.cpu_count() or 1) < 2:
        pytest.skip("one core")
    (plan,) = make_plans([str(oxide_file)], ["qe"], RunRequest(jobs=JobRequest(processes=2)))
    assert plan.builder.md.options["resources"]["num_mpiprocs_per_machine"] == 2
    assert plan.builder.md.options["withmpi"] is True
    with pytest.raises(ValueError, match="999 cores for each job"):
        make_plans([str(oxide_file)], ["qe"], RunRequest(jobs=JobRequest(threads=999)))


def test_a_run_may_have_a_mesh_of_its_own(invoke: Invoke, pw_engine: str, oxide_file: Path) -> None:
    (plan,) = make_plans([str(oxide_file)], ["qe"], RunRequest(engine=EngineRequest(kpoints=[2, 2, 2])))
    assert plan.builder.md.engine["kpoints"].get_kpoints_mesh()[0] == [2, 2, 2]
    assert load_engine("qe").choices.get("kpoints") is None
    with pytest.raises(ValueError, match="--kpoints is for engines of the kind quantumespresso or vasp, and this is"):
        make_plans([str(oxide_file)], ["toy"], RunRequest(engine=EngineRequest(kpoints=[2, 2, 2])))


def test_open_mpi_starts_for_root_where_there_is_a_root() -> None:
    assert mpi_as_root("cluster", 4) == ""
    assert mpi_as_root("localhost", 1) == ""
    assert bool(mpi_as_root("localhost", 2)) == (os.geteuid() == 0)


def test_two_processes_run(invoke: Invoke, lj_engine: str, lithium_oxide: orm.StructureData) -> None:
    if (os.cpu_count() or 1) < 2:
        pytest.skip("one core")
    pseudos = [word for path in pseudo_paths().values() for word in ("--pseudos", path)]
    invoke("engine", "add", "qe", "--executable", pw_executable(), *pseudos, *SMALL, "--processes", 2)
    assert "steps/s with 3 atoms" in invoke("engine", "test", "qe", "--steps", 1).output
    job = orm.QueryBuilder().append(orm.CalcJobNode).first(flat=True)
    assert job.outputs.cost["processes"] == 2


def test_a_thermostat_of_a_file_is_asked_for_by_name(tmp_path: Path) -> None:
    path = tmp_path / "overrides.yaml"
    path.write_text("md: {thermostat: nose_hoover}\n")
    settings = {"thermostat": "nose_hoover", "ensemble": "nvt"}
    assert with_thermostat(settings, ("csvr",), str(path)) == settings
    assert with_thermostat(settings, ("csvr",), None)["thermostat"] == "csvr"


def test_labels_can_stand_in_the_graph() -> None:
    assert label_of("folder/Li3PS4__a b.cif") == "Li3PS4_a_b"
    assert label_of("mace@my-cluster") == "mace_my_cluster"
    assert label_of("1234") == "1234"


def test_a_run_from_elsewhere_is_imported_and_fitted(invoke: Invoke, lj_engine: str, tmp_path: Path) -> None:
    from aiida_ion.dft.pw.input import md_namelists
    from aiida_ion.settings.md import MdSettings
    from aiida_ion.starting_velocities import starting_velocities
    from tests.dft.pw.outputs import ATOMS, MASSES, input_text, with_namelists

    pw_executable()
    settings = MdSettings(temperature_K=300.0, timestep_fs=1.0, n_steps=14, ensemble="nve")
    (namelists,) = md_namelists(with_namelists(), settings, len(ATOMS), 0, None)
    folder = tmp_path / "run"
    folder.mkdir()
    run_pw(folder, "md", input_text(namelists, starting_velocities(MASSES, 300.0, 1)))
    result = invoke("import", folder, "--temperature-K", 300, "--run")
    assert "15 frames of 3 atoms" in result.output
    assert "QE PBEsol" in result.output
    fit = orm.QueryBuilder().append(orm.CalcJobNode).first(flat=True)
    assert fit.outputs.diffusion.base.attributes.get("temperature_mean_K") > 0


@pytest.mark.slow
def test_a_scan_of_cutoffs_is_printed_stored_and_continued(
    invoke: Invoke, lj_engine: str, stand_in: Any, potcar_family: str, oxide_file: Path
) -> None:
    invoke("engine", "add", "vasp", "--executable", stand_in(), "--potcars", potcar_family, "--potcar-map", "Li=Li_sv")
    scan = ("engine", "converge", "vasp", oxide_file, "--cutoffs", "300,400", "--k-spacings", "3")
    output = invoke(*scan).output
    for words in (
        "Li2O, VASP PBE; the pseudopotentials suggest 400 eV",
        "lowest within 2 % of the forces: 300 eV",  # the stand-in computes the same whatever the cut-off
        "nothing below the last row",  # one mesh alone
        "Next: aiida-ion engine add vasp ... --settings FILE, where FILE says `encut: 300`",
    ):
        assert words in output
    (pk,) = re.findall(r"aiida-ion show (\d+)", output)
    assert "lowest within 2 % of the forces: 300 eV" in invoke("show", pk).output
    jobs = orm.QueryBuilder().append(orm.CalcJobNode, project=["id"]).count()
    assert output.split("Stored")[0] == invoke(*scan).output.split("Stored")[0]
    again = orm.QueryBuilder().append(orm.CalcJobNode).all(flat=True)
    assert len(again) == 2 * jobs and sum(job.base.caching.is_created_from_cache for job in again) == jobs


def test_what_cannot_be_scanned_is_named(invoke: Invoke, lj_engine: str, oxide_file: Path) -> None:
    assert "not a DFT engine" in only_line(invoke("engine", "converge", lj_engine, oxide_file, code=1))
    wrong = ("engine", "converge", lj_engine, oxide_file, "--cutoffs", "thirty")
    assert "'thirty' is not of the form 60/480" in invoke(*wrong, code=2).stderr
