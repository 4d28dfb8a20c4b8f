"""One row a comparison: what was not determined is missing, lists are words, cached twins count once."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from aiida import orm
from aiida.common.links import LinkType

from aiida_ion.aiida_private.caching import CACHED_FROM
from aiida_ion.queries import Selection, comparison, comparison_records
from tests.queries.nodes import chain, conductivity_of, function, given, output

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")
SAID = {"formula": "Li3N", "level_of_theory": "CHGNet", "reference_level_of_theory": "PBE", "missing": ["Cost: no."]}


def compared(returned: bool = False, twin_of: str | None = None, inputs: Any = None, **attributes: Any) -> Any:
    """Store a comparison, and the work chain that returned it where there was one."""
    process = given(function("comparison.compare_levels"), **(inputs or {})).store()
    if twin_of is not None:
        process.base.extras.set(CACHED_FROM, twin_of)
    node = output(process, orm.ArrayData(), "result", SAID | attributes)
    if returned:
        node.base.links.add_incoming(chain("ion.comparison").store(), LinkType.RETURN, "comparisons__Li3N__chgnet")
    return node


def test_a_comparison_is_one_row_with_the_work_chain_that_returned_it() -> None:
    returned = compared(returned=True, force_mae_eV_A=0.05, force_mae_by_element_eV_A={"Li": 0.04, "N": 0.0612})
    newest = chain("ion.comparison").store()
    returned.base.links.add_incoming(newest, LinkType.RETURN, "comparisons__Li3N__chgnet")
    alone = compared(formula="Li2O", wall_speed_ratio=300.0, ionic_conductivity_ratio_ci95=[0.5, 2.0])
    table = comparison()
    assert list(table["pk"]) == [alone.pk, returned.pk]
    first, second = table.to_dict("records")
    assert pd.isna(first["process_pk"])
    assert second["process_uuid"] == newest.uuid
    assert pd.isna(first["force_mae_eV_A"])
    assert second["force_mae_eV_A"] == 0.05
    assert second["force_mae_by_element_eV_A"] == "Li 0.04, N 0.0612"
    assert first["wall_speed_ratio"] == 300.0
    assert (first["ionic_conductivity_ratio_ci95_low"], first["ionic_conductivity_ratio_ci95_high"]) == (0.5, 2.0)
    assert first["missing"] == "Cost: no."
    assert list(comparison(Selection(formula="Li3N"))["pk"]) == [returned.pk]
    assert comparison(Selection(level_of_theory="PBE")).empty


def test_a_comparison_knows_the_conductivities_and_the_crystal(lithium_oxide: orm.StructureData) -> None:
    sides = [conductivity_of([], given(chain(), structure=lithium_oxide).store(), {}) for _ in range(2)]
    compared(inputs={"conductivity": sides[0], "reference_conductivity": sides[1]})
    (row,) = comparison().to_dict("records")
    assert [row["conductivity_uuid"], row["reference_conductivity_uuid"]] == [side.uuid for side in sides]
    assert row["structure_uuid"] == lithium_oxide.uuid


def test_a_comparison_from_the_cache_is_no_second_one_unless_asked_for() -> None:
    source = compared()
    twin = compared(twin_of=source.creator.uuid)
    assert list(comparison()["pk"]) == [source.pk]
    assert list(comparison(pks=[twin.pk])["pk"]) == [twin.pk]


def test_records_have_the_lists_that_the_table_leaves_out() -> None:
    node = compared(temperatures=[{"temperature_K": 800.0}])
    compared(formula="Li2O")
    records = comparison_records()
    assert [record["formula"] for record in records] == ["Li2O", "Li3N"]
    assert records[1] == {"pk": node.pk, **SAID, "temperatures": [{"temperature_K": 800.0}]}
    assert [record["pk"] for record in comparison_records(pks=[node.pk])] == [node.pk]
    assert comparison_records(Selection(elements=("Cl",))) == []


def test_a_group_of_comparisons_holds_the_conductivities_that_they_returned() -> None:
    first = conductivity_of([], chain().store(), {})
    conductivity_of([], chain().store(), {})
    caller = chain("ion.comparison").store()
    first.base.links.add_incoming(caller, LinkType.RETURN, "conductivities__Li3N__chgnet")
    group = orm.Group(label="trial").store()
    group.add_nodes(caller)
    from aiida_ion.queries import conductivity

    assert list(conductivity(Selection(group="trial"))["pk"]) == [first.pk]
    assert {"pk", "rdf_distance", "reference_steps_per_s"} <= set(comparison().columns)
