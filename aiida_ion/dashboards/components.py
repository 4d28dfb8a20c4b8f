"""Components of pages. Text of nodes is passed as children, which React escapes; nothing here accepts HTML."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
from dash import dcc, html
from dash.development.base_component import Component

from aiida_ion.dashboards.figures.theme import graph_config
from aiida_ion.dashboards.help_texts import help_line
from aiida_ion.dashboards.state import View
from aiida_ion.verdicts import words_of

Children = Any
#: Kind of a badge -> the mark next to its word, so that colour is never the only cue.
MARKS = {"good": "✓", "doubtful": "!", "bad": "✕", "neutral": "", "active": "▸"}
#: Grade or verdict -> kind of badge.
KINDS = {
    "A": "good", "B": "good", "C": "doubtful", "D": "doubtful", "E": "bad", "F": "bad",
    "measured": "good", "moved": "good", "pass": "good", "passed": "good", "ok": "good",
    "poorly_known": "doubtful", "bound": "doubtful", "warn": "doubtful", "warning": "doubtful", "doubtful": "doubtful",
    "not_measurable": "bad", "fail": "bad", "failed": "bad", "refused": "bad",
}  # fmt: skip


def aria(**states: object) -> dict[str, Any]:
    """Return attributes for screen readers: ``aria(label="Pages")`` is ``aria-label="Pages"``."""
    return {f"aria-{name}": str(value) for name, value in states.items()}


def page(title: str, *children: Children, subtitle: Children = None, actions: Children = None) -> Component:
    """Return a page with its heading; `actions` are to the right of it."""
    head = [html.Div([html.H1(title), html.P(subtitle, className="subtitle") if subtitle else None])]
    if actions:
        head.append(html.Div(actions, className="actions"))
    return html.Div([html.Div(head, className="page-head"), *children], className="page")


def card(
    title: str, *children: Children, actions: Children = None, note: Children = None, wide: bool = False
) -> Component:
    """Return a card; `note` is a muted line under its title, `wide` uses the full width of a `row`."""
    head = [html.H2(title), html.Div(actions or [], className="actions")]
    body = [html.Div(head, className="card-head"), html.P(note, className="note") if note else None, *children]
    return html.Section(body, className="card wide" if wide else "card", **aria(label=title))


def row(*cards: Component) -> Component:
    """Return cards side by side if there is room, else below each other."""
    return html.Div(list(cards), className="row")


def figure_card(
    figure_id: str,
    title: str,
    figure: go.Figure,
    note: Children = None,
    height_px: int = 420,
    description: str | None = None,
    actions: Children = None,
    controls: Children = None,
    wide: bool = False,
    width_px: int | None = None,
) -> Component:
    """Return a figure with its help line, and buttons that download it as SVG, PNG and its points as CSV.

    :param figure_id: id of the `dcc.Graph`, for callbacks; also the name of the downloaded files.
    :param description: description for screen readers; the title by default.
    :param controls: form elements that change the figure, in a line above it.
    :param width_px: smallest width at which it can be read; on narrower pages it scrolls inside its card.
    """
    buttons = [_button(kind.upper(), f"Download {title} as {kind.upper()}", figure_id, kind) for kind in _FIGURE_KINDS]
    config: Any = graph_config(figure_id)
    size = {"height": f"{height_px}px"} | ({} if width_px is None else {"minWidth": f"{width_px}px"})
    graph = dcc.Graph(id=figure_id, figure=figure, config=config, style=size)
    help_text, help_id = help_line(figure_id), f"{figure_id}-help"
    named = aria(label=description or title) | (aria(describedby=help_id) if help_text else {})
    labelled = html.Div(graph, role="figure", className="figure scroll" if width_px else "figure", **named)
    above: list[Component] = [html.P(help_text, id=help_id, className="help")] if help_text else []
    above += [html.Div(controls, className="filters")] if controls else []
    if _has_axes(figure):
        # Filled by `assets/axes.js`.
        above.append(html.Div(id=f"{figure_id}-axes", className="axes", hidden=True, role="group", **_axes_of(title)))
        buttons.insert(0, _axes_button(figure_id, title))
    return card(title, *above, labelled, actions=[*(actions or []), *buttons], note=note, wide=wide)


def _has_axes(figure: go.Figure) -> bool:
    """Whether a figure has axes that can be adjusted, or is empty and may get some."""
    if any(str(trace.type).endswith("3d") for trace in figure.data):
        return False
    return not figure.data or figure.layout.xaxis.visible is not False


def _axes_of(title: str) -> dict[str, Any]:
    return aria(label=f"Axes of {title}")


def _axes_button(figure_id: str, title: str) -> Component:
    data: dict[str, Any] = {"data-axes": figure_id}
    states = aria(label=f"Adjust the axes of {title}", expanded="false", controls=f"{figure_id}-axes")
    return html.Button("Axes", type="button", className="small", title="Range and scale of the axes", **data, **states)


_FIGURE_KINDS = ("svg", "png", "csv")


def _button(text: str, label: str, target: str, kind: str) -> Component:
    """Return a button handled by `assets/downloads.js`."""
    data: dict[str, Any] = {"data-download": kind, "data-target": target}
    return html.Button(text, type="button", className="small", title=label, **data, **aria(label=label))


def table_button(grid_id: str, title: str) -> Component:
    """Return the button that downloads a grid of `grids.grid` as CSV, filtered and sorted as shown."""
    return _button("CSV", f"Download {title} as CSV", grid_id, "grid")


def badge(text: str, kind: str = "neutral", title: str | None = None) -> Component:
    """Return a word with a colour and a mark; kinds are those of `MARKS`."""
    mark = MARKS.get(kind, "")
    inside: Children = [html.Span(mark, **aria(hidden="true")), " ", text] if mark else text
    return html.Span(inside, className=f"badge {kind}", title=title)


def grade_badge(grade: object) -> Component:
    """Return the badge of a grade or verdict."""
    text = str(grade) if isinstance(grade, str) else "no grade"
    return badge(words_of(text), KINDS.get(text, "neutral"))


def stat(label: str, value: object, hint: str | None = None, href: str | None = None) -> Component:
    """Return one large number with its label."""
    number = html.Div(str(value), className="number")
    inside = [number, html.Div(label, className="label"), html.Div(hint, className="hint") if hint else None]
    return page_link(inside, href, className="stat") if href else html.Div(inside, className="stat")


def stats(*children: Component) -> Component:
    """Return a line of `stat`."""
    return html.Div(list(children), className="stats")


def empty_state(title: str, text: str, command: str | None = None) -> Component:
    """Return the message for an empty page: why, and the command that changes it."""
    inside: list[Component | None] = [html.P(title, className="empty-title"), html.P(text)]
    if command:
        inside.append(html.Div([html.Code(command), copy_button(command, "Copy command")], className="command"))
    return html.Div(inside, className="empty")


def copy_button(text: str, label: str) -> Component:
    """Return a button that copies a text."""
    data: dict[str, Any] = {"data-copy": text}
    return html.Button("Copy", type="button", className="small", **data, **aria(label=label))


def uuid_label(uuid: str, linked: bool = True) -> Component:
    """Return a shortened UUID with a link to its provenance and a button that copies all of it."""
    short = html.Code(f"{uuid[:8]}…", title=uuid)
    shown = page_link(short, View(uuid=uuid).url("/provenance")) if linked else short
    return html.Span([shown, copy_button(uuid, f"Copy UUID {uuid}")], className="uuid")


def page_link(children: Children, href: str, className: str = "") -> Component:
    """Return a link to another page of the dashboard, without a reload."""
    return dcc.Link(children, href=href, className=className)


def progress_bar(share: float | None, label: str) -> Component:
    """Return a bar, `share` from 0 to 1; only its label if unknown."""
    if share is None:
        return html.Span(label, className="muted")
    percent = min(max(round(100 * share), 0), 100)
    now = aria(valuenow=percent, valuemin=0, valuemax=100, label=label)
    bar = html.Div(html.Div(style={"width": f"{percent}%"}), className="bar", role="progressbar", **now)
    return html.Div([bar, html.Span(label, className="muted")], className="progress")


def control(label: str, element: Component, hint: str | None = None) -> Component:
    """Return a form element under its label; the element must have an id."""
    element_id = vars(element)["id"]
    named = html.Label(label, htmlFor=element_id)
    return html.Div([named, element, html.Small(hint) if hint else None], className="control")


def facts(pairs: list[tuple[str, Children]]) -> Component:
    """Return a list of names and values."""
    return html.Dl([part for name, value in pairs for part in (html.Dt(name), html.Dd(value))], className="facts")
