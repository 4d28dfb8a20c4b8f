"""What is recorded at every step: one name, unit and type for each quantity, in the tables of programs and in nodes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class ThermoField(NamedTuple):
    """One quantity.

    :param column: its name in the table of a program.
    :param array: its name in a node.
    :param unit: its unit in both.
    :param column_type: its type in the table.
    :param array_type: its type in a node: energies need their digits, the rest is noise beyond seven of them.
    :param shape: of one value.
    """

    column: str
    array: str
    unit: str
    column_type: str = "<f4"
    array_type: type[Any] = np.float32
    shape: tuple[int, ...] = ()


STEP = "step"
#: In the order of the columns of every engine.
FIELDS = (
    ThermoField("potential_energy_eV", "potential_energy", "eV", "<f8", np.float64),
    ThermoField("kinetic_energy_eV", "kinetic_energy", "eV", "<f8"),
    ThermoField("temperature_K", "temperature", "K"),
    ThermoField("max_force_eV_A", "max_force", "eV/angstrom"),
    ThermoField("charge_current_e_A_fs", "charge_current", "e*angstrom/fs", shape=(3,)),
)
PRESSURE = ThermoField("pressure_GPa", "pressure", "GPa")
#: Voigt order as ASE has it; the unit says what the sign means.
STRESS = ThermoField(
    "stress_eV_A3",
    "stress",
    "eV/angstrom^3, Voigt (xx, yy, zz, yz, xz, xy), positive when stretched, without the motion of the ions",
    shape=(6,),
)
#: Beside these where the cell changes.
NPT_FIELDS = (PRESSURE, ThermoField("volume_A3", "volume", "angstrom^3"))
#: Beside these where electrons are converged.
DFT_FIELDS = (
    ThermoField("conserved_energy_eV", "conserved_energy", "eV", "<f8", np.float64),
    ThermoField("scf_iterations", "scf_iterations", "1", "<i4", np.int32),
    STRESS,
    PRESSURE,
)
ALL_FIELDS = tuple(dict.fromkeys((*FIELDS, *NPT_FIELDS, *DFT_FIELDS)))


def thermo_dtype(more: tuple[ThermoField, ...] = ()) -> np.dtype[Any]:
    """Return the type of a row of a table: the step, and the quantities of every engine.

    :param more: further quantities, :data:`NPT_FIELDS` or :data:`DFT_FIELDS`.
    """
    columns = [(field.column, field.column_type, field.shape) for field in (*FIELDS, *more)]
    return np.dtype([(STEP, "<i8"), *columns])
