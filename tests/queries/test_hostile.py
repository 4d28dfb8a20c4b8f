"""No table, printing, page or export is lost for one stored value, whatever it is."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from aiida import orm
from plotly.utils import PlotlyJSONEncoder

from aiida_ion import queries
from aiida_ion.cli import table as printing
from aiida_ion.cli.compare import nested, text_of
from aiida_ion.cli.screen.status import text_of as status_text
from aiida_ion.cli.services.sources import SourceTables
from aiida_ion.cli.text import tables as texts
from aiida_ion.cli.text.live import current, render
from aiida_ion.cli.text.nodes import describe
from aiida_ion.dashboards.app import Source, create_app
from aiida_ion.dashboards.pages import PAGES
from aiida_ion.dashboards.state import View
from aiida_ion.queries import Selection, reuse
from aiida_ion.queries.benchmark import diffusion_of_conductivities, measured_and_computed
from aiida_ion.queries.cells import records
from aiida_ion.queries.crystals import chains
from aiida_ion.queries.details import arrhenius_points, beside, history
from aiida_ion.queries.job_runs import runs_of
from aiida_ion.queries.provenance import path_of
from aiida_ion.queries.reading.kinds import kind_of, read_attributes, read_column
from aiida_ion.queries.results import counted_fits
from aiida_ion.queries.running import activity
from aiida_ion.queries.screening.report import Report
from aiida_ion.unreadable import counting_unreadable, unreadable_words
from benchmarks.many_results import GROUP, fill
from benchmarks.synthetic.screening import store_screening
from benchmarks.synthetic.surrogate import store_training
from benchmarks.synthetic.training import fill as fill_potentials
from tests.queries.hostile import VALUES, poison, poison_all

TABLES = printing.TABLES
SELECTIONS = (
    Selection(elements=("Li",), temperature_K=(300.0, 900.0), grades=("A", "bound"), group=GROUP),
    Selection(formula="Li3N", level_of_theory="PBE", since=datetime(2020, 1, 1, tzinfo=UTC)),
)
VIEWS = (View(theme="light"), View(theme="dark"))  # with nothing chosen, and with a crystal and its result


@pytest.fixture(params=[1, pytest.param(2, marks=pytest.mark.slow)])
def poisoned(request: pytest.FixtureRequest, aiida_profile_clean: Any) -> tuple[int, bool]:
    """Replace a third of all values of a profile with results of every kind, or nearly all.

    Return how many those are, and whether little is to be looked at.
    """
    fill((12, 25)[request.param - 1], seed=request.param, n_with_arrays=0)
    store_training(n_materials=8, seed=1)
    fill_potentials()
    store_screening(n_materials=8)
    store_screening(seed=2, running=True, n_materials=6, measured=False)
    return poison(request.param, share=(0.3, 0.9)[request.param - 1]), request.param == 1


def test_nothing_stored_ends_a_table_or_a_page(poisoned: tuple[int, bool], tmp_path: Path) -> None:
    n_poisoned, quick = poisoned
    assert n_poisoned > 500
    with counting_unreadable() as counts:
        result = {name: getattr(queries, name)() for name in TABLES}
    assert counts.total() > 50
    assert len(result["runs"]) > 10
    for selection in SELECTIONS:
        for name in TABLES:
            getattr(queries, name)(selection)
    check_printing(result, tmp_path)
    check_what_runs()
    check_nodes(list(result["conductivity"]["uuid"][:2]), most=1 if quick else 4)
    check_screenings()
    check_reuse()
    check_pages(result["conductivity"], VIEWS[-1:] if quick else VIEWS)


def check_printing(result: dict[str, pd.DataFrame], folder: Path) -> None:
    for style in printing.FORMATS:
        content = printing.render([SourceTables(None, result)], style)
        assert content.encode()
        if style == "json":
            assert set(json.loads(content)) == set(result)
        if style in ("text", "markdown"):
            assert "\x1b" not in content
            assert max(map(len, content.splitlines())) < 3000
    for name, table in result.items():
        printing._write_parquet(table, folder / f"{name}.parquet")
        assert len(pd.read_parquet(folder / f"{name}.parquet")) == len(table)
        assert len(pd.read_csv(io.StringIO(texts.csv_text(table)), dtype=str)) == len(table)


def check_what_runs() -> None:
    assert "active" in render(current(everything=True))
    for read in (queries.engine_table, queries.surrogates, queries.experiments, measured_and_computed, counted_fits):
        read()
    for read in (diffusion_of_conductivities, chains, activity.n_jobs, activity.failures):
        read()
    running = [int(pk) for pk in activity.running()["pk"]]
    activity.about(running)
    queries.last_decisions(running)
    assert text_of(queries.comparison_records(), "text").encode()
    json.dumps(nested(Selection(), None), default=str, allow_nan=False)


def check_nodes(conductivities: list[str], most: int) -> None:
    """Describe at most so many nodes of a type."""
    seen: dict[str, int] = {}
    for (node,) in orm.QueryBuilder().append(orm.Node).iterall():
        seen[node.node_type] = seen.get(node.node_type, 0) + 1
        if seen[node.node_type] <= most:
            assert "\x1b" not in describe(node)
    assert len(seen) > 5
    for uuid in conductivities:
        arrhenius_points([uuid])
        text = beside(uuid)
        history(text["history"])
        path_of(uuid)
        runs_of(text["process"])


def check_screenings() -> None:
    for pk in queries.screenings()["pk"]:
        report = Report(int(pk))
        assert status_text(report, top=5).encode()
        json.dumps(records(report.recall), default=str, allow_nan=False)


def check_reuse() -> None:
    """What `run` asks before it submits anything."""
    (chain,) = orm.QueryBuilder(limit=1).append(orm.WorkChainNode).first()
    inputs = {link.link_label: link.node for link in chain.base.links.get_incoming(node_class=orm.Data).all()}
    for ask in (reuse.finished_conductivity, reuse.running_conductivity, reuse.failed_conductivity):
        ask(inputs)
    reuse.finished_samples(inputs), reuse.running_samples(inputs), reuse.compared_conductivities()


def check_pages(conductivities: pd.DataFrame, views: tuple[View, ...]) -> None:
    create_app(Source("hostile"))
    row = conductivities.iloc[0]
    formula = row["formula"] if isinstance(row["formula"], str) else None
    for view in views:
        chosen = replace(view, formula=formula, uuid=row["uuid"]) if view.theme == "dark" else view
        for page in PAGES:
            try:
                assert json.dumps(page.layout(chosen), cls=PlotlyJSONEncoder).encode()
            except (ValueError, LookupError) as error:  # which a page says in a sentence
                assert str(error), page.TITLE


def test_a_seed_that_is_none_costs_its_cell_alone(aiida_profile_clean: Any) -> None:
    fill(8, n_with_arrays=0)
    before = queries.runs()
    for value in ("1e23", "1" + "0" * 400, '"seven"', "[]"):
        poison_all("seed", value)
        with counting_unreadable() as counts:
            after, ledger = queries.runs(), queries.cost()
        assert len(ledger) > 0
        assert counts["seed"] == len(after) == len(before)
        assert unreadable_words(counts) == f"stored values that cannot be read are left empty: seed ({len(after)})"
        pd.testing.assert_series_equal(after["n_steps"], before["n_steps"])


def test_large_seeds_keep_their_digits() -> None:
    assert read_column("seed", [2**60 + 1, None, 2**63, -(2**63), True, 7.0, 7.5]) == [
        *(2**60 + 1, None, None, -(2**63), None, 7, None),
    ]


@pytest.mark.parametrize("value", [json.loads(text) for text in VALUES], ids=lambda value: str(value)[:20])
@pytest.mark.parametrize(
    "name", ["wall_time_s", "n_steps", "seed", "fit_consistent", "ionic_conductivity_ci95_mS_cm", "formula", "warnings"]
)
def test_a_column_holds_what_its_name_says_or_nothing(name: str, value: Any) -> None:
    (cell,) = read_column(name, [value])
    kinds = {"number": (int, float), "count": int, "whole": int, "flag": bool, "text": str}
    kinds |= {"interval": list, "list": list}
    assert cell is None or isinstance(cell, kinds[kind_of(name)])
    assert not isinstance(cell, float) or math.isfinite(cell)
    json.dumps(read_attributes({name: value, "nested": [{name: value}]}), allow_nan=False)


def test_real_numbers_pass() -> None:
    assert read_column("wall_time_s", [1, 2.5, 0, -1.0]) == [1, 2.5, 0, -1.0]
    assert read_column("fit_consistent", [0, 1, True, None]) == [False, True, True, None]
    assert read_column("ionic_conductivity_ci95_mS_cm", [[1.0, 2], [None, 1.0], [1.0]]) == [[1.0, 2], [None, 1.0], None]


def test_every_column_that_held_numbers_still_does(aiida_profile_clean: Any) -> None:
    """What is a number in the attributes of a real node is none of the columns of text."""
    fill(12, n_with_arrays=0)
    for name in TABLES:
        table = getattr(queries, name)()
        for column in table:
            values = [value for value in table[column] if isinstance(value, str)]
            numbers = [value for value in values if value.replace(".", "", 1).replace("e-", "", 1).isdigit()]
            assert not numbers or column.endswith(("_K", "uuid", "sha256")), (name, column, numbers[:3])
