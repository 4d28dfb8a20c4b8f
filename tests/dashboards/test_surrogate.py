"""The page of surrogates, as it is laid out from synthetic trainings."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dash import dcc
from plotly.utils import PlotlyJSONEncoder

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.app import Source, create_app
from aiida_ion.dashboards.pages import surrogate, surrogate_cards
from aiida_ion.dashboards.state import View
from aiida_ion.dashboards.surrogate_rows import arm_rows, cost_rows, own_clip, report_rows, speed_up
from benchmarks.synthetic.surrogate import store_training

HOSTILE = "<img src=x onerror='window.attacked=1'>"


@pytest.fixture(autouse=True)
def app(aiida_profile_clean: Any) -> None:
    create_app(Source("synthetic"))


def text(component: Any) -> str:
    return json.dumps(component, cls=PlotlyJSONEncoder, ensure_ascii=False)


def graphs(component: Any) -> dict[str, Any]:
    return {one.id: one.figure for one in component._traverse() if isinstance(one, dcc.Graph)}


def test_everything_of_a_training_is_on_the_page() -> None:
    job = store_training()
    page = surrogate.layout(View(theme="light"))
    values = text(page)
    for words in (
        "it beats all its controls",
        "beats its controls",
        "0.62 ± 0.04",
        "94 %",
        "conformal, ± 1.1 dex",
        "8 labels are only bounds",
        "noise ceiling 0.93",
        "short md slope",
        "+0.21 [+0.11, +0.31]",
        "molecular dynamics of the label",
        "times less wall time than a label",
        f"/provenance?uuid={job.outputs.report.uuid}",
        f"/provenance?uuid={job.outputs.model.uuid}",
        f"/provenance?uuid={job.inputs.dataset.uuid}",
    ):
        assert words in values, words
    drawn = graphs(page)
    assert set(drawn) == {"surrogate-parity", "surrogate-residuals", "surrogate-arms", "surrogate-curves"}
    for name in ("surrogate-parity", "surrogate-residuals"):
        points = [one for one in drawn[name].data if one.customdata is not None]
        assert sum(len(one.x) for one in points) == 60
        assert all(len(row[0]) == 36 for one in points for row in one.customdata)


def test_the_address_chooses_training_and_clip() -> None:
    first = store_training(seed=1)
    store_training(seed=2, n_materials=24, learnt=False)
    newest, older = surrogate.layout(View()), surrogate.layout(View(uuid=first.uuid))
    assert "does not beat short md slope" in text(newest)
    assert "it beats all its controls" in text(older)
    assert surrogate.chosen_training(tables.table("surrogates"), "<b>")["n_materials"] == 24
    report = surrogate_cards.read(first.outputs.report.uuid)
    assert surrogate.chosen_clip(View(), report) == own_clip(report.attributes) == "1e-2"
    assert surrogate.chosen_clip(View().with_options(clip="<b>"), report) == "1e-2"
    fine = View(uuid=first.uuid).with_options(clip="1e-4")
    assert surrogate.chosen_clip(View.from_query(fine.query()), report) == "1e-4"
    assert "noise ceiling 0.88" in text(surrogate.layout(fine))
    assert min(graphs(surrogate.layout(fine))["surrogate-parity"].data[1].x) < -2.0


def test_a_training_without_a_report_says_what_became_of_it() -> None:
    job = store_training(state={"process_state": "finished", "exit_status": 410})
    assert "This training has no report: failed [410]." in text(surrogate.layout(View()))
    store_training()
    tables.use(tables.TableCache())  # as it is once the database was asked again
    assert "it beats all its controls" in text(surrogate.layout(View()))
    assert "This training has no report" in text(surrogate.layout(View(uuid=job.uuid)))


def test_without_trainings_the_page_says_what_to_run() -> None:
    assert "aiida-ion surrogate train" in text(surrogate.layout(View()))
    tables.use(tables.TableCache(changes=False))
    assert "This archive holds no surrogate." in text(surrogate.layout(View()))


def test_text_of_nodes_is_escaped_in_figures() -> None:
    store_training(text=HOSTILE)
    page = surrogate.layout(View(theme="dark"))
    for name, figure in graphs(page).items():
        assert "<img" not in figure.to_json().replace("\\u003c", "<"), name


def test_rows_of_a_report_that_lacks_things() -> None:
    empty = report_rows({}, {})
    assert empty.empty
    arrays = {"true": np.array([0.0, -1.0, -3.0]), "predicted": np.zeros(2), "censored": np.array([False, False, True])}
    rows = report_rows({"materials": [{"formula": "Li3N"}, 7]}, arrays)
    assert list(rows["formula"]) == ["Li3N", "-", "-"]
    assert rows["predicted"].isna().all()
    assert list(rows["censored"]) == [False, False, True]
    assert arm_rows({"arms": "none"}, "1e-2").empty
    one = arm_rows({"arms": [{"arm": "mean", "r2_clip_1e-2": "much", "gap_ci95": [1]}, 3]}, "1e-2")
    assert (one["name"].iloc[0], one["kind"].iloc[0]) == ("mean", "-")
    assert one[["r2", "gap_low"]].isna().all(axis=None)
    assert own_clip({"settings": {"clip_log10": -4}}) == "1e-4"
    assert own_clip({"settings": [1]}) == own_clip({"settings": {"clip_log10": True}}) == "1e-2"


def test_costs_of_a_material() -> None:
    labels = pd.DataFrame({"label_wall_s": [1000.0, 3000.0, np.nan]})
    predicted = pd.DataFrame({"seconds_forces": [3.0, 5.0], "seconds_model": [1.0, 1.0]})
    costs = cost_rows(labels, predicted)
    assert list(costs["n_materials"]) == [2, 2, 2, 2]
    assert speed_up(costs) == pytest.approx(2000.0 / 5.0)
    assert speed_up(cost_rows(labels, predicted.head(0))) is None
    assert cost_rows(labels.head(0), predicted.head(0)).empty
