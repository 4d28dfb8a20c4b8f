"""Number density of ions on the grid of a cell, folded from a supercell and smoothed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import fft

FloatArray = npt.NDArray[np.float64]

#: A supercell is a repetition of a cell if its vectors are whole multiples of that cell's to this part of a vector.
MISFIT = 0.1
#: Mean places of atoms that are one in a smaller cell are no further from each other than this, angstrom.
SAME_PLACE_A = 0.8


class DensityGrid:
    """Counts of ions around the points of a grid, from any number of blocks of frames.

    :param cell_A: rows are vectors of the cell that is drawn, angstrom, (3, 3).
    :param shape: points along each of them.
    :param n_copies: how many of these cells the frames hold.
    """

    def __init__(self, cell_A: FloatArray, shape: Sequence[int], n_copies: int = 1) -> None:
        self.cell_A = np.asarray(cell_A, dtype=float)
        self.shape = np.array(shape, dtype=np.int64)
        self.n_copies, self.n_frames = n_copies, 0
        self._counts = np.zeros(int(np.prod(self.shape)), dtype=np.int64)

    def add(self, fractional: npt.NDArray[np.floating]) -> None:
        """Count a block of frames.

        :param fractional: fractional coordinates in the cell, of any image, (n, m, 3).
        """
        points = np.rint(fractional.reshape(-1, 3) * self.shape).astype(np.int64) % self.shape
        index = np.ravel_multi_index(tuple(points.T), tuple(self.shape))
        self._counts += np.bincount(index, minlength=len(self._counts))
        self.n_frames += len(fractional)

    def density_A3(self, smoothing_A: float) -> FloatArray:  # noqa: N802
        """Return the density, ions per cubic angstrom, (nx, ny, nz), at the fractional coordinates i/nx, j/ny, k/nz.

        It is convolved with a normal distribution that is the same in all directions of space, by its Fourier
        transform exp(-s^2 G^2 / 2), so that axes need not be orthogonal; the number of ions in the cell stays.

        :param smoothing_A: standard deviation s, angstrom; at least 1.2 spacings of the grid.
        :raises ValueError: before any frame was counted.
        """
        if not self.n_frames:
            raise ValueError("no frame was counted")
        volume = abs(float(np.linalg.det(self.cell_A))) / len(self._counts)
        counts = self._counts.reshape(self.shape) / (self.n_frames * self.n_copies * volume)
        waves = np.stack(np.meshgrid(*[fft.fftfreq(n, 1.0 / n) for n in self.shape], indexing="ij"), axis=-1)
        squares = ((2.0 * np.pi * waves @ np.linalg.inv(self.cell_A).T) ** 2).sum(axis=-1)
        smooth = fft.ifftn(fft.fftn(counts) * np.exp(-0.5 * smoothing_A**2 * squares)).real
        return np.asarray(np.maximum(smooth, 0.0), dtype=np.float64)


def grid_shape(cell_A: FloatArray, spacing_A: float, most: int) -> tuple[int, int, int]:
    """Return the points along each vector of a grid with this spacing, angstrom, or a longer one where they are many.

    :param most: points along the longest vector.
    """
    lengths = np.linalg.norm(cell_A, axis=1)
    step = max(spacing_A, float(lengths.max()) / most)
    a, b, c = (max(4, round(float(length) / step)) for length in lengths)
    return a, b, c


def level_holding(density_A3: npt.NDArray[np.floating], share: float) -> float:
    """Return the density above which this share of the ions is, ions per cubic angstrom.

    :param density_A3: (nx, ny, nz).
    :param share: between 0 and 1.
    """
    ordered = np.sort(np.asarray(density_A3, dtype=float).ravel())[::-1]
    inside = np.cumsum(ordered)
    return float(ordered[min(int(np.searchsorted(inside, share * inside[-1])), len(ordered) - 1)])


def multiples_of(cell_A: FloatArray, unit_A: FloatArray) -> npt.NDArray[np.int64] | None:
    """Return the whole numbers M with cell = M unit; ``None`` where there are none, up to a strain of the cell.

    :param cell_A: rows are vectors of the supercell, angstrom, (3, 3).
    :param unit_A: of the cell that may be repeated in it.
    """
    multiples = cell_A @ np.linalg.inv(unit_A)
    whole = np.rint(multiples).astype(np.int64)
    if np.abs(multiples - whole).max() > MISFIT or round(abs(float(np.linalg.det(whole)))) == 0:
        return None
    return whole


def folded_places(
    fractional: FloatArray, symbols: Sequence[str], cell_A: FloatArray, n_copies: int
) -> tuple[FloatArray, tuple[str, ...]] | None:
    """Return the mean places of atoms that fall together in a smaller cell, fractional, (k, 3), with their elements.

    :param fractional: mean places in the smaller cell, of any image, (n, 3).
    :param symbols: element of each.
    :param cell_A: vectors of the smaller cell, angstrom, (3, 3).
    :param n_copies: how many atoms each place is the mean of.
    :returns: ``None`` where places do not fall together in so many: the larger cell is not a repetition.
    """
    left = np.ones(len(fractional), dtype=bool)
    places, elements = [], []
    for index, symbol in enumerate(symbols):
        if not left[index]:
            continue
        apart = fractional - fractional[index]
        apart -= np.rint(apart)
        same = left & (np.linalg.norm(apart @ cell_A, axis=1) < SAME_PLACE_A)
        mine = np.flatnonzero(same & np.array([one == symbol for one in symbols]))
        if len(mine) != n_copies:
            return None
        left[mine] = False
        places.append(fractional[index] + apart[mine].mean(axis=0))
        elements.append(symbol)
    return np.array(places).reshape(-1, 3) % 1.0, tuple(elements)
