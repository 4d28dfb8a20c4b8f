"""A few frames of a run, for figures: pathways of the mobile ions, and order of the framework."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.queries.details import MAX_ATOMS
from aiida_ion.queries.reading.arrays import read_array, read_thinned_frames

FloatArray = NDArray[np.float64]

#: Maximum number of segments of a run.
MAX_SEGMENTS = 20
#: Total number of pairs of atoms counted for a radial distribution.
MAX_PAIRS = 4_000_000
MAX_RANGE_A = 8.0
BIN_WIDTH_A = 0.1
#: A pathway is smoothed over this fraction of the run.
SMOOTHING = 30


@dataclass(frozen=True)
class RunFrames:
    """Evenly spaced frames of one run.

    :param positions: angstrom, unwrapped, (n, N, 3).
    :param cell: rows are cell vectors of the first frame, angstrom, (3, 3).
    :param symbols: element of each of N atoms.
    :param times_ps: (n,).
    :param trajectory_uuids: segments in order of time.
    """

    positions: FloatArray
    cell: FloatArray
    symbols: tuple[str, ...]
    times_ps: FloatArray
    trajectory_uuids: tuple[str, ...]


@dataclass(frozen=True)
class Paths:
    """Pathways of mobile ions through the cell, and mean positions of the framework.

    :param ions: index of each drawn ion, those with the largest displacements, (m,).
    :param positions: angstrom, unwrapped, (n, m, 3): running means over `smoothed_ps`, to remove vibrations.
    :param n_mobile: mobile ions in the cell.
    :param framework: mean positions, angstrom, (N - n_mobile, 3), with their elements.
    """

    ions: NDArray[np.int64]
    positions: FloatArray
    n_mobile: int
    framework: FloatArray
    framework_symbols: tuple[str, ...]
    smoothed_ps: float


@dataclass(frozen=True)
class FrameworkRdf:
    """g(r) of the framework over the first and the second half of a run; bins of `BIN_WIDTH_A`, angstrom."""

    r_A: FloatArray
    first_half: FloatArray
    second_half: FloatArray
    n_frames: int


def frames_of(diffusion_uuid: str, max_frames: int = 200) -> RunFrames:
    """Return frames of the first replica behind a diffusion node.

    :raises ValueError: if the node's trajectories are missing, as after some exports.
    """
    nodes, symbols = first_replica(diffusion_uuid)
    everything = np.arange(len(symbols))
    parts, times = [], []
    for node in nodes:
        frames, numbers = read_thinned_frames(node, "positions", max(2, max_frames // len(nodes)), everything)
        parts.append(frames.astype(float))
        times.append(_times(node)[numbers])
    cell = read_thinned_frames(nodes[0], "cells", 1, np.arange(3))[0][0].astype(float)
    positions = np.concatenate(parts)
    if not np.isfinite(positions).all() or not np.isfinite(cell).all() or abs(np.linalg.det(cell)) < 1e-6:
        raise ValueError("the trajectory holds numbers that are not finite, or a cell without volume")
    return RunFrames(positions, cell, symbols, np.concatenate(times), tuple(node.uuid for node in nodes))


def first_replica(diffusion_uuid: str) -> tuple[list[orm.TrajectoryData], tuple[str, ...]]:
    """Return the first segments of the first replica behind a diffusion node, `MAX_SEGMENTS` at most, and its elements.

    :raises ValueError: if they are missing, as after some exports, or have too many atoms to be drawn.
    """
    query = orm.QueryBuilder()
    query.append(orm.ArrayData, filters={"uuid": str(diffusion_uuid)}, tag="diffusion")
    query.append(orm.CalcJobNode, with_outgoing="diffusion", tag="fit")
    label = {"label": {"like": "trajectories\\_\\_%"}}
    query.append(orm.TrajectoryData, with_outgoing="fit", edge_filters=label, edge_project=["label"], project=["*"])
    segments = sorted(query.all(), key=lambda row: str(row[1]))
    if not segments:
        raise ValueError(_why_none(diffusion_uuid))
    replica = segments[0][1].partition("_segment_")[0]
    nodes = [node for node, name in segments if name.partition("_segment_")[0] == replica][:MAX_SEGMENTS]
    symbols = tuple(str(text) for text in nodes[0].base.attributes.get("symbols"))
    if len(symbols) > MAX_ATOMS:
        raise ValueError(f"the trajectory has {len(symbols)} atoms; at most {MAX_ATOMS} are drawn")
    return nodes, symbols


def _why_none(diffusion_uuid: str) -> str:
    """Return why there is no trajectory behind a diffusion node."""
    query = orm.QueryBuilder().append(orm.ArrayData, filters={"uuid": str(diffusion_uuid)}, tag="diffusion")
    if query.append(orm.CalcFunctionNode, with_outgoing="diffusion").count():
        return "this result is pooled over ordered cells, which have the runs: choose the result of a member"
    return "the trajectories of this result are not here: the archive was made without them"


def mobile_paths(frames: RunFrames, mobile_species: str, max_ions: int = 40) -> Paths:
    """Return the pathways of the ions with the largest displacements.

    :param max_ions: maximum number of ions.
    """
    mobile = np.flatnonzero(np.array(frames.symbols) == mobile_species)
    rest = np.flatnonzero(np.array(frames.symbols) != mobile_species)
    went = np.linalg.norm(frames.positions[-1] - frames.positions[0], axis=1)[mobile]
    ions = np.sort(mobile[np.argsort(-went, kind="stable")[:max_ions]])
    width = max(1, len(frames.positions) // SMOOTHING)
    return Paths(
        ions=ions,
        positions=_running_mean(frames.positions[:, ions], width),
        n_mobile=len(mobile),
        framework=_mean_places(frames.positions[:, rest], frames.cell),
        framework_symbols=tuple(frames.symbols[i] for i in rest),
        smoothed_ps=float(frames.times_ps[width - 1] - frames.times_ps[0]),
    )


def _mean_places(positions: FloatArray, cell: FloatArray) -> FloatArray:
    """Return mean positions of atoms, angstrom, (k, 3), from the images nearest to their first positions.

    In imported files an atom on a cell face may switch between both sides.
    """
    apart = (positions - positions[0]) @ np.linalg.inv(cell)
    images = np.round(apart - np.median(apart, axis=1, keepdims=True)) if positions.shape[1] else apart
    return np.asarray((positions - images @ cell).mean(axis=0).reshape(-1, 3), dtype=np.float64)


def _running_mean(positions: FloatArray, width: int) -> FloatArray:
    """Return running means over this many frames, (n - width + 1, m, 3)."""
    sums = np.cumsum(np.concatenate([np.zeros_like(positions[:1]), positions]), axis=0)
    return np.asarray((sums[width:] - sums[:-width]) / width, dtype=np.float64)


def framework_rdf(
    frames: RunFrames, mobile_species: str, framework_species: Collection[str] | None = None
) -> FrameworkRdf | None:
    """Return g(r) among framework atoms up to half the narrowest width of the cell, at most 8 angstrom.

    The framework is everything except the mobile species if its elements are not given. Within that range rounding
    finds the nearest image for any shape of cell. ``None`` with fewer than two framework atoms or frames.
    """
    elements = framework_species or set(frames.symbols) - {mobile_species}
    rest = np.flatnonzero([symbol in elements for symbol in frames.symbols])
    if len(rest) < 2 or len(frames.positions) < 2:
        return None
    inverse = np.asarray(np.linalg.inv(frames.cell), dtype=np.float64)
    range_A = min(MAX_RANGE_A, 0.5 / float(np.linalg.norm(inverse, axis=0).max()))
    edges = np.linspace(0.0, range_A, max(2, round(range_A / BIN_WIDTH_A) + 1))
    half = len(frames.positions) // 2
    each = max(1, min(half, MAX_PAIRS // (2 * len(rest) ** 2)))
    first = np.unique(np.linspace(0, half - 1, each).round().astype(int))
    halves = [_distribution(frames, rest, chosen, inverse, edges) for chosen in (first, half + first)]
    return FrameworkRdf((edges[:-1] + edges[1:]) / 2.0, halves[0], halves[1], 2 * len(first))


def _distribution(frames: RunFrames, atoms: Any, chosen: Any, inverse: FloatArray, edges: Any) -> FloatArray:
    """Return g(r): pairs in a shell over those of a uniform distribution."""
    counts = np.zeros(len(edges) - 1)
    upper = np.triu_indices(len(atoms), k=1)
    for number in chosen:
        scaled = frames.positions[number, atoms] @ inverse
        apart = scaled[upper[0]] - scaled[upper[1]]
        distances = np.linalg.norm((apart - np.round(apart)) @ frames.cell, axis=1)
        counts += np.histogram(distances, edges)[0]
    shells = 4.0 / 3.0 * np.pi * np.diff(edges**3)
    volume = abs(float(np.linalg.det(frames.cell)))
    return np.asarray(2.0 * volume * counts / (len(chosen) * len(atoms) ** 2 * shells), dtype=np.float64)


def _times(node: orm.Node) -> FloatArray:
    return read_array(node, "times").astype(float)
