"""Every material, to be filtered, sorted and compared."""

from __future__ import annotations

from dash import Dash
from dash.development.base_component import Component

from aiida_ion.dashboards.components import page
from aiida_ion.dashboards.state import View

PATH = "/materials"
TITLE = "Materials"


def layout(view: View) -> Component:  # noqa: ARG001
    """Return the page."""
    return page(TITLE)


def register(app: Dash) -> None:
    """Add the callbacks."""
