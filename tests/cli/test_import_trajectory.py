"""``aiida-ion import``: what was read is printed, stored, and stands beside the result."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aiida import orm

from benchmarks.hostile.hostile_input import HostileInput
from benchmarks.hostile.trajectories import inputs
from benchmarks.trajectory_writers import dump, synthetic_run
from tests.cli.conftest import Invoke

FACTS = ["--timestep-fs", 2, "--sample-every", 10, "--temperature-K", 800, "--level-of-theory", "LJ"]


@pytest.fixture
def hundreds(tmp_path: Path) -> Path:
    """Write a dump whose frames are 100 steps apart."""
    path = tmp_path / "run.lammpstrj"
    path.write_text(dump(synthetic_run(300).strayed(), range(0, 30000, 100)))
    return path


def test_a_dry_run_prints_what_is_read_and_stores_nothing(invoke: Invoke, hundreds: Path) -> None:
    result = invoke("import", hundreds, *FACTS, "--dry-run")
    assert "run.lammpstrj: lammps-dump (LAMMPS), 300 frames of 24 atoms (Li16 O8); steps 0 to 29900" in result.output
    assert "every 200 fs, 59.8 ps in total; lengths in angstrom; cell fixed, 778.69 A^3; wrapped" in result.output
    assert "the file says 100, --sample-every 10; the file is used" in result.stderr
    assert orm.QueryBuilder().append(orm.Node).count() == 0 or not orm.QueryBuilder().append(orm.TrajectoryData).count()


def test_what_was_read_reaches_the_result(invoke: Invoke, lj_engine: str, hundreds: Path) -> None:
    invoke("import", hundreds, *FACTS, "--run")
    node = orm.QueryBuilder().append(orm.TrajectoryData).one()[0]
    attributes = node.base.attributes.all
    assert (attributes["source_format"], attributes["source_program"], attributes["source_n_frames"]) == (
        "lammps-dump",
        "LAMMPS",
        300,
    )
    assert attributes["source_interval_fs"] == 200.0
    assert attributes["source_cell"] == "cell fixed, 778.69 A^3"
    assert any("the file says 100" in remark for remark in attributes["remarks"])
    (result,) = [
        stored
        for (stored,) in orm.QueryBuilder().append(orm.ArrayData).all()
        if "verdict" in stored.base.attributes.all
    ]
    assert any(
        warning.startswith("Steps between two frames: the file says 100")
        for warning in result.base.attributes.get("warnings")
    )
    shown = invoke("show", result.pk).output
    assert "warning: Steps between two frames: the file says 100, --sample-every 10" in shown
    assert "note: run.lammpstrj: atoms jump by whole cells" in shown
    shown = invoke("show", node.pk).output
    assert "warning: Steps between two frames" in shown
    assert "source_wrapping: wrapped positions, unwrapped here" in shown


def test_hostile_files_are_one_sentence_or_a_word(invoke: Invoke, tmp_path: Path) -> None:
    hostile = inputs(tmp_path)
    assert len(hostile) > 150
    assert len({one.name for one in hostile}) == len(hostile)
    faults = [text for text in (fault_of(invoke, one) for one in hostile) if text]
    assert faults == []
    assert not orm.QueryBuilder().append(orm.TrajectoryData).count()


def fault_of(invoke: Invoke, one: HostileInput) -> str | None:
    """Return what went wrong with a hostile input, nothing if it was handled."""
    from click.testing import CliRunner

    from aiida_ion.cli.main import cli

    assert not callable(one.call)
    result = CliRunner().invoke(cli, list(one.call))
    codes = (1, 2) if one.outcome == "error" else (0,)
    trace = result.exception is not None and not isinstance(result.exception, SystemExit)
    if trace or result.exit_code not in codes or not re.search(one.pattern, result.output):
        return f"{one.name}: exit code {result.exit_code}, {result.exception!r}: {result.output[-300:]}"
    return None
