"""The pages of a material and of a node in a real browser: what is chosen, followed, copied and downloaded."""

from __future__ import annotations

import zipfile
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium.webdriver.common.action_chains import ActionChains

from tests.dashboards.browser import Browser

FORMULA = {"archive": "CaF2", "profile": "Li2O"}


@pytest.fixture
def formula(request: pytest.FixtureRequest) -> str:
    return FORMULA[request.node.callspec.params["dashboard"]]


def figure(name: str) -> str:
    return f"document.querySelector('#{name} .js-plotly-plot')"


def title_of_axis(browser: Browser) -> str:
    return str(browser.run(f"return {figure('material-arrhenius')}.layout.yaxis.title.text"))


def open_material(browser: Browser, formula: str, more: str = "") -> None:
    """Open the page of a material; of several crystals with its formula the first one."""
    browser.open(f"/material?formula={formula}{more}")
    drawn, crystals = "#material-arrhenius .js-plotly-plot", "main a[href*='crystal=']"
    browser.until(lambda: browser.all(drawn) or browser.all(crystals), "a figure, or crystals to choose from")
    browser.settle()
    if not browser.all(drawn):
        browser.retried(lambda: browser.all(crystals)[0].click())
    browser.wait_for(drawn)


@pytest.mark.slow
def test_a_material_in_both_themes(browser: Browser, formula: str) -> None:
    for theme in ("light", "dark"):
        open_material(browser, formula, f"&theme={theme}")
        browser.wait_for("#material-cell .js-plotly-plot")
        browser.settle()
        for name in ("material-arrhenius", "material-msd", "material-rdf"):
            assert browser.all(f"#{name} .js-plotly-plot"), name
        assert browser.run(f"return {figure('material-cell')}.querySelector('canvas') !== null")
        browser.shot(f"material-{formula}-{theme}", whole=True)
        browser.resize((480, 900))
        browser.settle()
        assert browser.run("return document.documentElement.scrollWidth") <= 480
        browser.resize((1400, 900))


def test_what_is_chosen_is_in_the_address(browser: Browser, formula: str) -> None:
    open_material(browser, formula)
    browser.settle()
    assert "σT" in title_of_axis(browser)
    browser.wait_for("#material-quantity input[value=diffusivity]").click()
    browser.until(lambda: "D*" in title_of_axis(browser), "the other quantity")
    browser.wait_for("#material-scale input[value=linear]").click()
    browser.until(lambda: "o.msd=linear" in browser.address and "y=diffusivity" in browser.address, "the address")
    address = browser.address
    assert "uuid=" in address
    assert "theme" not in address
    browser.open("/")
    browser.open(f"{address}&theme=dark")
    browser.wait_for("#material-arrhenius .js-plotly-plot")
    browser.until(lambda: "D*" in title_of_axis(browser), "the same quantity by the link")
    linear = f"return {figure('material-msd')}._fullLayout.xaxis.type"
    browser.until(lambda: browser.run(linear) == "linear", "the same axes by the link")
    browser.find("#material-scale input[value=logarithmic]").click()
    browser.until(lambda: "o.msd" not in browser.address, "the address")
    assert browser.address.endswith("&theme=dark")


def test_a_point_leads_to_its_provenance_and_its_files(browser: Browser, formula: str) -> None:
    open_material(browser, formula)
    browser.wait_for("#material-arrhenius .js-plotly-plot .scatterlayer .point")
    browser.settle()
    uuids = f"return {figure('material-arrhenius')}._fullData.flatMap(t => (t.customdata || []).map(c => c[0]))"
    known = set(browser.run(uuids))
    point = browser.all("#material-arrhenius .scatterlayer .point")[0]  # the last ones may be experiments
    browser.run("arguments[0].scrollIntoView({block: 'center'})", point)
    ActionChains(browser.driver).move_to_element(point).pause(0.4).click().perform()
    browser.heading("Provenance")
    uuid = parse_qs(urlsplit(browser.address).query)["uuid"][0]
    assert uuid in known
    browser.wait_for("#provenance-graph .js-plotly-plot .scatterlayer .point")
    browser.settle()
    browser.shot(f"provenance-{formula}", whole=True)
    drawn = f"return {figure('provenance-graph')}._fullData.reduce((n, t) => n + (t.customdata || []).length, 0)"
    before = browser.run(drawn)
    browser.find("#provenance-shown input[value=everything]").click()
    browser.until(lambda: browser.run(drawn) > before, "everything is drawn")
    browser.until(lambda: "o.nodes=everything" in browser.address, "the choice is in the address")
    button = next(link for link in browser.all("a.button") if "zip" in link.text)
    browser.run("arguments[0].click()", button)
    path = browser.downloaded(f"{uuid[:8]}-outputs.zip")
    assert "node/attributes.json" in zipfile.ZipFile(path).namelist()
    browser.driver.back()
    browser.heading(browser.retried(lambda: browser.text("h1")))


def test_labels_of_nodes_run_nothing(browser: Browser) -> None:
    browser.open("/material?formula=%3Cimg%20src%3Dx%20onerror%3D%22document.title%3D1%22%3E")
    browser.wait_for_text("No results of <img src=x onerror=")
    browser.open("/provenance?uuid=%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    browser.wait_for_text("There is no such node.")
    assert "<script>alert(1)</script>" in browser.text()
