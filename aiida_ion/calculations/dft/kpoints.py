"""k-points of the DFT jobs: only the Gamma point, unless a small cell needs more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiida import orm


def gamma_point() -> orm.KpointsData:
    """Return only the Gamma point, which is enough for the supercells of molecular dynamics."""
    return mesh_node([1, 1, 1])


def mesh_node(kpoints: Any) -> orm.KpointsData:
    """Return k-points from a mesh of three whole numbers, or as they are.

    :raises ValueError: if they are neither.
    """
    if isinstance(kpoints, orm.KpointsData):
        return kpoints
    if not isinstance(kpoints, Sequence) or len(kpoints) != 3 or not all(isinstance(n, int) and n > 0 for n in kpoints):
        raise ValueError(f"kpoints must be KpointsData or a mesh of three whole numbers, got {kpoints!r}")
    mesh = orm.KpointsData()
    mesh.set_kpoints_mesh(list(kpoints))
    return mesh


def mesh_of_part(kpoints: orm.KpointsData, multiples: Sequence[int]) -> orm.KpointsData:
    """Return the mesh with which a cell has the k-points that its supercell has; lists of k-points stay as they are.

    :param kpoints: those of the supercell.
    :param multiples: how often the cell is repeated along each vector.
    """
    try:
        mesh, offset = kpoints.get_kpoints_mesh()
    except AttributeError:
        return kpoints
    if all(n == 1 for n in multiples):
        return kpoints
    finer = orm.KpointsData()
    finer.set_kpoints_mesh([int(n) * int(m) for n, m in zip(mesh, multiples, strict=True)], offset=offset)
    return finer


def is_gamma(kpoints: orm.KpointsData) -> bool:
    """Return whether the mesh is only the Gamma point."""
    try:
        mesh, offset = kpoints.get_kpoints_mesh()
    except AttributeError:
        return False
    return list(mesh) == [1, 1, 1] and not any(offset)
