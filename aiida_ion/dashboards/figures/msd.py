"""Mean squared displacements over lag time, one curve for each temperature, with the fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.colors import sample_colorscale

from aiida_ion.dashboards.figures.theme import (
    SYMBOLS,
    Theme,
    empty_figure,
    faded,
    file_columns,
    legend_below,
    new_figure,
    plain,
)
from aiida_ion.units import CM2_S_PER_A2_PS

FloatArray = NDArray[np.float64]

#: Half width of the central 95 % of a Gaussian, in standard deviations.
GAUSSIAN95 = 1.959964
#: Factor of D in three dimensions, MSD = 6 D t.
DIRECTIONS = 6.0
MAX_POINTS = 400


@dataclass(frozen=True)
class MsdCurve:
    """The MSD of one temperature from a diffusion node.

    :param all_lag_times_ps: every lag, (n,), with `all_msd_A2`, angstrom^2.
    :param lag_times_ps: lags of the fit, (m,), with `msd_A2` and its standard deviation `msd_std_A2`.
    :param fit_window_ps: first and last lag of the fit; ``None`` without diffusion.
    :param tracer_diffusivity_cm2_s: result of the fit.
    """

    uuid: str
    temperature_K: float
    all_lag_times_ps: FloatArray
    all_msd_A2: FloatArray
    lag_times_ps: FloatArray
    msd_A2: FloatArray
    msd_std_A2: FloatArray
    fit_window_ps: tuple[float, float] | None
    tracer_diffusivity_cm2_s: float | None
    refused: bool = False
    level_of_theory: str | None = None

    @property
    def name(self) -> str:
        """Return the temperature, with the level of theory where the figure has several."""
        kelvin = f"{self.temperature_K:.0f} K"
        return kelvin if self.level_of_theory is None else f"{kelvin}, {self.level_of_theory}"


def temperature_colors(temperatures_K: Sequence[float], theme: Theme) -> dict[float, str]:
    """Return a colour ``#rrggbb`` for each temperature: cividis, safe for colour blindness, cut for contrast."""
    ends = (0.42, 1.0) if theme.name == "dark" else (0.0, 0.82)
    ordered = sorted(set(temperatures_K))
    places = np.linspace(*ends, max(len(ordered), 2))[: len(ordered)]
    colors = sample_colorscale("Cividis", places.tolist(), colortype="tuple")
    return {t: "#" + "".join(f"{round(255 * part):02x}" for part in c) for t, c in zip(ordered, colors, strict=True)}


def msd_figure(curves: Sequence[MsdCurve], *, theme: Theme, logarithmic: bool = True) -> go.Figure:
    """Return the MSD of each temperature with its 95 % band, and the line of D* over the fit window.

    The line has the slope 6 D* and goes through the mean of the fitted points. A refused temperature is dashed.

    :param logarithmic: whether both axes are logarithmic.
    """
    figure = new_figure(theme, "lag time (ps)", "MSD (Å<sup>2</sup>)")
    colors = temperature_colors([curve.temperature_K for curve in curves], theme)
    for number, curve in enumerate(sorted(curves, key=lambda item: item.temperature_K)):
        _add_curve(figure, curve, colors[curve.temperature_K], SYMBOLS[number % len(SYMBOLS)])
    if not figure.data:
        return empty_figure(theme, "No mean squared displacement is stored.")
    legend_below(figure)
    if logarithmic:
        figure.update_xaxes(type="log", dtick="D2", minor={"dtick": "D1"})
        figure.update_yaxes(type="log", dtick="D2", minor={"dtick": "D1"})
    return figure


def _add_curve(figure: go.Figure, curve: MsdCurve, color: str, symbol: str) -> None:
    name = plain(curve.name)
    common = {"legendgroup": name, "name": name}
    there = (curve.all_lag_times_ps > 0) & (curve.all_msd_A2 > 0)
    lags, msd = thinned(curve.all_lag_times_ps[there], curve.all_msd_A2[there])
    if len(lags):
        line = {"color": faded(color, 0.55), "width": 1.5, "dash": "dash" if curve.refused else "solid"}
        figure.add_scatter(x=lags, y=msd, mode="lines", line=line, showlegend=False, hoverinfo="skip", **common)
    if not len(curve.lag_times_ps):
        return
    _add_band(figure, curve, color, name)
    figure.add_scatter(
        x=curve.lag_times_ps,
        y=curve.msd_A2,
        mode="markers",
        marker={"color": color, "symbol": f"{symbol}-open" if curve.refused else symbol, "size": 5},
        customdata=np.full((len(curve.lag_times_ps), 1), curve.uuid, dtype=object),
        meta=file_columns(refused=[curve.refused] * len(curve.lag_times_ps)),
        hovertemplate=f"<b>{name}</b><br>%{{x:.3g}} ps: %{{y:.3g}} Å²<extra></extra>",
        **common,
    )
    _add_fit(figure, curve, color, name)


def _add_band(figure: go.Figure, curve: MsdCurve, color: str, name: str) -> None:
    """Add the central 95 % of the MSD; on a logarithmic axis it ends above zero."""
    half = GAUSSIAN95 * curve.msd_std_A2
    low = np.maximum(curve.msd_A2 - half, 0.02 * curve.msd_A2)
    figure.add_scatter(
        x=np.concatenate([curve.lag_times_ps, curve.lag_times_ps[::-1]]),
        y=np.concatenate([curve.msd_A2 + half, low[::-1]]),
        fill="toself",
        fillcolor=faded(color, 0.22),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        legendgroup=name,
        name=f"{name}, 95 % band",
    )


def _add_fit(figure: go.Figure, curve: MsdCurve, color: str, name: str) -> None:
    if curve.fit_window_ps is None or curve.tracer_diffusivity_cm2_s is None:
        return
    start, end = curve.fit_window_ps
    fitted = (curve.lag_times_ps >= start * (1 - 1e-9)) & (curve.lag_times_ps <= end * (1 + 1e-9))
    if not fitted.any():
        return
    slope = DIRECTIONS * curve.tracer_diffusivity_cm2_s / CM2_S_PER_A2_PS
    offset = float(np.mean(curve.msd_A2[fitted] - slope * curve.lag_times_ps[fitted]))
    x = np.geomspace(start, end, 30) if start > 0 else np.linspace(start, end, 30)
    y = offset + slope * x
    words = f"<b>{name}</b><br>fitted from {start:.3g} to {end:.3g} ps"
    words += f"<br>D* = {curve.tracer_diffusivity_cm2_s:.2e} cm²/s"
    figure.add_scatter(
        x=x[y > 0],
        y=y[y > 0],
        mode="lines",
        line={"color": color, "width": 4},
        opacity=0.85,
        customdata=np.full((int((y > 0).sum()), 1), curve.uuid, dtype=object),
        hovertemplate=f"{words}<extra></extra>",
        showlegend=False,
        legendgroup=name,
        name=f"{name}, fitted window",
    )


def thinned(x: FloatArray, y: FloatArray, n: int = MAX_POINTS) -> tuple[FloatArray, FloatArray]:
    """Return at most about `n` points of a long curve, evenly spaced on a logarithmic axis."""
    if len(x) <= n:
        return x, y
    chosen = np.unique(np.geomspace(1, len(x), n).round().astype(int) - 1)
    return x[chosen], y[chosen]
