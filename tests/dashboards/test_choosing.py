"""Group, dates and temperatures: the same results as the tables of the database, from tables that are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiida import orm

from aiida_ion import queries
from aiida_ion.dashboards import tables
from aiida_ion.dashboards.app import Source, create_app
from aiida_ion.dashboards.choosing import fitting, group_labels, moment, moment_words, within
from aiida_ion.dashboards.materials import listed
from aiida_ion.dashboards.pages import materials_choices
from aiida_ion.dashboards.state import View
from benchmarks.many_results import GROUP, fill
from tests.dashboards.test_pages import counted


@pytest.fixture
def filled(aiida_profile_clean: Any) -> None:
    """Fill the profile with synthetic results; a quarter is in a group."""
    create_app(Source("synthetic"))
    fill(60, n_with_arrays=0)


def day(share: float) -> datetime:
    """Return a time so far through all results."""
    times = queries.conductivity()["time"]
    return times.min().to_pydatetime() + share * (times.max() - times.min()).to_pytimedelta()


@pytest.mark.usefixtures("filled")
def test_what_fits_is_what_a_query_would_find() -> None:
    views = [
        View(group=GROUP),
        View(since=day(0.5)),
        View(until=day(0.3)),
        View(since=day(0.2), until=day(0.8), group=GROUP),
        View(temperature_K=(700.0, 1100.0)),
        View(grades=("A",), temperature_K=(0.0, 900.0), group=GROUP),
    ]
    for view in views:
        for name in ("conductivity", "diffusion"):
            whole = tables.table(name)
            result = set(fitting(whole, view)["uuid"])
            assert result == set(getattr(queries, name)(view.selection)["uuid"]), (view, name)
            assert len(result) < len(whole) or view.temperature_K, (view, name)
        ungraded = replace(view, grades=())  # the grade of a material is that of the result in the table
        rows = listed.matching_rows(None, ungraded)
        chosen = queries.materials(ungraded.selection)
        has_results = (chosen["n_temperatures"] > 0) | (chosen["n_conductivities"] > 0)
        assert set(rows["formula"]) == set(chosen.loc[has_results, "formula"]), view


@pytest.mark.usefixtures("filled")
def test_a_group_is_asked_for_once_and_nothing_else_is() -> None:
    view = View(group=GROUP, since=day(0.1), temperature_K=(300.0, 900.0))
    listed.matching_rows(None, view)
    with counted() as asked:
        for grade in ("A", "B", "C"):
            listed.matching_rows(None, View(group=GROUP, grades=(grade,), until=view.since))
    assert len(asked) == 0, asked
    before = set(tables._cache._entries)
    assert listed.matching_rows(None, View(group="<b>nobody's")).empty
    assert set(tables._cache._entries) == before


@pytest.mark.usefixtures("filled")
def test_the_figure_has_only_results_of_the_group_and_the_time() -> None:
    for chosen in (View(group=GROUP), View(since=day(0.6))):
        level = within(tables.table("conductivity"), chosen)["level_of_theory"].iloc[0]
        view = replace(chosen, level_of_theory=str(level))
        figure = listed.figure(listed.matching_rows(None, view), listed.X, listed.Y, view, [], "light")
        drawn = {row[0] for trace in figure.data for row in trace.customdata}
        assert drawn
        assert drawn <= set(within(tables.table("conductivity"), view)["uuid"])


@pytest.mark.usefixtures("filled")
def test_groups_that_programs_make_are_no_choice() -> None:
    orm.AutoGroup("pseudos").store()
    tables.use(tables.TableCache())
    assert group_labels() == [GROUP]


def test_a_formula_is_found_however_it_is_written() -> None:
    rows = tables.pd.DataFrame(
        {"formula": ["Li6PS5Cl", "Li3N", "LiI"], "crystal": ["F-43m · 1f2e", "P6/mmm · ab", "-"]}
    )
    found = {
        text: list(materials_choices.searched(rows, text)["formula"])
        for text in ("", "li6 ps₅cl", "LI", "p6/mmm", "1F2E", "(", "Na")
    }
    everything = list(rows["formula"])
    assert found[""] == found["LI"] == everything
    assert found["li6 ps₅cl"] == found["1F2E"] == ["Li6PS5Cl"]
    assert found["p6/mmm"] == ["Li3N"]
    assert found["("] == found["Na"] == []


def test_controls_and_address_say_the_same() -> None:
    values = ("Li S", "PBE", ["A"], "mine", "2026-05-01", "2026-05-31", 500, None, "300", "li6ps₅ cl")
    view = materials_choices.chosen(values)
    assert (view.elements, view.level_of_theory, view.grades, view.group) == (("Li", "S"), "PBE", ("A",), "mine")
    assert (view.option("temperature"), view.option("search")) == ("300", "li6ps₅ cl")
    assert view.since == datetime(2026, 5, 1)
    assert view.until == datetime(2026, 5, 31, 23, 59, 59, 999999)
    assert view.temperature_K == (500.0, materials_choices.NO_HIGHEST_K)
    assert View.from_query(view.query()) == view
    assert (moment_words(view.since), moment_words(view.until, ends=True)) == ("2026-05-01", "2026-05-31")
    assert materials_choices.chosen((None, None, [], None, "", "soon", None, None, None, "")) == View()


@pytest.mark.parametrize("text", ["2026-05-01 12:30", "2026-05-01T12:30:05+02:00", "0001-01-01", "9999-12-31"])
def test_any_time_that_can_be_typed_can_be_compared(text: str) -> None:
    when = moment(text)
    assert when is not None
    assert moment(moment_words(when)) == when
    table = tables.pd.DataFrame({"time": tables.pd.to_datetime([datetime(2026, 5, 1, tzinfo=UTC) + timedelta(days=9)])})
    early = when.year < 2100
    assert len(within(table, View(since=when))) == early
    assert len(within(table, View(until=when))) == (not early)
