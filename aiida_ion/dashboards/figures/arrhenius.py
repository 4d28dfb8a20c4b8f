"""The Arrhenius plot: all temperatures, the posterior of the line, bounds, refused points and experiments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from aiida_ion.dashboards.figures.arrhenius_points import (
    KELVIN_AT_0_CELSIUS,
    add_experiments,
    add_members,
    add_points,
    log10_of,
)
from aiida_ion.dashboards.figures.theme import (
    POORLY_KNOWN_SYMBOL,
    UPPER_BOUND_SYMBOL,
    LevelStyle,
    Theme,
    empty_figure,
    faded,
    new_figure,
    plain,
)
from aiida_ion.units import BOLTZMANN_EV_K, K_PER_KK
from aiida_ion.verdicts import POORLY_KNOWN, WITH_POSTERIOR

#: Quantity of the vertical axis -> its title.
QUANTITIES = {
    "conductivity": "log<sub>10</sub>(σT / mS K cm<sup>−1</sup>)",
    "plain_conductivity": "log<sub>10</sub>(σ / mS cm<sup>−1</sup>)",
    "diffusivity": "log<sub>10</sub>(D* / cm<sup>2</sup> s<sup>−1</sup>)",
}
CELSIUS_TICKS = (
    *(2000, 1500, 1200, 1000, 800, 700, 600, 500, 400, 300, 250),
    *(200, 150, 100, 75, 50, 25, 0, -25, -50, -100),
)
#: Minimum distance of two ticks of the upper axis, as a fraction of the width.
MIN_TICK_DISTANCE = 0.075
N_GRID = 60
#: Margin beyond the outermost points, as a fraction of the range.
MARGIN = 0.06
#: Smallest range of 1000/T, 1/K: about a single temperature.
SMALLEST_RANGE = 0.4


@dataclass(frozen=True)
class ArrheniusLine:
    """The posterior of one conductivity node.

    :param activation_energies_eV: draws, paired with `log10_prefactors_cm2_s`; empty if there is no line.
    :param log10_factor: log10 of sigma T / D, mS K/cm over cm^2/s; ``None`` for ions without charge.
    :param target_temperature_K: the line extends to here.
    """

    level_of_theory: str
    uuid: str
    activation_energies_eV: NDArray[np.float64]
    log10_prefactors_cm2_s: NDArray[np.float64]
    log10_factor: float | None
    target_temperature_K: float


def arrhenius_figure(
    points: pd.DataFrame,
    lines: Sequence[ArrheniusLine],
    styles: Mapping[str, LevelStyle],
    *,
    theme: Theme,
    quantity: str = "conductivity",
    experiments: pd.DataFrame | None = None,
    members: pd.DataFrame | None = None,
) -> go.Figure:
    """Return log10 of sigma T, of sigma, or of D, over 1000/T, with degrees Celsius above.

    Refused temperatures are hollow, bounds are arrows, experiments are stars; ``customdata`` holds the UUID.

    :param points: rows of `aiida_ion.queries.details.arrhenius_points`.
    :param lines: one for each conductivity with a posterior; its band is the central 95 %, dotted beyond the
        temperatures used.
    :param styles: of each level of theory.
    :param quantity: a key of `QUANTITIES`.
    :param experiments: rows of `aiida_ion.queries.experiments`.
    :param members: temperatures of the members of an ensemble, drawn behind its mean; rows as `points`, with ``label``.
    """
    shown = _on_axes(points, quantity)
    figure = new_figure(theme, "1000 / T  (K<sup>−1</sup>)", QUANTITIES[quantity])
    for line in lines:
        _add_line(figure, line, shown, styles[line.level_of_theory], quantity)
    if members is not None and len(members):
        add_members(figure, _on_axes(members, quantity), styles)
    for level, rows in shown.groupby("level_of_theory", sort=True):
        add_points(figure, rows, str(level), styles[str(level)])
    add_experiments(figure, experiments, _factor(lines, points), quantity, theme)
    if not figure.data:
        unit = "conductivity of ions without charge" if quantity != "diffusivity" and len(points) else "temperature"
        return empty_figure(theme, f"There is no {unit} to draw.")
    _limit_y(figure, shown)
    _explain_symbols(figure, shown, theme)
    _finish_axes(figure)
    return figure


def _factor(lines: Sequence[ArrheniusLine], points: pd.DataFrame) -> float | None:
    """Return the first available Nernst-Einstein factor: it hardly differs between cells of a material."""
    known = points["log10_conductivity_temperature_per_diffusivity"].dropna()
    factors = [line.log10_factor for line in lines if line.log10_factor is not None]
    return factors[0] if factors else (float(known.iloc[0]) if len(known) else None)


def _on_axes(points: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Return the points that can be drawn, with ``x``, ``y``, ``up``, ``down`` and ``is_bound``."""
    table = points.copy()
    moved = table["verdict"].isin(WITH_POSTERIOR)
    value = table["tracer_diffusivity_cm2_s"].where(moved, table["tracer_diffusivity_upper_bound_cm2_s"])
    temperature_K = pd.to_numeric(table["temperature_K"])
    shift = _shift(pd.to_numeric(table["log10_conductivity_temperature_per_diffusivity"]), temperature_K, quantity)
    table["x"] = K_PER_KK / temperature_K
    table["y"] = log10_of(value) + shift
    table["up"] = (log10_of(table["tracer_diffusivity_ci95_high_cm2_s"]) - log10_of(value)).where(moved)
    table["down"] = (log10_of(value) - log10_of(table["tracer_diffusivity_ci95_low_cm2_s"])).where(moved)
    table["is_bound"] = ~moved
    table["is_poorly_known"] = table["verdict"] == POORLY_KNOWN
    return pd.DataFrame(table[np.isfinite(table["x"]) & np.isfinite(table["y"])])


def _shift(log10_factor: Any, temperature_K: Any, quantity: str) -> Any:
    """Return what is added to log10 of D (cm^2/s) for a quantity of the axis.

    :param log10_factor: log10 of sigma T / D, mS K/cm over cm^2/s.
    """
    if quantity == "diffusivity":
        return 0.0 * temperature_K
    return log10_factor - (np.log10(temperature_K) if quantity == "plain_conductivity" else 0.0)


def _add_line(figure: go.Figure, line: ArrheniusLine, shown: pd.DataFrame, style: LevelStyle, quantity: str) -> None:
    """Add median and band of the draws, from the highest temperature used to the target."""
    if not len(line.activation_energies_eV) or (quantity != "diffusivity" and line.log10_factor is None):
        return
    used = shown[(shown["conductivity_uuid"] == line.uuid) & shown["refused"].isna() & ~shown["is_bound"]]
    if used.empty:
        return
    ends = K_PER_KK / line.target_temperature_K, float(used["x"].min()), float(used["x"].max())
    x = np.linspace(min(ends), max(ends), N_GRID)
    slope = line.activation_energies_eV[:, None] / (BOLTZMANN_EV_K * np.log(10.0)) / K_PER_KK
    draws = line.log10_prefactors_cm2_s[:, None] - slope * x
    shift = _shift(line.log10_factor, K_PER_KK / x, quantity)
    low, middle, high = np.percentile(draws + shift, [2.5, 50.0, 97.5], axis=0)
    common = {"legendgroup": line.level_of_theory, "showlegend": False, "hoverinfo": "skip", "mode": "lines"}
    name = plain(line.level_of_theory)
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        fill="toself",
        fillcolor=faded(style.color, 0.16),
        line={"width": 0},
        name=f"{name}, 95 % band",
        **common,
    )
    measured = (x >= ends[1] - 1e-9) & (x <= ends[2] + 1e-9)
    for part, dash in ((measured, "solid"), (x >= ends[2], "dot"), (x <= ends[1], "dot")):
        drawn = {"color": style.color, "width": 2, "dash": dash}
        figure.add_scatter(x=x[part], y=middle[part], line=drawn, name=f"{name}, median", **common)


def _explain_symbols(figure: go.Figure, shown: pd.DataFrame, theme: Theme) -> None:
    """Explain hollow points and arrows in the legend, if there are any."""
    for there, symbol, words in (
        (shown["refused"].notna().any(), "circle-open", "refused"),
        (shown["is_poorly_known"].any(), POORLY_KNOWN_SYMBOL, "poorly known"),
        (shown["is_bound"].any(), UPPER_BOUND_SYMBOL, "upper bound"),
    ):
        if there:
            marker = {"symbol": symbol, "color": theme.muted, "size": 10, "line": {"width": 1.8, "color": theme.muted}}
            figure.add_scatter(x=[None], y=[None], mode="markers", marker=marker, name=words, hoverinfo="skip")


def _limit_y(figure: go.Figure, shown: pd.DataFrame) -> None:
    """Keep intervals that span decades from stretching the axis, where there is anything else to see."""
    poor = shown["is_poorly_known"].astype(bool)
    known = shown[~poor]
    if known.empty or not poor.any():
        return
    ends = [known["y"] + known["up"].fillna(0.0), known["y"] - known["down"].fillna(0.0), shown["y"]]
    drawn = (trace for trace in figure.data if trace.mode == "lines" or trace.name == "experiment")
    ends += [pd.Series(np.asarray(trace.y, dtype=float)) for trace in drawn]
    values = pd.concat(ends).dropna()
    low, high = float(values.min()), float(values.max())
    room = MARGIN * max(high - low, 0.5)
    figure.update_layout(yaxis={"range": [low - room, high + room]})


def _finish_axes(figure: go.Figure) -> None:
    """Set the range, and degrees Celsius above."""
    x = np.concatenate([np.asarray(trace.x, dtype=float) for trace in figure.data])
    low, high = float(np.nanmin(x)), float(np.nanmax(x))
    room = max(MARGIN * (high - low), (SMALLEST_RANGE - (high - low)) / 2)
    limits = [low - room, high + room]
    ticks = celsius_ticks(*limits)
    figure.add_scatter(
        x=[None], y=[None], xaxis="x2", mode="markers", showlegend=False, hoverinfo="skip", name="degrees Celsius"
    )
    figure.update_layout(
        xaxis={"range": limits, "mirror": False},
        xaxis2={
            "overlaying": "x",
            "matches": "x",
            "side": "top",
            "showgrid": False,
            "mirror": False,
            "tickvals": [K_PER_KK / (tick + KELVIN_AT_0_CELSIUS) for tick in ticks],
            "ticktext": [f"{tick}" for tick in ticks],
            "title": {"text": "T  (°C)", "standoff": 8},
        },
        margin={"t": 64, "b": 118},
        legend={"orientation": "h", "x": 0.0, "yref": "container", "y": 0.01, "yanchor": "bottom"},
    )


def celsius_ticks(low: float, high: float) -> list[int]:
    """Return round temperatures, degrees Celsius, with 1000/T between two values and without overlap.

    :param low: lower limit of 1000/T, 1/K.
    :param high: upper limit of 1000/T, 1/K.
    """
    kept: list[int] = []
    last = float("-inf")
    for tick in CELSIUS_TICKS:
        place = (K_PER_KK / (tick + KELVIN_AT_0_CELSIUS) - low) / (high - low)
        if 0.0 <= place <= 1.0 and place - last >= MIN_TICK_DISTANCE:
            kept.append(tick)
            last = place
    return kept
