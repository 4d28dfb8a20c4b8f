"""``aiida-ion carriers`` as a person uses it."""

from __future__ import annotations

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
        (["12"], "is not of the form CELLS:RUN,RUN"),
        ([f"{few.pk}:{runs[1]},{runs[0]}"], "give the runs in the order of the cells"),
        ([f"{few.pk}:123456"], "123456: not the pk or uuid of a process"),
        ([f"{cells[0].pk}:{runs[0]}"], "is a StructureData, not a process"),
    ]
    for arguments, message in wrong:
        assert message in only_line(invoke("carriers", *arguments, code=1))
    both = invoke("carriers", given[0], "--formation", few.pk, "--formation-energy", 0.9, code=2).output
    assert "both say the formation energy" in both
