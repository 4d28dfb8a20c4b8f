"""Learning curves of a surrogate: loss and R2 over epochs, each fold thin, their mean thick."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from aiida_ion.dashboards.figures.theme import OKABE_ITO, Theme, empty_figure, faded, legend_below, template

#: Maximum number of epochs drawn per line; longer curves are thinned.
MAX_EPOCHS = 500
TRAIN, VALIDATION = OKABE_ITO["blue"], OKABE_ITO["vermillion"]
#: Lowest R2 shown: the first epochs can be arbitrarily bad.
LOWEST_R2 = -1.0


def learning_figure(
    epochs: NDArray[Any],
    train_loss: NDArray[Any],
    validation_loss: NDArray[Any],
    validation_r2: NDArray[Any],
    *,
    theme: Theme,
) -> go.Figure:
    """Return the losses above the R2 of held-out materials.

    :param epochs: (E,).
    :param train_loss: (F, E), for each training run.
    :param validation_loss: (F, E).
    :param validation_r2: (F, E).
    """
    curves = [np.atleast_2d(np.asarray(array, dtype=float)) for array in (train_loss, validation_loss, validation_r2)]
    epochs = np.asarray(epochs, dtype=float)
    if epochs.ndim != 1 or not epochs.size or any(array.shape[-1] != epochs.size for array in curves):
        return empty_figure(theme, "The report has no learning curves.")
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.5, 0.5])
    figure.update_layout(template=template(theme))
    drawn = np.unique(np.linspace(0, epochs.size - 1, min(epochs.size, MAX_EPOCHS)).round().astype(int))
    named = (("train", TRAIN, 1), ("held out", VALIDATION, 1), ("R2, held out", VALIDATION, 2))
    for (name, color, panel), curve in zip(named, curves, strict=True):
        _add_curves(figure, epochs[drawn], curve[:, drawn], name, color, panel)
    losses = np.concatenate([curves[0].ravel(), curves[1].ravel()])
    if (losses[np.isfinite(losses)] > 0).all():
        figure.update_yaxes(type="log", row=1, col=1)
    _limit_r2(figure, curves[2])
    figure.update_yaxes(title_text="loss", row=1, col=1)
    figure.update_yaxes(title_text="R<sup>2</sup>", row=2, col=1)
    figure.update_xaxes(title_text="epoch", row=2, col=1)
    return legend_below(figure, lines=1)


def _add_curves(
    figure: go.Figure, epochs: NDArray[Any], curves: NDArray[Any], name: str, color: str, panel: int
) -> None:
    """Add one line for each training run, and their mean."""
    place = {"row": panel, "col": 1}
    thin = {"mode": "lines", "hoverinfo": "skip", "showlegend": False, "legendgroup": name}
    for number, curve in enumerate(curves):
        line = {"width": 1, "color": faded(color, 0.35)}
        figure.add_scatter(x=epochs, y=curve, name=f"{name}, fold {number + 1}", line=line, **thin, **place)
    thick = {"mode": "lines", "legendgroup": name, "hovertemplate": "epoch %{x}: %{y:.3g}", "showlegend": panel == 1}
    figure.add_scatter(x=epochs, y=mean(curves), name=name, line={"width": 3, "color": color}, **thick, **place)


def mean(curves: NDArray[Any]) -> NDArray[np.float64]:
    """Return the mean of each epoch over the training runs that reached it; NaN if none did."""
    there = np.isfinite(curves)
    sums = np.where(there, curves, 0.0).sum(axis=0)
    means: NDArray[np.float64] = np.where(there.any(axis=0), sums / np.maximum(there.sum(axis=0), 1), np.nan)
    return means


def _limit_r2(figure: go.Figure, r2: NDArray[Any]) -> None:
    known = r2[np.isfinite(r2)]
    if known.size and known.min() < LOWEST_R2:
        figure.update_yaxes(range=[LOWEST_R2, max(1.0, float(known.max()))], row=2, col=1)
