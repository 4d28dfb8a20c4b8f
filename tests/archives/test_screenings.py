"""An export of a screening has everything of it: decisions, results, and all its crystals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from aiida import orm
from aiida.common.links import LinkType

from aiida_ion import queries
from aiida_ion.archives.export import export, plan
from aiida_ion.archives.open import open_archive
from aiida_ion.archives.selection import choose
from aiida_ion.queries.screening.recall import known_of, recall
from benchmarks.synthetic.screening import BUDGET, store_crystal, store_screening
from tests.queries.hostile import VALUES, poison_all

TABLES = ("screenings", "decisions", "percolation", "experiments")


def test_a_screening_is_complete_in_an_archive(aiida_profile_clean: Any, tmp_path: Path, back: None) -> None:
    chain, other = store_screening(), store_screening(seed=3, n_materials=3)
    unrelated = store_crystal("NaCl")
    expected = {name: getattr(queries, name)() for name in TABLES}
    own, others = chain.pk, (unrelated.pk, other.pk)
    stages, kept = queries.funnel(chain.pk), recall(known_of(chain.pk))
    planned = plan([chain.uuid])
    assert not planned.choice.pks & set(others)
    export(planned, tmp_path / "screening.aiida")
    open_archive(str(tmp_path / "screening.aiida"))
    pk = int(queries.screenings()["pk"].iloc[0])
    pd.testing.assert_frame_equal(queries.funnel(pk), stages)
    pd.testing.assert_frame_equal(recall(known_of(pk)), kept)
    table = queries.decisions()
    mine = expected["decisions"].query(f"process_pk == {own}")
    assert list(table["verdict"]) == list(mine["verdict"])
    assert table["formula"].notna().all()
    assert len(queries.percolation()) == 24 + BUDGET


def test_a_group_a_decision_and_a_running_screening(aiida_profile_clean: Any) -> None:
    chain = store_screening(n_materials=5)
    orm.Group("mine").store().add_nodes(chain)
    everything = choose(["mine"]).pks
    decision = queries.decisions()["uuid"].iloc[-1]
    assert choose([decision]).pks == everything
    for entry in chain.inputs.materials.get_list():
        assert orm.load_node(uuid=entry["uuid"]).pk in everything
    running = store_screening(seed=2, running=True)
    with pytest.raises(ValueError, match="has not ended"):
        choose([running.uuid])


def test_crystals_that_no_stage_reached_come_along(aiida_profile_clean: Any) -> None:
    left = store_crystal("Li2O")
    entry = {"label": "m_00000", "name": "Li2O", "uuid": left.uuid, "structure_hash": None}
    chain = orm.WorkChainNode(process_type="aiida.workflows:ion.screening")
    chain.base.links.add_incoming(orm.List([entry]).store(), LinkType.INPUT_WORK, "materials")
    chain.set_process_state("finished")
    chain.store().seal()
    assert left.pk in choose([chain.uuid]).pks


@pytest.mark.parametrize("value", VALUES[::5])
def test_hostile_lists_of_materials_end_no_export(aiida_profile_clean: Any, value: str) -> None:
    chain = store_screening(n_materials=3)
    poison_all("list", value)
    assert chain.pk in choose([chain.uuid]).pks
