"""A person at the dashboard: every page in a real browser, against an archive and against a profile."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from aiida_ion.dashboards.figures.theme import DARK, LIGHT, formula_label
from aiida_ion.dashboards.pages import PAGES
from aiida_ion.dashboards.pages.materials_choices import PLAIN_DIGITS
from tests.dashboards.browser import NARROW, WIDE, Browser
from tests.dashboards.test_compare_browser import CLICK

Named = Callable[[str], str]


@pytest.fixture
def named(request: pytest.FixtureRequest) -> Named:
    """Return a factory: the name of a screenshot that says which dashboard it is of."""
    return lambda name: f"{request.node.callspec.params['dashboard']}-{name}"


def n_rows(browser: Browser) -> int:
    """Return the number that the materials page says it shows."""
    return int(browser.text("#materials-count").split()[0].replace(",", ""))


def names_shown(browser: Browser) -> list[str]:
    """Return the formulas in the table, with the digits that are shown as subscripts."""
    return [plain(cell.text) for cell in browser.all("#materials-grid .ag-row [col-id='formula'] a")]


def plain(formula: str) -> str:
    return formula.translate(PLAIN_DIGITS)


def type_elements(browser: Browser, text: str) -> None:
    field = browser.wait_for("#materials-elements")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(text or Keys.DELETE)


@pytest.mark.parametrize("dashboard", ["profile", pytest.param("archive", marks=pytest.mark.slow)], indirect=True)
def test_every_page_is_reached_by_links(browser: Browser, named: Named) -> None:
    browser.open("/")
    for one in PAGES:
        next(link for link in browser.all("nav a") if link.text == one.TITLE).click()
        browser.until(lambda path=one.PATH: browser.address.split("?")[0] == path, f"address {one.PATH}")
        browser.until(lambda title=one.TITLE: browser.driver.title == f"{title} · aiida-ion", f"title {one.TITLE}")
        browser.settle()
        assert "cannot be shown" not in browser.text()
        assert browser.text("nav .here") == one.TITLE
        assert browser.text("#theme-switch").startswith("Switch to")
        assert len(browser.all("h1")) == 1
        browser.shot(named(one.TITLE), whole=True)
    assert browser.run("return performance.getEntriesByType('navigation').length") == 1, (
        "the whole page was loaded again"
    )


@pytest.mark.slow
def test_light_and_dark(browser: Browser, named: Named) -> None:
    browser.open("/materials?theme=light")

    def background() -> str:
        return browser.run("return getComputedStyle(document.body).backgroundColor")

    assert background() == rgb(LIGHT.background)
    switch = browser.find("#theme-switch")
    browser.until(lambda: switch.text == "Switch to dark theme", "the button says what it does")
    switch.click()
    browser.until(lambda: background() == rgb(DARK.background), "dark")
    assert switch.text == "Switch to light theme"
    paper = "return document.querySelector('#materials-figure .js-plotly-plot')?._fullLayout.paper_bgcolor"
    browser.until(lambda: browser.run(paper) == DARK.card, "the figure is dark too")
    browser.settle()
    browser.shot(named("materials-dark"))
    # It stays, and nothing of the other theme is painted on the way.
    script = "window.seen = []; new MutationObserver(() => document.body && window.seen.push("
    script += "getComputedStyle(document.body).backgroundColor)).observe(document, {childList: true, subtree: true})"
    added = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    browser.open("/")
    styled = [color for color in browser.run("return window.seen") if color != "rgba(0, 0, 0, 0)"]
    assert set(styled) == {rgb(DARK.background)}
    browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    for one in PAGES:
        browser.open(one.PATH)
        browser.settle()
        browser.shot(named(f"{one.TITLE}-dark"))


def rgb(color: str) -> str:
    return f"rgb({', '.join(str(int(color[i : i + 2], 16)) for i in (1, 3, 5))})"


def test_filters_are_in_the_address(browser: Browser) -> None:
    browser.open("/materials")
    browser.settle()
    total = n_rows(browser)
    element = "N" if any("N" in name for name in names_shown(browser)) else "O"
    type_elements(browser, element)
    browser.until(lambda: f"elements={element}" in browser.address, "the element is in the address")
    browser.until(lambda: n_rows(browser) < total or total == 1, "fewer rows")
    browser.settle()
    left, shown, address = n_rows(browser), names_shown(browser), browser.address
    assert shown
    assert all(element in name for name in shown)
    # Whoever is sent the link sees the same.
    browser.open("/")
    browser.open(address)
    browser.until(lambda: names_shown(browser) == shown, "the same rows")
    assert n_rows(browser) == left
    assert browser.find("#materials-elements").get_attribute("value") == element
    type_elements(browser, "")
    browser.until(lambda: n_rows(browser) == total, "all rows again")
    browser.until(lambda: browser.address == "/materials", "nothing in the address")


def test_group_dates_and_temperatures_filter_rows_and_figure(browser: Browser, named: Named) -> None:
    browser.open("/materials")
    browser.settle()
    total = n_rows(browser)
    browser.find("#materials-group").click()
    browser.wait_for(".dash-dropdown-option").click()
    browser.press(Keys.ESCAPE)
    browser.until(lambda: "group=campaign" in browser.address, "the group is in the address")
    browser.settle()
    assert n_rows(browser) <= total
    browser.find("#materials-coldest").send_keys("1e4")
    browser.until(lambda: "temperature_K=10000.0~100000.0" in browser.address.replace("%7E", "~"), "the temperature")
    browser.until(lambda: n_rows(browser) == 0, "nothing ran so hot")
    browser.find("#materials-coldest").send_keys(Keys.CONTROL, "a")
    browser.find("#materials-coldest").send_keys(Keys.DELETE)
    browser.until(lambda: n_rows(browser) > 0, "rows again")
    browser.find("#materials-since").send_keys("2100-01-01")
    browser.until(lambda: "since=2100-01-01" in browser.address, "the date is in the address")
    browser.until(lambda: n_rows(browser) == 0, "nothing is so new")
    browser.settle()
    assert browser.run("return document.querySelector('#materials-figure .js-plotly-plot')._fullData.length") == 0
    address = browser.address
    browser.open("/")
    browser.open(address)
    browser.until(lambda: n_rows(browser) == 0, "the link shows the same")
    assert browser.find("#materials-since").get_attribute("value") == "2100-01-01"
    browser.shot(named("materials-filtered"))


def test_filters_order_and_columns_come_from_the_address(browser: Browser) -> None:
    browser.open("/materials?f.formula=contains~~Li&sort=formula~desc&hidden=time&hidden=n_runs")
    browser.settle()
    browser.until(lambda: names_shown(browser), "rows")
    shown = names_shown(browser)
    assert all("Li" in name for name in shown)
    assert shown == sorted(shown, reverse=True)
    assert not browser.all("#materials-grid [col-id='time']")
    assert "f.formula=contains" in browser.address
    # Back and forward walk through pages, not through every letter of a filter.
    next(link for link in browser.all("nav a") if link.text == "Overview").click()
    browser.heading("Overview")
    browser.driver.back()
    browser.heading("Materials")
    browser.until(lambda: names_shown(browser) == shown, "the same rows after going back")


def test_columns_are_chosen(browser: Browser) -> None:
    browser.open("/materials")
    browser.settle()
    assert not browser.all("#materials-grid .ag-header-cell[col-id='mobile_species']")
    browser.find("details.menu summary").click()
    box = next(label for label in browser.all("details.menu label") if label.text == "mobile species")
    box.click()
    browser.until(lambda: "hidden=" in browser.address, "the choice is in the address")
    assert "mobile_species" not in browser.address
    address = browser.address
    browser.open("/")
    browser.open(address)
    browser.settle()
    browser.find("details.menu summary").click()
    checked = [
        one.text for one in browser.all("details.menu label") if one.find_element("css selector", "input").is_selected()
    ]
    assert "mobile species" in checked


@pytest.mark.parametrize("dashboard", ["profile"], indirect=True)  # the archive has no value to draw
def test_figure_and_table_filter_each_other(browser: Browser) -> None:
    browser.open("/materials")
    browser.settle()
    total = n_rows(browser)
    point = browser.wait_for("#materials-figure .scatterlayer .point")
    ActionChains(browser.driver).move_to_element(point).pause(0.3).click().perform()
    browser.until(lambda: "selected=" in browser.address, "the picked material is in the address")
    browser.until(lambda: len(names_shown(browser)) == 1, "one row is left")
    assert n_rows(browser) == 1 <= total
    picked = names_shown(browser)[0]
    assert "selected=" in browser.address
    browser.open(browser.address)
    browser.until(lambda: names_shown(browser) == [picked], "the link shows the same")
    browser.find("#materials-clear").click()
    browser.until(lambda: n_rows(browser) == total, "all rows again")
    # A row that is chosen stands out in the figure.
    browser.settle()
    browser.wait_for("#materials-grid .ag-row .ag-checkbox-input").click()
    faint = "return document.querySelector('#materials-figure .js-plotly-plot')._fullData.some("
    faint += "t => Array.from(t.marker.color).some(c => c.startsWith('rgba')))"
    if total > 1:
        browser.until(lambda: browser.run(faint), "the others fade")


def test_downloads(browser: Browser) -> None:
    browser.open("/materials?f.formula=contains~~Li")
    browser.settle()
    rows = n_rows(browser)
    browser.find("#materials-csv").click()
    with browser.downloaded("materials.csv").open(newline="") as handle:
        written = list(csv.DictReader(handle))
    assert len(written) == rows > 0
    assert all("Li" in row["formula"] for row in written)
    assert {"ionic_conductivity_mS_cm", "ionic_conductivity_upper_bound_mS_cm", "verdict", "level_of_theory"} <= {
        *written[0]
    }
    for kind in ("svg", "png", "csv"):
        browser.find(f"button[data-download={kind}][data-target=materials-figure]").click()
        path = browser.downloaded(f"materials-figure.{kind}")
    content = path.read_text().splitlines()
    drawn = "return document.querySelector('#materials-figure .js-plotly-plot')._fullData.map(trace => trace.x.length)"
    n_drawn = sum(browser.run(drawn))
    assert len(content) - 1 == n_drawn
    # Where nothing was measured the figure is empty and has no axes to name.
    assert content[0].startswith("series,activation energy (eV)," if n_drawn else "series,")
    ends = "x 95 % low,x 95 % high,y 95 % low,y 95 % high,is_bound,refused"
    assert ends in content[0]
    points = list(csv.DictReader(content))
    assert all(row["is_bound"] in ("true", "false") for row in points)
    values = [row for row in points if row["is_bound"] == "false"]
    assert all(row["y 95 % low"] and not row["y 95 % low"].startswith("-") for row in values)
    assert not any(row["y 95 % low"] for row in points if row["is_bound"] == "true")
    assert b"<svg" in browser.downloaded("materials-figure.svg").read_bytes()[:300]
    assert browser.downloaded("materials-figure.png").read_bytes().startswith(b"\x89PNG")


def test_a_row_leads_to_its_material_and_its_provenance(browser: Browser, named: Named) -> None:
    browser.open("/materials")
    browser.settle()
    link = browser.wait_for("#materials-grid .ag-row [col-id='formula'] a")
    formula = plain(link.text)
    assert link.text == formula_label(formula)
    link.click()
    browser.until(lambda: browser.address.startswith("/material?"), "the page of the material")
    browser.until(lambda: browser.driver.title == "Material · aiida-ion", "the title of the material")
    browser.settle()
    assert f"formula={formula}" in browser.address
    browser.shot(named("material-of-a-row"), whole=True)
    browser.wait_for("a[href^='/provenance?uuid=']").click()
    browser.until(lambda: browser.address.startswith("/provenance?"), "its provenance")
    browser.heading("Provenance")
    browser.settle()
    assert "cannot be shown" not in browser.text()
    browser.shot(named("provenance-of-a-row"), whole=True)


@pytest.mark.slow
def test_a_row_shows_its_plot_and_a_formula_is_searched(browser: Browser, named: Named) -> None:
    browser.open("/materials")
    browser.settle()
    total = n_rows(browser)
    wide = "const grid = document.querySelector('#materials-grid .ag-center-cols-viewport'); "
    wide += "return grid.scrollWidth - grid.clientWidth"
    assert browser.run(wide) <= 1  # nothing scrolls sideways
    assert "No material is chosen" in browser.text("#materials-plot")
    cell = browser.wait_for("#materials-grid .ag-center-cols-container .ag-row [col-id='grade']")
    row = int(cell.find_element("xpath", "..").get_attribute("row-index") or 0)
    browser.run("arguments[0].click()", cell)
    browser.wait_for("#materials-arrhenius .js-plotly-plot")
    browser.until(lambda: "o.plot=" in browser.address, "the plot is in the address")
    browser.settle()
    assert formula_label(names_shown(browser)[row]) in browser.text("#materials-plot h2")
    browser.shot(named("materials-with-a-plot"), whole=True)
    browser.open(browser.address)
    browser.wait_for("#materials-arrhenius .js-plotly-plot")
    name = names_shown(browser)[0]
    browser.find("#materials-search").send_keys(name.lower())
    browser.until(lambda: "o.search=" in browser.address, "the search is in the address")
    browser.until(lambda: 0 < n_rows(browser) <= total and set(names_shown(browser)) == {name}, "only that formula")


@pytest.mark.slow
def test_the_tour_is_shown_once(browser: Browser, named: Named) -> None:
    browser.open("/?unseen#unseen")
    browser.run("localStorage.removeItem('aiida-ion-tour'); location.reload()")
    browser.wait_for("#tour")
    assert browser.find("#tour").accessible_name == "Pages"
    browser.shot(named("tour"))
    browser.find("#tour [data-tour=next]").click()
    browser.until(lambda: "2 of" in browser.text("#tour"), "the second stop")
    assert browser.all(".tour-target")
    browser.press(Keys.ESCAPE)
    browser.until(lambda: not browser.all("#tour, .tour-target"), "it is gone")
    assert browser.run("return localStorage.getItem('aiida-ion-tour')") == "seen"
    browser.open("/materials")
    browser.settle()
    assert not browser.all("#tour")
    browser.find("#tour-start").click()
    assert browser.focused().text == "Pages"
    while browser.text("#tour [data-tour=next]") != "Done":
        browser.find("#tour [data-tour=next]").click()
    browser.find("#tour [data-tour=next]").click()
    assert not browser.all("#tour")
    assert browser.focused().get_attribute("id") == "tour-start"


def nameless(browser: Browser) -> list[str]:
    """Return the HTML of whatever can be used or looked at and has no name for a screen reader, outside grids."""
    elements = browser.all(
        "main button, main input, main select, main summary, main a[href], main [role=figure], main table"
    )
    inside = "return !!arguments[0].closest('.ag-root-wrapper')"
    shown = [element for element in elements if element.is_displayed() and not browser.run(inside, element)]
    return [element.get_attribute("outerHTML") or "" for element in shown if not element.accessible_name]


@pytest.mark.slow
def test_by_keyboard_and_to_a_screen_reader(browser: Browser) -> None:
    browser.open("/materials")
    browser.settle()
    assert browser.find("html").get_attribute("lang") == "en"
    order = browser.tab_order(4 + len(PAGES))
    assert order == [
        "Skip to content",
        "aiidaion",
        *(one.TITLE for one in PAGES),
        "Show the tour",
        browser.find("#theme-switch").accessible_name,
    ]
    browser.open("/materials")
    browser.press(Keys.TAB, Keys.ENTER)
    browser.until(lambda: browser.focused().get_attribute("id") == "content", "the content has the focus")
    assert browser.tab_order(1) == ["formula or space group"]
    for one in PAGES:
        browser.open(one.PATH)
        browser.settle()
        assert browser.retried(lambda: nameless(browser)) == []
        levels = [int(heading.tag_name[1]) for heading in browser.all("main h1, main h2, main h3, main h4")]
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    # After a link, the keyboard is in the new page.
    browser.find("nav a").send_keys(Keys.ENTER)
    browser.heading("Overview")
    browser.until(lambda: browser.focused().get_attribute("id") == "content", "the content has the focus")


@pytest.mark.slow
def test_a_narrow_window_has_no_sideways_scrolling(browser: Browser, named: Named) -> None:
    browser.resize(NARROW)
    for one in PAGES:
        browser.open(one.PATH)
        browser.settle()
        assert browser.run("return document.documentElement.scrollWidth - window.innerWidth") <= 0, one.TITLE
        browser.shot(named(f"{one.TITLE}-narrow"))
    browser.resize(WIDE)


def test_an_address_that_makes_no_sense(browser: Browser) -> None:
    browser.open("/absent")
    assert "There is no such page" in browser.text()
    browser.open(
        "/materials?x=absent&y=%3Cb%3E&sort=absent~asc&f.absent=wild~~1&temperature_K=hot&selected=%3Cimg%20src%3Dx%3E"
    )
    browser.settle()
    assert "cannot be shown" not in browser.text()
    assert browser.text("#message") == ""
    assert not browser.all("img[src='x']")


def test_what_nodes_say_is_text(hostile_dashboard: str, tmp_path: Path) -> None:
    from tests.dashboards.browser import MISSING, browse

    if MISSING:
        pytest.skip(MISSING)
    with browse(hostile_dashboard, tmp_path) as browser:
        for address in ("/", "/materials", "/compare", "/potentials", "/surrogate"):
            browser.open(address)
            browser.settle()
            assert "cannot be shown" not in browser.text()
            assert not browser.all("img, main script, main iframe, main svg a, main b")
            browser.shot(f"hostile-{address.strip('/') or 'overview'}")
        browser.open("/")
        assert "<img src=x" in browser.text()
        _drive_materials(browser)
        _drive_comparisons(browser)
        assert browser.run("return window.attacked") is None
        text = browser.complaints()
        assert not text, "\n".join(text)


HOVER = """
const plot = document.querySelector('#' + arguments[0] + ' .js-plotly-plot');
const curve = plot._fullData.findIndex((one) => one.name.includes('<img') || one.name.includes('&lt;img'));
Plotly.Fx.hover(plot, [{curveNumber: curve, pointNumber: 0}]);
return curve;
"""
MARKUP = "main img, main script, main iframe, main svg a, main b, main a[href^=javascript]"


def _drive_materials(browser: Browser) -> None:
    """Choose, hover and pick what carries HTML, and come with an address that does."""
    browser.open("/materials")
    browser.until(lambda: any("<img src=x" in name for name in names_shown(browser)), "a name that is HTML is shown")
    browser.settle()
    for name in ("materials-group", "materials-level"):
        browser.find(f"#{name}").click()
        option = next(one for one in browser.all(".dash-dropdown-option") if "<img" in one.text)
        option.click()
        browser.press(Keys.ESCAPE)
    browser.until(lambda: "group=%3Cimg" in browser.address, "the group is in the address")
    browser.open("/materials")
    browser.settle()
    assert browser.run(HOVER, "materials-figure") >= 0
    browser.wait_for("#materials-figure .hoverlayer text")
    assert not browser.all(MARKUP)
    browser.open("/materials?group=%3Cimg%20src%3Dx%3E&since=%3Cb%3E&level_of_theory=%3Cscript%3E&elements=%3Cb%3E")
    browser.settle()
    assert not browser.all(MARKUP)


def _drive_comparisons(browser: Browser) -> None:
    """Hover and choose a point whose names carry HTML, and come with an address that does."""
    browser.open("/compare")
    browser.settle()
    assert browser.run(HOVER, "compare-parity") >= 0
    browser.wait_for("#compare-parity .hoverlayer text")
    browser.run(CLICK)
    browser.wait_for_text("Chosen point")
    browser.settle()
    assert not browser.all(MARKUP)
    hostile = "%3Cimg%20src%3Dx%20onerror%3D%27window.attacked%3D1%27%3E"
    browser.open(f"/compare?formula={hostile}&group={hostile}&x={hostile}&y={hostile}&o.quantity={hostile}")
    browser.settle()
    assert "<img src=x" in browser.text("#compare-limits")
    assert not browser.all(MARKUP)
    browser.find("#compare-limits a").click()
    browser.until(lambda: "formula=" not in browser.address, "one limit is taken away")
    browser.shot("hostile-compare-limits")
