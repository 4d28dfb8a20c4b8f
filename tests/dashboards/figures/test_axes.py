"""The axes of figures are adjusted by numbers: which figures can be, and what the browser does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from selenium.webdriver.common.keys import Keys

from aiida_ion.dashboards.components import figure_card
from aiida_ion.dashboards.figures.structure.cell import crystal_figure
from aiida_ion.dashboards.figures.theme import LIGHT, empty_figure, new_figure
from tests.dashboards.browser import MISSING, Browser, browse

RANGE = """
const axis = document.querySelector('#' + arguments[0] + ' .js-plotly-plot')._fullLayout[arguments[1]];
return [axis.type, axis.range[0], axis.range[1]];
"""


@pytest.mark.parametrize(
    ("figure", "has_axes"),
    [
        (new_figure(LIGHT, "x", "y").add_scatter(x=[1], y=[2]), True),
        (empty_figure(LIGHT, "nothing"), True),  # a choice may fill it
        (go.Figure().add_scatter(x=[1], y=[2]).update_xaxes(visible=False), False),
        (go.Figure().add_scatter3d(x=[1], y=[2], z=[3]), False),
    ],
)
def test_figures_with_axes_have_the_button(figure: go.Figure, has_axes: bool) -> None:
    card = str(figure_card("some-figure", "Some figure", figure))
    assert ("data-axes" in card) == has_axes == ("some-figure-axes" in card)
    assert "data-axes" not in str(figure_card("c", "Cell", crystal_figure(*_crystal(), theme=LIGHT)))


def _crystal() -> tuple[Any, ...]:
    import numpy as np

    return np.eye(3) * 4.0, np.zeros((1, 3)), ["Li"]


def fields(browser: Browser) -> list[Any]:
    return browser.all("#compare-parity-axes input[type=text]")


def typed(browser: Browser, field: Any, text: str) -> None:
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(text or Keys.DELETE, Keys.TAB)


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=f"{MISSING}: run `make browser`")
def test_ranges_and_scales_are_set_by_numbers(profile_dashboard: str, tmp_path: Path) -> None:
    with browse(profile_dashboard, tmp_path) as browser:
        browser.open("/materials")
        browser.wait_for("#materials-figure .scatterlayer .point")
        browser.settle()
        first = browser.run(RANGE, "materials-figure", "xaxis")
        assert first[0] == "linear"
        browser.find("button[data-axes=materials-figure]").click()
        panel = browser.wait_for("#materials-figure-axes")
        low, high = panel.find_elements("css selector", "input[type=text]")[:2]
        assert low.accessible_name.endswith("from") and float(low.get_attribute("value") or "nan") == pytest.approx(
            first[1], rel=1e-3, abs=1e-3
        )
        typed(browser, low, "0.1")
        typed(browser, high, "0,8")
        browser.until(
            lambda: browser.run(RANGE, "materials-figure", "xaxis") == ["linear", 0.1, 0.8], "the range is typed"
        )
        typed(browser, low, "2")
        browser.until(lambda: "below" in panel.text, "what is wrong is said")
        assert browser.run(RANGE, "materials-figure", "xaxis") == ["linear", 0.1, 0.8]
        # The vertical axis is logarithmic: what is typed is the value, not its logarithm.
        y_low, y_high = panel.find_elements("css selector", "input[type=text]")[2:4]
        typed(browser, y_low, "1e-3")
        typed(browser, y_high, "100")
        browser.until(
            lambda: browser.run(RANGE, "materials-figure", "yaxis") == ["log", -3, 2], "decades from the values"
        )
        panel.find_elements("css selector", "input[type=checkbox]")[1].click()
        browser.until(lambda: browser.run(RANGE, "materials-figure", "yaxis")[0] == "linear", "a linear axis")
        panel.find_element("css selector", "button").click()
        browser.until(lambda: browser.run(RANGE, "materials-figure", "xaxis")[1:] != [0.1, 0.8], "all points again")
        browser.shot("axes")
        browser.find("button[data-axes=materials-figure]").click()
        assert not panel.is_displayed()
        # Parity has one scale for both axes, so that neither can be logarithmic alone.
        browser.open("/compare")
        browser.wait_for("#compare-parity .scatterlayer .point")
        browser.settle()
        browser.find("button[data-axes=compare-parity]").click()
        browser.wait_for("#compare-parity-axes input")
        assert not any(box.is_enabled() for box in browser.all("#compare-parity-axes input[type=checkbox]"))
        typed(browser, fields(browser)[0], "0.01")
        browser.until(
            lambda: abs(browser.run(RANGE, "compare-parity", "xaxis")[1] + 2.0) < 1e-6, "the parity plot begins there"
        )
        assert browser.complaints() == []
