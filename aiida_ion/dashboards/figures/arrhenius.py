"""The Arrhenius plot: every temperature, the posterior of the line, bounds, refusals and experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from aiida_ion.dashboards.figures.theme import (
    EXPERIMENT_SYMBOL,
    UPPER_BOUND_SYMBOL,
    LevelStyle,
    Theme,
    empty_figure,
    faded,
    new_figure,
    plain,
)
from aiida_ion.units import BOLTZMANN_EV_K

#: What the vertical axis may show -> its title.
QUANTITIES = {
    "conductivity": "log<sub>10</sub>(σT / mS K cm<sup>−1</sup>)",
    "diffusivity": "log<sub>10</sub>(D* / cm<sup>2</sup> s<sup>−1</sup>)",
}
CELSIUS_TICKS = (
    2000,
    1500,
    1200,
    1000,
    800,
    700,
    600,
    500,
    400,
    300,
    250,
    200,
    150,
    100,
    75,
    50,
    25,
    0,
    -25,
    -50,
    -100,
)
KELVIN_AT_0_CELSIUS = 273.15
#: Part of the width that two marks of the upper axis are apart at least.
MIN_TICK_DISTANCE = 0.055
N_GRID = 60
#: Room beside the outermost points, parts of the range.
MARGIN = 0.06


@dataclass(frozen=True)
class ArrheniusLine:
    """The posterior of one conductivity node.

    :param activation_energies_eV: draws, paired with `log10_prefactors_cm2_s`; empty where there is no line.
    :param log10_factor: log10 of sigma T / D, mS K/cm over cm^2/s; ``None`` for ions without charge.
    :param target_temperature_K: the line is drawn to here.
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
) -> go.Figure:
    """Return log10 of sigma T, or of D, over 1000/T, with degrees Celsius above.

    Refused temperatures are hollow, bounds are arrows, experiments are stars; ``customdata`` holds the UUID.

    :param points: rows of `aiida_ion.queries.details.arrhenius_points`.
    :param lines: one for each conductivity that has a posterior; its band is the central 95 %, dotted beyond the
        temperatures that were used.
    :param styles: of each level of theory.
    :param quantity: a key of `QUANTITIES`.
    :param experiments: rows of `aiida_ion.queries.experiments`.
    """
    shown = _on_axes(points, quantity)
    figure = new_figure(theme, "1000 / T  (K<sup>−1</sup>)", QUANTITIES[quantity])
    for line in lines:
        _add_line(figure, line, shown, styles[line.level_of_theory], quantity)
    for level, rows in shown.groupby("level_of_theory", sort=True):
        _add_points(figure, rows, str(level), styles[str(level)])
    _add_experiments(figure, experiments, _factor(lines, points), quantity, theme)
    if not figure.data:
        unit = "conductivity of ions without charge" if quantity == "conductivity" and len(points) else "temperature"
        return empty_figure(theme, f"There is no {unit} to draw.")
    _explain_symbols(figure, shown, theme)
    _finish_axes(figure)
    return figure


def _factor(lines: Sequence[ArrheniusLine], points: pd.DataFrame) -> float | None:
    """Return the first constant of Nernst and Einstein there is: cells of one material hardly differ in it."""
    known = points["log10_conductivity_temperature_per_diffusivity"].dropna()
    found = [line.log10_factor for line in lines if line.log10_factor is not None]
    return found[0] if found else (float(known.iloc[0]) if len(known) else None)


def _on_axes(points: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Return the points that can be drawn, with ``x``, ``y``, ``up``, ``down`` and ``is_bound``."""
    table = points.copy()
    moved = table["verdict"] == "moved"
    value = table["tracer_diffusivity_cm2_s"].where(moved, table["tracer_diffusivity_upper_bound_cm2_s"])
    zero = pd.Series(0.0, index=table.index)
    shift = table["log10_conductivity_temperature_per_diffusivity"] if quantity == "conductivity" else zero
    table["x"] = 1000.0 / pd.to_numeric(table["temperature_K"])
    table["y"] = _log10(value) + pd.to_numeric(shift)
    table["up"] = (_log10(table["tracer_diffusivity_ci95_high_cm2_s"]) - _log10(value)).where(moved)
    table["down"] = (_log10(value) - _log10(table["tracer_diffusivity_ci95_low_cm2_s"])).where(moved)
    table["is_bound"] = ~moved
    return pd.DataFrame(table[np.isfinite(table["x"]) & np.isfinite(table["y"])])


def _log10(values: pd.Series[Any]) -> pd.Series[float]:
    numbers = pd.to_numeric(values).astype(float)
    return pd.Series(np.log10(numbers.where(numbers > 0)), index=values.index)


def _add_line(figure: go.Figure, line: ArrheniusLine, shown: pd.DataFrame, style: LevelStyle, quantity: str) -> None:
    """Add median and band of the draws, from the highest temperature that was used to the target."""
    if not len(line.activation_energies_eV) or (quantity == "conductivity" and line.log10_factor is None):
        return
    used = shown[(shown["conductivity_uuid"] == line.uuid) & shown["refused"].isna() & ~shown["is_bound"]]
    if used.empty:
        return
    ends = 1000.0 / line.target_temperature_K, float(used["x"].min()), float(used["x"].max())
    x = np.linspace(min(ends), max(ends), N_GRID)
    slope = line.activation_energies_eV[:, None] / (BOLTZMANN_EV_K * np.log(10.0)) / 1000.0
    draws = line.log10_prefactors_cm2_s[:, None] - slope * x
    shift = line.log10_factor if quantity == "conductivity" and line.log10_factor is not None else 0.0
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


def _add_points(figure: go.Figure, rows: pd.DataFrame, level: str, style: LevelStyle) -> None:
    """Add the temperatures of one level: filled, hollow where refused, an arrow where only bounded."""
    kept = rows["refused"].isna()
    bound = rows["is_bound"].astype(bool)
    symbols = np.where(bound, UPPER_BOUND_SYMBOL, style.symbol) + np.where(kept, pd.Series("", rows.index), "-open")
    figure.add_scatter(
        x=rows["x"],
        y=rows["y"],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": rows["up"].fillna(0.0),
            "arrayminus": rows["down"].fillna(0.0),
            "color": style.color,
            "thickness": 1.5,
            "width": 4,
        },
        mode="markers",
        marker={"symbol": symbols, "color": style.color, "size": 11, "line": {"width": 1.8, "color": style.color}},
        name=plain(level),
        legendgroup=level,
        showlegend=False,
        customdata=rows[["uuid"]].to_numpy(),
        hovertext=[_words(row) for row in rows.to_dict("records")],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    # The legend would show the symbol of the first point, be it an arrow.
    key = {"symbol": style.symbol, "color": style.color, "size": 11}
    figure.add_scatter(
        x=[None], y=[None], mode="markers", marker=key, name=plain(level), legendgroup=level, hoverinfo="skip"
    )


def _words(row: Mapping[Any, Any]) -> str:
    """Return what is said of a point."""
    celsius = row["temperature_K"] - KELVIN_AT_0_CELSIUS
    lines = [f"<b>{plain(row['level_of_theory'])}</b>", f"{row['temperature_K']:.0f} K ({celsius:.0f} °C)"]
    if row["is_bound"]:
        lines.append(f"D* &lt; {row['tracer_diffusivity_upper_bound_cm2_s']:.2e} cm²/s")
    else:
        low, high = row["tracer_diffusivity_ci95_low_cm2_s"], row["tracer_diffusivity_ci95_high_cm2_s"]
        lines.append(f"D* = {row['tracer_diffusivity_cm2_s']:.2e} [{low:.2e}, {high:.2e}] cm²/s")
    lines.append(f"grade {plain(row['grade'])}")
    why = row["refused"] if isinstance(row["refused"], str) else row["reason"] if row["is_bound"] else None
    if isinstance(why, str):
        lines += [f"<i>{plain(part)}</i>" for part in _wrapped(("refused: " if row["refused"] == why else "") + why)]
    return "<br>".join(lines)


def _wrapped(text: str, width: int = 60) -> list[str]:
    """Return a sentence in lines, five at most."""
    lines = [""]
    for word in text[:400].split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines[:5]


def _add_experiments(
    figure: go.Figure, table: pd.DataFrame | None, factor: float | None, quantity: str, theme: Theme
) -> None:
    """Add measured conductivities as stars, bounds as hollow stars with an arrow."""
    if table is None or table.empty or (quantity == "diffusivity" and factor is None):
        return
    bound = table["ionic_conductivity_mS_cm"].isna()
    value = table["ionic_conductivity_mS_cm"].where(~bound, table["ionic_conductivity_upper_bound_mS_cm"])
    temperature = pd.to_numeric(table["temperature_K"]).fillna(300.0)
    y = _log10(value) + np.log10(temperature) - (factor if quantity == "diffusivity" and factor is not None else 0.0)
    texts = [
        f"<b>experiment</b>, {plain(name)} {plain(entry)}<br>{limit}{sigma:.2e} mS/cm at {at:.0f} K, {plain(kind)}"
        for name, entry, limit, sigma, at, kind in zip(
            table["dataset"],
            table["entry_id"],
            np.where(bound, "&lt; ", ""),
            value.astype(float),
            temperature,
            table["conductivity_kind"],
            strict=True,
        )
    ]
    figure.add_scatter(
        x=1000.0 / temperature,
        y=y,
        mode="markers",
        marker={
            "symbol": np.where(bound, f"{EXPERIMENT_SYMBOL}-open", EXPERIMENT_SYMBOL),
            "size": 16,
            "color": theme.experiment,
            "line": {"width": 1.2, "color": theme.card},
        },
        error_y={
            "type": "data",
            "symmetric": False,
            "array": np.zeros(len(table)),
            "arrayminus": np.where(bound, 0.6, 0.0),
            "color": theme.experiment,
            "width": 0,
        },
        name="experiment",
        customdata=table[["uuid"]].to_numpy(),
        hovertext=texts,
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _explain_symbols(figure: go.Figure, shown: pd.DataFrame, theme: Theme) -> None:
    """Add to the legend what hollow points and arrows are, where there are any."""
    for there, symbol, words in (
        (shown["refused"].notna().any(), "circle-open", "refused"),
        (shown["is_bound"].any(), UPPER_BOUND_SYMBOL, "upper bound"),
    ):
        if there:
            marker = {"symbol": symbol, "color": theme.muted, "size": 10, "line": {"width": 1.8, "color": theme.muted}}
            figure.add_scatter(x=[None], y=[None], mode="markers", marker=marker, name=words, hoverinfo="skip")


def _finish_axes(figure: go.Figure) -> None:
    """Set the range, and degrees Celsius above."""
    x = np.concatenate([np.asarray(trace.x, dtype=float) for trace in figure.data])
    low, high = float(np.nanmin(x)), float(np.nanmax(x))
    room = MARGIN * max(high - low, 0.1)
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
            "tickvals": [1000.0 / (tick + KELVIN_AT_0_CELSIUS) for tick in ticks],
            "ticktext": [f"{tick}" for tick in ticks],
            "title": {"text": "T  (°C)", "standoff": 8},
        },
        margin={"t": 64, "b": 118},
        legend={"orientation": "h", "x": 0.0, "yref": "container", "y": 0.01, "yanchor": "bottom"},
    )


def celsius_ticks(low: float, high: float) -> list[int]:
    """Return round temperatures, degrees Celsius, whose 1000/T lies between two values and that do not overlap.

    :param low: of 1000/T, 1/K.
    :param high: of 1000/T, 1/K.
    """
    kept: list[int] = []
    last = float("-inf")
    for tick in CELSIUS_TICKS:
        place = (1000.0 / (tick + KELVIN_AT_0_CELSIUS) - low) / (high - low)
        if 0.0 <= place <= 1.0 and place - last >= MIN_TICK_DISTANCE:
            kept.append(tick)
            last = place
    return kept
