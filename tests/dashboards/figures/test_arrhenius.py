"""The Arrhenius plot, on its data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from aiida_ion.dashboards.figures.arrhenius import ArrheniusLine, arrhenius_figure, celsius_ticks
from aiida_ion.dashboards.figures.theme import DARK, LIGHT, level_styles
from aiida_ion.units import BOLTZMANN_EV_K

LEVEL = "PBE <b>"
STYLES = level_styles([LEVEL])
ENERGY, LOG10_D0, FACTOR = 0.3, -3.0, 11.0


def diffusivity(temperature_K: float) -> float:
    return float(10 ** (LOG10_D0 - ENERGY / (BOLTZMANN_EV_K * temperature_K * np.log(10))))


def point(temperature_K: float, **change: Any) -> dict[str, Any]:
    d = diffusivity(temperature_K)
    return {
        "conductivity_uuid": "line",
        "uuid": f"point {temperature_K:g}",
        "level_of_theory": LEVEL,
        "temperature_K": temperature_K,
        "verdict": "moved",
        "grade": "A",
        "reason": None,
        "refused": None,
        "tracer_diffusivity_cm2_s": d,
        "tracer_diffusivity_ci95_low_cm2_s": d / 2,
        "tracer_diffusivity_ci95_high_cm2_s": d * 4,
        "tracer_diffusivity_upper_bound_cm2_s": None,
        "log10_conductivity_temperature_per_diffusivity": FACTOR,
    } | change


BOUND = {
    "verdict": "bound",
    "reason": "Nothing <i>moved</i>.",
    "tracer_diffusivity_cm2_s": None,
    "tracer_diffusivity_ci95_low_cm2_s": None,
    "tracer_diffusivity_ci95_high_cm2_s": None,
    "tracer_diffusivity_upper_bound_cm2_s": 1e-7,
}
POINTS = pd.DataFrame([point(600), point(800), point(1000), point(1200, refused="It melted."), point(400, **BOUND)])
RNG = np.random.default_rng(1)
LINE = ArrheniusLine(
    LEVEL, "line", ENERGY + 0.01 * RNG.normal(size=500), np.full(500, LOG10_D0), FACTOR, target_temperature_K=300.0
)


def trace(figure: Any, name: str) -> Any:
    return next(one for one in figure.data if one.name == name)


def test_points_stand_where_they_belong_with_their_nodes() -> None:
    figure = arrhenius_figure(POINTS, [LINE], STYLES, theme=LIGHT)
    points = trace(figure, "PBE &lt;b&gt;")
    np.testing.assert_allclose(points.x, 1000 / np.array([600, 800, 1000, 1200, 400]))
    expected = np.log10([diffusivity(t) for t in (600, 800, 1000, 1200)] + [1e-7]) + FACTOR
    np.testing.assert_allclose(points.y, expected)
    assert [row[0] for row in points.customdata] == [f"point {t}" for t in (600, 800, 1000, 1200, 400)]
    symbol = STYLES[LEVEL].symbol
    assert list(points.marker.symbol) == [symbol, symbol, symbol, f"{symbol}-open", "arrow-down"]
    np.testing.assert_allclose(points.error_y.array, [np.log10(4)] * 4 + [0.0])
    np.testing.assert_allclose(points.error_y.arrayminus, [np.log10(2)] * 4 + [0.0])
    assert "refused: It melted." in points.hovertext[3]
    assert "Nothing &lt;i&gt;moved&lt;/i&gt;." in points.hovertext[4]
    assert {"refused", "upper bound"} <= {one.name for one in figure.data}
    assert "σT / mS K cm" in figure.layout.yaxis.title.text


def test_the_band_is_that_of_the_draws() -> None:
    figure = arrhenius_figure(POINTS, [LINE], STYLES, theme=DARK, quantity="diffusivity")
    band = trace(figure, "PBE &lt;b&gt;, 95 % band")
    target = np.argmax(band.x[:60])
    assert band.x[target] == pytest.approx(1000 / 300)
    draws = LOG10_D0 - LINE.activation_energies_eV / (BOLTZMANN_EV_K * 300 * np.log(10))
    high, low = band.y[:60][target], band.y[60:][::-1][target]
    np.testing.assert_allclose([low, high], np.percentile(draws, [2.5, 97.5]))
    medians = [one for one in figure.data if one.name == "PBE &lt;b&gt;, median"]
    solid = next(one for one in medians if one.line.dash == "solid")
    # Solid over what was used, dotted beyond: neither the refused temperature nor the bound counts.
    assert min(solid.x) >= 1.0 - 1e-9
    assert max(solid.x) <= 1000 / 600 + 1e-9
    assert "D*" in figure.layout.yaxis.title.text


def test_an_experiment_is_a_star_and_its_bound_a_hollow_one() -> None:
    table = pd.DataFrame(
        {
            "dataset": "OBELiX",
            "entry_id": ["a", "<b>", "c"],
            "ionic_conductivity_mS_cm": [1e-2, None, 5.0],
            "ionic_conductivity_upper_bound_mS_cm": [None, 1e-7, None],
            "temperature_K": [300.0, 350.0, None],
            "conductivity_kind": ["total", "bulk", "total"],
            "uuid": ["x", "y", "z"],
        }
    )
    stars = trace(arrhenius_figure(POINTS, [LINE], STYLES, theme=LIGHT, experiments=table), "experiment")
    assert list(stars.marker.symbol) == ["star", "star-open"]
    np.testing.assert_allclose(stars.y, np.log10([1e-2 * 300, 1e-7 * 350]))
    assert [row[0] for row in stars.customdata] == ["x", "y"]  # what has no temperature is not at 300 K
    assert stars.meta["columns"] == {"is_bound": [False, True], "refused": [False, False]}
    assert "&lt;b&gt;" in stars.hovertext[1]
    as_d = arrhenius_figure(POINTS, [LINE], STYLES, theme=LIGHT, experiments=table, quantity="diffusivity")
    np.testing.assert_allclose(trace(as_d, "experiment").y, np.log10([1e-2 * 300, 1e-7 * 350]) - FACTOR)


def test_the_plain_conductivity_has_its_own_axis() -> None:
    table = pd.DataFrame(
        {
            "dataset": ["OBELiX"],
            "entry_id": ["a"],
            "ionic_conductivity_mS_cm": [1e-2],
            "ionic_conductivity_upper_bound_mS_cm": [None],
            "temperature_K": [300.0],
            "conductivity_kind": ["total"],
            "uuid": ["x"],
        }
    )
    drawn = {
        quantity: arrhenius_figure(POINTS, [LINE], STYLES, theme=LIGHT, experiments=table, quantity=quantity)
        for quantity in ("conductivity", "plain_conductivity")
    }
    for name in ("PBE &lt;b&gt;, 95 % band", "experiment"):
        times_T, plain = (trace(figure, name) for figure in drawn.values())
        np.testing.assert_allclose(plain.y, np.array(times_T.y) - np.log10(1000 / np.array(times_T.x)))
    np.testing.assert_allclose(trace(drawn["plain_conductivity"], "experiment").y, [-2.0])
    points = [next(one for one in figure.data if one.customdata is not None) for figure in drawn.values()]
    np.testing.assert_allclose(points[1].y, np.array(points[0].y) - np.log10(1000 / np.array(points[0].x)))
    assert "σ /" in drawn["plain_conductivity"].layout.yaxis.title.text


def test_degrees_celsius_stand_above_without_overlap() -> None:
    figure = arrhenius_figure(POINTS, [LINE], STYLES, theme=LIGHT)
    above = figure.layout.xaxis2
    assert above.side == "top"
    assert above.matches == "x"
    np.testing.assert_allclose(above.tickvals, [1000 / (float(text) + 273.15) for text in above.ticktext])
    low, high = figure.layout.xaxis.range
    assert low < 1000 / 1200 < 1000 / 300 < high
    places = (np.array(above.tickvals) - low) / (high - low)
    assert (np.diff(places) > 0.05).all()
    assert celsius_ticks(1.0, 1.2) == [700, 600]


def test_nothing_to_draw_is_said() -> None:
    empty = arrhenius_figure(POINTS.iloc[:0], [], STYLES, theme=LIGHT)
    assert "no temperature" in empty.layout.annotations[0].text
    neutral = POINTS.assign(log10_conductivity_temperature_per_diffusivity=None)
    figure = arrhenius_figure(neutral, [], STYLES, theme=LIGHT)
    assert "ions without charge" in figure.layout.annotations[0].text.replace("<br>", " ")
    assert len(arrhenius_figure(neutral, [], STYLES, theme=LIGHT, quantity="diffusivity").data) > 1


def test_of_what_is_poorly_known_only_the_interval_is_drawn() -> None:
    wide = {"tracer_diffusivity_ci95_low_cm2_s": diffusivity(800) / 100, "verdict": "poorly_known"}
    figure = arrhenius_figure(pd.DataFrame([point(600), point(800, **wide)]), [], STYLES, theme=LIGHT)
    drawn = next(one for one in figure.data if one.customdata is not None)
    assert list(drawn.marker.symbol) == [STYLES[LEVEL].symbol, "line-ew-open"]
    assert drawn.error_y.arrayminus[1] == pytest.approx(2.0)
    assert "poorly known" in drawn.hovertext[1] and "poorly known" not in drawn.hovertext[0]
    assert f"{diffusivity(800):.2e}" not in drawn.hovertext[1]  # the middle of such an interval is no value
    assert drawn.meta["columns"]["is_poorly_known"] == [False, True]
    assert trace(figure, "poorly known").marker.symbol == "line-ew-open"


def test_an_interval_of_many_decades_stretches_no_axis() -> None:
    wide = {"tracer_diffusivity_ci95_low_cm2_s": 1e-30, "tracer_diffusivity_ci95_high_cm2_s": 1e10}
    poor = point(800, verdict="poorly_known", **wide)
    figure = arrhenius_figure(pd.DataFrame([point(600), poor, point(1000)]), [], STYLES, theme=LIGHT)
    low, high = figure.layout.yaxis.range
    assert high - low < 5.0
    assert low < np.log10(diffusivity(600)) + FACTOR < np.log10(diffusivity(1000)) + FACTOR < high
    # Alone it is drawn whole.
    assert arrhenius_figure(pd.DataFrame([poor]), [], STYLES, theme=LIGHT).layout.yaxis.range is None


def test_the_file_says_which_points_are_bounds_and_which_were_refused() -> None:
    drawn = next(one for one in arrhenius_figure(POINTS, [LINE], STYLES, theme=LIGHT).data if one.meta is not None)
    columns = drawn.meta["columns"]
    assert columns["refused"] == [False, False, False, True, False]
    assert columns["is_bound"] == [False, False, False, False, True]


def test_members_of_an_ensemble_are_behind_their_mean() -> None:
    members = pd.DataFrame([point(800, label="o000", uuid="first"), point(800, label="o001 <i>", uuid="second")])
    figure = arrhenius_figure(POINTS, [LINE], STYLES, theme=LIGHT, members=members)
    names = [one.name for one in figure.data]
    assert names.index("members") < names.index("PBE &lt;b&gt;")
    shown = trace(figure, "members")
    np.testing.assert_allclose(shown.y, np.log10(diffusivity(800)) + FACTOR)
    assert [row[0] for row in shown.customdata] == ["first", "second"]
    assert "member o001 &lt;i&gt;" in shown.hovertext[1]
    assert "members" not in [one.name for one in arrhenius_figure(POINTS, [LINE], STYLES, theme=LIGHT).data]
