"""``aiida-ion defects`` as a person uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiida import orm

from aiida_ion.calculations.defects.make import MakeDefectsCalculation
from tests.cli.conftest import Invoke, only_line

SMALL = ["--max-atoms", 60, "--settings", '{"min_width_A": 0, "max_concentration_deviation": 0.5}']


@pytest.mark.usefixtures("lj_engine")
def test_every_kind_is_planned_at_every_concentration(invoke: Invoke, crystal_file: Path) -> None:
    given = ["--vacancy", "Li", "--frenkel", "Li", "--dopant", "N:S", "--concentration", "0.04,0.08", *SMALL]
    shown = invoke("defects", crystal_file, *given, "--dry-run").output
    assert shown.count("compensation: none (neutral removal)") == 2
    assert shown.count("compensation: a vacancy and an interstitial of Li") == 2
    assert shown.count("compensation: 1 Li vacancies for 1 S on N") == 2
    assert "S on N, 0.04 for each Li" in shown and "Nothing was submitted" in shown
    assert not orm.QueryBuilder().append(orm.CalcJobNode).count()


@pytest.mark.usefixtures("lj_engine")
def test_cells_are_made_and_named(invoke: Invoke, crystal_file: Path) -> None:
    shown = invoke(
        "defects", crystal_file, "--frenkel", "Li", "--concentration", "0.06", "--n", 2, *SMALL, "--run"
    ).output
    (job,) = orm.QueryBuilder().append(orm.CalcJobNode).all(flat=True)
    assert job.process_class is MakeDefectsCalculation
    assert "2 draws gave 2 cells" in shown and f"perfect cell: {job.outputs.perfect.pk}" in shown
    for cell in job.outputs.members.values():
        assert f"{cell.pk}: weight 0.500; vacancy" in shown
        assert cell.get_formula("count") == job.outputs.perfect.get_formula("count")
    assert "2 draws gave 2 cells" in invoke("show", job.pk).output


REFUSED = [
    (["--concentration", "0.02"], "no kind of defect: give a vacancy"),
    (["--vacancy", "Na"], "the crystal holds no Na, only Li, N"),
    (["--dopant", "Ti-Al"], "is not of the form Ti:Al"),
    (["--vacancy", "Li", "--concentration", "0.9"], "must be a list of numbers above 0 and at most 0.5"),
    (["--vacancy", "Li", "--concentration", "0.00001"], "raise max_atoms (300), or take a concentration of"),
]


@pytest.mark.usefixtures("lj_engine")
def test_what_cannot_be_made_is_one_line(invoke: Invoke, crystal_file: Path) -> None:
    for arguments, message in REFUSED:
        assert message in only_line(invoke("defects", crystal_file, *arguments, "--run", code=1))
    shown = invoke("defects", crystal_file, "--vacancy", "Li", "--relaxation", '{"max_steps": 3}', code=2).output
    assert "--relaxation is about the relaxation: give an --engine" in shown
    assert not orm.QueryBuilder().append(orm.ProcessNode).count()
