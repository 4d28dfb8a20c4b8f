"""The compare page in a real browser: choices go into the address, and a point leads to where it comes from."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from selenium.webdriver.common.keys import Keys

from tests.dashboards.browser import Browser

POINTS = "#compare-parity .scatterlayer .points path"
CLICK = """
const plot = document.querySelector('#compare-parity .js-plotly-plot');
const curve = plot._fullData.findIndex((one) => one.customdata && one.customdata.length);
const trace = plot._fullData[curve];
plot.emit('plotly_click', {points: [{curveNumber: curve, pointNumber: 0, x: trace.x[0], y: trace.y[0],
  data: plot.data[curve], fullData: trace, customdata: trace.customdata[0]}]});
return trace.customdata[0];
"""


def choose(browser: Browser, name: str, label: str) -> None:
    """Choose from a list as the keyboard does."""
    browser.find(f"#{name}").click()
    browser.wait_for(".dash-dropdown-options")
    next(one for one in browser.all(".dash-dropdown-option") if one.text.startswith(label)).click()
    browser.press(Keys.ESCAPE)


@pytest.mark.slow
def test_choices_are_in_the_address_and_a_point_leads_to_its_nodes(browser: Browser) -> None:
    browser.open("/compare")
    browser.settle()
    assert browser.all(POINTS)
    assert browser.address == "/compare"
    choose(browser, "compare-quantity", "D*")
    browser.wait_for_text("D* against")
    browser.until(lambda: "o.quantity=diffusivity" in browser.address, "the quantity is in the address")
    browser.settle()
    uuids = browser.run(CLICK)
    browser.wait_for_text("Chosen point")
    browser.until(lambda: uuids[0] in browser.address, "the point is in the address")
    assert {link.get_attribute("href").rpartition("=")[2] for link in browser.all("#compare-chosen .uuid a")} == set(
        uuids
    )
    browser.shot("compare-chosen", whole=True)
    address = browser.address
    browser.open("/")
    browser.open(address)
    browser.wait_for_text("Chosen point")
    browser.wait_for_text("D* against")
    next(iter(browser.all("#compare-chosen .uuid a"))).click()
    browser.until(lambda: browser.address.startswith("/provenance"), "the provenance")
    assert parse_qs(urlsplit(browser.address).query)["uuid"][0] in uuids
