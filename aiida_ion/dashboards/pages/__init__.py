"""The pages, each a module with PATH, TITLE, ``layout(view)`` and ``register(app)``."""

from __future__ import annotations

from typing import Protocol

from dash import Dash
from dash.development.base_component import Component

from aiida_ion.dashboards.pages import (
    compare,
    material,
    materials,
    overview,
    potentials,
    provenance,
    screening,
    surrogate,
)
from aiida_ion.dashboards.state import View


class Page(Protocol):
    """Interface of a module in this folder.

    :param PATH: its path, such as ``/materials``.
    :param TITLE: its name in the navigation and in the window's title.
    """

    PATH: str
    TITLE: str

    def layout(self, view: View) -> Component:
        """Return the page for a view; ``view.theme`` is set."""

    def register(self, app: Dash) -> None:
        """Add the page's callbacks: none writes to the database, and each that changes the view sets `QUERY`."""


#: In the order of the navigation.
PAGES: tuple[Page, ...] = (overview, screening, materials, material, compare, potentials, surrogate, provenance)
