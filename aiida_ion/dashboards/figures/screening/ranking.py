"""The ranking of what a screening kept, and the recall of its cuts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from aiida_ion.dashboards.columns import column_title
from aiida_ion.dashboards.figures.theme import (
    OKABE_ITO,
    Theme,
    empty_figure,
    file_columns,
    formula_label,
    legend_below,
    new_figure,
    plain,
)

#: Verdict -> colour and symbol.
VERDICTS = {"pass": (OKABE_ITO["bluish green"], "circle"), "unsure": (OKABE_ITO["orange"], "diamond")}
#: Most materials that are drawn.
MOST = 60
LINE_PX, FRAME_PX = 22, 130


def ranking_figure(
    table: pd.DataFrame, *, theme: Theme, cut: tuple[float | None, float | None] = (None, None)
) -> go.Figure:
    """Return the materials that went on, the best on top, each with its interval; an open interval is an arrow.

    :param table: of `aiida_ion.queries.screening.outcomes.survivors`.
    :param cut: lowest and highest value that passes.
    """
    shown = table.head(MOST)
    middle, low, high = (shown[name].astype(float) for name in ("value", "value_low", "value_high"))
    place = middle.fillna(high).fillna(low)
    is_known = place.notna()
    shown = shown[is_known]
    place, middle, low, high = (one[is_known] for one in (place, middle, low, high))
    if shown.empty:
        return empty_figure(theme, "No material that went on has a value.")
    quantity = str(next(iter(shown["quantity"].dropna()), "value"))
    figure = new_figure(theme, column_title(quantity), "")
    labels = [f"{rank}. {plain(formula_label(name))}" for rank, name in zip(shown["rank"], _names(shown), strict=True)]
    for verdict, (color, symbol) in VERDICTS.items():
        here = (shown["verdict"] == verdict).to_numpy()
        if not here.any():
            continue
        x = place[here]
        symbols = [
            symbol if np.isfinite(value) else "arrow-left" if np.isfinite(edge) else "arrow-right"
            for value, edge in zip(middle[here], high[here], strict=True)
        ]
        figure.add_scatter(
            x=x,
            y=[label for label, is_here in zip(labels, here, strict=True) if is_here],
            mode="markers",
            name=verdict,
            marker={"color": color, "symbol": symbols, "size": 9},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": (high[here] - x).clip(lower=0).fillna(0.0),
                "arrayminus": (x - low[here]).clip(lower=0).fillna(0.0),
                "color": color,
                "thickness": 1.5,
            },
            customdata=shown.loc[here, ["structure_uuid"]].to_numpy(dtype=object),
            meta=file_columns(x_is_bound=middle[here].isna()),
            text=[f"rank {row['rank_best']} to {row['rank_worst']}" for row in shown.loc[here].to_dict("records")],
            hovertemplate="%{y}: %{x:.3g}<br>%{text}<extra></extra>",
        )
    for edge in cut:
        if edge is not None and np.isfinite(edge):
            line = {"color": theme.bad, "width": 1.5, "dash": "dash"}
            figure.add_vline(x=edge, line=line, annotation_text=f"cut {edge:g}", annotation_position="top")
    if "conductivity" in quantity and (place > 0).all():
        figure.update_xaxes(type="log", exponentformat="power")
    figure.update_yaxes(categoryorder="array", categoryarray=labels[::-1], showgrid=True)
    return legend_below(figure).update_layout(showlegend=True)


def _names(shown: pd.DataFrame) -> list[str]:
    return [str(name) for name in shown["formula"].combine_first(shown["name"]).fillna("-")]


def recall_figure(table: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """Return for each stage the share of known conductors that its cut kept, and that of the other materials.

    :param table: of `aiida_ion.queries.screening.recall.recall`.
    """
    if table.empty or not table["recall"].notna().any():
        words = "No material of this screening has a measured conductivity; link experiments with aiida-ion benchmark."
        return empty_figure(theme, words)
    figure = new_figure(theme, "share that went on", "")
    stages = [plain(name) for name in table["stage"]]
    series = (
        ("recall", "conductors of this stage", OKABE_ITO["blue"], "circle"),
        ("recall_so_far", "conductors of the first stage", OKABE_ITO["bluish green"], "square"),
    )
    for name, words, color, symbol in series:
        value, low, high = (table[column].astype(float) for column in (name, f"{name}_ci95_low", f"{name}_ci95_high"))
        figure.add_scatter(
            x=value,
            y=stages,
            mode="markers",
            name=words,
            marker={"color": color, "symbol": symbol, "size": 11},
            error_x={"type": "data", "symmetric": False, "array": high - value, "arrayminus": value - low},
            hovertemplate="%{y}: %{x:.0%}<extra>" + words + "</extra>",
        )
    figure.add_scatter(
        x=table["others_kept"].astype(float),
        y=stages,
        mode="markers",
        name="other measured materials",
        marker={"color": theme.muted, "symbol": "x", "size": 10},
        hovertemplate="%{y}: %{x:.0%}<extra>other measured materials</extra>",
    )
    figure.update_yaxes(categoryorder="array", categoryarray=stages[::-1])
    figure.update_xaxes(range=[-0.03, 1.03], tickformat=".0%")
    return legend_below(figure).update_layout(showlegend=True)


def height_px(table: pd.DataFrame) -> int:
    """Return the height at which the materials with a value are readable."""
    shown = table.head(MOST)
    is_known = shown[["value", "value_low", "value_high"]].astype(float).notna().any(axis=1)
    return FRAME_PX + LINE_PX * max(int(is_known.sum()), 8)
