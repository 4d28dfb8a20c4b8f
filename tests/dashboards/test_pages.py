"""Pages as functions: what they ask of the database, and what they say."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from aiida import orm
from aiida.manage import get_manager
from dash import dcc
from plotly.utils import PlotlyJSONEncoder
from sqlalchemy import event
from sqlalchemy.engine import Engine

from aiida_ion import queries
from aiida_ion.dashboards import tables
from aiida_ion.dashboards.app import Source, create_app
from aiida_ion.dashboards.figures.landscape import landscape
from aiida_ion.dashboards.figures.theme import DARK, LIGHT, level_styles
from aiida_ion.dashboards.help_texts import HELP
from aiida_ion.dashboards.material_rows import bar_decades
from aiida_ion.dashboards.materials import listed, preview
from aiida_ion.dashboards.pages import PAGES, overview
from aiida_ion.dashboards.state import View
from aiida_ion.queries import conductivity
from aiida_ion.queries.running import activity
from benchmarks.many_results import fill
from benchmarks.synthetic.screening import store_screening
from benchmarks.synthetic.surrogate import store_training
from benchmarks.synthetic.training import fill as fill_potentials

#: Page -> most statements with no table read yet, and with all of them.
MOST_SQL = {
    "Overview": (56, 10),
    "Screening": (60, 2),
    "Materials": (26, 2),
    "Material": (40, 20),
    "Compare": (62, 10),  # ensembles and their members are looked for in every table
    "Potentials": (110, 32),  # its cards have errors and costs, from the tables of the other pages
    "Surrogate": (34, 31),
    "Provenance": (40, 40),
}


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements that this thread sends to any database."""
    sentences: list[str] = []
    here = threading.get_ident()

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if threading.get_ident() == here and statement.startswith("SELECT"):
            sentences.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sentences
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture
def app(aiida_profile_clean: Any) -> Any:
    return create_app(Source("synthetic"))


def text_of(component: Any) -> str:
    return json.dumps(component, cls=PlotlyJSONEncoder, ensure_ascii=False)


def view_of(title: str) -> View:
    """Return what a page that is about something is asked for."""
    if title not in ("Material", "Provenance"):
        return View(theme="light")
    result = conductivity().query("verdict == 'measured'").iloc[0]
    return View(formula=str(result["formula"]), uuid=str(result["uuid"]), theme="light")


def asked_by_pages() -> dict[str, tuple[int, int]]:
    """Return for each page the number of statements with no table read yet, and with all of them."""
    asked = {}
    for page in PAGES:
        view = view_of(page.TITLE)
        tables.use(tables.TableCache())
        with counted() as cold:
            layout = page.layout(view)
        assert "cannot be shown" not in text_of(layout)
        assert {one.id for one in layout._traverse() if isinstance(one, dcc.Graph)} <= set(HELP), page.TITLE
        with counted() as warm:
            page.layout(view)
        asked[page.TITLE] = (len(cold), len(warm))
    return asked


@pytest.mark.slow
def test_pages_ask_little_and_no_more_where_there_is_more(app: Any) -> None:
    fill(60, seed=1, n_with_arrays=1)
    store_training(n_materials=20)
    fill_potentials()
    store_screening(n_materials=6)
    few = asked_by_pages()
    store_training(n_materials=200)
    fill_potentials()
    fill(240, seed=2, n_with_arrays=0)
    store_screening(seed=2)
    many = asked_by_pages()
    for title, (cold, warm) in many.items():
        most_cold, most_warm = MOST_SQL[title]
        assert cold <= most_cold, (title, few, many)
        assert warm <= most_warm, (title, few, many)
        # Below a chain that runs there are three levels to look at; of nothing that is there are more because rows are.
        assert cold - few[title][0] <= 4, (title, few, many)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.TITLE)
def test_an_empty_database_says_what_to_run(app: Any, page: Any) -> None:
    text = text_of(page.layout(View(theme="dark")))
    assert "aiida-ion" in text or "Choose" in text


def test_what_runs_and_what_failed(app: Any) -> None:
    root = orm.WorkChainNode(process_type="aiida.workflows:ion.conductivity", label="Li3N")
    root.store()
    root.set_process_state("waiting")
    chain = orm.WorkChainNode(process_type="aiida.workflows:ion.md.mlip")
    chain.base.links.add_incoming(root, _call(), "md_T_0800K")
    chain.store()
    chain.set_process_state("waiting")
    job = orm.CalcJobNode(process_type="aiida.calculations:ion.mlip_md")
    job.computer = orm.Computer("somewhere", "localhost", "", "core.local", "core.direct").store()
    job.base.links.add_incoming(chain, _call(calc=True), "iteration_01")
    job.store()
    job.set_process_state("waiting")
    job.base.attributes.set("state", "withscheduler")
    table = activity.running()
    assert list(table["pk"]) == [root.pk, chain.pk, job.pk]
    assert set(table["root_pk"]) == {root.pk}
    text = text_of(overview.running(table, read=True))
    assert "Li₃N" in text
    assert f"mlip_md {job.pk}" in text
    # The chain failed because its job did, and that is one failure.
    for node, code in ((job, 410), (chain, 410), (root, 502)):
        node.set_process_state("finished")
        node.set_exit_status(code)
        node.set_exit_message("it <b>exploded</b>")
    assert list(activity.failures()["pk"]) == [root.pk]
    assert activity.running().empty
    tables.use(tables.TableCache())
    text = text_of(overview.layout(View()))
    assert "FAILED [502]" in text
    assert "it <b>exploded</b>" in text  # as text: React escapes it
    assert "Nothing is running." in text


def _call(calc: bool = False) -> Any:
    from aiida.common.links import LinkType

    return LinkType.CALL_CALC if calc else LinkType.CALL_WORK


def test_a_job_that_was_continued_did_not_fail(app: Any) -> None:
    fill(120, n_with_arrays=0)
    stopped = orm.QueryBuilder().append(orm.CalcJobNode, filters={"attributes.exit_status": 400}).count()
    assert stopped > 0
    assert not activity.failures(100)["exit_status"].isin([400]).any()


def test_the_numbers_of_the_overview_are_those_of_the_tables(app: Any) -> None:
    fill(120, n_with_arrays=0)
    counts = overview.counts()
    results = conductivity()
    assert counts["materials"] == len(listed.materials(View())) == len(queries.materials())
    assert counts["conductivities"] == len(results)
    assert counts["levels"] == results["level_of_theory"].nunique()
    assert counts["fits"] == len(queries.diffusion().query("not superseded"))
    assert counts["jobs"] == len(queries.runs())


def test_materials_link_to_their_pages(app: Any) -> None:
    fill(60, n_with_arrays=0)
    table = listed.materials(View())
    assert list(table.columns[:2]) == ["formula", "crystal"]
    for row in table.to_dict("records"):
        view = View.from_query(row["href"].partition("?")[2])
        assert view.formula == row["formula"]
        assert row["key"].startswith(view.crystal)
        assert view.uuid == (row["conductivity_uuid"] if isinstance(row["conductivity_uuid"], str) else None)


def test_only_values_have_a_bar_and_a_row_has_its_plot(app: Any) -> None:
    fill(60, n_with_arrays=1)
    table = listed.materials(View())
    values = table["ionic_conductivity_mS_cm"]
    low, high = bar_decades(values) or (0, 0)
    assert low <= np.log10(values.min()) and np.log10(values.max()) <= high
    assert (table["sigma_share"].notna() == values.notna()).all()
    expected = (np.log10(values.dropna()) - low) / (high - low)
    np.testing.assert_allclose(table["sigma_share"].dropna(), expected)
    assert "No material is chosen" in text_of(preview.cards(View(theme="light")))
    row = table[values.notna()].iloc[0]
    (card,) = preview.cards(View(theme="dark").with_options(plot=row["key"]))
    (graph,) = (one for one in card._traverse() if isinstance(one, dcc.Graph))
    shown = {uuid for trace in graph.figure.data if trace.customdata is not None for (uuid,) in trace.customdata}
    assert shown and shown <= set(queries.diffusion().query("formula == @row.formula")["uuid"])
    assert "No material is chosen" in text_of(preview.cards(View().with_options(plot="<b>")))


@pytest.fixture
def results() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "formula": ["Li3N", "Li2O", "<b>X</b>"],
            "level_of_theory": ["PBE", "PBE", "<a href='x'>MLIP</a>"],
            "uuid": ["1", "2", "3"],
            "activation_energy_eV": [0.3, 0.5, 0.4],
            "ionic_conductivity_mS_cm": [1.0, None, 3.0],
            "ionic_conductivity_upper_bound_mS_cm": [None, 1e-3, None],
        }
    )


def test_the_landscape(results: pd.DataFrame) -> None:
    styles = level_styles(results["level_of_theory"])
    figure = landscape(results, "activation_energy_eV", "ionic_conductivity_mS_cm", styles, LIGHT, picked=["Li3N"])
    points = {trace.name: trace for trace in figure.data}
    assert set(points) == {"PBE", "&lt;a href='x'&gt;MLIP&lt;/a&gt;"}
    assert list(points["PBE"].y) == [1.0, 1e-3]
    assert list(points["PBE"].marker.symbol) == [styles["PBE"].symbol, "arrow-down"]
    assert [color.startswith("rgba") for color in points["PBE"].marker.color] == [False, True]
    assert [row[1] for row in points["PBE"].customdata] == ["Li3N", "Li2O"]
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == (None, "log")
    assert "<b>X" not in figure.to_json().replace("<b>%{text}</b>", "").replace('"<b>X</b>"', "")
    for axes in (("absent", "activation_energy_eV"), ("activation_energy_eV", "formula")):
        if axes[0] == "absent":
            assert "not in the table" in landscape(results, *axes, styles, DARK).layout.annotations[0].text
    nothing = landscape(results.head(0), "activation_energy_eV", "ionic_conductivity_mS_cm", styles, DARK)
    assert "No row has both" in nothing.layout.annotations[0].text


def test_the_state_of_every_page_survives_its_own_address(app: Any) -> None:
    fill(60, n_with_arrays=1)
    for page in PAGES:
        view = replace(view_of(page.TITLE), theme=None)
        assert View.from_query(view.url(page.PATH).partition("?")[2]) == view


def test_the_profile_is_the_one_that_is_loaded(app: Any) -> None:
    assert queries.newest_change()[0] == get_manager().get_profile().uuid  # type: ignore[union-attr]
