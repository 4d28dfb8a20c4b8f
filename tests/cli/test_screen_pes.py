"""``aiida-ion screen pes`` with a toy potential, as a person uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aiida import orm

from aiida_ion.calculations.screening.pes import PesCalculation
from tests.cli.conftest import Invoke, only_line


@pytest.mark.slow
def test_two_choices_are_an_interval(invoke: Invoke, lj_engine: str, crystal_file: Path, tmp_path: Path) -> None:
    arguments = ["screen", "pes", crystal_file, "--engine", lj_engine, "--others", "removed", "--others", "kept"]
    arguments += ["--step", "0.6"]
    assert "0 results are known; 2 surfaces in 2 jobs are left" in invoke(*arguments, "--dry-run").output
    assert not orm.QueryBuilder().append(PesCalculation).count()
    shown = invoke(*arguments, "--run").output
    lines = [line for line in shown.splitlines() if "Li3N" in line and "NOTE" not in line]
    assert len(lines) == 3 and "all of them" in lines[2]
    assert "together with its images" in shown
    # The same command again computes nothing, joins nothing, and shows the same.
    n_nodes = orm.QueryBuilder().append(orm.Node).count()
    rows = json.loads(invoke(*arguments, "--run", "--format", "json").output)["surfaces"]
    assert orm.QueryBuilder().append(PesCalculation).count() == 2
    assert orm.QueryBuilder().append(orm.Node).count() == n_nodes
    both = [row for row in rows if row["by"] == "all of them"]
    single = [row["barrier_1d_eV"] for row in rows if row["by"] != "all of them"]
    assert len(both) == 1 and len(single) == 2
    assert both[0]["barrier_1d_low_eV"] <= min(single) <= max(single) <= both[0]["barrier_1d_high_eV"]
    table = invoke(*arguments, "--run", "--format", "csv").output
    assert table.splitlines()[0].startswith("material,by,others,status,barrier_1d_eV")
    assert "2 results are known; 0 surfaces" in invoke(*arguments, "--dry-run").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give at least one STRUCTURE and one --engine"),
        (["{crystal}"], "give at least one STRUCTURE and one --engine"),
        (["{crystal}", "--engine", "nothing", "--run"], "there is no engine 'nothing'"),
        (
            ["{crystal}", "--engine", "toy", "--mobile", "Na", "--run"],
            "none of the structures has the mobile species Na",
        ),
        (["missing.cif", "--engine", "toy", "--run"], "there is no crystal: missing.cif"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    invoke: Invoke, lj_engine: str, crystal_file: Path, arguments: list[str], message: str
) -> None:
    words = [word.format(crystal=crystal_file) for word in arguments]
    result = invoke("screen", "pes", *words, code=1 if "--engine" in words else 2)
    assert message in result.output
    assert not orm.QueryBuilder().append(PesCalculation).count()


def test_a_step_out_of_range(invoke: Invoke, lj_engine: str, crystal_file: Path) -> None:
    result = invoke("screen", "pes", crystal_file, "--engine", lj_engine, "--step", "7", code=1)
    assert "--step must be a number from 0.05 to 1 angstrom" in only_line(result)
