"""Whether a run left the training frames: closest pairs, surroundings, spread of a committee, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from aiida_ion.dashboards.figures.force_parity import ON_DARK, ON_LIGHT
from aiida_ion.dashboards.figures.theme import OKABE_ITO, Theme, empty_figure, legend_below, plain, template

#: Most pairs that are drawn, those that came closest to their bounds, and frames of each.
MAX_PAIRS, MAX_FRAMES = 6, 1500


def watch_figure(
    arrays: Mapping[str, NDArray[Any]],
    pairs: Sequence[str],
    bounds_A: Mapping[str, float],
    flagged: Sequence[int],
    spread_bound_eV_A: float | None,
    *,
    theme: Theme,
    environment_bound: float | None = None,
) -> go.Figure:
    """Return the closest distance of pairs of elements with their bounds, above what else is known of the frames.

    That is the distance of the farthest atom to the training atoms, and the spread of a committee.

    Of a long run the frames that are drawn are those with the shortest distances, so that none of them is missed.

    :param arrays: ``closest_A`` (n, p), ``steps`` (n,), and where they are known ``times_ps`` (n,) and
        ``committee_spread_eV_A`` (n, 2): mean and largest over atoms, and ``environment`` (n,), no unit.
    :param pairs: names of the p pairs of elements.
    :param bounds_A: the distance below which a frame is flagged, by pair, angstrom.
    :param flagged: rows of the flagged frames.
    :param spread_bound_eV_A: mean spread above which a frame is flagged, eV/angstrom.
    :param environment_bound: distance to the training atoms above which a frame is flagged, no unit.
    """
    closest = np.asarray(arrays.get("closest_A", np.empty((0, 0))))
    steps = np.asarray(arrays.get("steps", ()))
    if closest.ndim != 2 or closest.dtype.kind not in "fiu" or not closest.size or closest.shape[1] != len(pairs):
        return empty_figure(theme, "Nothing was seen of the frames of this run.")
    if steps.shape != (len(closest),):
        return empty_figure(theme, "What was seen of this run does not say its steps.")
    times = np.asarray(arrays.get("times_ps", ()))
    x, title = (times, "time (ps)") if times.shape == steps.shape else (steps, "step")
    spread = np.asarray(arrays.get("committee_spread_eV_A", np.empty((0, 2))))
    has_spread = spread.shape == (len(closest), 2) and bool(np.isfinite(spread).any())
    away = np.asarray(arrays.get("environment", ()))
    is_distance = away.shape == steps.shape and away.dtype.kind == "f"
    has_environment = is_distance and bool(np.isfinite(away).any())
    n_rows = 1 + has_environment + has_spread
    figure = make_subplots(rows=n_rows, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    figure.update_layout(template=template(theme))
    rows = np.array(sorted({row for row in flagged if 0 <= row < len(closest)}), dtype=int)
    _add_pairs(figure, x, closest, pairs, bounds_A, rows, theme)
    if has_environment:
        _add_environment(figure, x, away, rows, environment_bound, theme)
    if has_spread:
        _add_spread(figure, x, spread, rows, spread_bound_eV_A, theme, n_rows)
    figure.update_yaxes(title_text="closest pair (Å)", row=1, col=1)
    figure.update_xaxes(title_text=title, row=n_rows, col=1)
    return legend_below(figure).update_layout(showlegend=True)


def _add_pairs(
    figure: go.Figure,
    x: NDArray[Any],
    closest: NDArray[Any],
    pairs: Sequence[str],
    bounds_A: Mapping[str, float],
    flagged: NDArray[np.int64],
    theme: Theme,
) -> None:
    room = [closest[:, place].min() - bounds_A.get(name, -np.inf) for place, name in enumerate(pairs)]
    colors = [OKABE_ITO[name] for name in (ON_DARK if theme.name == "dark" else ON_LIGHT)]
    for number, place in enumerate(np.argsort(room)[:MAX_PAIRS].tolist()):
        name, color = plain(pairs[place]), colors[number % len(colors)]
        drawn = lowest_of_bins(closest[:, place], MAX_FRAMES)
        hover = f"{name}: %{{y:.3f}} Å at %{{x}}"
        group = {"legendgroup": name, "row": 1, "col": 1}
        line = {"color": color, "width": 1.5}
        values = closest[drawn, place]
        figure.add_scatter(x=x[drawn], y=values, name=name, mode="lines", line=line, hovertemplate=hover, **group)
        bound = bounds_A.get(pairs[place])
        if bound is not None:
            ends = {"x": [x[0], x[-1]], "y": [bound, bound], "mode": "lines", "line": line | {"dash": "dash"}}
            figure.add_scatter(
                **ends, name=f"{name}, bound", showlegend=False, hovertemplate=f"{hover} (bound)", **group
            )
            below = flagged[closest[flagged, place] < bound]
            _add_flags(figure, x[below], closest[below, place], f"{name}, flagged", theme, **group)


def _add_environment(
    figure: go.Figure,
    x: NDArray[Any],
    away: NDArray[Any],
    flagged: NDArray[np.int64],
    bound: float | None,
    theme: Theme,
) -> None:
    place = {"row": 2, "col": 1}
    known = np.flatnonzero(np.isfinite(away))
    drawn = known[lowest_of_bins(-away[known], MAX_FRAMES)]
    line = {"color": OKABE_ITO["orange"], "width": 1.5}
    name, hover = "surroundings, farthest atom", "farthest atom: %{y:.2f} at %{x}"
    figure.add_scatter(x=x[drawn], y=away[drawn], name=name, mode="lines", line=line, hovertemplate=hover, **place)
    if bound is not None:
        ends = {"x": [x[0], x[-1]], "y": [bound, bound], "mode": "lines", "line": line | {"dash": "dash"}}
        figure.add_scatter(**ends, name="bound of surroundings", hovertemplate="bound: %{y:.2f}", **place)
        above = flagged[away[flagged] > bound]
        _add_flags(figure, x[above], away[above], "surroundings, flagged", theme, **place)
    figure.update_yaxes(title_text="distance to training atoms", rangemode="tozero", **place)


def _add_spread(
    figure: go.Figure,
    x: NDArray[Any],
    spread: NDArray[Any],
    flagged: NDArray[np.int64],
    bound_eV_A: float | None,
    theme: Theme,
    row: int,
) -> None:
    place = {"row": row, "col": 1}
    color = OKABE_ITO["sky blue" if theme.name == "dark" else "blue"]
    known = np.flatnonzero(np.isfinite(spread).all(axis=1))
    for column, (name, dash) in enumerate((("spread, mean over atoms", "solid"), ("spread, largest", "dot"))):
        drawn = known[lowest_of_bins(-spread[known, column], MAX_FRAMES)]
        line = {"color": color, "width": 1.5, "dash": dash}
        hover = f"{name}: %{{y:.3f}} eV/Å at %{{x}}"
        values = spread[drawn, column]
        figure.add_scatter(x=x[drawn], y=values, name=name, mode="lines", line=line, hovertemplate=hover, **place)
    if bound_eV_A is not None:
        line = {"color": theme.muted, "dash": "dash", "width": 1.5}
        ends = {"x": [x[0], x[-1]], "y": [bound_eV_A, bound_eV_A], "mode": "lines", "line": line}
        figure.add_scatter(**ends, name="bound of the mean", hovertemplate="bound: %{y:.3f} eV/Å", **place)
        above = flagged[spread[flagged, 0] > bound_eV_A]
        _add_flags(figure, x[above], spread[above, 0], "spread, flagged", theme, **place)
    figure.update_yaxes(title_text="spread of forces (eV/Å)", rangemode="tozero", **place)


def _add_flags(figure: go.Figure, x: NDArray[Any], y: NDArray[Any], name: str, theme: Theme, **place: Any) -> None:
    if len(x):
        marker = {"symbol": "x", "size": 10, "color": theme.bad}
        figure.add_scatter(
            x=x, y=y, name=name, mode="markers", marker=marker, hovertemplate="%{y:.3f} at %{x}", **place
        )


def lowest_of_bins(values: NDArray[Any], most: int) -> NDArray[np.int64]:
    """Return the rows of the smallest value of each of at most this many equal parts, in order."""
    if len(values) <= most:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), most + 1).astype(int)
    rows = [start + int(np.argmin(values[start:stop])) for start, stop in pairwise(edges.tolist())]
    return np.array(rows, dtype=np.int64)
