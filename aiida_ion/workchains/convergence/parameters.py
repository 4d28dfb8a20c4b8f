"""What an ``ion.convergence`` scans: cut-offs, meshes of k-points, configurations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiida import orm

from aiida_ion.dft.fingerprint import mesh_of_spacing
from aiida_ion.workchains.md.single_points import SinglePoints

#: Multiples of the cut-offs that the pseudopotentials suggest.
MULTIPLES = (0.5, 0.75, 1.0, 1.25, 1.5)
#: Spacings of k-points, 1/angstrom.
SPACINGS_1_A = (1.0, 0.7, 0.5, 0.35)


@dataclass(frozen=True)
class Scan:
    """What is asked for; empty lists are those of the defaults.

    :param cutoffs: settings of cut-offs, each as the engine has them, in its unit.
    :param multiples: of the suggested cut-offs, where no ``cutoffs`` are given.
    :param spacings_1_A: spacings of k-points, 1/angstrom.
    :param displacement_A: standard deviation of each component of the random displacements, angstrom.
    :param n_displaced: how many displaced configurations.
    :param frames: of a trajectory, counted from zero.
    :param max_force_error_percent: what the recommended setting may differ from the highest.
    """

    cutoffs: Sequence[Sequence[float]] = ()
    multiples: Sequence[float] = MULTIPLES
    spacings_1_A: Sequence[float] = SPACINGS_1_A
    displacement_A: float = 0.08
    n_displaced: int = 1
    frames: Sequence[int] = field(default_factory=tuple)
    seed: int = 1
    max_force_error_percent: float = 2.0
    max_concurrent: int = 1


def parameters_of(
    scan: Scan, points: type[SinglePoints], structure: orm.StructureData, engine: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the parameters of a work chain: every setting in full.

    Cut-offs are scanned on the mesh of the engine, and k-points at the suggested cut-offs, else at those of the engine.
    The engine's own cut-offs and mesh are always among the settings.

    :raises ValueError: for a setting with another number of cut-offs than the engine has, or fewer than two settings.
    """
    own, suggested = [float(value) for value in points.cutoffs(engine)], points.suggested(engine)
    base = [float(value) for value in suggested] or own
    wrong = next((given for given in scan.cutoffs if len(given) != len(own)), None)
    if wrong is not None:
        shape = "/".join(f"{value:g}" for value in own)
        given = "/".join(f"{value:g}" for value in wrong)
        raise ValueError(f"cut-offs of this engine are of the form {shape} {points.unit}, got {given}")
    asked = [list(map(float, given)) for given in scan.cutoffs] or [points.scaled(base, m) for m in scan.multiples]
    mesh = _own_mesh(engine["kpoints"])
    meshes = [mesh_of_spacing(structure.cell, spacing) for spacing in scan.spacings_1_A]
    cutoffs = sorted({tuple(one) for one in [*asked, own]})
    if len(cutoffs) < 2:
        raise ValueError("a scan needs two settings of the cut-offs or more")
    return {
        "cutoffs": [list(one) for one in cutoffs],
        "meshes": [list(one) for one in sorted({tuple(one) for one in [*meshes, mesh]}, key=_n_points)],
        "base_cutoffs": base,
        "base_mesh": mesh,
        "displacement_A": scan.displacement_A,
        "n_displaced": scan.n_displaced,
        "frames": list(scan.frames),
        "seed": scan.seed,
        "max_force_error_percent": scan.max_force_error_percent,
        "max_concurrent": scan.max_concurrent,
    }


def _n_points(mesh: Sequence[int]) -> tuple[int, Sequence[int]]:
    return mesh[0] * mesh[1] * mesh[2], mesh


def _own_mesh(kpoints: orm.KpointsData) -> list[int]:
    try:
        mesh, _ = kpoints.get_kpoints_mesh()
    except AttributeError as error:
        raise ValueError(
            "the engine has a list of k-points; a scan needs a mesh: give --kpoints to the engine"
        ) from error
    return [int(n) for n in mesh]


def points_of(parameters: Mapping[str, Any], n_frames: int) -> dict[str, dict[str, Any]]:
    """Return each single point once: its name, and the scans, cut-offs, mesh and frame it stands for."""
    points: dict[tuple[Any, ...], list[str]] = {}
    for frame in range(n_frames):
        for cutoffs in parameters["cutoffs"]:
            points.setdefault((frame, tuple(cutoffs), tuple(parameters["base_mesh"])), []).append("cutoffs")
        for mesh in parameters["meshes"]:
            points.setdefault((frame, tuple(parameters["base_cutoffs"]), tuple(mesh)), []).append("kpoints")
    return {
        f"point_{place:03d}": {"frame": frame, "cutoffs": list(cutoffs), "mesh": list(mesh), "scans": scans}
        for place, ((frame, cutoffs, mesh), scans) in enumerate(points.items())
    }
