"""The application: the frame around the pages, and the link between address and page."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update, set_props
from dash.development.base_component import Component

from aiida_ion.dashboards import grids, tables
from aiida_ion.dashboards.components import aria, empty_state, page, page_link
from aiida_ion.dashboards.pages import PAGES, Page
from aiida_ion.dashboards.serving import answers
from aiida_ion.dashboards.state import QUERY, THEME, View
from aiida_ion.queries.reading.archives import Archives

LOGGER = logging.getLogger(__name__)
ASSETS = Path(__file__).parent / "assets"
#: A page whose tables are being read is requested again after this time.
WAIT_MS = 1000
#: Errors whose message is shown to the user; details of others are only in the terminal.
TOLD = (ValueError, LookupError)

#: The first script sets the theme before anything is drawn.
INDEX = """<!DOCTYPE html>
<html lang="en">
    <head>
        {%metas%}
        <title>{%title%}</title>
        <script src="/assets/early/theme.js"></script>
        {%favicon%}
        {%css%}
    </head>
    <body>
        {%app_entry%}
        <footer>
            {%config%}
            {%scripts%}
            {%renderer%}
        </footer>
    </body>
</html>"""


@dataclass(frozen=True)
class Source:
    """The database shown by the dashboard.

    :param name: of the profile or the archive's file.
    :param is_archive: whether it is an archive, which never changes and has no running processes.
    :param lock: held while a request reads; an archive has a single session, which threads must not share.
    :param archives: where it is several archives, as one database.
    """

    name: str
    is_archive: bool = False
    lock: AbstractContextManager[Any] = field(default_factory=nullcontext)
    archives: Archives | None = None

    @property
    def kind(self) -> str:
        """Return what it is: a profile, an archive or archives."""
        return "archives" if self.archives is not None else "archive" if self.is_archive else "profile"

    @property
    def short(self) -> str:
        """Return its name in few letters: of several archives that of the first."""
        if self.archives is None:
            return self.name
        return f"{self.archives.names[0]} and {len(self.archives.names) - 1} more"


def create_app(source: Source) -> Dash:
    """Return the dashboard of the loaded profile; it never writes."""
    tables.use(tables.TableCache(source.lock, changes=not source.is_archive, archives=source.archives))
    app = Dash(
        "aiida-ion",
        assets_folder=str(ASSETS),
        assets_ignore=r"^theme\.js$",
        index_string=INDEX,
        serve_locally=True,
        use_pages=False,
        suppress_callback_exceptions=True,
        title="aiida-ion",
        update_title="",
        meta_tags=[
            {"name": "viewport", "content": "width=device-width, initial-scale=1"},
            {"name": "color-scheme", "content": "light dark"},
        ],
        on_error=_tell,
        add_log_handler=False,
        enable_mcp=False,
    )
    app.layout = _frame(source)
    _connect(app)
    grids.register(app)
    for module in PAGES:
        module.register(app)
    return app


def _frame(source: Source) -> Component:
    """Return the common parts of all pages."""
    # The script says which theme it switches to; `tour.js` answers the other one.
    switch = html.Button("Switch theme", id="theme-switch", type="button", className="small")
    tour = html.Button("Tour", id="tour-start", type="button", className="small", **aria(label="Show the tour"))
    brand = page_link([html.Span("aiida", className="thin"), html.Span("ion")], "/", className="brand")
    shown = html.Span(
        [html.Span(source.kind, className="kind"), source.short],
        className="source",
        title=f"read-only {source.kind} {source.name}",
    )
    return html.Div(
        [
            html.A("Skip to content", href="#content", className="skip"),
            dcc.Location(id="url", refresh=False),
            *(dcc.Store(id=name) for name in ("address", "shown", QUERY, THEME, "title")),
            html.Header([brand, html.Nav(_links(""), id="nav", **aria(label="Pages")), shown, tour, switch]),
            html.Div(id="message", role="alert"),
            html.Main(id="content", tabIndex="-1"),
        ]
    )


def _links(path: str) -> list[Component]:
    """Return the links of the navigation, with the current page marked."""
    return [page_link(module.TITLE, module.PATH, className="here" if path == module.PATH else "") for module in PAGES]


def _connect(app: Dash) -> None:
    """Connect address, theme and page.

    The address decides what is shown. Changes within a page go into `QUERY` and from there into the address without a
    new entry in the browser's history; `shown` prevents the page from being redrawn for that.
    """
    app.clientside_callback(
        ClientsideFunction("dashboard", "theme"), Output(THEME, "data"), Input("theme-switch", "n_clicks")
    )
    app.clientside_callback(
        ClientsideFunction("dashboard", "address"),
        Output("address", "data"),
        Input("url", "pathname"),
        Input("url", "search"),
        Input(THEME, "data"),
        State("shown", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("dashboard", "write"),
        Output("url", "search"),
        Output("shown", "data", allow_duplicate=True),
        Input(QUERY, "data"),
        State("shown", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("dashboard", "arrive"), Input("content", "children"), State("title", "data")
    )
    app.callback(
        Output("content", "children"),
        Output("nav", "children"),
        Output("shown", "data"),
        Output("title", "data"),
        Output("message", "children"),
        Input("address", "data"),
    )(show)
    # A page being read is requested again under the same address; the browser knows whether the user has left.
    app.clientside_callback(
        ClientsideFunction("dashboard", "again"),
        Output("address", "data", allow_duplicate=True),
        Input("waiting", "n_intervals"),
        State("address", "data"),
        prevent_initial_call=True,
    )


def show(address: Mapping[str, Any] | None) -> tuple[Any, ...]:
    """Return the page of an address: content, navigation, the address itself, its title, and a message, if any."""
    if not isinstance(address, Mapping) or not address:
        return (no_update,) * 5
    shown = {name: address[name] for name in ("path", "search", "theme") if name in address}
    shown = {name: value if isinstance(value, str) else None for name, value in shown.items()}
    path = "/" + (shown.get("path") or "").strip("/")
    view = replace(View.from_query(shown.get("search")), theme=shown.get("theme"))
    module = next((candidate for candidate in PAGES if path == candidate.PATH), None)
    title = module.TITLE if module else "Not found"
    try:
        content: Any = _content(module, view)
    except tables.NotYet:
        # A page that is already waiting stays, so that its clock keeps running.
        answers.lasting(0.0)
        content = no_update if address.get("again") else _reading(title)
    words = tables.unreadable()
    return content, _links(path), shown, title, words and f"{words[0].upper()}{words[1:]}."


def _content(module: Page | None, view: View) -> Component:
    """Return the page, or a message instead.

    :raises tables.NotYet: if a table that it needs is being read for the first time.
    """
    if module is None:
        return page("Not found", empty_state("There is no such page.", "Choose one above."))
    try:
        with tables.impatient():
            return module.layout(view)
    except tables.NotYet:
        raise
    except Exception as error:
        LOGGER.exception("the page %s cannot be shown", module.PATH)
        answers.lasting(0.0)
        return page(module.TITLE, empty_state("This page cannot be shown.", _words(error)))


def _reading(title: str) -> Component:
    """Return the message shown while a table is read for the first time; the page then replaces it."""
    words = "This takes a few seconds for large databases, once. The page updates itself."
    state = html.Div(empty_state("The results are being read.", words), role="status")
    return page(title, state, dcc.Interval("waiting", interval=WAIT_MS))


def _tell(error: Exception) -> None:
    """Show in the page that a callback failed; the traceback is only in the terminal."""
    LOGGER.error("a callback failed", exc_info=error)
    answers.lasting(0.0)
    set_props("message", {"children": _words(error)})


def _words(error: Exception) -> str:
    message = " ".join(str(error.args[0] if error.args else "").split())
    return message if isinstance(error, TOLD) and message else "Something failed; see the terminal of the dashboard."
