"""The page of trained potentials in a real browser: a training, its forces and a watched run are chosen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dashboards.browser import MISSING, NARROW, WIDE, Browser, browse

NAMES = "return document.querySelector('#potentials-parity .js-plotly-plot').data.map(one => one.name).join(' ')"


@pytest.fixture
def browser(profile_dashboard: str, tmp_path: Path) -> Iterator[Browser]:
    """Return a browser at the dashboard of a profile with a fine-tuned potential and a student."""
    if MISSING:
        pytest.skip(f"{MISSING}: run `make browser`")
    with browse(profile_dashboard, tmp_path) as made:
        yield made
        assert made.complaints() == []
        assert not made.foreign_requests()


@pytest.mark.slow
def test_a_student_and_a_training_are_chosen_and_their_forces_drawn(browser: Browser) -> None:
    browser.open("/potentials")
    browser.wait_for("#potentials-loops .js-plotly-plot .scatterlayer .point")
    browser.settle()
    assert "accepted" in browser.text(".verdict")
    browser.shot("potentials-student", whole=True)
    links = browser.all("#potentials-trainings .ag-row [col-id='level_of_theory'] a")
    next(link for link in links if link.text.endswith("by sevenn")).click()
    browser.until(lambda: "by sevenn" in browser.text(".verdict"), "the other training")
    browser.wait_for("#potentials-before .js-plotly-plot .scatterlayer .point")
    browser.settle()
    browser.shot("potentials", whole=True)
    assert "Li, MAE" in browser.run(NAMES)
    browser.find("#potentials-colour input[value='temperature']").click()
    browser.until(lambda: "1500 K" in browser.run(NAMES), "colours by temperature")
    browser.find("#potentials-forces input[value='before']").click()
    browser.until(lambda: "o.forces=before" in browser.address, "the choice is in the address")
    assert "o.colour=temperature" in browser.address
    address = browser.address
    browser.open("/")
    browser.open(f"{address}&theme=dark")
    browser.wait_for("#potentials-watch .js-plotly-plot .scatterlayer .js-line")
    browser.until(lambda: "1500 K" in browser.run(NAMES), "colours of the address")
    browser.settle()
    browser.shot("potentials-dark", whole=True)
    browser.resize(NARROW)
    browser.settle()
    assert browser.run("return document.documentElement.scrollWidth") <= NARROW[0]
    browser.resize(WIDE)
    browser.settle()
    link = browser.find(".lineage a[href*='/provenance']")
    browser.run("arguments[0].scrollIntoView({block: 'center'})", link)
    link.click()
    browser.heading("Provenance")
    assert "There is no such node." not in browser.text()
