"""The atoms of a run in its cell, with a slider over time; the browser has all frames, and none is asked for later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from aiida_ion.dashboards.figures.structure.bonds import Bonds, bonds_of
from aiida_ion.dashboards.figures.structure.cell import (
    MOBILE_COLOR,
    SLIDER_PX,
    add_atoms,
    add_bonds,
    add_edges,
    folded,
    framework_marker,
    in_space,
)
from aiida_ion.dashboards.figures.theme import Theme, empty_figure, new_figure, plain
from aiida_ion.units import BYTES_PER_MIB

FloatArray = NDArray[np.float64]

#: Most frames, and most bytes of coordinates in all of them: a run of many atoms has fewer frames.
MOST_FRAMES, MOST_BYTES = 50, 3 * BYTES_PER_MIB // 2
#: A coordinate in single precision, bytes.
BYTES_PER_NUMBER = 4
#: Time that a frame is shown for while playing, ms.
FRAME_MS = 120


def motion_figure(
    cell: FloatArray,
    symbols: Sequence[str],
    positions: FloatArray,
    times_ps: FloatArray,
    mobile_species: str,
    *,
    theme: Theme,
) -> go.Figure:
    """Return atoms and bonds of the framework and the mobile ions at evenly spaced times, with slider and play button.

    Bonds are those of the mean positions of the framework and follow its atoms. Framework atoms stay in the image of
    their mean position; mobile ions are folded into the cell.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    :param symbols: element of each atom.
    :param positions: unwrapped, angstrom, (n, N, 3); of more frames than can be sent evenly spaced ones are shown.
    :param times_ps: (n,).
    """
    if positions.ndim != 3 or not len(positions) or not len(symbols):
        return empty_figure(theme, "The run has no frames.")
    motion = _Motion(cell, symbols, positions, mobile_species)
    chosen = motion.frames_sent()
    figure = new_figure(theme, "", "")
    add_edges(figure, cell, theme)
    first = motion.lines_and_places(int(chosen[0]))
    add_bonds(figure, first[0], theme)
    for number, (element, places) in enumerate(zip(motion.elements, first[1:-1], strict=True)):
        add_atoms(figure, places, framework_marker(number), plain(element))
    marker = {"symbol": "circle", "color": MOBILE_COLOR, "size": 5, "line": {"color": theme.text, "width": 1}}
    add_atoms(figure, first[-1], marker, plain(mobile_species))
    names = [f"{times_ps[number]:.4g}" for number in chosen]
    traces = list(range(1, len(figure.data)))
    figure.frames = [
        go.Frame(name=f"{place} {name}", traces=traces, data=_moved(motion.lines_and_places(int(number))))
        for place, (number, name) in enumerate(zip(chosen, names, strict=True))
    ]
    in_space(figure, SLIDER_PX)
    _add_controls(figure, names, theme)
    return figure


class _Motion:
    """Framework and mobile ions of a run, frame by frame."""

    def __init__(self, cell: FloatArray, symbols: Sequence[str], positions: FloatArray, mobile_species: str) -> None:
        self._cell, self._positions = cell, positions
        moves = np.array([symbol == mobile_species for symbol in symbols])
        self._mobile, self._rest = np.flatnonzero(moves), np.flatnonzero(~moves)
        rest = [symbols[int(index)] for index in self._rest]
        self.elements = list(dict.fromkeys(rest))
        self._chosen = [np.array([symbol == element for symbol in rest]) for element in self.elements]
        mean = positions[:, self._rest].mean(axis=0)
        self._shift = folded(mean, cell) - mean
        self._bonds: Bonds = bonds_of(mean + self._shift, rest, cell)

    def frames_sent(self) -> NDArray[np.int64]:
        """Return the numbers of the frames that are sent."""
        numbers = 3 * (len(self._mobile) + len(self._rest) + 3 * len(self._bonds.first))
        most = max(1, min(MOST_FRAMES, MOST_BYTES // (BYTES_PER_NUMBER * numbers)))
        chosen = np.linspace(0, len(self._positions) - 1, min(most, len(self._positions)))
        return np.unique(chosen.round().astype(np.int64))

    def lines_and_places(self, number: int) -> list[FloatArray]:
        """Return lines of bonds, places of each element of the framework, and of the mobile ions, angstrom."""
        rest = self._positions[number, self._rest] + self._shift
        lines = self._bonds.lines(rest, self._cell)
        mobile = folded(self._positions[number, self._mobile], self._cell)
        return [lines, *[rest[chosen] for chosen in self._chosen], mobile]


def _moved(places: Sequence[FloatArray]) -> list[go.Scatter3d]:
    """Return new coordinates of the traces of a frame; there is no trace of bonds where there are none."""
    kept = places[1:] if not len(places[0]) else places
    return [go.Scatter3d(**dict(zip("xyz", place.reshape(-1, 3).astype(np.float32).T, strict=True))) for place in kept]


def _add_controls(figure: go.Figure, names: Sequence[str], theme: Theme) -> None:
    """Add the slider of times, and buttons that play and stop."""
    at_once: dict[str, Any] = {"mode": "immediate", "transition": {"duration": 0}}
    frame = {"duration": FRAME_MS, "redraw": True}
    steps = [
        {"label": name, "method": "animate", "args": [[f"{place} {name}"], at_once | {"frame": frame}]}
        for place, name in enumerate(names)
    ]
    shown = {"prefix": "time: ", "suffix": " ps", "font": {"color": theme.text, "size": 13}}
    slider = {
        "steps": steps,
        "currentvalue": shown,
        "x": 1.0,
        "xanchor": "right",
        "len": 0.66,
        "y": 0.02,
        "pad": {"t": 6, "b": 6, "r": 14},
    }
    plain_ticks = {"ticklen": 0, "minorticklen": 0, "font": {"size": 1, "color": theme.card}}
    colors = {"bgcolor": theme.muted, "bordercolor": theme.muted, "activebgcolor": theme.text}
    play = {"label": "▶", "method": "animate", "args": [None, at_once | {"frame": frame, "fromcurrent": True}]}
    stop = {"label": "❚❚", "method": "animate", "args": [[None], at_once | {"frame": {"duration": 0, "redraw": False}}]}
    buttons: dict[str, Any] = {"buttons": [play, stop], "type": "buttons", "direction": "right", "showactive": False}
    place = {"x": 0.0, "y": 0.02, "xanchor": "left", "yanchor": "top", "pad": {"l": 6, "t": 16}}
    look = {"bgcolor": theme.card, "bordercolor": theme.grid, "font": {"color": theme.text, "size": 12}}
    figure.update_layout(sliders=[slider | plain_ticks | colors], updatemenus=[buttons | place | look])
