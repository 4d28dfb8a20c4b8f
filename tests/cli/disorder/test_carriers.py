"""``aiida-ion carriers`` as a person uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiida import orm

from tests.campaigns.test_carriers import cell, making, run_of
from tests.cli.conftest import Invoke, only_line


@pytest.mark.usefixtures("aiida_profile_clean")
def test_runs_become_conductivities(invoke: Invoke) -> None:
    few, cells = making(2, 0.02)
    more, (last,) = making(1, 0.04)
    runs = [run_of(node, 0.02).pk for node in cells]
    perfect = run_of(cell(3.0), 1e-9).pk
    given = [f"{few.pk}:{runs[0]},{runs[1]}", f"{more.pk}:{run_of(last, 0.04).pk}", "--perfect", perfect]
    shown = invoke("carriers", *given, "--formation-energy", 0.9, "--concentrations", "1e-3").output
    assert "700 K: dD*/dx" in shown and "mobility of a carrier of Li" in shown
    assert "migration energy 0.350" in shown and "E_m + E_F / 2 is 0.800" in shown
    assert "made by heat" in shown and "0.001 by dopants and those by heat" in shown
    (stored,) = orm.QueryBuilder().append(orm.CalcFunctionNode).append(orm.Dict).all(flat=True)
    assert f"Stored as {stored.pk}" in shown and stored.get_dict()["kind"] == "defect_conductivity"
    wrong = [
        (["12:"], "is not of the form CELLS or CELLS:RUN,RUN"),
        ([f"{few.pk}:{runs[1]},{runs[0]}"], "give the runs in the order of the cells"),
        ([f"{few.pk}:123456"], "123456: not the pk or uuid of a process"),
        ([f"{cells[0].pk}:{runs[0]}"], "is a StructureData, not a process"),
    ]
    for arguments, message in wrong:
        assert message in only_line(invoke("carriers", *arguments, code=1))
    both = invoke("carriers", given[0], "--formation", few.pk, "--formation-energy", 0.9, code=2).output
    assert "both say the formation energy" in both


@pytest.mark.usefixtures("aiida_profile_clean")
def test_runs_of_cells_are_looked_up_and_drawn(invoke: Invoke, tmp_path: Path) -> None:
    few, cells = making(2, 0.02)
    more, (last,) = making(1, 0.04)
    for node in cells:
        run_of(node, 0.02)
    missing = only_line(invoke("carriers", few.pk, more.pk, code=1))
    assert f"{more.pk}: no finished run of 1 of 1 cells ({last.pk})" in missing
    run_of(last, 0.01)
    run_of(last, 0.04)
    run_of(few.outputs.perfect, 1e-9)
    drawn = tmp_path / "conductivity.html"
    shown = invoke("carriers", few.pk, more.pk, "--figure", drawn).output
    # The newest run of a cell counts, and that of the perfect one.
    assert "it grows as x to the power 1.00 [" in shown and "    0.04: " in shown and "       0: " in shown
    assert "the perfect crystal was not computed" not in shown
    assert "700 K, slope 1" in drawn.read_text()
    wrong = [
        (["--figure", tmp_path / "sigma.png"], "is written as .html"),
        (["--figure", tmp_path / "nowhere" / "sigma.html"], "there is no folder"),
        (["--level", "another"], f"{few.pk}: no finished run at another of 2 of 2 cells"),
    ]
    for options, message in wrong:
        assert message in only_line(invoke("carriers", few.pk, more.pk, *options, code=1))
    assert "made no cells with defects" in only_line(invoke("carriers", run_of(last, 0.04).pk, code=1))
