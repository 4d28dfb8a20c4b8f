"""Forces of a level of theory against those of the reference, on frames of the reference, by element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from aiida_ion.dashboards.figures.theme import OKABE_ITO, SYMBOLS, Theme, empty_figure, legend_below, new_figure, plain

#: Maximum number of points; more would only overlap.
MAX_POINTS = 4000
#: Colours of elements; those with the best contrast in a theme come first.
ON_LIGHT = ("blue", "vermillion", "bluish green", "reddish purple", "orange", "sky blue")
ON_DARK = ("sky blue", "orange", "reddish purple", "bluish green", "vermillion", "blue")


def force_parity_figure(
    arrays: Mapping[str, NDArray[Any]],
    elements: Sequence[str],
    level: str,
    reference: str,
    *,
    theme: Theme,
    nothing: str = "This comparison has no forces on frames of the reference.",
) -> go.Figure:
    """Return components of forces, eV/angstrom, against those of the reference, with the MAE of each element.

    The mean absolute error is over all stored pairs; of many pairs every k-th is drawn.

    :param arrays: ``parity_reference_forces_eV_A``, ``parity_forces_eV_A`` and ``parity_elements``, each (n,), of a
        comparison node.
    :param elements: symbols, or names of other groups, that ``parity_elements`` refers to by index.
    :param nothing: the sentence where there are no forces.
    """
    pairs = _finite_pairs(arrays)
    if pairs is None:
        return empty_figure(theme, nothing)
    reference_forces, forces, kinds = pairs
    figure = new_figure(theme, f"force component, {plain(reference)} (eV/Å)", f"{plain(level)} (eV/Å)")
    reach = 1.05 * max(float(np.abs(reference_forces).max()), float(np.abs(forces).max()), 1e-6)
    line = {"color": theme.muted, "width": 1.5, "dash": "dash"}
    figure.add_scatter(x=[-reach, reach], y=[-reach, reach], mode="lines", line=line, name="equal", hoverinfo="skip")
    colors = [OKABE_ITO[name] for name in (ON_DARK if theme.name == "dark" else ON_LIGHT)]
    stride = max(1, -(-len(forces) // MAX_POINTS))
    for number, element in enumerate(elements):
        of_element = np.flatnonzero(kinds == number)
        if len(of_element):
            error = float(np.abs(forces[of_element] - reference_forces[of_element]).mean())
            drawn = of_element[::stride]
            color = colors[number % len(colors)]
            _add_element(figure, reference_forces[drawn], forces[drawn], element, color, SYMBOLS[number % 8], error)
    figure.update_xaxes(range=[-reach, reach], constrain="domain")
    figure.update_yaxes(range=[-reach, reach], scaleanchor="x", scaleratio=1, constrain="domain")
    return legend_below(figure)


def _finite_pairs(arrays: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]] | None:
    """Return both forces and the elements, of equal length; ``None`` if there is nothing to draw."""
    names = ("parity_reference_forces_eV_A", "parity_forces_eV_A", "parity_elements")
    present = [np.asarray(arrays[name]).ravel() for name in names if name in arrays]
    if len(present) < len(names) or len({len(array) for array in present}) != 1:
        return None
    finite = np.isfinite(present[0]) & np.isfinite(present[1])
    return (present[0][finite], present[1][finite], present[2][finite]) if finite.any() else None


def _add_element(
    figure: go.Figure, x: NDArray[Any], y: NDArray[Any], element: str, color: str, symbol: str, error_eV_A: float
) -> None:
    figure.add_scatter(
        x=x,
        y=y,
        mode="markers",
        name=f"{plain(element)}, MAE {error_eV_A:.3f} eV/Å",
        marker={
            "color": color,
            "symbol": symbol,
            "size": 5,
            "opacity": 0.5,
        },
        hovertemplate=f"{plain(element)}: %{{x:.3f}} → %{{y:.3f}} eV/Å<extra></extra>",
    )
