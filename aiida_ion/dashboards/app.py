"""The application: the frame round the pages, and the way between address and page."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update, set_props
from dash.development.base_component import Component

from aiida_ion.dashboards import grids, tables
from aiida_ion.dashboards.components import aria, empty_state, page, page_link
from aiida_ion.dashboards.pages import PAGES, Page
from aiida_ion.dashboards.state import QUERY, THEME, View

LOGGER = logging.getLogger(__name__)
ASSETS = Path(__file__).parent / "assets"
#: A page whose tables are being read is asked for again after this time.
WAIT_MS = 1000
#: Errors whose message is made for the user; of others only the terminal says more.
TOLD = (ValueError, LookupError)

#: The first script sets the theme before anything is painted.
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
    """What the dashboard shows.

    :param name: of the profile or the archive's file.
    :param is_archive: whether it is an archive, which neither changes nor runs anything.
    :param lock: held while a request reads; an archive has one session, which threads must not share.
    """

    name: str
    is_archive: bool = False
    lock: AbstractContextManager[Any] = field(default_factory=nullcontext)


def create_app(source: Source) -> Dash:
    """Return the dashboard of the loaded profile; it reads and never writes."""
    tables.use(tables.TableCache(source.lock, changes=not source.is_archive))
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
    for one in PAGES:
        one.register(app)
    return app


def _frame(source: Source) -> Component:
    """Return what stays the same on every page."""
    kind = "archive" if source.is_archive else "profile"
    switch = html.Button(
        "Dark", id="theme-switch", type="button", role="switch", className="small", **aria(checked="false")
    )
    brand = page_link([html.Span("aiida", className="thin"), html.Span("ion")], "/", className="brand")
    shown = html.Span(
        [html.Span(kind, className="kind"), source.name], className="source", title=f"read-only {kind} {source.name}"
    )
    return html.Div(
        [
            html.A("Skip to content", href="#content", className="skip"),
            dcc.Location(id="url", refresh=False),
            *(dcc.Store(id=name) for name in ("address", "shown", QUERY, THEME, "title")),
            html.Header([brand, html.Nav(_links(""), id="nav", **aria(label="Pages")), shown, switch]),
            html.Div(id="message", role="alert"),
            html.Main(id="content", tabIndex="-1"),
        ]
    )


def _links(path: str) -> list[Component]:
    """Return the links of the navigation; the page that is shown is marked."""
    return [page_link(one.TITLE, one.PATH, className="here" if path == one.PATH else "") for one in PAGES]


def _connect(app: Dash) -> None:
    """Join address, theme and page.

    The address decides what is shown. What a page changes goes into `QUERY` and from there into the address without a
    new entry of the browser's history; `shown` keeps the page from being drawn again for that.
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
    # What is being read is asked for again, as the address that it is; the browser knows whether somebody has left.
    app.clientside_callback(
        ClientsideFunction("dashboard", "again"),
        Output("address", "data", allow_duplicate=True),
        Input("waiting", "n_intervals"),
        State("address", "data"),
        prevent_initial_call=True,
    )


def show(address: dict[str, Any] | None) -> tuple[Any, ...]:
    """Return the page of an address: content, navigation, the address itself, its title, and a message, if any."""
    if not address:
        return (no_update,) * 5
    path = "/" + address.get("path", "").strip("/")
    view = replace(View.from_query(address.get("search")), theme=address.get("theme"))
    module = next((one for one in PAGES if path == one.PATH), None)
    title = module.TITLE if module else "Not found"
    try:
        content: Any = _content(module, view)
    except tables.NotYet:
        # Somebody who waits already keeps the page, whose clock keeps running.
        content = no_update if address.get("again") else _reading(title)
    words = tables.unreadable()
    return content, _links(path), address, title, words and f"{words[0].upper()}{words[1:]}."


def _content(module: Page | None, view: View) -> Component:
    """Return the page, or what is said in its place.

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
        return page(module.TITLE, empty_state("This page cannot be shown.", _words(error)))


def _reading(title: str) -> Component:
    """Return what is shown while a table is read for the first time; the page takes its place by itself."""
    words = "Large databases take some seconds, once. This page updates itself."
    state = html.Div(empty_state("The results are being read.", words), role="status")
    return page(title, state, dcc.Interval("waiting", interval=WAIT_MS))


def _tell(error: Exception) -> None:
    """Say in the page that a callback failed; the terminal has the traceback, the browser never."""
    LOGGER.error("a callback failed", exc_info=error)
    set_props("message", {"children": _words(error)})


def _words(error: Exception) -> str:
    told = " ".join(str(error.args[0] if error.args else "").split())
    return told if isinstance(error, TOLD) and told else "Something failed; the terminal of the dashboard says what."
