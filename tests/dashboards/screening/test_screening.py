"""The page of screenings and its figures, from synthetic screenings."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from aiida import orm
from dash import dcc
from plotly.utils import PlotlyJSONEncoder

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.app import Source, create_app
from aiida_ion.dashboards.figures.screening.funnel import cost_figure, funnel_figure
from aiida_ion.dashboards.figures.screening.ranking import ranking_figure, recall_figure
from aiida_ion.dashboards.figures.theme import DARK, LIGHT
from aiida_ion.dashboards.pages import screening, screening_cards
from aiida_ion.dashboards.state import View
from aiida_ion.queries.screening.hop_paths import N_POINTS, hop_paths
from benchmarks.synthetic.screening import store_hops, store_screening
from tests.queries.hostile import poison_all

HOSTILE = "<img src=x onerror='window.attacked=1'>"


@pytest.fixture
def app(aiida_profile_clean: Any) -> Any:
    return create_app(Source("synthetic"))


def text(component: Any) -> str:
    return json.dumps(component, cls=PlotlyJSONEncoder, ensure_ascii=False)


def graphs(component: Any) -> dict[str, Any]:
    found: list[Any] = [one for one in component._traverse() if isinstance(one, dcc.Graph)]
    return {one.id: one.figure for one in found}


def test_everything_of_a_screening_is_on_the_page(app: Any) -> None:
    chain = store_screening()
    store_screening(seed=2, n_materials=4, measured=False)
    page = screening.layout(View(uuid=chain.uuid, theme="light"))
    values = text(page)
    for words in (
        "lithium conductors",
        "bvse: barrier_1d_eV ≤ 1; pes: barrier_1d_eV ≤ 0.4",
        "its charges cannot be assigned",
        "the budget of the stage did not reach it",
        "barrier_1d_eV ... is above the cut, at most 0.4",
        "Wilson",
        f"aiida-ion screen status {chain.pk} --format csv",
        f"/provenance?uuid={chain.uuid}",
    ):
        assert words in values, words
    scores = text(screening_cards.scores_of(chain.pk))
    assert "(forest of compositions)" in scores
    assert "(density of the mobile species)" in scores
    drawn = graphs(page)
    assert set(drawn) == {"screening-funnel", "screening-cost", "screening-ranking", "screening-recall"}
    bars = {bar.name: list(bar.x) for bar in drawn["screening-funnel"].data}
    assert bars["pass"][0] == 24
    judged = np.nansum([list(values) for values in bars.values()], axis=0)
    assert list(judged) == [24, 24, len(screening_cards.decisions_of(chain.pk).query("stage == 'pes'"))]
    assert len(drawn["screening-ranking"].data) >= 1
    rows = screening_cards.decisions_of(chain.pk)
    assert rows.loc[rows["formula"] == "Li3N", "material_href"].iloc[0] == "/material?formula=Li3N"
    assert rows["result_href"].str.startswith("/provenance?uuid=").all()


def test_the_address_chooses_screening_and_stage(app: Any) -> None:
    first = store_screening(n_materials=6, measured=False)
    running = store_screening(seed=2, running=True, measured=False)
    store_screening(seed=3, n_materials=3, measured=False)
    table = tables.table("screenings")
    assert screening.chosen_screening(table, None)["pk"] == running.pk
    assert screening.chosen_screening(table, first.uuid)["pk"] == first.pk
    assert screening.chosen_screening(table, "<b>")["pk"] == running.pk
    page = screening.layout(View(theme="light"))
    values = text(page)
    assert "Running now" in values
    assert "not judged yet" in values
    assert "No material of this screening has a measured conductivity." in values
    asked = View(uuid=first.uuid).with_options(stage="bvse")
    assert View.from_query(asked.query()) == asked
    radio = next(one for one in screening.layout(asked)._traverse() if getattr(one, "id", None) == "screening-stage")
    assert radio.value == "bvse"
    radio = next(
        one
        for one in screening.layout(View(uuid=first.uuid).with_options(stage="<b>"))._traverse()
        if getattr(one, "id", None) == "screening-stage"
    )
    assert radio.value == "pes"


def test_without_screenings_the_page_says_what_to_run(app: Any) -> None:
    assert "aiida-ion screen run" in text(screening.layout(View()))
    tables.use(tables.TableCache(changes=False))
    assert "This archive holds no screening." in text(screening.layout(View()))


def test_text_of_nodes_is_escaped_in_figures(app: Any) -> None:
    store_screening(text=HOSTILE, n_materials=8)
    for name, figure in graphs(screening.layout(View(theme="dark"))).items():
        assert "<img" not in figure.to_json().replace("\\u003c", "<"), name


def test_hops_of_a_crystal_are_drawn_in_its_cell(app: Any) -> None:
    chain = store_screening(n_materials=4, measured=False)
    crystals = [orm.load_node(uuid=chain.inputs.materials[number]["uuid"]) for number in (0, 1)]
    first, second = (store_hops(crystal, n_hops=number + 1) for number, crystal in enumerate(crystals))
    page = screening.layout(View(theme="light").with_options(crystal=second.uuid))
    (figure,) = [drawn for name, drawn in graphs(page).items() if name == "screening-hop-cell"]
    paths = next(trace for trace in figure.data if trace.name == "pathway of Li")
    assert np.isfinite(np.array(paths.x, dtype=float)).sum() == 2 * N_POINTS
    assert "hop_01" in text(page)
    assert "0.6" in text(page)
    found = hop_paths(first.uuid)
    assert found is not None
    assert found.heights_eV == pytest.approx([0.3])
    assert np.ptp(found.paths_A[:, 0], axis=0) == pytest.approx([2.5, 0.0, 0.0])
    assert len(found.framework_A) == len(found.framework_symbols) == len(crystals[0].sites) - 1
    assert hop_paths(chain.uuid) is None
    for value in ('"x"', "[1]", "-3", "1e300", "null", "true"):
        poison_all("moving", value)
        assert "screening-hop-cell" in text(screening.layout(View())) or "are not here" in text(
            screening.layout(View())
        )


def funnel_table(**columns: Any) -> pd.DataFrame:
    names = ("n_pass", "n_unsure", "n_fail", "n_error", "n_not_reached")
    table = {"stage": ["a", "b"], "state": ["ended", "running"], "n_materials": [5, 2], "core_s": [10.0, None]}
    return pd.DataFrame(table | {name: [1, None] for name in names} | columns).astype(dict.fromkeys(names, "Int64"))


def test_a_funnel_has_every_part() -> None:
    figure = funnel_figure(funnel_table(), theme=LIGHT)
    assert [bar.name for bar in figure.data] == [
        *("pass", "unsure", "fail", "could not be judged", "not reached: budget", "not judged yet")
    ]
    assert list(figure.layout.yaxis.categoryarray) == ["b", "a"]
    assert "no stages" in funnel_figure(funnel_table().head(0), theme=DARK).layout.annotations[0].text
    assert list(cost_figure(funnel_table(), theme=LIGHT).data[0].text) == ["10 s"]
    assert "spent" in cost_figure(funnel_table(core_s=[None, None]), theme=DARK).layout.annotations[0].text


def test_a_ranking_has_intervals_arrows_and_the_cut() -> None:
    table = pd.DataFrame(
        {
            "rank": [1, 2, 3, 4],
            "rank_best": [1, 1, 3, 1],
            "rank_worst": [2, 2, 4, 4],
            "formula": ["Li3N", "<b>X", None, "LiF"],
            "name": ["a", "b", "third", "d"],
            "verdict": ["pass", "unsure", "unsure", "pass"],
            "quantity": ["barrier_1d_eV"] * 4,
            "value": [0.2, 0.25, None, None],
            "value_low": [0.1, 0.2, None, None],
            "value_high": [0.3, 0.3, 0.7, None],
            "structure_uuid": ["1", "2", "3", "4"],
        }
    )
    figure = ranking_figure(table, theme=LIGHT, cut=(None, 0.3))
    points = {trace.name: trace for trace in figure.data}
    assert list(points["pass"].y) == ["1. Li₃N"]
    assert list(points["unsure"].y) == ["2. &lt;b&gt;X", "3. third"]
    assert list(points["unsure"].marker.symbol) == ["diamond", "arrow-left"]
    assert list(points["pass"].error_x.array) == pytest.approx([0.1])
    assert figure.layout.annotations[0].text == "cut 0.3"
    assert (
        "has a value"
        in ranking_figure(table.assign(value=None, value_low=None, value_high=None), theme=LIGHT)
        .layout.annotations[0]
        .text
    )


def test_the_recall_is_drawn_with_its_interval() -> None:
    names = ("recall", "recall_ci95_low", "recall_ci95_high", "recall_so_far", "recall_so_far_ci95_low")
    table = pd.DataFrame({"stage": ["a"], **{name: [0.5] for name in names}, "others_kept": [0.1]})
    figure = recall_figure(table.assign(recall_ci95_high=0.9, recall_so_far_ci95_high=0.9), theme=LIGHT)
    assert list(figure.data[0].error_x.array) == pytest.approx([0.4])
    assert [trace.name for trace in figure.data][2] == "other measured materials"
    nothing = recall_figure(table.head(0), theme=LIGHT).layout.annotations[0].text
    assert "measured conductivity" in nothing.replace("<br>", " ")
