"""The learning curve of a trained potential: force errors on training and validation frames, by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from aiida_ion.dashboards.figures.learning_curves import MAX_EPOCHS, TRAIN, VALIDATION
from aiida_ion.dashboards.figures.theme import Theme, empty_figure, legend_below, new_figure

NAMED = (("train", "train_force_rmse_eV_A", TRAIN), ("validation", "validation_force_rmse_eV_A", VALIDATION))
#: Curves of this many epochs and fewer have points: a line would not show them.
FEW_EPOCHS = 30


def training_curve_figure(arrays: Mapping[str, NDArray[Any]], *, theme: Theme) -> go.Figure:
    """Return root mean square errors of force components, eV/angstrom, over epochs.

    :param arrays: ``epoch``, ``train_force_rmse_eV_A``, ``validation_force_rmse_eV_A`` of a report, each (E,); what
        the program did not print is missing.
    """
    epoch = np.asarray(arrays.get("epoch", ()))
    curves = [(name, np.asarray(arrays.get(key, ())), color) for name, key, color in NAMED]
    curves = [(name, curve, color) for name, curve, color in curves if _fits(curve, epoch)]
    if not curves:
        return empty_figure(theme, "The report has no learning curve.")
    figure = new_figure(theme, "epoch", "force RMSE of components (eV/Å)")
    drawn = np.unique(np.linspace(0, len(epoch) - 1, min(len(epoch), MAX_EPOCHS)).round().astype(int))
    mode = "lines+markers" if len(epoch) <= FEW_EPOCHS else "lines"
    hover = "epoch %{x}: %{y:.4f} eV/Å"
    for name, curve, color in curves:
        values = np.asarray(curve, dtype=float)[drawn]
        look = {"line": {"width": 2.5, "color": color}, "marker": {"color": color, "size": 7}}
        figure.add_scatter(x=epoch[drawn], y=values, name=name, mode=mode, hovertemplate=hover, **look)
    together = np.concatenate([np.asarray(curve, dtype=float) for _, curve, _ in curves])
    if (together[np.isfinite(together)] > 0).all():
        figure.update_yaxes(type="log")
    return legend_below(figure, lines=1).update_layout(showlegend=True)


def _fits(curve: NDArray[Any], epoch: NDArray[Any]) -> bool:
    if epoch.ndim != 1 or not epoch.size or curve.shape != epoch.shape:
        return False
    return curve.dtype.kind in "fiu" and epoch.dtype.kind in "fiu" and bool(np.isfinite(curve).any())
