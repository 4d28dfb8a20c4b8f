"""The figures of a trained potential: their data, not their looks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from aiida_ion.dashboards.figures.before_after import before_after_figure
from aiida_ion.dashboards.figures.force_parity import force_parity_figure
from aiida_ion.dashboards.figures.learning_curves import MAX_EPOCHS
from aiida_ion.dashboards.figures.student_loops import student_figure
from aiida_ion.dashboards.figures.theme import DARK, LIGHT, Theme
from aiida_ion.dashboards.figures.training_curve import training_curve_figure
from aiida_ion.dashboards.figures.watched_run import MAX_FRAMES, lowest_of_bins, watch_figure

NAN = float("nan")


def trace(figure: Any, name: str) -> Any:
    (found,) = (one for one in figure.data if one.name == name)
    return found


def sentence(figure: Any) -> str:
    return str(figure.layout.annotations[0].text).replace("<br>", " ")


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_curve_has_both_errors(theme: Theme) -> None:
    arrays = {
        "epoch": np.arange(1, 4),
        "train_force_rmse_eV_A": np.array([0.3, 0.2, 0.1]),
        "validation_force_rmse_eV_A": np.array([0.4, NAN, 0.2]),
    }
    figure = training_curve_figure(arrays, theme=theme)
    assert list(trace(figure, "train").y) == [0.3, 0.2, 0.1]
    assert list(trace(figure, "validation").x) == [1, 2, 3]
    assert figure.layout.yaxis.type == "log"
    alone = training_curve_figure({name: arrays[name] for name in list(arrays)[:2]}, theme=theme)
    assert [one.name for one in alone.data] == ["train"]
    long = training_curve_figure({"epoch": np.arange(5000), "train_force_rmse_eV_A": np.ones(5000)}, theme=theme)
    assert len(long.data[0].x) == MAX_EPOCHS
    assert long.data[0].x[-1] == 4999


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"epoch": np.arange(3), "train_force_rmse_eV_A": np.ones(2)},
        {"epoch": np.arange(2), "train_force_rmse_eV_A": np.array(["a", "b"])},
        {"epoch": np.ones((2, 2)), "train_force_rmse_eV_A": np.ones((2, 2))},
        {"epoch": np.arange(2), "validation_force_rmse_eV_A": np.array([NAN, NAN])},
    ],
)
def test_no_curve_is_a_sentence(arrays: dict[str, Any]) -> None:
    assert sentence(training_curve_figure(arrays, theme=LIGHT)) == "The report has no learning curve."


def test_loops_have_targets_and_the_ends_of_runs() -> None:
    loops = pd.DataFrame(
        {
            "loop": [1, 2],
            "stage": ["explore", "<b>"],
            "training": [1.0, 2.0],
            "n_train": [40.0, NAN],
            "force_mae_eV_A": [0.2, 0.1],
            "target_eV_A": [0.15, 0.15],
        }
    )
    runs = pd.DataFrame(
        {
            "loop": [1, 1, 2],
            "ended": ["survived", "exploded", "odd"],
            "survived_ps": [10.0, 1.0, NAN],
            "length_ps": [10.0, 10.0, 20.0],
            "words": ["survived", "exploded", "<i>"],
        }
    )
    figure = student_figure(loops, runs, theme=DARK)
    assert list(trace(figure, "force error").y) == [0.2, 0.1]
    assert list(trace(figure, "accepted below").y) == [0.15, 0.15]
    assert trace(figure, "training frames").type == "bar"
    assert list(trace(figure, "exploded").y) == [1.0]
    assert trace(figure, "ended otherwise").text[0] == "&lt;i&gt;"
    assert sorted(trace(figure, "asked for").y) == [10.0, 20.0]
    assert list(figure.layout.xaxis3.ticktext) == ["explore 1", "&lt;b&gt; 2"]
    nothing = student_figure(loops.head(0), runs.head(0), theme=LIGHT)
    assert sentence(nothing) == "The report of the student has no loops."


def seen(n: int = 4, spread: bool = True) -> dict[str, Any]:
    arrays = {"closest_A": np.full((n, 2), 2.0), "steps": np.arange(n) * 10}
    arrays["closest_A"][2] = [1.5, 2.4]
    if spread:
        arrays["committee_spread_eV_A"] = np.column_stack([np.linspace(0.0, 0.3, n), np.linspace(0.0, 0.9, n)])
    return arrays


def test_a_watched_run_has_bounds_and_flags() -> None:
    bounds = {"Li-O": 1.6, "O-O": 1.9}
    figure = watch_figure(seen(), ["Li-O", "O-O"], bounds, [2, 3, 99, -1], 0.25, theme=LIGHT)
    assert list(trace(figure, "Li-O").y) == [2.0, 2.0, 1.5, 2.0]
    assert list(trace(figure, "Li-O, bound").y) == [1.6, 1.6]
    assert list(trace(figure, "Li-O, flagged").x) == [20]
    assert not [one for one in figure.data if one.name == "O-O, flagged"]
    assert list(trace(figure, "spread, flagged").y) == pytest.approx([0.3])
    assert list(trace(figure, "spread, largest").y) == pytest.approx([0.0, 0.3, 0.6, 0.9])
    assert figure.layout.xaxis2.title.text == "step"
    timed = watch_figure(
        seen(spread=False) | {"times_ps": np.arange(4.0)}, ["Li-O", "O-O"], {"Li-O": 1.6}, [2], None, theme=DARK
    )
    assert timed.layout.xaxis.title.text == "time (ps)"
    assert list(trace(timed, "Li-O, flagged").x) == [2.0]
    assert not [one for one in timed.data if one.name.startswith("spread")]


def test_surroundings_have_a_panel_of_their_own_with_their_bound() -> None:
    away = {"environment": np.array([0.2, NAN, 0.9, 0.3])}
    figure = watch_figure(seen() | away, ["Li-O", "O-O"], {"Li-O": 1.2}, [2], None, theme=LIGHT, environment_bound=0.6)
    assert list(trace(figure, "surroundings, farthest atom").y) == [0.2, 0.9, 0.3]
    assert list(trace(figure, "bound of surroundings").y) == [0.6, 0.6]
    assert list(trace(figure, "surroundings, flagged").x) == [20]
    assert figure.layout.xaxis3.title.text == "step"
    assert "spread" in figure.layout.yaxis3.title.text
    alone = watch_figure(seen(spread=False) | away, ["Li-O", "O-O"], {}, [], None, theme=DARK)
    assert alone.layout.xaxis2.title.text == "step"
    wrong = watch_figure(seen() | {"environment": np.ones(3)}, ["Li-O", "O-O"], {}, [], None, theme=LIGHT)
    assert not [one for one in wrong.data if one.name.startswith("surroundings")]


@pytest.mark.parametrize("change", [{"closest_A": np.ones(4)}, {"closest_A": np.ones((4, 3))}, {"steps": np.ones(3)}])
def test_frames_that_do_not_fit_are_a_sentence(change: dict[str, Any]) -> None:
    figure = watch_figure(seen() | change, ["Li-O", "O-O"], {}, [], None, theme=LIGHT)
    assert not figure.data
    assert "this run" in sentence(figure)


def test_of_a_long_run_the_shortest_distance_is_drawn() -> None:
    values = np.full(20 * MAX_FRAMES + 7, 2.0)
    values[[5, 11_111]] = 1.0, 0.5
    rows = lowest_of_bins(values, MAX_FRAMES)
    assert len(rows) == MAX_FRAMES
    assert {5, 11_111} <= set(rows.tolist())
    assert (np.diff(rows) > 0).all()
    assert list(lowest_of_bins(values[:3], MAX_FRAMES)) == [0, 1, 2]


def test_before_and_after_stand_beside_each_other() -> None:
    rows = pd.DataFrame(
        {
            "side": ["after", "before", "labels"],
            "formula": ["Li3N", "Li3N", "<b>"],
            "target_temperature_K": [600.0] * 3,
            "verdict": ["moved", "bound", "poorly_known"],
            "value": [1e-5, NAN, 2e-5],
            "low": [0.5e-5, NAN, 1e-6],
            "high": [2e-5, NAN, 1e-4],
            "bound": [NAN, 1e-7, NAN],
        }
    )
    figure = before_after_figure(rows, theme=LIGHT)
    after, before = trace(figure, "after the training"), trace(figure, "before: the parent")
    assert list(after.y) == [1e-5]
    assert (list(after.error_y.array), list(after.error_y.arrayminus)) == ([1e-5], [0.5e-5])
    assert (list(before.y), list(before.marker.symbol)) == ([1e-7], ["arrow-down"])
    labels = trace(figure, "level of theory of the labels")
    assert list(labels.x) == ["&lt;b&gt;, 600 K"]
    assert list(labels.marker.symbol) == ["line-ew-open"]
    assert figure.layout.yaxis.type == "log"
    alone = before_after_figure(rows.head(1), theme=DARK)
    assert "on one side only" in sentence(alone)


def test_forces_by_temperature_say_what_is_missing() -> None:
    arrays = {"parity_reference_forces_eV_A": np.ones(3), "parity_forces_eV_A": np.array([1.1, 1.2, 1.0])}
    arrays["parity_elements"] = np.array([0, 0, 1])
    figure = force_parity_figure(arrays, ["600 K", "900 K"], "new", "labels", theme=LIGHT)
    assert trace(figure, "600 K, MAE 0.150 eV/Å").type == "scatter"
    assert sentence(force_parity_figure({}, [], "new", "labels", theme=LIGHT, nothing="None here.")) == "None here."
