"""Mean signed differences from the reference on the periodic table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from ase.data import atomic_numbers

from aiida_ion.dashboards.figures.theme import OKABE_ITO, Theme, empty_figure, new_figure, plain
from aiida_ion.dashboards.quantities import Quantity

#: Atomic numbers of the noble gases, the ends of the periods.
NOBLE = (0, 2, 10, 18, 36, 54, 86, 118)
#: Rows in which the lanthanides and actinides stand, by period.
F_ROWS = {6: 9, 7: 10}
N_GROUPS = 18
HEIGHT_PX, NARROWEST_PX = 470, 590
#: Half range of the colours at least, in half widths of the band of the quantity.
SMALLEST_RANGE = 0.5


def element_errors_figure(table: pd.DataFrame, quantity: Quantity, reference: str, *, theme: Theme) -> go.Figure:
    """Return the periodic table with the mean signed difference and the number of pairs in the cell of each element.

    Blue is too low, orange is too high; the number has its sign.

    :param table: of `aiida_ion.dashboards.comparison.elements.element_errors`.
    :param reference: level of theory, or ``experiment``.
    """
    known = table[table["element"].isin(atomic_numbers)]
    if known.empty:
        return empty_figure(theme, "No element has a difference of two values.")
    figure = new_figure(theme, "", "")
    reach = max(float(known["mean"].abs().max()), SMALLEST_RANGE * quantity.band)
    unit = "decades" if quantity.logarithmic else quantity.unit
    _add_cells(figure, known, reach, unit, theme)
    _add_elements(figure, known, unit, reference)
    _add_others(figure, set(known["element"]), theme)
    hidden = {"visible": False, "fixedrange": True}
    figure.update_xaxes(range=[0.4, 18.6], **hidden)
    figure.update_yaxes(range=[10.6, 0.4], **hidden)
    return figure.update_layout(margin={"l": 8, "r": 8, "t": 40, "b": 8}, showlegend=False)


def _add_cells(figure: go.Figure, known: pd.DataFrame, reach: float, unit: str, theme: Theme) -> None:
    """Add the coloured cells with their text, on the grid of the whole table."""
    rows = list(dict.fromkeys([*range(1, NOBLE.index(NOBLE[-1]) + 1), *F_ROWS.values()]))
    values = np.full((len(rows), N_GROUPS), np.nan)
    words = np.full(values.shape, "", dtype=object)
    for name, mean, n in zip(known["element"], known["mean"], known["n_pairs"], strict=True):
        column, row = place(atomic_numbers[name])
        where = rows.index(row), int(column) - 1
        values[where], words[where] = mean, f"<b>{name}</b><br>{_signed(mean)}<br>{n}"
    figure.add_heatmap(
        x=list(range(1, N_GROUPS + 1)),
        y=rows,
        z=values,
        zmin=-reach,
        zmax=reach,
        colorscale=[[0.0, OKABE_ITO["blue"]], [0.5, theme.card], [1.0, OKABE_ITO["vermillion"]]],
        xgap=2,
        ygap=2,
        text=words,
        texttemplate="%{text}",
        textfont={"size": 10},
        hoverinfo="skip",
        hoverongaps=False,
        meta={"aside": True},
        name="cells",
        colorbar={
            "orientation": "h",
            "x": 0.4,
            "y": 0.86,
            "len": 0.48,
            "thickness": 10,
            "outlinewidth": 0,
            "title": {"text": f"mean difference ({unit})", "side": "top"},
        },
    )


def _signed(mean: float) -> str:
    """Return a number with its sign; zero has a plus."""
    return f"{round(mean, 2) + 0.0:+.2f}"


def _add_elements(figure: go.Figure, known: pd.DataFrame, unit: str, reference: str) -> None:
    """Add a point on each cell, which is not seen, for hovering and for the file."""
    columns, rows = np.array([place(atomic_numbers[name]) for name in known["element"]]).T
    figure.add_scatter(
        x=columns,
        y=rows,
        mode="markers",
        marker={"size": 26, "symbol": "square", "opacity": 0},
        hovertext=[
            f"<b>{row['element']}</b>: {_signed(row['mean'])} {unit} against {plain(reference)}<br>"
            f"{row['n_pairs']} pairs of {row['n_materials']} materials"
            for row in known.to_dict("records")
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        meta={"columns": {name: known[name].tolist() for name in ("element", "mean", "n_pairs", "n_materials")}},
        name="mean difference",
    )


def _add_others(figure: go.Figure, known: set[str], theme: Theme) -> None:
    """Write the symbols of the elements without a difference, pale, so that the table is recognised."""
    others = [name for name, number in atomic_numbers.items() if name not in known and 0 < number <= NOBLE[-1]]
    columns, rows = np.array([place(atomic_numbers[name]) for name in others]).T
    figure.add_scatter(
        x=columns,
        y=rows,
        mode="text",
        text=others,
        textfont={"color": theme.muted, "size": 11},
        hoverinfo="skip",
        name="no difference",
        meta={"aside": True},
    )


def place(number: int) -> tuple[int, int]:
    """Return column and row of an element in the periodic table, from its atomic number.

    The columns are the groups, 1 to 18; lanthanides and actinides have rows of their own below.
    """
    period = next(period for period, end in enumerate(NOBLE) if number <= end)
    within, length = number - NOBLE[period - 1], NOBLE[period] - NOBLE[period - 1]
    if length == 2:
        return (1 if within == 1 else N_GROUPS), period
    if length == 8:
        return (within if within <= 2 else within + 10), period
    if length == 18 or within <= 2:
        return within, period
    return (within, F_ROWS[period]) if within <= 17 else (within - 14, period)
