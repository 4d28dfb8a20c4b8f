"""Points of an Arrhenius plot: temperatures, refused ones, bounds, and experiments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from aiida_ion.dashboards.figures.theme import (
    EXPERIMENT_SYMBOL,
    POORLY_KNOWN_SYMBOL,
    UPPER_BOUND_SYMBOL,
    LevelStyle,
    Theme,
    file_columns,
    plain,
)
from aiida_ion.units import K_PER_KK

KELVIN_AT_0_CELSIUS = 273.15


def log10_of(values: pd.Series[Any]) -> pd.Series[float]:
    """Return the logarithms of positive values, NaN for others."""
    numbers = pd.to_numeric(values).astype(float)
    return pd.Series(np.log10(numbers.where(numbers > 0)), index=values.index)


def add_points(figure: go.Figure, rows: pd.DataFrame, level: str, style: LevelStyle) -> None:
    """Add the temperatures of one level: filled, hollow if refused, an arrow for a bound.

    A poorly known diffusivity is shown by its interval only, with a dash in the middle.
    """
    kept = rows["refused"].isna()
    bound = rows["is_bound"].astype(bool)
    symbols = np.where(bound, UPPER_BOUND_SYMBOL, style.symbol) + np.where(kept, pd.Series("", rows.index), "-open")
    symbols = np.where(rows["is_poorly_known"].astype(bool), POORLY_KNOWN_SYMBOL, symbols)
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
        meta=file_columns(is_bound=bound, refused=~kept, is_poorly_known=rows["is_poorly_known"]),
        hovertext=[_words(row) for row in rows.to_dict("records")],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    # Otherwise the legend would show the symbol of the first point, even an arrow.
    key = {"symbol": style.symbol, "color": style.color, "size": 11}
    figure.add_scatter(
        x=[None], y=[None], mode="markers", marker=key, name=plain(level), legendgroup=level, hoverinfo="skip"
    )


def add_members(figure: go.Figure, rows: pd.DataFrame, styles: Mapping[str, LevelStyle]) -> None:
    """Add the temperatures of the members of an ensemble, small and pale, as points behind its mean."""
    for level, group in rows.groupby("level_of_theory", sort=True):
        style = styles[str(level)]
        bound = group["is_bound"].astype(bool)
        figure.add_scatter(
            x=group["x"],
            y=group["y"],
            mode="markers",
            marker={"symbol": np.where(bound, UPPER_BOUND_SYMBOL, "circle"), "color": style.color, "size": 6},
            opacity=0.45,
            name="members",
            legendgroup="members",
            customdata=group[["uuid"]].to_numpy(),
            hovertext=[f"member {plain(row['label'])}<br>{_words(row)}" for row in group.to_dict("records")],
            hovertemplate="%{hovertext}<extra></extra>",
        )


def _words(row: Mapping[Any, Any]) -> str:
    """Return the hover text of a point."""
    celsius = row["temperature_K"] - KELVIN_AT_0_CELSIUS
    lines = [f"<b>{plain(row['level_of_theory'])}</b>", f"{row['temperature_K']:.0f} K ({celsius:.0f} °C)"]
    if row["is_bound"]:
        lines.append(f"D* &lt; {row['tracer_diffusivity_upper_bound_cm2_s']:.2e} cm²/s")
    else:
        low, high = row["tracer_diffusivity_ci95_low_cm2_s"], row["tracer_diffusivity_ci95_high_cm2_s"]
        between = f"[{low:.2e}, {high:.2e}] cm²/s"
        value = f"D* = {row['tracer_diffusivity_cm2_s']:.2e} {between}"
        lines.append(f"D* is poorly known: {between}" if row["is_poorly_known"] else value)
    lines.append(f"grade {plain(row['grade'])}")
    why = row["refused"] if isinstance(row["refused"], str) else row["reason"] if row["is_bound"] else None
    if isinstance(why, str):
        lines += [f"<i>{plain(part)}</i>" for part in _wrapped(("refused: " if row["refused"] == why else "") + why)]
    return "<br>".join(lines)


def _wrapped(text: str, width: int = 60) -> list[str]:
    """Wrap a sentence into at most five lines."""
    lines = [""]
    for word in text[:400].split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines[:5]


def add_experiments(
    figure: go.Figure, table: pd.DataFrame | None, factor: float | None, quantity: str, theme: Theme
) -> None:
    """Add measured conductivities as stars, bounds as hollow stars with an arrow.

    Those without a temperature have no place on the axis and are left out; the page counts them.
    """
    if table is None or (quantity == "diffusivity" and factor is None):
        return
    table = table[pd.to_numeric(table["temperature_K"]) > 0]
    if table.empty:
        return
    bound = table["ionic_conductivity_mS_cm"].isna()
    value = table["ionic_conductivity_mS_cm"].where(~bound, table["ionic_conductivity_upper_bound_mS_cm"])
    temperature = pd.to_numeric(table["temperature_K"])
    y = log10_of(value)  # of the plain conductivity, which was measured
    if quantity != "plain_conductivity":
        y += np.log10(temperature) - (factor if quantity == "diffusivity" and factor is not None else 0.0)
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
        x=K_PER_KK / temperature,
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
        meta=file_columns(is_bound=bound, refused=[False] * len(table)),
        customdata=table[["uuid"]].to_numpy(),
        hovertext=texts,
        hovertemplate="%{hovertext}<extra></extra>",
    )
