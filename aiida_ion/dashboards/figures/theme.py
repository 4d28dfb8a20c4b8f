"""Style of all figures: light and dark themes, and a colour and symbol for each level of theory."""

from __future__ import annotations

import re
import textwrap
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import plotly.graph_objects as go

#: Okabe and Ito's colours, safe for colour blindness (M. Okabe and K. Ito, Color Universal Design, 2008), without
#: black, the colour of text and experiment here, and without yellow, which is invisible on white.
OKABE_ITO = {
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "bluish green": "#009E73",
    "reddish purple": "#CC79A7",
    "orange": "#E69F00",
    "sky blue": "#56B4E9",
}
#: Each has a hollow variant (``circle-open``); stars are experiments, arrows are bounds.
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "pentagon", "hexagram", "cross", "triangle-left")
EXPERIMENT_SYMBOL = "star"
UPPER_BOUND_SYMBOL = "arrow-down"
#: Symbol in the middle of the interval of a poorly known value.
POORLY_KNOWN_SYMBOL = "line-ew-open"
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
#: A legend at the lower edge of the figure, and the height of one of its lines, px.
LEGEND_BELOW: dict[str, Any] = {
    "orientation": "h",
    "x": 0.0,
    "yref": "container",
    "y": 0.005,
    "yanchor": "bottom",
    "itemsizing": "constant",
}
LEGEND_LINE_PX = 22
#: Length of a line of a sentence that stands where a figure would be.
WRAPPED_CHARACTERS = 40
#: Longest text of a node in a figure.
MAX_CHARACTERS = 400

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class Theme:
    """Colours of a page and of its figures, as ``#rrggbb``."""

    name: str
    background: str
    card: str
    text: str
    muted: str
    grid: str
    good: str
    doubtful: str
    bad: str

    @property
    def experiment(self) -> str:
        """Return the colour of experiments: that of text."""
        return self.text


LIGHT = Theme("light", "#f6f7f9", "#ffffff", "#1b1f24", "#5b6470", "#e3e7ec", "#00785a", "#8a5a00", "#b04300")
DARK = Theme("dark", "#10141a", "#181e26", "#e8ecf1", "#a3adb9", "#2c3540", "#3ccfa3", "#f0b429", "#ff8a4c")
THEMES = {"light": LIGHT, "dark": DARK}


@dataclass(frozen=True)
class LevelStyle:
    """Colour, ``#rrggbb``, and plotly symbol of a level of theory."""

    color: str
    symbol: str

    @property
    def hollow(self) -> str:
        """Return the symbol of a refused point."""
        return f"{self.symbol}-open"


def theme_named(name: str | None) -> Theme:
    """Return the theme of that name, the light one for any other."""
    return THEMES.get(name or "", LIGHT)


class _Styles(dict[str, LevelStyle]):
    """Styles by level of theory; an unknown name gets the default style of its colour."""

    def __missing__(self, name: str) -> LevelStyle:
        """Return a style for an unknown name."""
        return LevelStyle(list(OKABE_ITO.values())[zlib.crc32(name.encode()) % 6], SYMBOLS[0])


def level_styles(levels: Iterable[str]) -> dict[str, LevelStyle]:
    """Return the style of each level of theory: all distinct, and stable for a name where possible.

    A name determines its colour and symbol; if an earlier name (in alphabetical order) has the colour, the next free
    one is used. So pass all levels of the database, not only those of one figure.
    """
    colors = list(OKABE_ITO.values())
    # A second name with the same colour has another symbol; the diagonal order uses all colours first.
    places = [(colors[i % 6], SYMBOLS[(i % 6 + i // 6) % 8]) for i in range(len(colors) * len(SYMBOLS))]
    styles = _Styles()
    taken: set[int] = set()
    for name in sorted({level for level in levels if isinstance(level, str)}):
        first = zlib.crc32(name.encode()) % 6
        lap = len(taken) // 6 * 6
        near = [lap + (first + k) % 6 for k in range(6)]
        place = next((i for i in near if i < len(places) and i not in taken), first)
        taken.add(place)
        styles[name] = LevelStyle(*places[place])
    return styles


def plain(text: object) -> str:
    """Return text of a node escaped for plotly, which interprets some HTML, including links.

    Control characters and those that change the reading direction are removed, and long text is cut.
    """
    shown = _CONTROL.sub("", str(text))
    if len(shown) > MAX_CHARACTERS:
        shown = f"{shown[:MAX_CHARACTERS]}…"
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def formula_label(formula: object) -> str:
    """Return a formula with Unicode subscripts: Li₆PS₅Cl. For figures, pass it to `plain`."""
    return re.sub(r"(?<=[A-Za-z)\]])\d+(?![\d.])", lambda match: match[0].translate(_SUBSCRIPTS), str(formula))


def faded(color: str, opacity: float) -> str:
    """Return a colour ``#rrggbb`` as ``rgba(...)``, for bands."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


@cache
def template(theme: Theme) -> go.layout.Template:
    """Return the plotly template of a theme; figures copy it."""
    axis = {
        "gridcolor": theme.grid,
        "linecolor": theme.muted,
        "zerolinecolor": theme.grid,
        "showline": True,
        "mirror": True,
        "ticks": "outside",
        "ticklen": 5,
        "tickcolor": theme.muted,
        "automargin": True,
        "title": {"standoff": 12, "font": {"size": 14}},
    }
    scene_axis = {"backgroundcolor": theme.card, "gridcolor": theme.grid, "color": theme.text, "zeroline": False}
    return go.layout.Template(
        layout={
            "paper_bgcolor": theme.card,
            "plot_bgcolor": theme.card,
            "font": {"family": FONT, "size": 13, "color": theme.text},
            "colorway": list(OKABE_ITO.values()),
            "xaxis": axis,
            "yaxis": axis,
            "scene": {"xaxis": scene_axis, "yaxis": scene_axis, "zaxis": scene_axis},
            "margin": {"l": 70, "r": 24, "t": 32, "b": 56},
            "legend": {"bgcolor": faded(theme.card, 0.8), "bordercolor": theme.grid, "borderwidth": 1},
            "hoverlabel": {
                "bgcolor": theme.card,
                "bordercolor": theme.muted,
                "font": {"family": FONT, "color": theme.text},
                "align": "left",
            },
            "hovermode": "closest",
        }
    )


def new_figure(theme: Theme, x_title: str, y_title: str, **layout: Any) -> go.Figure:
    """Return an empty figure in a theme; axis titles include units."""
    figure = go.Figure(layout={"template": template(theme)})
    figure.update_layout(xaxis_title_text=x_title, yaxis_title_text=y_title, **layout)
    return figure


def legend_below(figure: go.Figure, lines: int = 2) -> go.Figure:
    """Return a figure whose legend is at its lower edge, below the title of the axis, where it covers no data.

    :param lines: of the legend, for which there is room.
    """
    margin = {"t": 40, "b": 64 + LEGEND_LINE_PX * lines}  # the mode bar is above
    return figure.update_layout(legend=LEGEND_BELOW, margin=margin)


def empty_figure(theme: Theme, message: str) -> go.Figure:
    """Return a figure with the reason why there is nothing to draw, and what to do."""
    hidden = {"visible": False}
    figure = go.Figure(
        layout={"template": template(theme), "xaxis": hidden, "yaxis": hidden, "margin": {"l": 8, "r": 8}}
    )
    place = {"x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False}
    lines = textwrap.wrap(
        plain(message), WRAPPED_CHARACTERS, break_long_words=False, break_on_hyphens=False
    )  # for the narrowest page
    figure.add_annotation(text="<br>".join(lines), font={"size": 15, "color": theme.muted}, **place)
    return figure


def file_columns(**columns: Iterable[Any]) -> dict[str, Any]:
    """Return the ``meta`` of a trace: further columns of the figure's file, one value for each point.

    ``is_bound`` and ``x_is_bound`` say that y or x is only an upper bound, so that its bar is no interval, ``refused``
    that a point was left out of the fit, ``is_poorly_known`` that only its interval is to be quoted.
    """
    return {"columns": {name: [bool(value) for value in values] for name, values in columns.items()}}


def graph_config(filename: str) -> dict[str, Any]:
    """Return the configuration of a `dcc.Graph`: no logo, and a download as SVG under this name.

    Plotly's default button that sends a chart to a server is removed.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", filename).strip("-.") or "figure"
    return {
        "displaylogo": False,
        "showSendToCloud": False,
        "plotlyServerURL": "",
        "responsive": True,
        "toImageButtonOptions": {"format": "svg", "filename": name},
        "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d"],
    }
