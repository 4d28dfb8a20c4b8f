"""k-points of the DFT jobs: only the Gamma point, unless a small cell needs more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiida import orm


def gamma_point() -> orm.KpointsData:
    """Return only the Gamma point, which is enough for the supercells of molecular dynamics."""
    return mesh_node([1, 1, 1])


#: Shift of a mesh off the Gamma point, in steps of the mesh.
SHIFT = [0.5, 0.5, 0.5]


def mesh_node(kpoints: Any, is_shifted: bool = False) -> orm.KpointsData:
    """Return k-points from a mesh of three whole numbers, or as they are.

    :param is_shifted: whether the mesh is shifted by half a step along each vector; nodes keep the shift they have.
    :raises ValueError: if they are neither.
    """
    if isinstance(kpoints, orm.KpointsData):
        return kpoints
    if not isinstance(kpoints, Sequence) or len(kpoints) != 3 or not all(isinstance(n, int) and n > 0 for n in kpoints):
        raise ValueError(f"kpoints must be KpointsData or a mesh of three whole numbers, got {kpoints!r}")
    mesh = orm.KpointsData()
    mesh.set_kpoints_mesh(list(kpoints), offset=SHIFT if is_shifted else [0.0, 0.0, 0.0])
    return mesh


def with_mesh(kpoints: Any, mesh: Sequence[int]) -> orm.KpointsData:
    """Return another mesh with the shift of some k-points; a list of k-points has none.

    :param kpoints: of an engine; ``None`` for those that it takes by itself.
    """
    other = orm.KpointsData()
    other.set_kpoints_mesh([int(n) for n in mesh], offset=shift_of(kpoints))
    return other


def shift_of(kpoints: Any) -> list[float]:
    """Return the shift of a mesh, in steps along each vector; zeros for a list of k-points or none at all."""
    try:
        return [float(shift) for shift in kpoints.get_kpoints_mesh()[1]]
    except AttributeError:
        return [0.0, 0.0, 0.0]


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
