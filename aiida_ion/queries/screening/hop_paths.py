"""Paths of the hops of a crystal, from the images that ``ion.barrier`` stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.queries.details import MAX_ATOMS
from aiida_ion.queries.reading.arrays import read_arrays
from aiida_ion.queries.reading.contents import Content, contents
from aiida_ion.queries.reading.shared import rows

FloatArray = NDArray[np.float64]

#: Start of the links to the images of a hop.
IMAGES = "images__"
#: Points of a drawn path, and most hops that are read.
N_POINTS, MOST_HOPS = 15, 60
#: Cells that differ by less are the same, angstrom.
SAME_CELL_A = 1e-3


@dataclass(frozen=True)
class HopPaths:
    """The paths of the hops of a crystal.

    :param cell_A: rows are cell vectors, angstrom, (3, 3).
    :param framework_A: positions of all other atoms before the first hop, angstrom, (k, 3), with their elements.
    :param paths_A: position of the ion of each hop at evenly spaced points, unwrapped, angstrom, (n, m, 3).
    :param labels: of the hops, (m,).
    :param heights_eV: highest energy along each hop above its lowest end, eV, (m,); not a number where it is unknown.
    :param n_left_out: hops without readable images, or in another cell.
    """

    cell_A: FloatArray
    framework_A: FloatArray
    framework_symbols: tuple[str, ...]
    paths_A: FloatArray
    labels: tuple[str, ...]
    heights_eV: FloatArray
    mobile_species: str
    n_left_out: int


@dataclass(frozen=True)
class _Hop:
    label: str
    symbols: list[str]
    moving: int
    positions: FloatArray
    cell: FloatArray
    energies: FloatArray | None


def hop_paths(process_uuid: str) -> HopPaths | None:
    """Return the paths of the hops of an ``ion.barrier``; ``None`` if it has no images.

    Hops in another supercell than that of the first cannot be drawn with it, and are counted.
    """
    query = orm.QueryBuilder().append(orm.WorkChainNode, filters={"uuid": str(process_uuid)}, tag="chain")
    label = {"label": {"like": f"{IMAGES}%"}}
    query.append(
        orm.TrajectoryData, with_incoming="chain", edge_filters=label, edge_project=["label"], project=["uuid"]
    )
    labels = {str(uuid): str(link).removeprefix(IMAGES) for uuid, link in rows(query)}
    found = contents(sorted(labels, key=lambda uuid: labels[uuid])[:MOST_HOPS], orm.TrajectoryData)
    arrays = read_arrays(found, ("positions", "cells", "energies"))
    read = [_hop(labels[uuid], found[uuid], arrays[uuid]) for uuid in found]
    hops = [hop for hop in read if hop is not None]
    if not hops:
        return None
    first = hops[0]
    shown = [hop for hop in hops if np.abs(hop.cell - first.cell).max() < SAME_CELL_A]
    others = np.arange(len(first.symbols)) != first.moving
    return HopPaths(
        cell_A=first.cell,
        framework_A=first.positions[0][others],
        framework_symbols=tuple(symbol for symbol, is_other in zip(first.symbols, others, strict=True) if is_other),
        paths_A=np.stack([_evenly(hop.positions[:, hop.moving]) for hop in shown], axis=1),
        labels=tuple(hop.label for hop in shown),
        heights_eV=np.array([_height(hop.energies) for hop in shown]),
        mobile_species=first.symbols[first.moving],
        n_left_out=len(labels) - len(shown),
    )


def _hop(label: str, content: Content, arrays: dict[str, NDArray[Any]]) -> _Hop | None:
    """Return a hop; ``None`` if what is stored of it does not fit together."""
    symbols, moving = content.attributes.get("symbols"), content.attributes.get("moving")
    positions, cells, energies = (arrays.get(name) for name in ("positions", "cells", "energies"))
    if positions is None or cells is None or not isinstance(symbols, list) or isinstance(moving, bool):
        return None
    if not isinstance(moving, int | float) or positions.ndim != 3 or positions.shape[1:] != (len(symbols), 3):
        return None
    index = int(moving)
    fits = 0 <= index < len(symbols) <= MAX_ATOMS and len(positions) > 1 and cells.shape == (len(positions), 3, 3)
    if not fits or not (np.isfinite(positions).all() and np.isfinite(cells).all()):
        return None
    if abs(float(np.linalg.det(cells[0]))) == 0.0:
        return None
    known = energies if energies is not None and energies.shape == (len(positions),) else None
    return _Hop(label, [str(symbol) for symbol in symbols], index, positions, cells[0], known)


def _evenly(path: FloatArray) -> FloatArray:
    """Return points of a path at even distances along it, angstrom, (`N_POINTS`, 3)."""
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    at = np.linspace(0.0, lengths[-1], N_POINTS)
    return np.stack([np.interp(at, lengths, path[:, axis]) for axis in range(3)], axis=1)


def _height(energies: FloatArray | None) -> float:
    if energies is None or not np.isfinite(energies).all():
        return np.nan
    return float(energies.max() - min(energies[0], energies[-1]))
