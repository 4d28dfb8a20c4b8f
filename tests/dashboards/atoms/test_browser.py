"""The cell of a run in a browser: each way to show it is drawn, in both themes and on a narrow screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains

from tests.dashboards.browser import MISSING, Browser, browse

KINDS = "return document.querySelector('#material-cell .js-plotly-plot').data.map(trace => trace.type)"
FRAMES = "return document.querySelector('#material-cell .js-plotly-plot')._transitionData._frames.length"
SEEN = """
const meshes = document.querySelector('#material-cell .js-plotly-plot')._fullData.filter(one => one.type === 'mesh3d');
return meshes.map(mesh => mesh.visible === true);
"""
CHOOSE = "window.dash_clientside.set_props(arguments[0], {value: arguments[1]})"


@pytest.mark.slow
@pytest.mark.parametrize(("size", "theme"), [((1440, 900), "light"), ((390, 844), "dark")])
def test_a_run_is_shown_in_each_way(archive_dashboard: str, tmp_path: Path, size: tuple[int, int], theme: str) -> None:
    if MISSING:
        pytest.skip(f"{MISSING}: run `make browser`")
    with browse(archive_dashboard, tmp_path) as browser:
        browser.resize(size)
        browser.open(f"/material?formula=CaF2&theme={theme}")
        browser.wait_for("#material-cell .js-plotly-plot")
        for show, holds, what in (
            ("density", lambda: "mesh3d" in browser.run(KINDS), "a surface"),
            ("over time", lambda: browser.run(FRAMES) > 1, "frames"),
        ):
            browser.run(CHOOSE, "material-show", show)
            browser.until(holds, what)
            browser.settle()
            browser.run("arguments[0].scrollIntoView({block: 'center'})", browser.find("#material-cell"))
            if show == "density":
                _slide(browser)
            browser.shot(f"material view {show} {size[0]} {theme}")
        width = browser.run("return document.documentElement.scrollWidth - window.innerWidth")
        assert width <= 0  # nothing to scroll sideways
        assert browser.complaints() == [] and browser.foreign_requests() == set()


def _slide(browser: Browser) -> None:
    """Choose the last surface with the slider: the browser has it already, and asks for nothing."""
    assert browser.run(SEEN).count(True) == 1 and not browser.run(SEEN)[-1]
    asked = "return performance.getEntriesByType('resource').length"
    before = browser.run(asked)
    rail = browser.find("#material-cell .slider-rail-touch-rect")
    end = rail.size["width"] // 2 - 3
    ActionChains(browser.driver).move_to_element_with_offset(rail, end, 0).click().perform()
    browser.until(lambda: browser.run(SEEN)[-1], "the last surface is seen")
    assert browser.run(SEEN).count(True) == 1 and browser.run(asked) == before
    assert "98 %" in browser.text("#material-cell .slider-label")
