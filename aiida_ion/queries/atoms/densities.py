"""Number density of the mobile ions of a stored run, for figures; it is computed anew and never stored."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.analysis.trajectories.density import (
    DensityGrid,
    folded_places,
    grid_shape,
    level_holding,
    multiples_of,
)
from aiida_ion.queries.details import structure
from aiida_ion.queries.frames import first_replica
from aiida_ion.queries.reading.arrays import read_array, read_thinned_frames
from aiida_ion.queries.reading.shared import CONDUCTIVITY_CHAINS, rows
from aiida_ion.queries.reading.uuids import known_uuid
from aiida_ion.units import BYTES_PER_MIB

FloatArray = NDArray[np.float64]

#: Most frames that are read, of all segments together, and most bytes of a block of them.
MAX_FRAMES, MAX_BLOCK_BYTES = 2000, 48 * BYTES_PER_MIB
#: Standard deviation of the smoothing where the grid allows it, angstrom; spacings of the grid in it; most points.
SMOOTHING_A, SPACINGS, MOST_POINTS = 0.3, 1.5, 48


@dataclass(frozen=True)
class IonDensity:
    """Where the mobile ions of a run were.

    :param values_A3: ions per cubic angstrom, (nx, ny, nz), at the fractional coordinates i/nx, j/ny, k/nz.
    :param cell_A: rows are vectors of the drawn cell, angstrom, (3, 3).
    :param framework_A: mean places of the other atoms in it, angstrom, (k, 3), with their elements.
    :param n_ions: mobile ions of the run.
    :param n_cells: cells of the crystal that were folded into one; 1 where the run could not be folded.
    :param n_frames: frames that were counted, every `stride`-th of `n_stored` about.
    :param times_ps: time of the first and the last of them.
    :param smoothing_A: standard deviation of the smoothing, angstrom.
    """

    values_A3: FloatArray
    cell_A: FloatArray
    framework_A: FloatArray
    framework_symbols: tuple[str, ...]
    mobile_species: str
    n_ions: int
    n_cells: int
    n_frames: int
    n_stored: int
    times_ps: tuple[float, float]
    smoothing_A: float

    @property
    def stride(self) -> int:
        """One of so many stored frames was counted."""
        return max(1, round(self.n_stored / self.n_frames))

    def level_holding(self, share: float) -> float:
        """Return the density above which this share of the ions is, ions per cubic angstrom."""
        return level_holding(self.values_A3, share)


@dataclass(frozen=True)
class _Block:
    """Frames of one segment: fractional positions (n, N, 3), cells (n, 3, 3) in angstrom, times in ps."""

    scaled: FloatArray
    cells: FloatArray
    times_ps: FloatArray
    n_stored: int


@functools.lru_cache(maxsize=16)
def ion_density(diffusion_uuid: str, mobile_species: str) -> IonDensity:
    """Return the density of the mobile ions in the first replica behind a diffusion node, drift of the rest removed.

    Segments are read one after the other, evenly spaced frames of each, `MAX_FRAMES` at most. Where the cell of the run
    repeats the crystal that its work chain was given, and the mean places of all other atoms repeat as well, all
    copies are folded into that cell.

    :raises ValueError: if the trajectories are missing or damaged, or the run has no such ions.
    """
    nodes, symbols = first_replica(diffusion_uuid)
    mobile = np.array([symbol == mobile_species for symbol in symbols])
    if not mobile.any():
        raise ValueError(f"the run has no {mobile_species}")
    blocks = _blocks(nodes, len(symbols))
    first = next(blocks)
    cell = first.cells[0]
    rest = tuple(symbol for symbol, moves in zip(symbols, mobile, strict=True) if not moves)
    first_places = first.scaled[0][~mobile]
    means = (first_places + _apart(first.scaled, first_places, ~mobile).mean(axis=0)) if rest else first_places
    unit = _unit(diffusion_uuid, cell, means, rest)
    drawn, multiples, places, elements = unit or (cell, np.eye(3, dtype=np.int64), means % 1.0, rest)
    n_cells = round(abs(float(np.linalg.det(multiples))))
    shape = grid_shape(drawn, SMOOTHING_A / SPACINGS, MOST_POINTS)
    spacing = float((np.linalg.norm(drawn, axis=1) / shape).max())
    grid, n_stored, times = DensityGrid(drawn, shape, n_cells), 0, [float(first.times_ps[0])]
    for block in _chained(first, blocks):
        drift = _apart(block.scaled, first_places, ~mobile).mean(axis=1) if rest else np.zeros((len(block.scaled), 3))
        grid.add((block.scaled[:, mobile] - drift[:, None]) @ multiples)
        n_stored += block.n_stored
        times.append(float(block.times_ps[-1]))
    smoothing = max(SMOOTHING_A, SPACINGS * spacing)
    return IonDensity(
        values_A3=grid.density_A3(smoothing),
        cell_A=drawn,
        framework_A=places @ drawn,
        framework_symbols=elements,
        mobile_species=mobile_species,
        n_ions=int(mobile.sum()),
        n_cells=n_cells,
        n_frames=grid.n_frames,
        n_stored=n_stored,
        times_ps=(times[0], times[-1]),
        smoothing_A=smoothing,
    )


def _chained(first: _Block, blocks: Iterator[_Block]) -> Iterator[_Block]:
    yield first
    yield from blocks


def _blocks(nodes: Sequence[orm.TrajectoryData], n_atoms: int) -> Iterator[_Block]:
    """Yield evenly spaced frames of each segment.

    :raises ValueError: for one that is missing or damaged.
    """
    most = max(2, min(MAX_FRAMES // len(nodes), MAX_BLOCK_BYTES // (n_atoms * 24)))
    for node in nodes:
        positions, numbers = read_thinned_frames(node, "positions", most, np.arange(n_atoms))
        cells = read_array(node, "cells")[numbers].astype(float)
        times = read_array(node, "times").astype(float)
        finite = np.isfinite(positions).all() and np.isfinite(cells).all()
        if not len(positions) or not finite or np.abs(np.linalg.det(cells)).min() < 1e-6:
            raise ValueError("the trajectory holds numbers that are not finite, or a cell without volume")
        scaled = np.einsum("nik,nkl->nil", positions.astype(float), np.linalg.inv(cells))
        yield _Block(scaled, cells, times[numbers], len(times))


def _apart(scaled: FloatArray, places: FloatArray, chosen: NDArray[np.bool_]) -> FloatArray:
    """Return displacements of chosen atoms from places to the nearest images, fractional, (n, k, 3)."""
    apart = scaled[:, chosen] - places
    return np.asarray(apart - np.rint(apart), dtype=np.float64)


def _unit(
    diffusion_uuid: str, cell: FloatArray, means: FloatArray, symbols: tuple[str, ...]
) -> tuple[FloatArray, NDArray[np.int64], FloatArray, tuple[str, ...]] | None:
    """Return the crystal's cell, its multiples in that of the run, and the framework in it; ``None`` without folding.

    :param cell: of the run, angstrom, (3, 3).
    :param means: mean places of the other atoms, fractional in that cell, (k, 3).
    """
    given = crystal_of(diffusion_uuid)
    if given is None or not symbols:
        return None
    try:
        unit = structure(given)["cell"]
    except ValueError:
        return None
    multiples = multiples_of(cell, unit) if abs(float(np.linalg.det(unit))) > 1e-6 else None
    if multiples is None:
        return None
    count = round(abs(float(np.linalg.det(multiples))))
    small = np.asarray(np.linalg.inv(multiples) @ cell, dtype=np.float64)
    found = folded_places(means @ multiples, symbols, small, count)
    return None if found is None else (small, multiples, *found)


def crystal_of(diffusion_uuid: str) -> str | None:
    """Return the UUID of the crystal that the work chain of a diffusion node was given; ``None`` without one."""
    query = orm.QueryBuilder()
    query.append(orm.ArrayData, filters={"uuid": known_uuid(diffusion_uuid)}, tag="diffusion")
    query.append(orm.CalcJobNode, with_outgoing="diffusion", tag="fit")
    query.append(orm.WorkChainNode, with_outgoing="fit", filters=CONDUCTIVITY_CHAINS, tag="chain")
    query.append(
        orm.StructureData, with_outgoing="chain", edge_filters={"label": {"in": ["structure"]}}, project=["uuid"]
    )
    return next((str(uuid) for (uuid,) in rows(query)), None)
