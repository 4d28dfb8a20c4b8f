"""One row for a disordered crystal: pooled values, members told apart, progress of a running ensemble."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm

from aiida_ion.cli.text.pooled import hidden_members, without_members
from aiida_ion.queries import diffusion
from aiida_ion.queries.running.ensembles import member_progress
from tests.queries.nodes import FIT, called, chain, conductivity_of, fit, given, output

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")

ENSEMBLE = "ion.ensemble"


def ensemble(crystal: orm.StructureData, n_drawn: int, n_members: int | None, state: str) -> Any:
    """Return a stored ensemble with drawn cells."""
    parameters = orm.Dict({"n_members": n_members})
    node = given(chain(ENSEMBLE, state=state), structure=crystal, parameters=parameters).store()
    output(node, orm.Dict(), "ensemble", {"members": [{"weight": 1.0 / n_drawn}] * n_drawn})
    return node


def test_a_crystal_has_pooled_rows_and_its_members_keep_theirs(lithium_oxide: orm.StructureData) -> None:
    crystal = ensemble(lithium_oxide, 1, None, "finished")
    member = called(crystal, chain(), "member_o000").store()
    fitted = fit({}, caller=member)
    conductivity_of([fitted], member, {})
    pooled = output(crystal, orm.ArrayData(), "diffusion__T_0800K", FIT | {"n_members": 1})
    result = output(crystal, orm.ArrayData(), "conductivity", {"formula": "Li3N", "n_members": 1})
    table = diffusion()
    assert len(table) == 2 and table["superseded"].dtype == bool
    rows = table.set_index("pk")
    assert rows.loc[pooled.pk, "job_pk"] == crystal.pk
    assert rows.loc[pooled.pk, "structure_uuid"] == lithium_oxide.uuid
    assert rows.loc[fitted.outputs.diffusion.pk, "ensemble_uuid"] == result.uuid
    assert rows.loc[fitted.outputs.diffusion.pk, "member_label"] == "o000"
    assert list(without_members(table)["pk"]) == [pooled.pk]
    assert "1 ordered cell of 1 ensemble is pooled here" in hidden_members("diffusion", table)[0]
    assert hidden_members("diffusion", without_members(table)) == []


def test_progress_counts_members_that_ended_run_and_were_found(lithium_oxide: orm.StructureData) -> None:
    running = ensemble(lithium_oxide, 5, 4, "waiting")
    # The first was found in the database: it has no process here.
    called(running, chain(exit_status=0), "member_o001").store()
    called(running, chain(state="waiting"), "member_o002").store()
    fresh = ensemble(lithium_oxide, 3, None, "waiting")
    before = given(chain(ENSEMBLE, state="waiting"), structure=lithium_oxide).store()
    words = member_progress([running.pk, fresh.pk, before.pk])
    assert words[running.pk] == "2 of 4 members have ended, 1 running, 1 more drawn"
    assert words[fresh.pk] == "0 of 3 members have ended, 0 running"
    assert before.pk not in words and member_progress([]) == {}
