"""The tables of a screening that really ran: bond valences of lithium salts, and a measurement of one."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm

from aiida_ion import queries
from aiida_ion.archives.selection import choose
from aiida_ion.calculations.experiment import link_experiment
from aiida_ion.cli.screen.status import text_of
from aiida_ion.cli.text.nodes import describe
from aiida_ion.queries.screening.report import Report
from aiida_ion.unreadable import counting_unreadable
from tests.workchains.screening.test_workchain import GATE, bvse, crystals, materials, screen


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_real_screening(python_code: Any) -> None:
    entries = materials(crystals())
    again = {"max_materials": 1}
    stages = [GATE, bvse(python_code("ion.bvse"), 0.7), bvse(python_code("ion.bvse"), 0.5, name="fine", budget=again)]
    node = screen(entries, stages)
    assert node.is_finished_ok, node.exit_message
    oxide = orm.load_node(uuid=entries[0]["uuid"])
    entry = {"dataset": "invented", "entry_id": "1", "entry_formula": "Li2O", "temperature_K": 298.0}
    link_experiment(oxide, orm.Dict(entry | {"ionic_conductivity_mS_cm": 1.0}))
    with counting_unreadable() as counts:
        table, stages_of, barriers = queries.decisions(), queries.funnel(node.pk), queries.percolation()
        (row,) = queries.screenings().to_dict("records")
        report = Report(node.pk)
        recall = report.recall.set_index("stage")
    assert not counts
    assert list(stages_of["n_materials"]) == [4, 2, 2]
    assert list(stages_of["n_goes_on"]) == [2, 2, 1]
    assert list(stages_of["n_not_reached"]) == [0, 0, 1]
    assert list(stages_of["n_jobs"]) == [0, 1, 0]  # the last stage knows the results
    assert stages_of["core_s"].iloc[1] > 0
    for part in node.outputs.decisions.values():
        for one in part["decisions"]:
            (mine,) = table[(table["label"] == one["label"]) & (table["uuid"] == part.uuid)].to_dict("records")
            assert (mine["verdict"], mine["reason"]) == (one["verdict"], one["reason"])
            assert mine["result_uuid"] == one["result_uuid"]
    assert (row["state"], row["n_materials"], row["n_survivors"]) == ("finished", 4, 1)
    assert dict(zip(barriers["formula"], barriers["status"], strict=True)) == {"Li2O": "finished", "LiF": "finished"}
    assert barriers.set_index("formula").loc["Li2O", "barrier_1d_eV"] == pytest.approx(0.338, abs=0.05)
    assert (barriers["barrier_1d_low_eV"] <= barriers["barrier_1d_eV"]).all()
    assert report.mobile_species == "Li"
    assert recall.loc["fine", "recall"] == 1.0
    text = text_of(report, top=5)
    assert "there is no Li in" in text
    assert "fine: 1 of 1 conductors kept: 100%" in text
    assert "1 not reached" in text
    assert "Funnel:" in describe(node)
    assert {orm.load_node(uuid=one["uuid"]).pk for one in entries} <= choose([node.uuid]).pks
