"""An archive whose exporter left the frames out: pages say so where they would be drawn, and fail nowhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiida.manage.configuration import profile_context
from aiida.storage.sqlite_zip.backend import SqliteZipBackend
from dash import html
from plotly.utils import PlotlyJSONEncoder

from aiida_ion.archives.export import export, plan
from aiida_ion.dashboards import tables
from aiida_ion.dashboards.app import show
from aiida_ion.dashboards.pages import PAGES, material, material_fit
from aiida_ion.dashboards.state import View
from aiida_ion.queries import conductivity
from benchmarks.many_results import fill


@pytest.fixture
def light(aiida_profile_clean: Any, tmp_path: Path) -> Iterator[None]:
    """Load an archive of one result that was exported without trajectories and without retrieved files."""
    fill(20, n_with_arrays=1)
    uuid = str(conductivity().query("formula == 'Li3N' and verdict == 'measured'")["uuid"].iloc[0])
    path = tmp_path / "light.aiida"
    export(plan([uuid], trajectories=False, retrieved=False), path)
    with profile_context(SqliteZipBackend.create_profile(path), allow_switch=True):
        tables.use(tables.TableCache(changes=False))
        yield
    tables.use(tables.TableCache())


def text(component: Any) -> str:
    return json.dumps(component, cls=PlotlyJSONEncoder, ensure_ascii=False)


@pytest.mark.usefixtures("light")
def test_a_material_without_frames_says_what_is_missing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    result = conductivity().iloc[0]
    view = View(formula=str(result["formula"]), uuid=str(result["uuid"]), theme="light")
    for one in PAGES:
        values = text(show({"path": one.PATH, "search": f"?{view.query()}", "theme": "light"}))
        assert "cannot be shown" not in values, one.TITLE
    shown = material.shown_of(view)
    fits = shown.points
    assert len(fits) > 1
    for uuid in fits["uuid"]:
        values = text(html.Div(material_fit.run_cards(uuid, "light")))
        assert "There is no trajectory to draw." in values
        # What was kept is drawn: the displacements and the fitted window.
        assert len(material_fit.msd(shown).data) > 0
    assert not caplog.records
