"""Tables that are read once: whoever comes first does not wait for ever, and what is made of others follows them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from dash import html, no_update
from dash.development.base_component import Component

from aiida_ion import queries
from aiida_ion.dashboards import app, tables
from aiida_ion.dashboards.app import Source, create_app
from aiida_ion.dashboards.pages import materials
from aiida_ion.dashboards.state import View
from benchmarks.many_results import fill


@pytest.fixture
def version(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return what the database says changed, in a list of one."""
    now = [1]
    monkeypatch.setattr("aiida_ion.queries.newest_change", lambda: now[0])
    monkeypatch.setattr(tables, "RECHECK_S", -1.0)
    monkeypatch.setattr(tables, "FIRST_PATIENCE_S", 0.05)
    return now


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Return what slow tables wait for; open in the end, whatever happens."""
    event = threading.Event()
    yield event
    event.set()
    joined()


def joined() -> None:
    """Wait for all that is being read."""
    for thread in threading.enumerate():
        if thread.name.startswith("table"):
            thread.join()


class Slow:
    """A table that is made when a gate opens; counts how often."""

    def __init__(self, gate: threading.Event) -> None:
        self.gate = gate
        self.times = 0

    def __call__(self) -> pd.DataFrame:
        self.gate.wait()
        self.times += 1
        return pd.DataFrame({"times": [self.times]})


def test_who_comes_first_is_told_to_come_again(version: list[int], gate: threading.Event, aiida_profile: Any) -> None:
    cache, made = tables.TableCache(), Slow(gate)
    for _ in range(2):
        with pytest.raises(tables.NotYet), cache.impatient():
            cache.derived("x", made)
    gate.set()
    joined()
    with cache.impatient():
        assert int(cache.derived("x", made)["times"].iloc[0]) == 1
    assert made.times == 1


def test_programs_and_archives_wait(version: list[int], gate: threading.Event, aiida_profile: Any) -> None:
    gate.set()
    made = Slow(gate)
    assert len(tables.TableCache().derived("x", made)) == 1
    with tables.TableCache(threading.RLock(), changes=False).impatient():
        assert len(tables.TableCache(threading.RLock(), changes=False).derived("x", made)) == 1


def test_a_table_that_cannot_be_read_says_so(version: list[int], aiida_profile: Any) -> None:
    def broken() -> pd.DataFrame:
        raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        tables.TableCache().derived("x", broken)


def test_a_table_of_others_is_as_new_as_they_are(
    version: list[int], gate: threading.Event, monkeypatch: pytest.MonkeyPatch, aiida_profile: Any
) -> None:
    monkeypatch.setattr(tables, "PATIENCE_S", -1.0)
    monkeypatch.setattr(tables, "REST", 0.0)
    gate.set()
    cache, made = tables.TableCache(), Slow(gate)

    def doubled() -> pd.DataFrame:
        return 2 * cache.derived("base", made)

    def value() -> int:
        return int(cache.derived("doubled", doubled)["times"].iloc[0])

    assert [value(), value()] == [2, 2]
    version[0] = 2
    value()  # an old one, while the base is read behind the scenes, and after that what is made of it
    joined()
    value()
    joined()
    assert value() == 4
    assert made.times == 2


def test_a_slow_table_rests_between_two_readings(
    version: list[int], gate: threading.Event, monkeypatch: pytest.MonkeyPatch, aiida_profile: Any
) -> None:
    monkeypatch.setattr(tables, "PATIENCE_S", -1.0)
    monkeypatch.setattr(tables, "REST", 1e9)
    gate.set()
    cache, made = tables.TableCache(), Slow(gate)
    cache.derived("x", made)
    version[0] = 2
    cache.derived("x", made)
    joined()
    assert made.times == 1


def test_materials_are_made_of_the_conductivities_at_hand(aiida_profile_clean: Any) -> None:
    fill(30, n_with_arrays=0)
    cache = tables.TableCache()
    pd.testing.assert_frame_equal(cache.table("materials"), queries.materials())


def test_a_page_that_waits_fills_itself_in(
    version: list[int], gate: threading.Event, aiida_profile_clean: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_app(Source("synthetic"))
    made = Slow(gate)

    def layout(view: View) -> Component:
        return html.P(f"{len(tables.derived('x', made))} rows in {view.theme}")

    monkeypatch.setattr(materials, "layout", layout)
    address: dict[str, Any] = {"path": "/materials", "search": "", "theme": "light"}
    text = str(app.show(address)[0])
    assert "being read" in text
    assert "waiting" in text
    # The page that says so stays until there is another.
    again = address | {"again": 1}  # as the browser asks while the page waits
    assert app.show(again)[0] is no_update
    gate.set()
    joined()
    assert "1 rows in light" in str(app.show(again)[0])
