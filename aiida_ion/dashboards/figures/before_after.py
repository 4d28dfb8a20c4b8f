"""Diffusivities before and after a training, beside those of the labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from aiida_ion.dashboards.figures.theme import (
    OKABE_ITO,
    POORLY_KNOWN_SYMBOL,
    UPPER_BOUND_SYMBOL,
    Theme,
    empty_figure,
    file_columns,
    formula_label,
    legend_below,
    new_figure,
    plain,
)

#: Side -> name, colour, symbol. The labels have the colour of text, as experiments have.
SIDES = {
    "before": ("before: the parent", OKABE_ITO["orange"], "square"),
    "after": ("after the training", OKABE_ITO["bluish green"], "circle"),
    "labels": ("level of theory of the labels", "", "star"),
}


def before_after_figure(results: pd.DataFrame, *, theme: Theme) -> go.Figure:
    """Return tracer diffusivities, cm^2/s, with 95 % intervals by material and temperature; bounds are arrows.

    :param results: ``side`` (a key of `SIDES`), ``formula``, ``target_temperature_K``, ``verdict``, and ``value``,
        ``low``, ``high``, ``bound``, cm^2/s.
    """
    shown = results.dropna(subset=["value", "bound"], how="all")
    if shown["side"].nunique() < 2:
        return empty_figure(theme, "Diffusivities at one material and temperature are known on one side only.")
    figure = new_figure(theme, "", "D* (cm²/s)")
    for side, (name, color, symbol) in SIDES.items():
        rows = shown[shown["side"] == side]
        if len(rows):
            _add_side(figure, rows, name, color or theme.experiment, symbol)
    figure.update_yaxes(type="log", exponentformat="power")
    figure.update_xaxes(type="category")
    return legend_below(figure).update_layout(scattermode="group", showlegend=True)


def _add_side(figure: go.Figure, rows: pd.DataFrame, name: str, color: str, symbol: str) -> None:
    is_bound = rows["value"].isna().to_numpy()
    value = rows["value"].fillna(rows["bound"]).to_numpy(dtype=float)
    poor = (rows["verdict"] == "poorly_known").to_numpy()
    symbols = np.where(is_bound, UPPER_BOUND_SYMBOL, np.where(poor, POORLY_KNOWN_SYMBOL, symbol))
    up, down = (np.nan_to_num(side.to_numpy(dtype=float)) for side in (rows["high"] - value, value - rows["low"]))
    bars = {"type": "data", "symmetric": False, "array": up.clip(0.0), "arrayminus": down.clip(0.0), "color": color}
    places = [
        f"{plain(formula_label(formula))}, {kelvin:g} K"
        for formula, kelvin in zip(rows["formula"], rows["target_temperature_K"], strict=True)
    ]
    figure.add_scatter(
        x=places,
        y=value,
        error_y=bars,
        name=name,
        mode="markers",
        offsetgroup=name,
        marker={"color": color, "symbol": symbols, "size": 11},
        meta=file_columns(is_bound=is_bound, is_poorly_known=poor),
        hovertemplate=f"{name}: %{{y:.3g}} cm²/s",
    )
