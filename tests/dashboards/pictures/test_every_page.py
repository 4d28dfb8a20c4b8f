"""Every page in a browser, light, dark and on a phone: pictures to look at, and what a machine can see of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from aiida_ion.dashboards.pages import PAGES
from tests.archives.test_version_0_1 import ARCHIVE as OLD
from tests.dashboards.browser import MISSING, NARROW, WIDE, Browser, browse
from tests.dashboards.conftest import running_dashboard

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=f"{MISSING}: run `make browser`")]
#: Look -> theme, and size of the window, px.
LOOKS = {"light": ("light", WIDE), "dark": ("dark", WIDE), "narrow": ("light", NARROW)}
#: Legends and mode bars that lie over the area in which a figure draws its data, by the id of the figure.
COVERED = """
const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
  && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
return Array.from(document.querySelectorAll('.js-plotly-plot')).flatMap((plot) => {
  const areas = Array.from(plot.querySelectorAll('.nsewdrag')).map((area) => area.getBoundingClientRect());
  const parts = Array.from(plot.querySelectorAll('.legend > .bg, .modebar-group'));
  return parts.filter((part) => areas.some((area) => over(part.getBoundingClientRect(), area)))
    .map((part) => plot.parentElement.id + ': ' + part.getAttribute('class'));
});
"""
#: Text that is cut off without a way to read the rest: not in tables, whose cells have tooltips.
CUT = """
const texts = 'main h1, main h2, main .badge, main .large, main button, main th, main dd';
return Array.from(document.querySelectorAll(texts))
  .filter((one) => one.offsetParent && !one.closest('.ag-root-wrapper, .js-plotly-plot'))
  .filter((one) => getComputedStyle(one).overflow !== 'visible' && one.scrollWidth > one.clientWidth + 1)
  .map((one) => one.textContent.slice(0, 60));
"""
SIDEWAYS = "return document.documentElement.scrollWidth - window.innerWidth"


def look_at(browser: Browser, address: str, name: str) -> None:
    """Take the pictures of a page, and say what is wrong with it."""
    faults: list[Any] = []
    for look, (theme, size) in LOOKS.items():
        browser.resize(size)
        browser.open(f"{address}{'&' if '?' in address else '?'}theme={theme}")
        browser.settle()
        assert "cannot be shown" not in browser.text(), address
        browser.shot(f"{name}-{look}", whole=True)
        if browser.run(SIDEWAYS) > 0:
            faults.append((look, "scrolls sideways"))
        faults += [(look, "covered", one) for one in browser.run(COVERED)]
        faults += [(look, "cut off", one) for one in browser.run(CUT)]
    assert faults == [], (name, faults)


def addresses(browser: Browser) -> dict[str, str]:
    """Return the address of each page, of those about one thing from a link of another page."""
    found = {one.TITLE: one.PATH for one in PAGES if one.TITLE not in ("Material", "Provenance")}
    browser.open("/materials")
    rows = "#materials-grid .ag-row [col-id='formula'] a"
    browser.wait_for(rows)
    browser.settle()
    links = browser.retried(lambda: [str(link.get_attribute("href")) for link in browser.all(rows)])
    # A material of runs alone has no result whose origin there is.
    found["Material"] = next(link for link in links if "uuid=" in link).removeprefix(browser.home)
    (uuid,) = parse_qs(urlsplit(found["Material"]).query)["uuid"]
    found["Provenance"] = f"/provenance?uuid={uuid}"
    browser.open("/screening")
    browser.settle()
    ended = [row for row in browser.all("#screening-list .ag-row") if "finished" in row.text]
    for row in ended[:1]:
        link = row.find_element("css selector", "[col-id='screening'] a")
        found["Screening that ended"] = str(link.get_attribute("href")).removeprefix(browser.home)
    return found


@pytest.fixture(scope="session")
def archives_dashboard(campaign_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a dashboard of two archives, of this version and of an earlier one."""
    folder = tmp_path_factory.mktemp("several")
    with running_dashboard(folder, "--archive", str(campaign_archive), "--archive", str(OLD)) as address:
        yield address


@pytest.mark.parametrize("source", ["profile", "archives"])
def test_every_page_can_be_read(source: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    home: str = request.getfixturevalue(f"{source}_dashboard")
    wrong = []
    with browse(home, tmp_path) as browser:
        for title, address in addresses(browser).items():
            wrong += _faults(lambda title=title, address=address: look_at(browser, address, f"{source}-{title}"))
        if source == "archives":
            browser.resize(WIDE)  # a table draws only the columns that are in sight
            browser.open("/materials")
            browser.settle()
            assert OLD.name in browser.text("#materials-grid") and OLD.name in str(
                browser.find(".source").get_attribute("title")
            )
        assert browser.complaints() == [] and browser.foreign_requests() == set()
    assert wrong == [], "\n".join(wrong)


def _faults(look: Callable[[], None]) -> list[str]:
    """Return what one page has, so that the others are looked at, too."""
    try:
        look()
    except AssertionError as error:
        return [str(error)]
    return []
