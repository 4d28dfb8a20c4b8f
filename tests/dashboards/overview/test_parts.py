"""Parts of the overview on tables that are written here."""

from __future__ import annotations

from typing import Any

import pandas as pd

from aiida_ion.dashboards.figures.theme import LIGHT
from aiida_ion.dashboards.overview.conductors import sentence
from aiida_ion.dashboards.overview.failures import by_reason
from aiida_ion.dashboards.overview.strip import MOST_NAMES, height_px, strip_figure


def material(name: str, value: float | None, **about: Any) -> dict[str, Any]:
    row = {
        "name": name,
        "grade": "A",
        "ionic_conductivity_mS_cm": value,
        "ionic_conductivity_ci95_low_mS_cm": value and value / 2,
        "ionic_conductivity_ci95_high_mS_cm": value and value * 4,
        "ionic_conductivity_upper_bound_mS_cm": None,
        "experiment_mS_cm": None,
        "experiment_words": "-",
        "sigma_words": "words",
        "conductivity_uuid": f"uuid of {name}",
    }
    return row | about


def table(*rows: dict[str, Any]) -> pd.DataFrame:
    made = pd.DataFrame(list(rows))
    numbers = [name for name in made.columns if name.endswith("_mS_cm")]
    return made.astype(dict.fromkeys(numbers, float))


ROWS = table(
    material("Li3N", 2.0, experiment_mS_cm=1.0, experiment_words="1"),
    material("Li2O", None, ionic_conductivity_upper_bound_mS_cm=1e-3, grade="bound"),
    material("LiI", 0.5, grade="C"),
    material("<b>X</b>", None, grade=None),  # poorly known or undetermined: no place on the axis
)


def test_materials_are_ordered_with_their_intervals_and_experiments() -> None:
    figure = strip_figure(ROWS, theme=LIGHT, at="PBE <b> at 300 K")
    traces = {trace.name: trace for trace in figure.data}
    assert set(traces) == {"grade A", "grade C", "upper bound", "experiment"}
    assert list(figure.layout.yaxis.ticktext) == ["Li2O", "LiI", "Li3N"]
    assert (list(traces["grade A"].x), list(traces["grade A"].y)) == ([2.0], [2])
    assert (list(traces["grade A"].error_x.array), list(traces["grade A"].error_x.arrayminus)) == ([6.0], [1.0])
    bound = traces["upper bound"]
    assert (list(bound.x), bound.marker.symbol, bound.meta["columns"]["x_is_bound"]) == ([1e-3], "arrow-left", [True])
    assert bound.error_x.array is None
    assert (list(traces["experiment"].x), list(traces["experiment"].y)) == ([1.0], [2])
    assert "measured: 1" in traces["grade A"].text[0]
    assert "PBE &lt;b&gt; at 300 K" in figure.layout.xaxis.title.text
    assert figure.layout.xaxis.type == "log"


def test_many_materials_have_no_names_and_nothing_is_said() -> None:
    many = table(*(material(f"M{i}", 1.0 + i) for i in range(MOST_NAMES + 1)))
    figure = strip_figure(many, theme=LIGHT, at="PBE")
    assert figure.layout.yaxis.showticklabels is False
    assert f"{MOST_NAMES + 1} materials" in figure.layout.yaxis.title.text
    assert height_px(many) > height_px(ROWS)
    assert "no conductivity by PBE" in strip_figure(ROWS.iloc[3:], theme=LIGHT, at="PBE").layout.annotations[0].text


def failed(reason: str, status: int = 502) -> dict[str, Any]:
    return {"process_state": "finished", "exit_status": float(status), "exit_message": reason}


def test_failures_for_one_reason_are_one_line() -> None:
    rows = pd.DataFrame(
        [
            failed("The crystal melted at 800 K."),
            failed("No code."),
            failed("The crystal melted at 1.2e3 K."),
            failed("The crystal melted at 900 K.", status=410),
        ]
    )
    groups = by_reason(rows)
    assert [(group["kind"], group["n"]) for group in groups] == [
        ("FAILED [502]", 2),
        ("FAILED [502]", 1),
        ("FAILED [410]", 1),
    ]
    assert groups[0]["reason"] == "The crystal melted at 800 K."  # that of the newest


def test_a_level_is_one_sentence() -> None:
    score = {"level_of_theory": "SevenNet", "n_pairs": 105, "mae": 0.567, "n_within": 88}
    aside = {"n_bounds": 3, "n_poorly_known": 0, "n_other_structures": 2}
    words = "SevenNet against PBE: 0.57 decades, 88 of 105 within one (not counted: 3 bounds, 2 of other crystals)."
    assert sentence(score | aside, "PBE") == words
    nothing = {"n_bounds": 0, "n_poorly_known": 0, "n_other_structures": 0}
    alone = score | nothing | {"n_pairs": 1, "mae": 0.2}
    assert sentence(alone, "PBE") == "SevenNet against PBE: 0.20 decades for one material."
    one = score | nothing | {"n_pairs": 0, "mae": float("nan"), "n_bounds": 1}
    assert sentence(one, "PBE") == "SevenNet against PBE: no pair of values (not counted: 1 bound)."
    none = score | nothing | {"n_pairs": 0, "mae": float("nan")}
    assert sentence(none, "PBE") == "SevenNet against PBE: no pair of values."
