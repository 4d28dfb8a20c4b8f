"""Columns, cells and filters of the tables that pages show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.columns import cells, column_definitions, column_title, numeric_columns
from aiida_ion.dashboards.filtering import filtered, ordered, with_elements
from aiida_ion.dashboards.grids import grid
from aiida_ion.dashboards.pages.materials import harmless
from aiida_ion.dashboards.pages.materials_choices import elements_in
from aiida_ion.dashboards.state import ColumnFilter, View


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "formula": ["Li3N", "Li2O", "Na3PS4", "SiO2"],
            "sigma_mS_cm": [1.5, np.nan, 0.2, 0.2],
            "n_runs": [4, 1, 2, 2],
            "grade": ["A", None, "", "B"],
            "time": pd.to_datetime([datetime(2026, 5, day, 12, tzinfo=UTC) for day in (4, 3, 2, 1)]),
        }
    )


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("activation_energy_eV", "activation energy (eV)"),
        ("force_mae_eV_A", "force mae (eV/Å)"),
        ("tracer_diffusivity_ci95_low_cm2_s", "D* 95 % low (cm²/s)"),
        ("ionic_conductivity_mS_cm", "\N{GREEK SMALL LETTER SIGMA} (mS/cm)"),
        ("steps_per_s", "steps/s"),
        ("wall_time_s", "wall time (s)"),
        ("n_runs", "runs"),
    ],
)
def test_titles_carry_the_unit(name: str, title: str) -> None:
    assert column_title(name) == title


@pytest.mark.parametrize(
    ("model", "left"),
    [
        ({}, [0, 1, 2, 3]),
        ({"formula": {"type": "contains", "filter": "li"}}, [0, 1]),
        ({"formula": {"type": "contains", "filter": "."}}, []),
        ({"formula": {"type": "notContains", "filter": "Li"}}, [2, 3]),
        ({"formula": {"type": "startsWith", "filter": "na"}}, [2]),
        ({"formula": {"type": "endsWith", "filter": "o2"}}, [3]),
        ({"formula": {"type": "equals", "filter": "Li2O"}}, [1]),
        ({"formula": {"type": "notEqual", "filter": "Li2O"}}, [0, 2, 3]),
        ({"grade": {"type": "blank"}}, [1, 2]),
        ({"grade": {"type": "notBlank"}}, [0, 3]),
        ({"grade": {"type": "notEqual", "filter": "A"}}, [1, 2, 3]),
        ({"sigma_mS_cm": {"type": "lessThan", "filter": 1}}, [2, 3]),
        ({"sigma_mS_cm": {"type": "notEqual", "filter": 0.2}}, [0, 1]),
        ({"sigma_mS_cm": {"type": "blank"}}, [1]),
        ({"n_runs": {"type": "inRange", "filter": 2, "filterTo": 4}}, [0, 2, 3]),
        ({"n_runs": {"type": "greaterThanOrEqual", "filter": 2}, "formula": {"type": "contains", "filter": "4"}}, [2]),
        # What nobody could have typed filters nothing.
        ({"n_runs": {"type": "greaterThan", "filter": "many"}}, [0, 1, 2, 3]),
        ({"n_runs": {"type": "wilder", "filter": 1}, "absent": {"type": "equals", "filter": 1}}, [0, 1, 2, 3]),
        ({"formula": "Li"}, [0, 1, 2, 3]),
    ],
)
def test_filters_are_those_of_the_grid(table: pd.DataFrame, model: dict[str, Any], left: list[int]) -> None:
    assert list(filtered(table, model).index) == left


def test_order(table: pd.DataFrame) -> None:
    def order(*model: tuple[str, str]) -> list[int]:
        return list(ordered(table, [{"colId": name, "sort": way} for name, way in model]).index)

    assert order(("sigma_mS_cm", "asc")) == [2, 3, 0, 1]
    assert order(("sigma_mS_cm", "desc")) == [0, 2, 3, 1]
    assert order(("n_runs", "asc"), ("formula", "desc")) == [1, 3, 2, 0]
    assert order() == order(("absent", "asc")) == [0, 1, 2, 3]


def test_elements_are_no_beginnings_of_others(table: pd.DataFrame) -> None:
    assert elements_in("li S,Na;S Po") == ("S", "Na", "Po")
    assert list(with_elements(table, ("S",))["formula"]) == ["Na3PS4"]
    assert list(with_elements(table, ("Li", "N"))["formula"]) == ["Li3N"]
    assert len(with_elements(table, ())) == 4
    # What stands in an address is not a pattern.
    assert with_elements(table, (".",)).empty
    assert with_elements(table, ("(",)).empty


def test_cells_are_what_json_holds(table: pd.DataFrame) -> None:
    rows = cells(table.assign(many=[[1, 2], {"a": 1}, None, np.inf]))
    assert rows[0] == {
        "formula": "Li3N", "sigma_mS_cm": 1.5, "n_runs": 4, "grade": "A", "time": "2026-05-04 12:00", "many": "[1, 2]",
    }  # fmt: skip
    assert rows[1]["sigma_mS_cm"] is None
    assert rows[3]["many"] is None
    assert isinstance(rows[0]["n_runs"], int)


def test_columns_of_the_grid(table: pd.DataFrame) -> None:
    table = table.assign(href="/material")
    assert numeric_columns(table) == ["sigma_mS_cm", "n_runs"]
    made = {one["field"]: one for one in column_definitions(table, links={"formula": "href"}, hidden=["grade"])}
    assert list(made) == ["formula", "sigma_mS_cm", "n_runs", "grade", "time"]
    assert made["formula"]["cellRendererParams"] == {"href": "href"}
    assert (made["grade"]["hide"], made["n_runs"]["hide"]) == (True, False)
    assert made["n_runs"]["filter"] == "agNumberColumnFilter"
    view = View(sort=(("n_runs", "desc"),), hidden=("time",), filters=(ColumnFilter("n_runs", "equals", "2"),))
    shown = grid("synthetic", table, view)
    hidden = {one["field"]: (one["hide"], one.get("sort")) for one in shown.columnDefs}
    assert (hidden["time"], hidden["n_runs"], hidden["grade"]) == ((True, None), (False, "desc"), (False, None))
    assert shown.filterModel == {"n_runs": {"filterType": "number", "type": "equals", "filter": 2.0}}
    # Cells are never HTML and no text is run.
    assert shown.dangerously_allow_code is False


def test_a_spreadsheet_runs_no_cell(table: pd.DataFrame) -> None:
    evil = harmless(table.assign(formula=["=HYPERLINK(1)", "@x", "-1+2", "Li3N"], sigma_mS_cm=-1.0))
    assert list(evil["formula"]) == ["'=HYPERLINK(1)", "'@x", "'-1+2", "Li3N"]
    assert (evil["sigma_mS_cm"] == -1.0).all()


class Made:
    """Counts how often a table is made."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> pd.DataFrame:
        self.times += 1
        return pd.DataFrame({"times": [self.times]})


@pytest.fixture
def version(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Return what the database says changed, in a list of one."""
    now = [1]
    monkeypatch.setattr("aiida_ion.queries.newest_change", lambda: now[0])
    monkeypatch.setattr(tables, "RECHECK_S", -1.0)
    return now


def test_a_table_is_made_again_when_the_database_changed(version: list[int]) -> None:
    cache, made = tables.TableCache(), Made()
    assert [int(cache.derived("x", made)["times"].iloc[0]) for _ in range(3)] == [1, 1, 1]
    version[0] = 2
    assert int(cache.derived("x", made)["times"].iloc[0]) == 2


def test_an_archive_is_read_once(version: list[int]) -> None:
    cache, made = tables.TableCache(changes=False), Made()
    cache.derived("x", made)
    version[0] = 2
    cache.derived("x", made)
    assert made.times == 1


def test_a_slow_table_is_refreshed_behind_the_scenes(
    version: list[int], monkeypatch: pytest.MonkeyPatch, aiida_profile: Any
) -> None:
    import threading

    monkeypatch.setattr(tables, "PATIENCE_S", -1.0)
    monkeypatch.setattr(tables, "REST", 0.0)
    cache, made = tables.TableCache(), Made()
    cache.derived("x", made)
    version[0] = 2
    assert int(cache.derived("x", made)["times"].iloc[0]) == 1
    for thread in threading.enumerate():
        if thread.name == "table x":
            thread.join()
    assert int(cache.derived("x", made)["times"].iloc[0]) == 2
