"""The provenance graph of a result: from the crystal on the left to the result on the right."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from aiida_ion.dashboards.figures.layers import layered
from aiida_ion.dashboards.figures.theme import OKABE_ITO, Theme, new_figure, plain

#: Kind of a node -> symbol and name of its colour.
STYLES = {
    "structure": ("square", "blue"),
    "potential": ("diamond", "vermillion"),
    "trajectory": ("triangle-right", "sky blue"),
    "result": ("circle", "bluish green"),
    "files": ("pentagon", "orange"),
    "file": ("pentagon", "orange"),
    "settings": ("circle-dot", "reddish purple"),
    "code": ("hourglass", "reddish purple"),
    "data": ("circle", "reddish purple"),
}
#: Processes are grey.
PROCESSES = {"job": "hexagon2", "function": "octagon", "work chain": "star-square", "process": "octagon"}
#: Kinds, and endings of link labels, that are hidden by default.
MINOR_KINDS = ("settings", "code", "file")
MINOR_ROLES = ("parameters", "program", "thermo")
ROW_PX, MARGIN_PX = 46, 90
MIN_HEIGHT_PX = 340
LABEL_LENGTH = 20


def main_path(nodes: pd.DataFrame) -> pd.DataFrame:
    """Return the nodes without settings, codes, programs and per-step records; the result itself is always kept."""
    minor = nodes["kind"].isin(MINOR_KINDS) | nodes["role"].str.startswith(MINOR_ROLES)
    return nodes[~minor | (nodes["step"] == 0)]


def graph_figure(nodes: pd.DataFrame, edges: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """Return the graph; ``customdata`` of a node is its UUID, and the subject of the graph has a ring.

    :param nodes: of :class:`aiida_ion.queries.provenance.Provenance`, or its `main_path`.
    :param edges: edges; those between the nodes are drawn.
    """
    figure = new_figure(theme, "", "", showlegend=True)
    places = layered(nodes["pk"].tolist(), list(zip(edges["source"], edges["target"], strict=True)))
    _add_edges(figure, edges, places, theme)
    for kind, rows in nodes.groupby("kind", sort=True):
        _add_nodes(figure, rows, str(kind), places, theme)
    _add_ring(figure, nodes[nodes["step"] == 0], places, theme)
    heights = [y for _, y in places.values()]
    rows_high = max(heights, default=0.0) - min(heights, default=0.0) + 1.0
    hidden = {"visible": False, "showgrid": False, "zeroline": False}
    return figure.update_layout(
        xaxis=hidden | {"range": [min((x for x, _ in places.values()), default=0.0) - 0.6, 0.7]},
        yaxis=hidden | {"range": [min(heights, default=0.0) - 0.9, max(heights, default=0.0) + 0.7]},
        height=max(MIN_HEIGHT_PX, round(ROW_PX * rows_high) + MARGIN_PX),
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
        legend={"orientation": "h", "x": 0.0, "y": 1.02, "yanchor": "bottom", "borderwidth": 0},
    )


def label_of(row: dict[Any, Any]) -> str:
    """Return the label of a node."""
    role = _SEGMENT.sub(r"replica \1 segment \2", str(row["role"]).rpartition("__")[2])
    if row["kind"] in PROCESSES:
        name = str(row["process_type"] or "").rpartition(":")[2].rpartition(".")[2] or row["kind"]
    elif row["kind"] in ("structure", "potential"):
        name = next((str(word) for word in (row["name"], row["label"], row["formula"]) if _is_word(word)), role)
    else:
        name = role
    name = name.replace("_", " ")
    return name if len(name) <= LABEL_LENGTH else f"{name[: LABEL_LENGTH - 1]}…"


_SEGMENT = re.compile(r"replica_0*(\d+)_segment_0*(\d+)")


def _is_word(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _style(kind: str, theme: Theme) -> tuple[str, str]:
    if kind in PROCESSES:
        return PROCESSES[kind], theme.muted
    symbol, color = STYLES.get(kind, STYLES["data"])
    return symbol, OKABE_ITO[color]


def _add_edges(figure: go.Figure, edges: pd.DataFrame, places: dict[int, tuple[float, float]], theme: Theme) -> None:
    """Add all arrows as one line with gaps; each points in the direction of the data flow."""
    drawn = [(a, b) for a, b in zip(edges["source"], edges["target"], strict=True) if a in places and b in places]
    x = [value for a, b in drawn for value in (places[a][0], places[b][0], None)]
    y = [value for a, b in drawn for value in (places[a][1], places[b][1], None)]
    arrows = {"symbol": "arrow", "size": [0, 9, 0] * len(drawn), "angleref": "previous", "standoff": 9}
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines+markers",
        line={"color": theme.muted, "width": 1.2},
        marker=arrows | {"color": theme.muted, "line": {"width": 0}, "opacity": 1.0},
        opacity=0.5,
        hoverinfo="skip",
        showlegend=False,
        name="links",
    )


def _add_nodes(
    figure: go.Figure, rows: pd.DataFrame, kind: str, places: dict[int, tuple[float, float]], theme: Theme
) -> None:
    symbol, color = _style(kind, theme)
    records = rows.to_dict("records")
    xy = np.array([places[row["pk"]] for row in records])
    figure.add_scatter(
        x=xy[:, 0],
        y=xy[:, 1],
        mode="markers+text",
        marker={"symbol": symbol, "color": color, "size": 15, "line": {"width": 1, "color": theme.card}},
        text=[plain(label_of(row)) for row in records],
        # Alternately above and below, so that labels of neighbours do not overlap.
        textposition=["bottom center" if x % 2 else "top center" for x in xy[:, 0]],
        textfont={"size": 10.5, "color": theme.text},
        customdata=rows[["uuid"]].to_numpy(),
        hovertext=[_words(row) for row in records],
        hovertemplate="%{hovertext}<extra></extra>",
        name=kind,
    )


def _add_ring(figure: go.Figure, first: pd.DataFrame, places: dict[int, tuple[float, float]], theme: Theme) -> None:
    if first.empty:
        return
    x, y = places[first["pk"].iloc[0]]
    ring = {"symbol": "circle-open", "size": 26, "line": {"width": 2}, "color": theme.text}
    figure.add_scatter(x=[x], y=[y], mode="markers", marker=ring, hoverinfo="skip", showlegend=False, name="this node")


def _words(row: dict[Any, Any]) -> str:
    lines = [f"<b>{plain(row['kind'])}</b> {plain(row['pk'])}", plain(row["role"] or "this node")]
    lines += [plain(row[name]) for name in ("label", "process_type", "formula") if _is_word(row[name])]
    if pd.notna(row["exit_status"]):
        lines.append(f"exit status {row['exit_status']:.0f}")
    lines.append(plain(row["uuid"]))
    return "<br>".join(lines)
