"""The figures of a surrogate: their data, not their looks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aiida_ion.dashboards.figures.arms import LOWEST, arms_figure
from aiida_ion.dashboards.figures.learning_curves import MAX_EPOCHS, learning_figure, mean
from aiida_ion.dashboards.figures.residuals import residual_figure, residuals
from aiida_ion.dashboards.figures.surrogate_parity import MAX_SYSTEMS, OTHERS, named_systems, parity_figure
from aiida_ion.dashboards.figures.theme import DARK, LIGHT, Theme

NAN = float("nan")


def rows(n: int = 3, **said: object) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "formula": [f"Li{i + 2}O" for i in range(n)],
            "chemical_system": ["Li-O"] * n,
            "level_of_theory": ["PBE"] * n,
            "diffusion_uuid": [str(i) * 36 for i in range(n)],
            "true": [-1.0, -3.0, 0.0][:n] + [0.0] * (n - 3),
            "predicted": [-0.5, -1.5, 0.2][:n] + [0.1] * (n - 3),
            "low": [-1.5, -2.5, -0.8][:n] + [-1.0] * (n - 3),
            "high": [0.5, -0.5, 1.2][:n] + [1.0] * (n - 3),
            "censored": [False, True, False][:n] + [False] * (n - 3),
        }
    )
    return table.assign(**said)


def trace(figure, name):
    (result,) = (one for one in figure.data if one.name == name)
    return result


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_parity_has_intervals_arrows_a_floor_and_ways_to_the_labels(theme: Theme) -> None:
    figure = parity_figure(rows(), -2.0, theme=theme)
    points = trace(figure, "Li-O")
    assert list(points.x) == [-1.0, -2.0, 0.0]
    assert list(points.y) == [-0.5, -1.5, 0.2]
    assert list(points.error_y.array) == pytest.approx([1.0, 1.0, 1.0])
    # Nothing is told apart below the floor.
    assert list(points.error_y.arrayminus) == pytest.approx([1.0, 0.5, 1.0])
    assert points.marker.symbol[1] == "arrow-left-open"
    assert points.marker.symbol[0] == points.marker.symbol[2] != "arrow-left-open"
    assert [row[0] for row in points.customdata] == ["0" * 36, "1" * 36, "2" * 36]
    assert "&lt; -3.00" in points.text[1]
    assert figure.layout.xaxis.range == figure.layout.yaxis.range
    assert list(trace(parity_figure(rows(), -4.0, theme=theme), "Li-O").x) == [-1.0, -3.0, 0.0]


def test_of_many_systems_the_most_frequent_have_a_colour() -> None:
    n = 2 * MAX_SYSTEMS
    table = rows(n, chemical_system=[f"Li-{i if i < MAX_SYSTEMS + 3 else 0}" for i in range(n)])
    named = named_systems(table["chemical_system"])
    assert set(named) - {OTHERS} < set(table["chemical_system"])
    assert named.nunique() == MAX_SYSTEMS + 1
    figure = parity_figure(table, -2.0, theme=LIGHT)
    looks = {(one.marker.color, one.marker.symbol[-1]) for one in figure.data if one.customdata is not None}
    assert len(looks) == MAX_SYSTEMS + 1
    assert sum(len(one.x) for one in figure.data if one.customdata is not None) == n


def test_residuals_are_by_system_and_the_worst_is_at_the_top() -> None:
    table = rows(12, chemical_system=["Na-S", "Li-O", "Na-S"] + ["Li-O"] * 9)
    assert list(residuals(table, -2.0)[:3]) == pytest.approx([0.5, 0.5, 0.2])
    figure = residual_figure(table, -2.0, 1.1, theme=LIGHT)
    kinds = [(one.type, one.name) for one in figure.data]
    assert kinds == [("box", "Li-O"), ("scatter", "Li-O"), ("scatter", "Na-S")]
    assert len(figure.data[0].x) == 9  # a bound is in no box
    assert figure.data[1].marker.symbol[0] == "arrow-right-open"
    assert list(figure.layout.yaxis.categoryarray) == ["Li-O", "Na-S"]


def test_arms_keep_their_order_and_stand_beside_the_noise_ceiling() -> None:
    arms = pd.DataFrame(
        {
            "name": ["model", "random vectors", "mean", "lost"],
            "kind": ["model", "control", "baseline", "control"],
            "r2": [0.6, 0.2, -40.0, NAN],
            "r2_std": [0.05, NAN, NAN, NAN],
        }
    )
    figure = arms_figure(arms, 0.9, theme=LIGHT)
    bars = {one.y[0]: one for one in figure.data}
    assert set(bars) == {"model", "random vectors", "mean"}
    assert (bars["model"].error_x.array[0], bars["random vectors"].error_x.array[0]) == (0.05, 0.0)
    assert (bars["mean"].x[0], bars["mean"].text[0]) == (LOWEST, "-40.00")
    assert list(figure.layout.yaxis.categoryarray) == ["mean", "random vectors", "model"]
    assert figure.layout.annotations[0].text == "noise ceiling 0.90"
    assert 0.9 in [shape.x0 for shape in figure.layout.shapes]


def test_learning_curves_have_a_line_for_each_training_and_their_mean() -> None:
    epochs = np.arange(1.0, 5.0)
    loss = np.array([[4.0, 3.0, 2.0, NAN], [2.0, 1.0, NAN, NAN]])
    figure = learning_figure(epochs, loss, loss + 1.0, 1.0 - loss, theme=DARK)
    assert [one.name for one in figure.data[:3]] == ["train, fold 1", "train, fold 2", "train"]
    assert list(figure.data[2].y[:3]) == [3.0, 2.0, 2.0]
    assert np.isnan(figure.data[2].y[3])
    assert figure.data[0].line.width < figure.data[2].line.width
    assert figure.layout.yaxis.type == "log"
    assert figure.layout.yaxis2.range[0] == -1.0
    assert list(mean(loss)[:3]) == [3.0, 2.0, 2.0]
    many = np.ones((2, 10 * MAX_EPOCHS))
    assert len(learning_figure(np.arange(many.shape[1]), many, many, many, theme=DARK).data[0].x) == MAX_EPOCHS


def test_what_is_missing_is_said() -> None:
    nothing = np.empty(0)
    assert (
        "no learning curves"
        in learning_figure(nothing, nothing, nothing, nothing, theme=LIGHT).layout.annotations[0].text
    )
    assert "no predictions" in parity_figure(rows(3, predicted=NAN), -2.0, theme=LIGHT).layout.annotations[0].text
    assert "no predictions" in residual_figure(rows(3, true=NAN), -2.0, None, theme=LIGHT).layout.annotations[0].text
    arms = pd.DataFrame({"name": ["x"], "kind": ["model"], "r2": [NAN], "r2_std": [NAN]})
    assert "no arms" in arms_figure(arms, None, theme=LIGHT).layout.annotations[0].text
