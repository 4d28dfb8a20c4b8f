"""From a trajectory file to the table: import, show, status and table on real fits."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from aiida import orm
from ase import Atoms
from ase.io import write

from aiida_ion.queries import conductivity, diffusion, process_table
from aiida_ion.queries.running.progress import Progress, read_job_progress
from tests.cli.conftest import Invoke, only_line
from tests.conftest import engine_environment

DIFFUSIVITY_CM2_S = 2e-5
FACTS = ["--timestep-fs", "2", "--sample-every", "50", "--temperature-K", "800", "--level-of-theory", "PBE"]


def write_run(path: Path, node: orm.TrajectoryData) -> None:
    """Write a trajectory wrapped into its cell."""
    symbols = node.base.attributes.get("symbols")
    cell = node.get_array("cells")[0]
    images = [Atoms(symbols, positions=frame, cell=cell, pbc=True) for frame in node.get_array("positions")]
    for atoms in images:
        atoms.wrap()
    write(path, images, format="extxyz")


@pytest.fixture
def moving(walk: Callable[..., orm.TrajectoryData], tmp_path: Path) -> Path:
    path = tmp_path / "moving.extxyz"
    write_run(path, walk(DIFFUSIVITY_CM2_S))
    return path


@pytest.fixture
def still(walk: Callable[..., orm.TrajectoryData], tmp_path: Path) -> Path:
    path = tmp_path / "still.extxyz"
    write_run(path, walk(1e-9, n_frames=200))
    return path


@pytest.mark.slow
def test_imported_runs_are_fitted_and_tabulated(invoke: Invoke, lj_engine: str, moving: Path, still: Path) -> None:
    output = invoke("import", moving, *FACTS, "--run").output
    assert "600 frames of 32 atoms" in output
    assert "tracer diffusivity, cm2/s" in output
    invoke("import", still, *FACTS, "--equilibration-ps", "1", "--run")

    table = diffusion().set_index("moved")
    low, high = (table.loc[True, f"tracer_diffusivity_ci95_{end}_cm2_s"] for end in ("low", "high"))
    assert low < DIFFUSIVITY_CM2_S < high
    assert set(table["formula"]) == {"LiCl"}
    assert set(table["level_of_theory"]) == {"PBE"}
    assert pd.isna(table.loc[False, "tracer_diffusivity_cm2_s"])
    assert table.loc[False, "analysed_time_ps"] == pytest.approx(18.9)
    assert table["wall_time_s"].isna().all()  # nobody knows what an imported run cost
    check_table(invoke)
    check_show(invoke, int(table.loc[True, "pk"]), int(table.loc[False, "pk"]))
    status = invoke("status").output
    assert status.count("ion.diffusion") == 2
    assert "0 active, 2 ended." in status


def check_table(invoke: Invoke) -> None:
    text = invoke("table").output
    still_line = next(line for line in text.splitlines() if "no diffusion detected" in line)
    moving_line = next(line for line in text.splitlines() if " diffusive " in line)
    assert "< " in still_line
    assert "[" not in still_line
    assert "e-05 [" in moving_line
    assert "| no diffusion detected |" in invoke("table", "--format", "markdown").output
    frame = pd.read_csv(StringIO(invoke("table", "--format", "csv").output))
    assert set(frame["table"]) == {"diffusion"}
    assert frame["tracer_diffusivity_cm2_s"].notna().sum() == 1
    rows = json.loads(invoke("table", "--format", "json").output)
    assert [row["moved"] for row in rows["diffusion"]].count(False) == 1
    assert rows["conductivity"] == []
    assert "No results" in invoke("table", "--material", "NaCl").output
    assert "No results" in invoke("table", "--level-of-theory", "PBEsol").output
    assert "no diffusion detected" in invoke("table", "--material", "LiCl", "--level-of-theory", "PBE").output


def check_show(invoke: Invoke, moved: int, bound: int) -> None:
    output = invoke("show", bound).output
    assert "no diffusion detected: upper bound" in output
    assert "ionic conductivity (Nernst-Einstein), mS/cm: < " in output
    output = invoke("show", moved).output
    assert "diffusive; grade" in output
    assert "kinisi and least squares agree yes" in output
    origin = output.split("Origin:")[1]
    assert "program: diffusion, sha256 " in origin
    assert "file sha256 " in origin
    creator = orm.load_node(moved).creator
    assert f"aiida-ion show {creator.pk}" in output
    output = invoke("show", creator.uuid).output
    assert "finished" in output
    assert f"Result (node {moved})" in output
    trajectory = creator.inputs.trajectories["replica_00_segment_000"]
    assert "source_file: moving.extxyz" in invoke("show", trajectory.pk).output


def test_the_table_goes_to_a_file(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    invoke("table", "--output", path)
    assert path.read_text().startswith("No results here")


def test_what_cannot_be_imported_is_one_line(invoke: Invoke, lj_engine: str, moving: Path, crystal_file: Path) -> None:
    for arguments, words in (
        (
            [moving, "--structure", crystal_file],
            "moving.extxyz holds Cl16Li16 (32 atoms), the structure Li3N1 (4 atoms)",
        ),
        ([moving, "--mobile-species", "Na"], "no Na in LiCl"),
        ([moving, "--charges", "Li=2,Cl=-1"], "not neutral"),
        ([crystal_file], "unknown trajectory format"),
        ([moving, "--format", "dcd"], "unknown format 'dcd'"),
    ):
        assert words in only_line(invoke("import", *arguments, *FACTS, "--run", code=1))
    assert "broker" in only_line(invoke("import", moving, *FACTS, code=1))
    assert orm.QueryBuilder().append(orm.TrajectoryData).count() == 0
    line = only_line(invoke("import", moving, "--run", code=1))
    assert line == "Error: give --timestep-fs: moving.extxyz does not state it"


def test_the_progress_of_a_job_is_read_from_its_folder(invoke: Invoke, lj_engine: str) -> None:
    invoke("engine", "test", lj_engine, "--steps", 6)
    row = process_table().iloc[-1].to_dict()
    orm.load_node(int(row["pk"])).computer.set_minimum_job_poll_interval(0)  # it may be asked again at once
    assert read_job_progress(row) is None  # it took less than the second between two reports
    attributes = {"step": 4, "n_steps": 6, "steps_per_s": 2.0, "seconds_left": 1.0, "temperature_K": 40.0}
    Path(row["remote_workdir"]).mkdir()  # it went with the end of the test, whose results are in the database
    (Path(row["remote_workdir"]) / "progress.json").write_text(json.dumps(attributes))
    assert read_job_progress(row) == Progress(4, 6, 2.0, 1.0)
    (Path(row["remote_workdir"]) / "progress.json").write_text("{half a fi")
    assert read_job_progress(row) is None
    assert read_job_progress(row | {"remote_workdir": "/absent"}) is None
    assert read_job_progress(row | {"process_type": "aiida.calculations:ion.diffusion"}) is None
    attributes = invoke("show", row["pk"]).output
    assert "potential: name lj" in attributes
    assert "program: md, sha256 " in attributes
    assert "versions: python" in attributes


def test_the_progress_of_lammps_is_read_from_its_log(
    invoke: Invoke, aiida_localhost: orm.Computer, tmp_path: Path
) -> None:
    folder = engine_environment("lammps")
    prepend = f"export LD_LIBRARY_PATH={folder}/lib:$LD_LIBRARY_PATH"
    invoke("engine", "add", "lammps", "--executable", folder / "bin" / "lmp", "--prepend-text", prepend)
    invoke("engine", "test", "lammps", "--steps", 50)
    row = process_table().iloc[-1].to_dict()
    assert read_job_progress(row) is None  # its folder went with the end of the test
    log = orm.load_node(row["pk"]).outputs.retrieved.base.repository.get_object_content("log.lammps")
    (tmp_path / "log.lammps").write_text(log)
    progress = read_job_progress(row | {"remote_workdir": str(tmp_path)})
    assert progress is not None
    assert (progress.step, progress.n_steps) == (50, 50)
    assert progress.steps_per_s is not None
    assert progress.steps_per_s > 0


def test_progress_in_words() -> None:
    assert str(Progress(50, 200, 12.345, 12.15)) == "step 50 of 200 (25 %), 12.3 steps/s, 12 s left"
    assert str(Progress(0, 200)) == "step 0 of 200 (0 %)"


def test_a_failed_job_says_why(invoke: Invoke, lj_engine: str, lithium_nitride: orm.StructureData) -> None:
    lithium_nitride.store()
    invoke("engine", "add", "copper", "--python", orm.load_code("toy").filepath_executable, "--potential", "emt")
    line = only_line(invoke("engine", "test", "copper", "--structure", lithium_nitride.pk, code=1))
    assert "does not know Li" in line
    row = process_table().iloc[-1]
    assert f"{row['pk']}  ion.mlip_md  test of copper: FAILED [220]" in invoke("status").output
    assert "FAILED [220]" in invoke("show", row["pk"]).output


def test_nothing_to_see(invoke: Invoke) -> None:
    assert "Nothing is running" in invoke("status").output
    assert only_line(invoke("show", 99999, code=1)).startswith("Error: there is no node 99999")
    assert "No engine is registered" in invoke("engine", "list").output
    assert conductivity().empty
    assert list(diffusion().columns[:2]) == ["formula", "level_of_theory"]
