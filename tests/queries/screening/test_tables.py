"""Screenings as tables: decisions, funnels, barriers and the recall of cuts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from aiida import orm

from aiida_ion import queries
from aiida_ion.calculations.screening.batch import HASH_EXTRA as EXTRA_OF_JOBS
from aiida_ion.queries import Selection
from aiida_ion.queries.screening.crystals import HASH_EXTRA, crystal_facts
from aiida_ion.queries.screening.decisions import stored_decisions
from aiida_ion.queries.screening.jobs import core_seconds, jobs_of
from aiida_ion.queries.screening.known import known_materials
from aiida_ion.queries.screening.recall import DENSITY, FOREST, VOLUME, known_of, ranking, recall
from aiida_ion.unreadable import counting_unreadable
from benchmarks.synthetic.screening import BUDGET, MATERIALS, STAGES, store_crystal, store_measurement, store_screening
from tests.queries.counting import statements
from tests.queries.hostile import VALUES, poison_all

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


def test_the_hash_of_a_crystal_is_where_jobs_put_it() -> None:
    assert HASH_EXTRA == EXTRA_OF_JOBS


def test_an_empty_database_has_empty_tables() -> None:
    for table in (queries.decisions(), queries.screenings(), queries.percolation(), stored_decisions()):
        assert table.empty
    with pytest.raises(LookupError, match="there is no screening with the pk 7"):
        queries.funnel(7)
    assert known_materials([]).empty


def test_each_material_is_a_row_at_each_stage_that_it_reached() -> None:
    chain = store_screening()
    table = queries.decisions()
    assert list(dict.fromkeys(table["stage"])) == list(STAGES)
    gate, bvse, pes = (table[table["stage"] == stage] for stage in STAGES)
    assert len(gate) == len(MATERIALS)
    assert set(gate["verdict"]) == {"pass"}
    stored = {entry["label"]: entry for entry in _decisions_of(chain, "bvse")}
    for row in bvse.to_dict("records"):
        entry = stored[row["label"]]
        assert row["formula"] == Composition(row["name"])
        assert row["verdict"] == entry["verdict"]
        assert row["result_uuid"] == entry["result_uuid"]
        assert row["value_high"] == pytest.approx(entry["high"], nan_ok=True) or entry["high"] is None
    assert set(bvse["quantity"].dropna()) == {"barrier_1d_eV"}
    assert set(bvse["cut_maximum"]) == {1.0}
    left = pes[pes["verdict"] == "not_reached"]
    assert len(pes) - len(left) == BUDGET
    assert len(pes) == bvse["goes_on"].sum()
    assert left["value"].isna().all()
    assert left["structure_pk"].notna().all()
    assert set(table["screening"]) == {"lithium conductors"}
    assert (table["stage_number"] == table["stage"].map({name: i + 1 for i, name in enumerate(STAGES)})).all()


def Composition(formula: str) -> str:  # noqa: N802
    from pymatgen.core.composition import Composition as Formula

    return str(Formula(formula).reduced_formula)


def _decisions_of(chain: Any, stage: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = chain.outputs.decisions[f"{stage}_000"].base.attributes.get("decisions")
    return entries


def test_the_funnel_adds_up() -> None:
    chain = store_screening()
    table = queries.funnel(chain.pk)
    assert list(table["stage"]) == list(STAGES)
    assert set(table["state"]) == {"ended"}
    for row in table.to_dict("records"):
        judged = sum(row[f"n_{verdict}"] for verdict in ("pass", "unsure", "fail", "error"))
        assert judged + row["n_not_reached"] == row["n_materials"]
    assert list(table["n_materials"][1:]) == list(table["n_goes_on"][:-1])
    assert table["n_goes_on"].iloc[-1] == len(chain.outputs.summary.base.attributes.get("survivors"))
    assert table["n_not_reached"].iloc[-1] > 0
    assert list(table["core_s"]) == pytest.approx([0.0, 72.0 * 24, 72.0 * BUDGET])
    assert table["first_error"].iloc[1] == "its charges cannot be assigned"
    (row,) = queries.screenings().to_dict("records")
    assert (row["state"], row["n_materials"], row["n_survivors"]) == ("finished", 24, table["n_goes_on"].iloc[-1])
    assert row["n_not_reached"] == table["n_not_reached"].sum()
    assert row["core_s"] == pytest.approx(table["core_s"].sum())
    assert row["summary_uuid"] == chain.outputs.summary.uuid


def test_a_running_screening_says_how_far_it_is() -> None:
    chain = store_screening(running=True)
    table = queries.funnel(chain.pk).set_index("stage")
    assert list(table["state"]) == ["ended", "running", "waiting"]
    bvse = table.loc["bvse"]
    assert (bvse["n_materials"], bvse["n_computed"], bvse["n_running"]) == (24, 12, 12)
    assert (bvse["n_jobs"], bvse["n_jobs_running"]) == (2, 1)
    assert pd.isna(bvse["n_pass"])
    assert bvse["core_s"] == pytest.approx(72.0 * 12)
    assert 0 <= bvse["seconds_left_s"] < 60
    assert pd.isna(table.loc["pes", "n_materials"])
    jobs = jobs_of(chain.pk, list(STAGES))
    assert list(jobs["active"]) == [False, True]
    assert set(jobs["stage"]) == {"bvse"}
    assert queries.screenings()["state"].iloc[0] == "running"
    rows = queries.decisions()
    assert set(rows["stage"]) == {"gate"}


def test_costs_below_a_work_chain_without_a_ledger_are_found() -> None:
    chain = store_screening(n_materials=4)
    assert core_seconds([chain.pk]) == {chain.pk: pytest.approx(72.0 * 8)}


def test_barriers_of_the_jobs() -> None:
    chain = store_screening()
    table = queries.percolation()
    assert len(table) == 24 + BUDGET
    assert set(table["method"]) == {"bvse", "pes"}
    refused = table[table["status"] == "refused"]
    assert refused["barrier_1d_eV"].isna().all()
    assert set(refused["message"]) == {"its charges cannot be assigned"}
    good = table[table["status"] == "finished"]
    assert (good["barrier_1d_low_eV"] < good["barrier_1d_eV"]).all()
    assert good["barrier_3d_eV"].isna().all()
    assert good["Xi"].notna().all()
    assert table["formula"].notna().all()
    assert set(table["cpu_s"]) == {72.0}
    crystal = orm.load_node(uuid=chain.inputs.materials[0]["uuid"])
    mine = table[table["structure_uuid"] == crystal.uuid]
    assert set(mine["structure_pk"]) == {crystal.pk}


def test_rows_are_selected() -> None:
    chain, other = store_screening(), store_screening(seed=2, n_materials=3)
    assert set(queries.decisions(pk=other.pk)["process_pk"]) == {other.pk}
    assert set(queries.decisions(Selection(formula="Li3N"))["formula"]) == {"Li3N"}
    assert set(queries.decisions(Selection(elements=("P", "S")))["formula"]) == {
        "Li6PS5Cl",
        "Li7P3S11",
        "Li10Ge(PS6)2",
        "Li3PS4",
    }
    assert set(queries.percolation(Selection(elements=("N",)))["formula"]) == {"Li3N"}
    orm.Group("mine").store().add_nodes(other)
    mine = Selection(group="mine")
    assert set(queries.decisions(mine)["process_pk"]) == {other.pk}
    assert list(queries.screenings(mine)["pk"]) == [other.pk]
    assert set(queries.percolation(mine)["process_pk"]) == {
        job.pk for job in other.called if isinstance(job, orm.CalcJobNode)
    }
    late = Selection(since=datetime(2100, 1, 1, tzinfo=UTC))
    assert queries.decisions(late).empty
    assert queries.screenings(late).empty
    assert queries.percolation(late).empty
    assert list(queries.screenings()["pk"]) == [other.pk, chain.pk]


def test_the_recall_of_each_cut() -> None:
    chain = store_screening()
    known = known_of(chain.pk)
    assert set(known["matched_by"]) == {"crystal"}
    table = recall(known).set_index("stage")
    conductors = {formula for formula, value in MATERIALS if value is not None and value >= 0.1}
    assert set(table["n_conductors_so_far"]) == {len(conductors)}
    assert table.loc["gate", "recall"] == 1.0
    assert table.loc["gate", "recall_ci95_low"] < 1.0
    kept = {Composition(entry["name"]) for entry in _decisions_of(chain, "bvse") if entry["goes_on"]}
    expected = {Composition(formula) for formula in conductors}
    assert table.loc["bvse", "n_conductors_kept"] == len(kept & expected)
    lost = table.loc["bvse", "lost"]
    assert set(lost.split(", ") if isinstance(lost, str) else ()) == expected - kept
    last = {Composition(entry["name"]) for entry in _decisions_of(chain, "pes") if entry["goes_on"]}
    assert table.loc["pes", "recall_so_far"] == pytest.approx(len(last & expected) / len(expected))
    assert table.loc["pes", "n_conductors"] <= table.loc["bvse", "n_conductors_kept"]
    assert table.loc["gate", "n_others"] == sum(value is not None and value < 0.1 for _, value in MATERIALS)
    assert recall(known, limit_mS_cm=1e-9)["n_unclear"].max() == 2  # two bounds
    assert recall(known.head(0)).empty


def test_quantities_are_ranked_beside_baselines() -> None:
    chain = store_screening()
    table = ranking(known_of(chain.pk), "Li")
    bvse = table[table["stage"] == "bvse"].set_index("name")
    assert list(bvse.index) == ["barrier_1d_eV", DENSITY, VOLUME, FOREST]
    assert bvse["n"].nunique() == 1
    assert bvse.loc["barrier_1d_eV", "roc_auc"] > 0.9  # the barriers were drawn that way
    assert bvse.loc["barrier_1d_eV", "spearman"] > 0.8
    assert list(bvse["is_baseline"]) == [False, True, True, True]
    n_judged = sum(entry["value"] is not None for entry in _decisions_of(chain, "bvse"))
    n_known = sum(value is not None for _, value in MATERIALS)
    assert bvse.loc["barrier_1d_eV", "n"] + bvse.loc["barrier_1d_eV", "n_unscored"] == n_known
    assert bvse.loc["barrier_1d_eV", "n"] <= n_judged
    assert ranking(known_of(chain.pk).head(0)).empty


def test_polymorphs_of_a_measured_composition_are_one_material() -> None:
    measured = store_crystal("Li3N")
    store_measurement(measured, "Li3N", 1.0)
    store_measurement(measured, "Li3N", 100.0)
    polymorphs = [store_crystal("Li3N") for _ in range(2)]
    polymorphs[0].base.extras.set(HASH_EXTRA, "another")
    polymorphs[1].base.extras.set(HASH_EXTRA, "a third")
    table = known_materials([measured.uuid, *(node.uuid for node in polymorphs)])
    assert list(table["matched_by"]) == ["crystal", "composition", "composition"]
    assert table["key"].nunique() == 2
    assert (table["n_measurements"] <= 2).all()
    again = store_crystal("Li3N")
    assert known_materials([again.uuid])["matched_by"].iloc[0] == "same crystal in another cell"


def test_facts_of_a_crystal() -> None:
    node = store_crystal("Li2O")
    facts = crystal_facts([node.uuid, "none"])[node.uuid]
    assert (facts.formula, facts.pk) == ("Li2O", node.pk)
    assert facts.volume_per_atom_A3 == pytest.approx(18.0)
    assert facts.density_of("Li") == pytest.approx(2 / 54.0)
    assert facts.density_of(None) is None


@pytest.mark.parametrize("value", VALUES[::4])
def test_attributes_that_are_not_what_they_should_be_cost_their_cell_alone(value: str) -> None:
    chain = store_screening(n_materials=12)
    running = store_screening(seed=2, running=True, n_materials=6, measured=False)
    n_rows, n_barriers = len(stored_decisions()), len(queries.percolation())
    for name in ("barriers_eV", "barriers_interval_eV", "stage", "quantity", "status", "cost", "maximum", "cpu_time_s"):
        poison_all(name, value)
    with counting_unreadable():
        assert len(stored_decisions()) == n_rows
        assert len(queries.percolation()) == n_barriers
        for node in (chain, running):
            queries.funnel(node.pk)
            known = known_of(node.pk)
            recall(known), ranking(known, "Li", with_forest=False)
        queries.decisions(), queries.screenings()
        for name in ("decisions", "list", "kinds", "sites", "cell", "stages", "survivors"):
            poison_all(name, value)
            queries.decisions(), queries.screenings(), queries.percolation(), queries.funnel(chain.pk)
            recall(known_of(chain.pk)), ranking(known_of(chain.pk), "Li", with_forest=False)


def test_more_screenings_are_not_more_statements() -> None:
    store_screening()
    queries.decisions()
    with statements() as few:
        queries.decisions(), queries.screenings(), queries.percolation()
    for seed in (3, 4):
        store_screening(seed=seed, n_materials=5)
    queries.decisions()  # facts of new crystals are read once
    with statements() as many:
        queries.decisions(), queries.screenings(), queries.percolation()
    assert len(many) == len(few) <= 24
