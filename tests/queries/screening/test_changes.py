"""Tables of screenings in an empty database, while one runs, as more are stored, and with hostile attributes."""

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
from aiida_ion.queries.screening.recall import known_of, ranking, recall
from aiida_ion.unreadable import counting_unreadable
from benchmarks.synthetic.screening import STAGES, store_crystal, store_measurement, store_screening
from tests.queries.counting import statements
from tests.queries.hostile import VALUES, poison_all, read_nodes, write_nodes

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


def test_the_hash_of_a_crystal_is_where_jobs_put_it() -> None:
    assert HASH_EXTRA == EXTRA_OF_JOBS


def test_an_empty_database_has_empty_tables() -> None:
    for table in (queries.decisions(), queries.screenings(), queries.percolation(), stored_decisions()):
        assert table.empty
    with pytest.raises(LookupError, match="there is no screening with the pk 7"):
        queries.funnel(7)
    assert known_materials([]).empty


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


@pytest.mark.parametrize("every", [31, pytest.param(4, marks=pytest.mark.slow)])
def test_attributes_that_are_not_what_they_should_be_cost_their_cell_alone(every: int) -> None:
    chain = store_screening(n_materials=12)
    running = store_screening(seed=2, running=True, n_materials=6, measured=False)
    stored = read_nodes()
    for value in VALUES[::every]:
        _check_with(value, chain, running)
        write_nodes(stored)


def _check_with(value: str, chain: Any, running: Any) -> None:
    """Read all tables where attributes of these names have this value."""
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
