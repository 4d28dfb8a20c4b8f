"""On many results: every filter does what it says, and no table sends more statements because there are more rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from aiida import orm

from aiida_ion import queries
from aiida_ion.queries import Selection
from aiida_ion.queries.selection import elements_of
from benchmarks.many_results import GROUP, fill
from tests.queries.counting import statements

TABLES = ("materials", "runs", "diffusion", "conductivity", "comparison", "cost", "potentials")
#: In the middle of what is filled in, which begins with the year.
MIDDLE = datetime(2026, 1, 1, 0, 12, tzinfo=UTC)
#: A table reads pairs of linked nodes, a group what is called below it: this many statements, whatever is there.
MOST, MOST_WITH_GROUP = 24, 52


@pytest.fixture(scope="module")
def many(aiida_profile: Any) -> Any:
    """Return a profile with at least 60 results."""
    aiida_profile.reset_storage()
    fill(60, n_with_arrays=0)
    yield aiida_profile
    aiida_profile.reset_storage()


def rows(name: str, selection: Selection | None = None) -> pd.DataFrame:
    table: pd.DataFrame = getattr(queries, name)(selection or Selection())
    return table


def test_what_was_written_is_what_is_read(many: Any) -> None:
    fits, result, compared = (rows(name) for name in ("diffusion", "conductivity", "comparison"))
    assert len(fits) + len(result) + len(compared) >= 60
    assert len(fits) >= 4 * len(result)
    assert fits["conductivity_uuid"].notna().sum() == 4 * len(result)
    assert set(result["grade"]) <= {"A", "B", "C", "D", "bound"}
    assert set(result["engine"]) == {"quantumespresso", "sevenn", "mace", "chgnet"}
    made = orm.QueryBuilder().append(orm.WorkChainNode, filters={"process_type": "aiida.workflows:ion.conductivity"})
    crystals = rows("materials")
    assert crystals[["n_conductivities", "n_failed", "n_running"]].sum().sum() == made.count()
    assert crystals["n_temperatures"].sum() == len(fits)
    md = orm.QueryBuilder().append(orm.CalcJobNode, filters={"process_type": {"like": "%md"}})
    assert len(rows("runs")) == md.count() == rows("potentials")["n_runs"].sum()
    moved = fits[fits["moved"]]
    assert moved["tracer_diffusivity_ci95_low_cm2_s"].lt(moved["tracer_diffusivity_cm2_s"]).all()
    assert fits["wall_time_s"].notna().all()


@pytest.mark.parametrize("name", TABLES)
def test_cells_are_scalars(many: Any, name: str) -> None:
    table = rows(name)
    assert len(table)
    for column in table:
        assert not table[column].map(lambda cell: isinstance(cell, (list, dict, tuple))).any(), column
    assert not [column for column in table if "ci95" in column and "low" not in column and "high" not in column]


@pytest.mark.parametrize("name", ("materials", "runs", "diffusion", "conductivity", "comparison", "cost"))
def test_every_filter_leaves_the_rows_that_fit_and_no_others(many: Any, name: str) -> None:
    everything = rows(name)
    formula = str(everything["formula"].iloc[-1])
    level = "SevenNet 7net-0"
    assert set(rows(name, Selection(formula=formula))["formula"]) == {formula}
    assert len(rows(name, Selection(formula=formula))) == (everything["formula"] == formula).sum()
    requested = sorted(elements_of(formula))[:2]
    records = rows(name, Selection(elements=tuple(requested)))
    assert len(records) == everything["formula"].map(lambda one: set(requested) <= elements_of(one)).sum() > 0
    if name != "materials":
        chosen = rows(name, Selection(level_of_theory=level))
        assert len(chosen) == (everything["level_of_theory"] == level).sum() > 0
        late, early = rows(name, Selection(since=MIDDLE)), rows(name, Selection(until=MIDDLE))
        assert len(late) + len(early) == len(everything)
        assert not (late["time"] < MIDDLE).any()
        assert not (early["time"] > MIDDLE).any()
    else:
        assert set(rows(name, Selection(level_of_theory=level))["levels_of_theory"]) <= {level, ""}


def test_temperatures_and_grades_are_chosen(many: Any) -> None:
    everything = rows("diffusion")
    records = rows("diffusion", Selection(temperature_K=(800, 1000), grades=("A", "B")))
    fit = everything["target_temperature_K"].between(800, 1000) & everything["grade"].isin(["A", "B"])
    assert len(records) == fit.sum() > 0
    assert set(rows("runs", Selection(temperature_K=(1000, 1200)))["temperature_K"]) == {1000.0, 1200.0}
    assert rows("conductivity", Selection(temperature_K=(400, 500))).empty
    grades = rows("conductivity")["grade"]
    assert len(rows("conductivity", Selection(grades=("C",)))) == (grades == "C").sum()


def test_a_group_of_work_chains_holds_all_below_them(many: Any) -> None:
    inside = orm.QueryBuilder().append(orm.Group, filters={"label": GROUP}, tag="group")
    chains = set(inside.append(orm.WorkChainNode, with_group="group", project=["id"]).all(flat=True))
    assert 0 < len(chains) < len(rows("conductivity"))
    for name in ("runs", "diffusion", "conductivity", "cost"):
        everything = rows(name)
        records = rows(name, Selection(group=GROUP))
        assert len(records) == everything["process_pk"].isin(chains).sum() > 0
    records = rows("materials", Selection(group=GROUP))["n_conductivities"]
    assert 0 < records.sum() < rows("materials")["n_conductivities"].sum()


def test_more_rows_are_not_more_statements(many: Any) -> None:
    """Fills in more: the last test of this file."""
    chosen = (Selection(), Selection(formula="Li2O", elements=("Li",), group=GROUP, temperature_K=(300.0, 900.0)))

    def count() -> dict[tuple[str, int], int]:
        result = {}
        for name in TABLES:
            for place, selection in enumerate(chosen):
                with statements() as seen:
                    rows(name, selection)
                result[name, place] = len(seen)
        return result

    before, n_before = count(), len(rows("diffusion"))
    fill(60, seed=1, n_with_arrays=0)
    assert len(rows("diffusion")) > n_before
    assert count() == before
    assert max(n for (_, place), n in before.items() if place == 0) <= MOST, before
    assert max(before.values()) <= MOST_WITH_GROUP, before
