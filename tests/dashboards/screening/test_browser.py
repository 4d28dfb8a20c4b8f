"""The page of screenings in a real browser: a stage is chosen, decisions are filtered, a point leads to its crystal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium.webdriver.common.action_chains import ActionChains

from tests.dashboards.browser import MISSING, NARROW, WIDE, Browser, browse


@pytest.fixture
def browser(profile_dashboard: str, tmp_path: Path) -> Iterator[Browser]:
    """Return a browser at the dashboard of a profile with a screening that has ended and one that is running."""
    if MISSING:
        pytest.skip(f"{MISSING}: run `make browser`")
    with browse(profile_dashboard, tmp_path) as made:
        yield made
        assert made.complaints() == []
        assert not made.foreign_requests()


@pytest.mark.slow
def test_a_stage_is_chosen_and_a_point_leads_to_its_crystal(browser: Browser) -> None:
    browser.open("/screening")
    browser.wait_for("#screening-funnel .js-plotly-plot .barlayer .point")
    browser.wait_for_text("Running now")
    browser.settle()
    browser.shot("screening-running", whole=True)
    ended = [link for link in browser.all("#screening-list .ag-row") if "finished" in link.text]
    ended[0].find_element("css selector", "[col-id='screening'] a").click()
    browser.until(lambda: "uuid=" in browser.address, "the screening is in the address")
    scored = "(forest of compositions)"  # forests are trained while the page is shown already
    browser.until(lambda: scored in browser.text("#screening-scores"), "the scores", patience_s=120.0)
    browser.wait_for("#screening-decisions .ag-row")
    browser.settle()
    browser.shot("screening", whole=True)
    before = browser.text("#screening-ranked .note")
    browser.find("#screening-stage input[value='bvse']").click()
    browser.until(lambda: "o.stage=bvse" in browser.address, "the stage is in the address")
    browser.until(lambda: browser.text("#screening-ranked .note") != before, "another ranking")
    address = browser.address
    browser.open(f"{address}&f.verdict=equals~~error&theme=dark")
    browser.wait_for("#screening-decisions .ag-row")
    browser.until(
        lambda: {cell.text for cell in browser.all("#screening-decisions .ag-row [col-id='verdict']")} == {"error"},
        "only what could not be judged",
    )
    assert browser.find("#screening-stage input[value='bvse']").is_selected()
    browser.settle()
    browser.shot("screening-dark", whole=True)
    browser.resize(NARROW)
    browser.settle()
    assert browser.run("return document.documentElement.scrollWidth") <= NARROW[0]
    browser.resize(WIDE)
    browser.settle()
    point = browser.all("#screening-ranking .scatterlayer .point")[0]
    browser.run("arguments[0].scrollIntoView({block: 'center'})", point)
    ActionChains(browser.driver).move_to_element(point).pause(0.4).click().perform()
    browser.heading("Provenance")
    assert len(parse_qs(urlsplit(browser.address).query)["uuid"][0]) == 36
    browser.settle()
    assert "There is no such node." not in browser.text()
