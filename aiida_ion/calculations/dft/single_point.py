"""The single point as a CalcJob sees it: ports and outputs, the same for pw.x and VASP."""

from __future__ import annotations

from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.calculations.script import define_ledger
from aiida_ion.dft.single_point import SinglePoint, pressure_of

POINT_UNITS = {
    "forces": "eV/angstrom",
    "stress": "eV/angstrom^3, positive when stretched",
    "energy_eV": "eV",
    "pressure_GPa": "GPa, positive when compressed",
}


def define_point_ports(spec: Any) -> None:
    """Declare the ports that every single point has."""
    spec.input("structure", valid_type=orm.StructureData, help="The configuration, angstrom.")
    spec.output(
        "point",
        valid_type=orm.ArrayData,
        required=False,
        help="Arrays `forces`, (N, 3) in eV/angstrom, and `stress`, (3, 3) in eV/angstrom^3, positive when stretched; "
        "attributes `energy_eV`, `pressure_GPa` and `cpu_time_s`.",
    )
    define_ledger(spec)


def point_outputs(point: SinglePoint) -> dict[str, orm.Data]:
    """Return the output nodes of a single point: as much as it left."""
    outputs: dict[str, orm.Data] = {}
    if point.cost:
        outputs["cost"] = orm.Dict(dict(point.cost))
    if point.versions:
        outputs["versions"] = orm.Dict(dict(point.versions))
    if point.forces is None or point.stress is None or point.energy_eV is None:
        return outputs
    node = orm.ArrayData()
    node.set_array("forces", np.asarray(point.forces))
    node.set_array("stress", np.asarray(point.stress))
    pressure = pressure_of(point.stress)
    node.base.attributes.set_many(
        {
            "units": POINT_UNITS,
            "energy_eV": float(point.energy_eV),
            "pressure_GPa": pressure if np.isfinite(pressure) else None,
            "cpu_time_s": point.cost.get("cpu_time_s"),
            "n_atoms": len(point.forces),
        }
    )
    outputs["point"] = node
    return outputs
