"""One row a fit: bounds as bounds, costs summed, cached twins once, and the way to what stands around it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from aiida import orm

from aiida_ion.queries import Selection, diffusion
from tests.queries.nodes import FIT, chain, conductivity_of, fit, given, job, output

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


def test_a_fit_is_one_row_with_the_cost_of_all_its_segments() -> None:
    process = fit({}, md_seconds=(10.0, 5.0))
    (row,) = diffusion().to_dict("records")
    assert row["job_pk"] == process.pk
    assert row["wall_time_s"] == 15.0
    assert row["tracer_diffusivity_ci95_low_cm2_s"] == 0.8e-5
    assert row["tracer_diffusivity_ci95_high_cm2_s"] == 1.2e-5
    assert row["moved"] is True
    assert pd.isna(row["process_pk"])
    assert pd.isna(row["structure_uuid"])


def test_a_fit_knows_its_work_chain_its_crystal_and_the_conductivity_it_entered(
    lithium_oxide: orm.StructureData,
) -> None:
    process = given(chain(), structure=lithium_oxide).store()
    results = fit({}, caller=process)
    result = conductivity_of([results], process, {})
    (row,) = diffusion().to_dict("records")
    assert row["process_uuid"] == process.uuid
    assert row["structure_uuid"] == lithium_oxide.uuid
    assert row["conductivity_uuid"] == result.uuid
    assert row["uuid"] == results.outputs.diffusion.uuid


def test_a_later_round_supersedes_the_fit_before() -> None:
    process = chain().store()
    fits = [fit({}, caller=process), fit({}, caller=process), fit({"target_temperature_K": 900.0}, caller=process)]
    fits += [fit({}), fit({})]
    table = diffusion().set_index("job_pk")
    assert [bool(table.loc[one.pk, "superseded"]) for one in fits] == [True, False, False, False, False]


def test_a_bound_is_no_diffusivity() -> None:
    fit({"verdict": "bound", "tracer_diffusivity_cm2_s": None, "tracer_diffusivity_upper_bound_cm2_s": 2e-7})
    row = diffusion().iloc[0]
    assert bool(row["moved"]) is False
    assert pd.isna(row["tracer_diffusivity_cm2_s"])
    assert row["tracer_diffusivity_upper_bound_cm2_s"] == 2e-7


def test_a_wide_interval_is_poorly_known_also_where_an_earlier_version_said_otherwise() -> None:
    fit({"tracer_diffusivity_ci95_cm2_s": [1e-9, 1e-5]})
    fit({"tracer_diffusivity_ci95_cm2_s": [1e-9, 1e-5], "max_interval_decades": 5.0})
    fit({"tracer_diffusivity_ci95_cm2_s": [1e-9, 1e-5], "verdict": "poorly_known", "moved_species": ["Li", "Na"]})
    table = diffusion()
    assert list(table["verdict"]) == ["poorly_known", "moved", "poorly_known"]
    assert list(table["moved"]) == [True, True, True]
    assert table["moved_species"].iloc[2] == "Li Na" and table["moved_species"].iloc[:2].isna().all()


def test_what_enters_no_extrapolation_says_why() -> None:
    fit({"refused_because": "The framework melted."})
    fit({"fit_consistent": False})
    fit({})
    refused = diffusion()["refused_because"]
    assert refused[0] == "The framework melted."
    assert "disagree" in refused[1]
    assert pd.isna(refused[2])


def test_a_twin_from_the_cache_is_no_second_measurement() -> None:
    source = fit({})
    fit({}, twin_of=source.uuid)
    assert list(diffusion()["job_pk"]) == [source.pk]


def test_a_twin_whose_source_is_elsewhere_counts() -> None:
    """An archive may hold the twin alone."""
    fit({}, twin_of="00000000-0000-4000-8000-000000000000")
    assert len(diffusion()) == 1


def test_rows_are_in_the_order_of_reading_and_can_be_chosen() -> None:
    fit({"target_temperature_K": 900.0})
    fit({"level_of_theory": "CHGNet 0.3.0", "grade": "A"})
    fit({})
    fit({"formula": "Li2O"})
    table = diffusion()
    assert list(zip(table["formula"], table["level_of_theory"], table["target_temperature_K"], strict=True)) == [
        ("Li2O", "PBE", 800.0),
        ("Li3N", "CHGNet 0.3.0", 800.0),
        ("Li3N", "PBE", 800.0),
        ("Li3N", "PBE", 900.0),
    ]
    for selection, n_rows in (
        (Selection(formula="Li3N"), 3),
        (Selection(formula="Li3N", level_of_theory="PBE"), 2),
        (Selection(temperature_K=(850.0, 900.0)), 1),
        (Selection(temperature_K=(0.0, 800)), 3),
        (Selection(grades=("A", "C")), 1),
        (Selection(elements=("Li",)), 4),
        (Selection(elements=("O", "Li")), 1),
        (Selection(elements=("I",)), 0),
        (Selection(since=datetime.now(UTC) - timedelta(minutes=5)), 4),
        (Selection(until=datetime.now(UTC) - timedelta(minutes=5)), 0),
    ):
        assert len(diffusion(selection)) == n_rows, selection


def test_a_group_holds_a_result_by_its_node_its_work_chain_or_its_crystal(lithium_oxide: orm.StructureData) -> None:
    alone, other = fit({}), fit({})
    first = given(chain(), structure=lithium_oxide).store()
    inside = fit({}, caller=first)
    for node, expected in ((alone.outputs.diffusion, alone), (first, inside), (lithium_oxide, inside)):
        group = orm.Group(label=f"of {node.uuid}").store()
        group.add_nodes(node)
        assert list(diffusion(Selection(group=group.label))["job_pk"]) == [expected.pk]
    assert other.pk in set(diffusion()["job_pk"])
    assert diffusion(Selection(group="no such group")).empty


def test_other_arrays_of_other_processes_are_no_results() -> None:
    output(job("core.arithmetic.add").store(), orm.ArrayData(), "diffusion", FIT)
    assert diffusion().empty
    assert "tracer_diffusivity_cm2_s" in diffusion()
