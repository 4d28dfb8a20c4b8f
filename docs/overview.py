"""Draws ``overview.svg``, the picture of the README: ``python docs/overview.py``. Standard library only.

The curves are a sketch. The picture brings its own background, so it reads alike on light and dark pages.
"""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

WIDTH, HEIGHT = 960, 400
STYLE = """
.page { fill: #fbfcfe; stroke: #c9d3e0 } .box { fill: #ffffff; stroke: #8fa1b8 } .job { fill: #fff1e0; stroke: #d08a3c }
text { font: 13px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1c2733 }
.head { font-weight: 600; font-size: 15px } .small { font-size: 11.5px; fill: #48586b }
.line { fill: none; stroke: #8fa1b8; stroke-width: 1.5 } .axis { fill: none; stroke: #48586b }
.hot { stroke: #c2410c } .warm { stroke: #b7791f } .cold { stroke: #1d6fb8 } .curve { fill: none; stroke-width: 2 }
.band { fill: #1d6fb8; opacity: .18; stroke: none } .data { fill: #e3f0fb; stroke: #1d6fb8 }
.back { stroke-dasharray: 5 4 }
.ion { fill: #2f9e6e } .frame { fill: #8fa1b8 } .arrow { fill: #8fa1b8 }
@media (prefers-color-scheme: dark) {
.page { fill: #14191f; stroke: #38434f } .box { fill: #1c232b; stroke: #62748a } .job { fill: #3a2a17; stroke: #d08a3c }
text { fill: #e6edf3 }
.small { fill: #a9b6c4 } .line { stroke: #7b8da3 } .axis { stroke: #a9b6c4 } .arrow { fill: #7b8da3 }
.band { fill: #58a6ff; opacity: .25 } .data { fill: #16293d; stroke: #58a6ff } .cold { stroke: #58a6ff }
.hot { stroke: #ff8552 } .warm { stroke: #e3b341 } }
"""


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "middle") -> str:
    """Return words."""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" class="{kind}">{words}</text>'


def box(x: float, y: float, width: float, height: float, kind: str = "box", round_: float = 8) -> str:
    """Return a rounded rectangle."""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{round_:g}" class="{kind}"/>'


def arrow(x0: float, x1: float, y: float, kind: str = "line") -> str:
    """Return a horizontal arrow."""
    return f'<path class="{kind}" d="M{x0:g} {y:g}H{x1:g}" marker-end="url(#tip)"/>'


def curve(points: list[tuple[float, float]], kind: str) -> str:
    """Return a line through points."""
    return f'<path class="{kind}" d="M' + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + '"/>'


def crystal(x: float, y: float) -> list[str]:
    """Return a lattice with ions in its holes."""
    dots = [(i, j) for i in range(4) for j in range(4)]
    parts = [f'<circle cx="{x + 24 * i:g}" cy="{y + 24 * j:g}" r="7" class="frame"/>' for i, j in dots]
    small = [(i + 0.5, j + 0.5) for i in range(3) for j in range(3)]
    return parts + [f'<circle cx="{x + 24 * i:g}" cy="{y + 24 * j:g}" r="4" class="ion"/>' for i, j in small]


def runs(x: float, y: float) -> list[str]:
    """Return three stacks of runs."""
    parts = []
    for row, (label, kind) in enumerate((("1000 K", "hot"), ("900 K", "warm"), ("800 K", "cold"))):
        top = y + 38 * row
        parts += [box(x + 6, top - 5, 132, 28, "box", 5), box(x, top, 132, 28, "box", 5)]
        wiggle = [
            (x + 62 + i, top + 14 + (7 - 2 * row) * math.sin(0.55 * i + row) * math.sin(0.13 * i)) for i in range(62)
        ]
        parts += [text(x + 8, top + 18, label, "small", "start"), curve(wiggle, f"curve {kind}")]
    return parts


def msd(x: float, y: float) -> list[str]:
    """Return displacements over lag time."""
    parts = [f'<path class="axis" d="M{x} {y}V{y + 104}H{x + 126}"/>']
    for slope, kind in ((0.78, "hot"), (0.47, "warm"), (0.2, "cold")):
        points = [(x + i, y + 102 - 6 * (1 - math.exp(-i / 4)) - slope * i) for i in range(120)]
        parts.append(curve(points, f"curve {kind}"))
    return [*parts, text(x + 64, y + 122, "lag time", "small"), text(x + 8, y + 8, "MSD", "small", "start")]


def arrhenius(x: float, y: float) -> list[str]:
    """Return fits over inverse temperature, with the band that widens towards 300 K."""
    upper = [(x + i, y + 14 + 0.46 * i - 0.0011 * i * i * (i > 40)) for i in range(10, 141, 10)]
    lower = [(x + i, y + 26 + 0.52 * i + 0.0007 * i * i * (i > 40)) for i in range(10, 141, 10)]
    outline = "L".join(f"{a:.1f} {b:.1f}" for a, b in upper + lower[::-1])
    parts = [f'<path class="band" d="M{outline}Z"/>', f'<path class="axis" d="M{x} {y}V{y + 118}H{x + 150}"/>']
    parts.append(curve([(x + 10, y + 25.6), (x + 140, y + 92)], "curve cold"))
    for i, kind in ((14, "hot"), (30, "warm"), (48, "cold")):
        middle = y + 20.5 + 0.51 * i
        parts.append(f'<path class="curve {kind}" d="M{x + i} {middle - 8:.1f}V{middle + 8:.1f}"/>')
        parts.append(f'<circle cx="{x + i}" cy="{middle:.1f}" r="3.5" class="data"/>')
    parts.append(f'<path class="curve cold" d="M{x + 134} {y + 62}V{y + 117}"/>')
    return [*parts, text(x + 78, y + 136, "1/T, down to 300 K", "small"), text(x + 30, y + 8, "ln D", "small")]


def graph(y: float) -> list[str]:
    """The row of nodes that the database keeps."""
    nodes = (
        (90, "structure", "data"),
        (230, "relax", "job"),
        (370, "MD job", "job"),
        (510, "trajectory", "data"),
        (650, "fit", "job"),
        (770, "diffusion", "data"),
        (885, "sigma", "data"),
    )
    parts = []
    for (x0, _, _), (x1, _, _) in pairwise(nodes):
        parts.append(arrow(x0 + 42, x1 - 48, y))
    for x, name, kind in nodes:
        parts += [box(x - 42, y - 15, 84, 30, kind, 15 if kind == "data" else 4), text(x, y + 4.5, name)]
    back = f'<path class="line back" d="M885 {y + 18}C885 {y + 62} 90 {y + 62} 90 {y + 20}" marker-end="url(#tip)"/>'
    return [*parts, back]


def picture() -> str:
    """Return the whole picture."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-label="A crystal is run at several temperatures, each run is fitted, the fits give a conductivity; '
        'every node is kept.">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="arrow" d="M0 0L8 4L0 8z"/></marker></defs>',
        box(1, 1, WIDTH - 2, HEIGHT - 2, "page", 14),
    ]
    columns = (
        (108, "crystal", "a CIF, ions relaxed"),
        (345, "runs", "temperatures x seeds, any engine"),
        (583, "fits", "D with its interval, or a bound"),
        (828, "conductivity", "sigma(300 K), 95 % interval"),
    )
    for x, head, small in columns:
        parts += [box(x - 108, 22, 216, 238) if x != 108 else box(18, 22, 180, 238)]
        parts += [text(x, 48, head, "head"), text(x, 68, small, "small")]
    parts += crystal(72, 112) + runs(276, 104) + msd(520, 96) + arrhenius(750, 92)
    parts += [arrow(200, 233, 140), arrow(455, 471, 140), arrow(693, 716, 140)]
    parts.append(text(345, 240, "DFT, MLIP or classical potential", "small"))
    parts += [text(20, 290, "the graph that AiiDA keeps", "head", "start"), *graph(325)]
    parts.append(text(488, 388, "every number leads back to its run, its potential and its crystal", "small"))
    return "\n".join([*parts, "</svg>\n"])


if __name__ == "__main__":
    Path(__file__).with_name("overview.svg").write_text(picture())
