"""Provenance of a number: the path to structure, potential and raw files, and the files themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from aiida_ion.dashboards import downloads, tables
from aiida_ion.dashboards.components import card, control, empty_state, facts, figure_card, page, row, uuid_label
from aiida_ion.dashboards.figures.graph import graph_figure, main_path
from aiida_ion.dashboards.figures.theme import theme_named
from aiida_ion.dashboards.grids import table_card
from aiida_ion.dashboards.numbers import readable, short
from aiida_ion.dashboards.serving.origins import name_of, with_archives
from aiida_ion.dashboards.state import QUERY, THEME, View, written
from aiida_ion.queries import provenance
from aiida_ion.queries.reading import files

PATH = "/provenance"
TITLE = "Provenance"
GRAPH, SHOWN, STORE = "provenance-graph", "provenance-shown", "provenance-view"
MAIN, EVERYTHING = "main", "everything"
#: Maximum number of listed attributes, neighbours on each side, and files of a node.
MOST_ATTRIBUTES, MOST_NEIGHBOURS, MOST_FILES = 60, 60, 200
COLUMNS = ("kind", "role", "label", "node_type", "process_type", "exit_status", "ctime", "step", "pk", "uuid")
#: Columns are sized to their content.
WIDTHS = {"autoSizeStrategy": {"type": "fitCellContents"}}
HIDDEN = ("node_type", "process_type", "ctime", "step")


def layout(view: View) -> Component:
    """Return the page of the node in the address."""
    if view.uuid is None:
        words = "Click a point in any figure, or a UUID in any table."
        return page(TITLE, empty_state("Choose a number.", words))
    try:
        path = provenance.path_of(view.uuid)
    except ValueError as error:
        return page(TITLE, empty_state("There is no such node.", str(error)))
    node_facts = provenance.facts_of(view.uuid)
    first = path.nodes.iloc[0].to_dict()
    return page(
        TITLE,
        dcc.Store(STORE, data=view.query()),
        row(_node_card(node_facts, str(first["kind"])), _files_card(view.uuid, _is_process(node_facts))),
        _graph_card(view, path),
        _path_card(path),
        _neighbours_card(view.uuid),
        subtitle=f"{first['kind']} {node_facts['pk']} {readable(node_facts['label'])}",
    )


def register(app: Dash) -> None:
    """Add the callbacks and the addresses of the downloads."""
    downloads.register(app)

    @app.callback(
        Output(GRAPH, "figure"),
        Output(GRAPH, "style"),
        Output(QUERY, "data", allow_duplicate=True),
        Input(SHOWN, "value"),
        State(STORE, "data"),
        State(THEME, "data"),
        prevent_initial_call=True,
    )
    def draw(shown: str, query: str, theme: str | None) -> tuple[Any, dict[str, str], dict[str, str]]:
        view = View.from_query(query).with_options(nodes=None if shown == MAIN else shown)
        figure = _figure(replace(view, theme=theme), provenance.path_of(str(view.uuid)))
        return figure, {"height": f"{figure.layout.height}px"}, written(PATH, view)

    app.clientside_callback(ClientsideFunction("points", "follow"), Input(GRAPH, "clickData"))


def _is_process(node_facts: Mapping[str, Any]) -> bool:
    return str(node_facts["node_type"]).startswith("process.")


def _node_card(node_facts: Mapping[str, Any], kind: str) -> Component:
    """Return the facts and attributes of the node."""
    pairs: list[tuple[str, Any]] = [
        ("kind", kind),
        ("UUID", html.Span([html.Code(node_facts["uuid"]), " ", uuid_copy(node_facts["uuid"])])),
        ("PK", str(node_facts["pk"])),
        ("type", str(node_facts["process_type"] or node_facts["node_type"])),
        ("made", f"{node_facts['ctime']:%d %b %Y %H:%M:%S}"),
    ]
    archives = tables.archives()
    if archives is not None:
        pairs.append(("archive", name_of(node_facts["pk"], archives) or "-"))
    pairs += [(name, readable(node_facts[name])) for name in ("label", "description", "computer") if node_facts[name]]
    attributes = sorted(node_facts["attributes"].items())
    listed = [(str(name), _value(value)) for name, value in attributes[:MOST_ATTRIBUTES]]
    more = len(attributes) - len(listed)
    if more > 0:
        listed.append(("and", f"{more} more"))
    inside = html.Details([html.Summary(f"{len(attributes)} attributes"), html.Div(facts(listed), className="tall")])
    return card("This node", facts(pairs), inside)


def uuid_copy(uuid: str) -> Component:
    """Return Dash's button that copies a UUID."""
    return dcc.Clipboard(content=uuid, title="Copy the UUID", className="clipboard")


def _value(value: Any) -> str:
    return short(value, 6) if isinstance(value, float) else readable(value)


def _files_card(uuid: str, is_process: bool) -> Component:
    """Return the files of the node, and its inputs and outputs to download."""
    stored = files.files_of(uuid)
    sides = files.SIDES if is_process else ("outputs",)
    names = {"inputs": "Inputs as zip", "outputs": "Outputs as zip" if is_process else "This node as zip"}
    buttons = [html.A(names[side], href=downloads.zip_address(uuid, side), className="button") for side in sides]
    listed = [
        html.Li(html.A(file.path, href=downloads.file_address(file.uuid, file.path))) for file in stored[:MOST_FILES]
    ]
    more = len(stored) - len(listed)
    rest = [html.P(f"and {more} more: they are in the zip", className="muted")] if more > 0 else []
    inside = [html.Ul(listed, className="files tall"), *rest]
    if not stored:
        inside = [html.P("It has no files, or the archive was exported without them.", className="muted")]
    return card("Files", html.Div(buttons, className="filters"), *inside)


def _figure(view: View, path: provenance.Provenance) -> Any:
    everything = view.option("nodes", MAIN) == EVERYTHING
    nodes = path.nodes if everything else main_path(path.nodes)
    return graph_figure(nodes, path.edges, theme=theme_named(view.theme))


def _graph_card(view: View, path: provenance.Provenance) -> Component:
    figure = _figure(view, path)
    words = "From the inputs on the left to this node (ringed). Click a node to open it."
    if not path.is_whole:
        words += f" The path is longer: the nearest {len(path.nodes)} nodes are shown."
    choices = [{"label": "what matters", "value": MAIN}, {"label": "everything", "value": EVERYTHING}]
    shown = dcc.RadioItems(choices, view.option("nodes", MAIN), id=SHOWN, className="inline")
    return figure_card(
        GRAPH,
        "Provenance graph",
        figure,
        note=words,
        height_px=int(figure.layout.height),
        controls=[control("nodes", shown)],
        description=f"Graph of the {len(path.nodes)} ancestors of this node; the table below lists them",
    )


def _path_card(path: provenance.Provenance) -> Component:
    nodes = with_archives(path.nodes[list(COLUMNS)], tables.archives())
    table = nodes.assign(href=[View(uuid=str(uuid)).url(PATH) for uuid in path.nodes["uuid"]])
    return table_card(
        "provenance-path", "Nodes of the path", table, links={"kind": "href"}, hidden=HIDDEN, options=WIDTHS
    )


def _neighbours_card(uuid: str) -> Component:
    """Return the nodes linked to the node, including callers and results."""
    before, after = provenance.neighbours(uuid, limit=MOST_NEIGHBOURS)
    sides = []
    for title, neighbours in (("came from", before), ("went into", after)):
        items = [
            html.Li(
                [
                    html.Span(f"{neighbour.link_type.replace('_', ' ')}: {neighbour.label} ({neighbour.kind}) "),
                    uuid_label(neighbour.uuid),
                ]
            )
            for neighbour in neighbours
        ]
        inside = html.Ul(items, className="files tall") if items else html.P("nothing", className="muted")
        sides.append(html.Div([html.H3(title), inside]))
    return card("Links", html.Div(sides, className="row"))
