"""What an export costs depends on what is chosen, not on the database around it."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm

from aiida_ion.archives.export import plan
from aiida_ion.archives.readme import readme
from aiida_ion.archives.selection import choose
from aiida_ion.calculations.experiment import link_experiment
from benchmarks.export import counted
from benchmarks.many_results import fill

CONDUCTIVITY = "aiida.workflows:ion.conductivity"


def steps_of_choosing(label: str) -> int:
    """Return how many thousand steps SQLite makes for choosing and weighing a group."""
    plan([label])
    with counted() as steps:
        plan([label])
    return steps()


def test_a_larger_database_costs_no_more(aiida_profile_clean: Any) -> None:
    fill(60, n_with_arrays=0)
    filters = {"process_type": CONDUCTIVITY, "attributes.sealed": True}
    chains = orm.QueryBuilder().append(orm.WorkChainNode, filters=filters).limit(5).all(flat=True)
    orm.Group(label="chosen").store().add_nodes(chains)
    n_nodes = orm.QueryBuilder().append(orm.Node).count()
    chosen, steps = choose(["chosen"]), steps_of_choosing("chosen")
    assert steps > 5
    fill(600, seed=1, n_with_arrays=0)
    assert orm.QueryBuilder().append(orm.Node).count() > 8 * n_nodes
    assert choose(["chosen"]).pks == chosen.pks
    # Every use of a program is one entry of an index that is passed over; reading the nodes would be ten times as much.
    assert steps_of_choosing("chosen") < 2 * steps


@pytest.mark.parametrize("process_type", [CONDUCTIVITY, "aiida.workflows:ion.comparison"])
def test_a_result_brings_the_work_chain_that_computed_it_and_not_its_caller(
    aiida_profile_clean: Any, process_type: str
) -> None:
    fill(40, n_with_arrays=0)
    query = orm.QueryBuilder().append(orm.WorkChainNode, filters={"process_type": process_type}, tag="chain")
    query.append(orm.CalcFunctionNode, with_incoming="chain", tag="function")
    query.append(orm.ArrayData, with_incoming="function", project="uuid").limit(1)
    (uuid,) = query.all(flat=True)
    pks = choose([uuid]).pks
    processes = orm.QueryBuilder().append(orm.WorkChainNode, filters={"id": {"in": pks}}, project="process_type")
    result = processes.all(flat=True)
    # A comparison rests on conductivities whose own work chains are not called by it here.
    assert result.count(process_type) == 1
    fits = orm.QueryBuilder().append(
        orm.CalcJobNode, filters={"id": {"in": pks}, "process_type": {"like": "%diffusion"}}
    )
    assert fits.count() >= 4


def test_a_measurement_of_a_crystal_comes_along(aiida_profile_clean: Any, lithium_nitride: orm.StructureData) -> None:
    entry = {"dataset": "OBELiX", "entry_id": "abc", "entry_formula": "Li3N", "ionic_conductivity_mS_cm": 1.0}
    measured = link_experiment(lithium_nitride, orm.Dict(entry))
    unrelated = orm.Dict({"n": 1}).store()
    choice = choose([lithium_nitride.uuid])
    assert measured.pk in choice.pks
    assert unrelated.pk not in choice.pks
    assert "Measurements come from OBELiX" in readme(choice, "a.aiida", None, frozenset())
