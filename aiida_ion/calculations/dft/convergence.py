"""Single points of a scan -> the table of what each setting differs in from the highest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.dft.convergence import Point, lowest_within, scan_rows
from aiida_ion.dft.fingerprint import k_spacing

SCANS = ("cutoffs", "kpoints")


@calcfunction
def tabulate_convergence(parameters: orm.Dict, structure: orm.StructureData, **points: orm.ArrayData) -> orm.Dict:
    """Compare single points with those of the highest setting of each scan, and name the lowest that will do.

    :param parameters: ``points`` (name -> ``scans``, ``cutoffs``, ``mesh``, ``frame``), ``max_force_error_percent``,
        ``formula``, ``functional``, ``unit`` of the cut-offs, ``suggested_cutoffs``, ``kpoints_shift`` of all meshes
        (in their steps) and ``failed`` (a sentence for each point that is missing).
    :param structure: the crystal, for the spacing of k-points.
    :param points: outputs of single points.
    """
    settings = parameters.get_dict()
    limit = float(settings["max_force_error_percent"])
    kept = ("formula", "functional", "unit", "suggested_cutoffs", "failed", "max_force_error_percent", "kpoints_shift")
    result: dict[str, Any] = {name: settings.get(name) for name in kept}
    for scan in SCANS:
        rows = _rows(scan, settings["points"], points, structure)
        lowest = lowest_within(rows, limit)
        result[scan] = rows
        result[f"recommended_{scan}"] = (
            None if lowest is None else rows[lowest]["cutoffs" if scan == SCANS[0] else "mesh"]
        )
    node = orm.Dict(result)
    node.label = f"{settings['formula']} {settings['functional']} convergence"
    return node


def _rows(
    scan: str, settings: Mapping[str, Any], points: Mapping[str, orm.ArrayData], structure: orm.StructureData
) -> list[dict[str, Any]]:
    """Return the rows of a scan, from the lowest setting to the highest that any point reached."""
    groups: dict[tuple[Any, ...], dict[int, Point]] = {}
    for name in sorted(points):
        about = settings[name]
        if scan in about["scans"]:
            groups.setdefault(_order(scan, about), {})[int(about["frame"])] = _point(points[name])
    if not groups:
        return []
    order = sorted(groups)
    heads = [_head(key, scan, structure) for key in order]
    return [head | row for head, row in zip(heads, scan_rows([groups[key] for key in order]), strict=True)]


def _order(scan: str, about: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what settings of a scan are sorted by, which holds all of them."""
    cutoffs, mesh = tuple(about["cutoffs"]), tuple(about["mesh"])
    n_points = mesh[0] * mesh[1] * mesh[2]
    return (cutoffs, n_points, mesh) if scan == SCANS[0] else (n_points, mesh, cutoffs)


def _head(key: Sequence[Any], scan: str, structure: orm.StructureData) -> dict[str, Any]:
    cutoffs, mesh = (key[0], key[2]) if scan == SCANS[0] else (key[2], key[1])
    spacing = max(k_spacing(structure.cell, mesh))
    return {"cutoffs": list(cutoffs), "mesh": list(mesh), "k_spacing_1_A": spacing}


def _point(node: orm.ArrayData) -> Point:
    attributes = node.base.attributes.all
    return Point(
        forces=node.get_array("forces"),
        energy_eV=float(attributes["energy_eV"]),
        pressure_GPa=attributes.get("pressure_GPa"),
        cpu_time_s=attributes.get("cpu_time_s"),
    )
