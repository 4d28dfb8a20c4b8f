"""The page of surrogates in a real browser: a training and a clip are chosen, a point leads to its label."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium.webdriver.common.action_chains import ActionChains

from tests.dashboards.browser import MISSING, NARROW, WIDE, Browser, browse

FLOOR = "return document.querySelector('#surrogate-parity .js-plotly-plot')._fullLayout.xaxis.range[0]"


@pytest.fixture
def browser(profile_dashboard: str, tmp_path: Path) -> Iterator[Browser]:
    """Return a browser at the dashboard of a profile with two trainings."""
    if MISSING:
        pytest.skip(f"{MISSING}: run `make browser`")
    with browse(profile_dashboard, tmp_path) as made:
        yield made
        assert made.complaints() == []
        assert not made.foreign_requests()


@pytest.mark.slow
def test_training_and_clip_are_chosen_and_a_point_leads_to_its_label(browser: Browser) -> None:
    browser.open("/surrogate")
    browser.wait_for("#surrogate-parity .js-plotly-plot .scatterlayer .point")
    browser.settle()
    assert "does not beat short md slope significantly" in browser.text(".verdict")
    browser.shot("surrogate", whole=True)
    links = browser.all("#surrogate-trainings .ag-row [col-id='protocol'] a")
    assert len(links) == 2
    next(link for link in links if "uuid=" in link.get_attribute("href") and link != links[0]).click()
    browser.until(lambda: "it beats all its controls" in browser.text(".verdict"), "the other training")
    browser.until(lambda: "uuid=" in browser.address, "the training is in the address")
    browser.settle()
    before = browser.run(FLOOR)
    browser.find("#surrogate-clip input[value='1e-4']").click()
    browser.until(lambda: browser.run(FLOOR) < before, "a lower floor")
    browser.until(lambda: "o.clip=1e-4" in browser.address, "the clip is in the address")
    browser.wait_for_text("noise ceiling 0.88", "#surrogate-arms")
    address = browser.address
    browser.open("/")
    browser.open(f"{address}&theme=dark")
    browser.wait_for_text("noise ceiling 0.88", "#surrogate-arms")
    assert "it beats all its controls" in browser.text(".verdict")
    browser.settle()
    browser.shot("surrogate-dark", whole=True)
    browser.resize(NARROW)
    browser.settle()
    assert browser.run("return document.documentElement.scrollWidth") <= NARROW[0]
    browser.resize(WIDE)
    browser.settle()
    point = browser.all("#surrogate-parity .scatterlayer .point")[-1]
    browser.run("arguments[0].scrollIntoView({block: 'center'})", point)
    ActionChains(browser.driver).move_to_element(point).pause(0.4).click().perform()
    browser.heading("Provenance")
    assert len(parse_qs(urlsplit(browser.address).query)["uuid"][0]) == 36
    browser.settle()
    assert "There is no such node." not in browser.text()
