"""Parity plots of two sources, like figures 1 to 3 of the benchmark paper for one's own data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from aiida_ion.dashboards.figures.theme import (
    POORLY_KNOWN_SYMBOL,
    LevelStyle,
    Theme,
    empty_figure,
    faded,
    file_columns,
    formula_label,
    legend_below,
    new_figure,
    plain,
)
from aiida_ion.dashboards.quantities import Quantity

#: Marker size, px: without diffusive temperatures, increment for each, and maximum.
SIZE, SIZE_PER_TEMPERATURE, LARGEST = 8.0, 1.8, 22.0
#: Margin beyond the outermost points, as a fraction of the range; and, in half widths of the band, the minimum range of
#: an axis and how far beyond all values it includes intervals.
ROOM, SMALLEST_RANGE, FARTHEST_BAR = 0.05, 3.0, 2.0
#: (x is a bound, y is a bound) -> symbol: an arrow towards possible values.
ARROWS = {(False, True): "arrow-down", (True, False): "arrow-left", (True, True): "triangle-sw"}
#: With more points, one level of theory is drawn at a time, small and without intervals.
MOST_AT_ONCE, SMALL = 300, 6.0
SMALLEST, GREATEST = -300.0, 300.0  # decades that a float can hold


def parity_figure(
    table: pd.DataFrame,
    quantity: Quantity,
    reference: str,
    styles: Mapping[str, LevelStyle],
    *,
    theme: Theme,
    chosen: str | None = None,
) -> go.Figure:
    """Return y against x with the diagonal, a band about it, both 95 % intervals, and bounds as arrows.

    Values poorly known on either side are shown by their intervals, with a dash in the middle. The size of a point
    shows the number of diffusive temperatures; hollow points were refused; ``customdata`` holds the UUIDs of y and x.

    :param table: from `aiida_ion.dashboards.pairs.pairs`.
    :param reference: level of theory on the x axis, or ``experiment``.
    :param chosen: UUID of y of the highlighted point.
    """
    if table.empty:
        return empty_figure(theme, "No material has both.")
    unit = f"{quantity.symbol} ({quantity.unit})"
    figure = new_figure(theme, f"{unit}, {plain(reference)}", unit)
    low, high = _range(table, quantity)
    _add_diagonal(figure, low, high, quantity, theme)
    for level, rows in table.groupby("y_level_of_theory", sort=True):
        _add_level(figure, rows, str(level), styles[str(level)], quantity, reference)
    if len(table) > MOST_AT_ONCE:
        _one_at_a_time(figure, table)
    _add_ring(figure, table[table["y_uuid"] == chosen], theme)
    _finish_axes(figure, low, high, quantity)
    return figure


def _range(table: pd.DataFrame, quantity: Quantity) -> tuple[float, float]:
    """Return the range of both axes, in decades if logarithmic, for all values and nearby intervals.

    What is poorly known does not stretch the axes, unless nothing else is there.
    """
    known = table[table["difference_kind"] != "poorly known"]
    table = table if known.empty else known
    values = _scaled(table[["x_value", "y_value"]], quantity)
    edges = _scaled(table[["x_low", "x_high", "y_low", "y_high"]], quantity)
    reach = FARTHEST_BAR * quantity.band
    edges = np.clip(edges[np.isfinite(edges)], values.min() - reach, values.max() + reach)
    low, high = float(min([values.min(), *edges])), float(max([values.max(), *edges]))
    room = max(ROOM * (high - low), 0.25 * quantity.band, (SMALLEST_RANGE * quantity.band - (high - low)) / 2)
    return low - room, high + room


def _scaled(columns: pd.DataFrame, quantity: Quantity) -> NDArray[np.float64]:
    values = columns.to_numpy(dtype=float).ravel()
    return np.clip(np.log10(values), SMALLEST, GREATEST) if quantity.logarithmic else values


def _add_diagonal(figure: go.Figure, low: float, high: float, quantity: Quantity, theme: Theme) -> None:
    """Add y = x, and the band about it."""
    reach = np.array([low - 2.0, high + 2.0]) if quantity.logarithmic else np.array([low, high])

    def value(place: Any) -> Any:
        return 10.0 ** np.clip(place, SMALLEST, GREATEST) if quantity.logarithmic else place

    x = np.concatenate([value(reach), value(reach)[::-1]])
    y = np.concatenate([value(reach + quantity.band), value(reach - quantity.band)[::-1]])
    words = "± one decade" if quantity.logarithmic else f"± {quantity.band:g} {quantity.unit}"
    shade = faded(theme.muted, 0.14)
    none = {"hoverinfo": "skip", "mode": "lines"}
    figure.add_scatter(x=x, y=y, fill="toself", fillcolor=shade, line={"width": 0}, name=words, **none)
    line = {"color": theme.muted, "width": 1.5, "dash": "dash"}
    figure.add_scatter(x=value(reach), y=value(reach), line=line, name="equal", **none)


def _add_level(
    figure: go.Figure, rows: pd.DataFrame, level: str, style: LevelStyle, quantity: Quantity, reference: str
) -> None:
    bounds = list(zip(rows["x_is_bound"].astype(bool), rows["y_is_bound"].astype(bool), strict=True))
    symbols = [
        POORLY_KNOWN_SYMBOL if poor else ARROWS.get(bound, style.hollow if refused else style.symbol)
        for bound, refused, poor in zip(
            bounds, rows["y_refused"].astype(bool), rows["difference_kind"] == "poorly known", strict=True
        )
    ]
    figure.add_scatter(
        x=rows["x_value"],
        y=rows["y_value"],
        mode="markers",
        name=plain(level),
        marker={
            "symbol": symbols,
            "size": marker_sizes(rows["y_n_moved"]),
            "color": style.color,
            "opacity": 0.9,
            "line": {"width": 1.5, "color": style.color},
        },
        error_x=_errors(rows, "x", style.color),
        error_y=_errors(rows, "y", style.color),
        customdata=rows[["y_uuid", "x_uuid"]].to_numpy(dtype=object),
        meta=file_columns(
            is_bound=rows["y_is_bound"],
            x_is_bound=rows["x_is_bound"],
            refused=rows["y_refused"],
            x_refused=rows["x_refused"],
            is_poorly_known=rows["difference_kind"] == "poorly known",
        ),
        text=[hover_words(row, quantity, level, reference) for row in rows.to_dict("records")],
        hovertemplate="%{text}<extra></extra>",
    )


def marker_sizes(n_moved: pd.Series[float]) -> list[float]:
    """Return the size of each marker, px, from the number of diffusive temperatures; unknown is small."""
    return [min(SIZE + SIZE_PER_TEMPERATURE * float(n), LARGEST) for n in n_moved.fillna(0.0)]


def _errors(rows: pd.DataFrame, side: str, color: str) -> dict[str, Any]:
    """Return asymmetric error bars; a bound has none."""
    value = rows[f"{side}_value"].astype(float)
    return {
        "type": "data",
        "symmetric": False,
        "array": (rows[f"{side}_high"].astype(float) - value).clip(lower=0.0).tolist(),
        "arrayminus": (value - rows[f"{side}_low"].astype(float)).clip(lower=0.0).tolist(),
        "color": faded(color, 0.55),
        "thickness": 1.3,
        "width": 3,
    }


def hover_words(row: Mapping[Any, Any], quantity: Quantity, level: str, reference: str) -> str:
    """Return the hover text of a point; text of nodes is escaped."""
    lines = [f"<b>{plain(material_name(row))}</b>"]
    if quantity.has_temperature:
        lines[0] += f", {row['y_temperature_K']:g} K"
    lines += [
        f"{plain(level)}: {amount(row, 'y', quantity)}",
        f"{plain(reference)}: {amount(row, 'x', quantity)}",
    ]
    if row["difference_kind"] == "value":
        unit = "decades" if quantity.logarithmic else quantity.unit
        lines.append(f"difference {row['difference']:+.2f} {unit}")
    if pd.notna(row["y_n_moved"]):
        lines.append(f"{row['y_n_moved']:.0f} diffusive temperatures")
    lines += [plain(row[name]) for name in ("x_words",) if isinstance(row[name], str) and row[name]]
    if not row["same_structure"]:
        lines.append("another crystal of the same formula, or an unknown one")
    return "<br>".join(lines)


def material_name(row: Mapping[Any, Any]) -> str:
    """Return the name of a material: its formula, unless the table says more."""
    return str(row["material"]) if "material" in row else formula_label(row["formula"])


def amount(row: Mapping[Any, Any], side: str, quantity: Quantity) -> str:
    """Return a value with its interval and unit, or the bound."""
    value, low, high = (row[f"{side}_{name}"] for name in ("value", "low", "high"))
    if row[f"{side}_is_poorly_known"]:
        return f"poorly known, {low:.2g} to {high:.2g} {quantity.unit}"
    if row[f"{side}_is_bound"]:
        return f"&lt; {value:.2g} {quantity.unit}"
    between = f" [{low:.2g}, {high:.2g}]" if pd.notna(low) and pd.notna(high) else ""
    return f"{value:.3g}{between} {quantity.unit}"


def _one_at_a_time(figure: go.Figure, table: pd.DataFrame) -> None:
    """Show the points of the level with most pairs, small and without intervals; the legend chooses another one."""
    first = plain(table["y_level_of_theory"].value_counts().index[0])
    for trace in figure.data:
        if trace.mode == "markers":
            trace.update(error_x_visible=False, error_y_visible=False, marker={"size": SMALL, "opacity": 0.55})
            trace.visible = True if trace.name == first else "legendonly"
        else:
            trace.showlegend = False  # a click on a name would hide the diagonal and the band, too
    figure.update_layout(legend={"itemclick": "toggleothers", "itemdoubleclick": False})


def _add_ring(figure: go.Figure, rows: pd.DataFrame, theme: Theme) -> None:
    if rows.empty:
        return
    marker = {"symbol": "circle-open", "size": LARGEST + 8, "color": theme.text, "line": {"width": 2}}
    plain_ring = {"mode": "markers", "hoverinfo": "skip", "showlegend": False, "name": "chosen"}
    figure.add_scatter(x=rows["x_value"], y=rows["y_value"], marker=marker, **plain_ring)


def log_axis(decades: float) -> dict[str, Any]:
    """Return a logarithmic axis with readable ticks for any range."""
    marks = "D2" if decades < 2 else max(1, round(decades / 8))
    return {"type": "log", "exponentformat": "power", "dtick": marks}


def _finish_axes(figure: go.Figure, low: float, high: float, quantity: Quantity) -> None:
    kind: dict[str, Any] = {"range": [low, high], "constrain": "domain"}
    if quantity.logarithmic:
        kind |= log_axis(high - low)
    figure.update_xaxes(**kind)
    figure.update_yaxes(scaleanchor="x", scaleratio=1, **kind)
    legend_below(figure)
