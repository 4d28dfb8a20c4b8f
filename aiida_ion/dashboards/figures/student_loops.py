"""The loops of a student: its force error, its training frames, and how long its runs survived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from aiida_ion.dashboards.figures.theme import OKABE_ITO, Theme, empty_figure, legend_below, plain, template

#: How a run ended -> words, colour, symbol.
ENDINGS = {
    "survived": ("survived", OKABE_ITO["bluish green"], "circle"),
    "close_pair": ("came too close", OKABE_ITO["orange"], "triangle-down"),
    "exploded": ("exploded", OKABE_ITO["vermillion"], "x"),
}
OTHER = ("ended otherwise", OKABE_ITO["reddish purple"], "diamond")


def student_figure(loops: pd.DataFrame, runs: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """Return three panels over the loops: force error with its target, training frames, time that each run survived.

    :param loops: ``loop``, ``stage``, ``training``, ``n_train``, ``force_mae_eV_A``, ``target_eV_A``.
    :param runs: of each run ``loop``, ``ended``, ``survived_ps``, ``length_ps``, ``words``.
    """
    if loops.empty:
        return empty_figure(theme, "The report of the student has no loops.")
    figure = make_subplots(rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.06)
    figure.update_layout(template=template(theme))
    color = OKABE_ITO["sky blue" if theme.name == "dark" else "blue"]
    _add_errors(figure, loops, color, theme)
    frames: dict[str, Any] = {"x": loops["loop"], "y": loops["n_train"], "marker_color": color, "width": 0.5}
    figure.add_bar(**frames, name="training frames", showlegend=False, hovertemplate="%{y} frames", row=2, col=1)
    _add_runs(figure, runs, theme)
    for row, title in enumerate(("force MAE (eV/Å)", "training frames", "survived (ps)"), start=1):
        figure.update_yaxes(title_text=title, rangemode="tozero", row=row, col=1)
    ticks = [f"{plain(stage)} {training:g}" for stage, training in zip(loops["stage"], loops["training"], strict=True)]
    figure.update_xaxes(tickvals=loops["loop"], ticktext=ticks)
    figure.update_xaxes(title_text="loop: its runs, and the number of its training", row=3, col=1)
    return legend_below(figure).update_layout(showlegend=True)


def _add_errors(figure: go.Figure, loops: pd.DataFrame, color: str, theme: Theme) -> None:
    place = {"row": 1, "col": 1}
    for name, column, line in (
        ("force error", "force_mae_eV_A", {"color": color, "width": 2.5}),
        ("accepted below", "target_eV_A", {"color": theme.muted, "width": 1.5, "dash": "dash"}),
    ):
        hover = f"{name}: %{{y:.4f}} eV/Å"
        mode = "lines+markers"
        figure.add_scatter(
            x=loops["loop"], y=loops[column], name=name, mode=mode, line=line, hovertemplate=hover, **place
        )


def _add_runs(figure: go.Figure, runs: pd.DataFrame, theme: Theme) -> None:
    """Add a point for each run, coloured by how it ended, and a line where it was to end."""
    kinds: Sequence[tuple[str, tuple[str, str, str]]] = [*ENDINGS.items(), ("", OTHER)]
    known: Mapping[str, Any] = ENDINGS
    for ended, (words, color, symbol) in kinds:
        chosen = runs[runs["ended"] == ended] if ended else runs[~runs["ended"].isin(list(known))]
        if len(chosen):
            figure.add_scatter(
                x=chosen["loop"],
                y=chosen["survived_ps"],
                name=words,
                mode="markers",
                marker={"color": color, "symbol": symbol, "size": 11, "line": {"width": 1, "color": theme.card}},
                text=[plain(text) for text in chosen["words"]],
                hovertemplate="%{y:.3g} ps, %{text}",
                row=3,
                col=1,
            )
    lengths = runs.dropna(subset=["length_ps"]).drop_duplicates(["loop", "length_ps"])
    if len(lengths):
        look = {"symbol": "line-ew-open", "size": 26, "color": theme.muted}
        hover = "asked for: %{y:.3g} ps"
        place = {"row": 3, "col": 1}
        x, y = lengths["loop"], lengths["length_ps"]
        figure.add_scatter(x=x, y=y, mode="markers", name="asked for", marker=look, hovertemplate=hover, **place)
