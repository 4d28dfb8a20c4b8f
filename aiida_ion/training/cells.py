"""Atoms put back into their cell, to the same digits on every machine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Fractions this far below a face belong to the cell behind it: rounding must not choose the image.
ON_FACE = 1e-9


def wrap(positions: NDArray[Any], cell: NDArray[Any]) -> FloatArray:
    """Return positions moved by whole cell vectors into the cell, angstrom, shape (..., N, 3).

    Products and sums are made one by one: a library of linear algebra may round in another order on another machine,
    and the text of a dataset, whose hash is stored, must not depend on it.

    :param positions: shape (..., N, 3), angstrom.
    :param cell: shape (3, 3), angstrom, rows are the vectors.
    :raises ValueError: for a cell without volume.
    """
    places, vectors = np.asarray(positions, dtype=np.float64), np.asarray(cell, dtype=np.float64)
    normals = np.stack([_cross(vectors[1], vectors[2]), _cross(vectors[2], vectors[0]), _cross(vectors[0], vectors[1])])
    volume = _dot(vectors[0], normals[0])
    if not abs(volume) > 0:
        raise ValueError("a cell has no volume")
    images = [np.floor(_dot(places, normal) / volume + ON_FACE) for normal in normals]
    moved: FloatArray = places.copy()
    for image, vector in zip(images, vectors, strict=True):
        moved -= image[..., None] * vector
    return moved


def _dot(places: FloatArray, vector: FloatArray) -> Any:
    return places[..., 0] * vector[0] + places[..., 1] * vector[1] + places[..., 2] * vector[2]


def _cross(first: FloatArray, second: FloatArray) -> FloatArray:
    return np.array(
        [
            first[1] * second[2] - first[2] * second[1],
            first[2] * second[0] - first[0] * second[2],
            first[0] * second[1] - first[1] * second[0],
        ]
    )
