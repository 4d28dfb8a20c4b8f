"""Parameters of bond valence site energies, from the table beside this file.

The table states its source, licence and the hashes of the files it was made from.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from aiida_ion.settings.values import either

#: Beside this module, which may be in a zip archive.
TABLE = files(__package__) / "softbv.json"


@dataclass(frozen=True)
class MorseParameters:
    """Attraction of a cation and an anion.

    :param r0_A: bond length of unit valence, angstrom.
    :param r_min_A: distance of lowest energy, angstrom.
    :param alpha_1_A: inverse of the softness parameter, 1/angstrom.
    :param d0_eV: depth, eV.
    """

    r0_A: float
    r_min_A: float
    alpha_1_A: float
    d0_eV: float


def morse_parameters(cation: str, cation_charge_e: float, anion: str, anion_charge_e: float) -> MorseParameters:
    """Return the parameters of a pair.

    :raises ValueError: if the table does not have it; the message names the charges that it has.
    """
    pairs = _table()["pairs"]
    key = (cation, float(cation_charge_e), anion, float(anion_charge_e))
    if key in pairs:
        return MorseParameters(*pairs[key])
    known = sorted({ion_name(a, q) for a, q, b, p in pairs if (a, b, p) == (cation, anion, key[3])})
    instead = f" (it has {anion} with {either(known)})" if known else ""
    raise ValueError(
        f"the softBV table has no parameters for {ion_name(cation, cation_charge_e)} with "
        f"{ion_name(anion, anion_charge_e)}{instead}"
    )


def charges_of(element: str) -> list[float]:
    """Return the charges that an element has in the table, e."""
    pairs = _table()["pairs"]
    return sorted({q for a, q, _, _ in pairs if a == element} | {p for _, _, b, p in pairs if b == element})


def principal_quantum_number(element: str) -> int:
    """Return the principal quantum number of the outermost shell.

    :raises ValueError: if the table does not have the element.
    """
    numbers = _table()["principal_quantum_numbers"]
    if element not in numbers:
        raise ValueError(f"the softBV table has no {element}")
    return int(numbers[element])


def covalent_radius_A(element: str, charge_e: float, radii: str = "cordero") -> float:  # noqa: N802
    """Return the covalent radius of an ion, angstrom.

    :param radii: `cordero` or `softbv`.
    :raises ValueError: if the set does not have it.
    """
    if radii == "softbv":
        of_element = _table()["softbv_covalent_radii_A"].get(element, {})
        radius = of_element.get(f"{charge_e:g}")
    else:
        radius = _table()["covalent_radii_A"].get(element)
    if radius is None:
        raise ValueError(f"the {radii} radii have no {ion_name(element, charge_e)}")
    return float(radius)


def table_sha256() -> str:
    """Return the sha256 of the table."""
    return hashlib.sha256(TABLE.read_bytes()).hexdigest()


def table_facts() -> dict[str, Any]:
    """Return title, source, licence and hashes of the table."""
    return {name: value for name, value in _read().items() if isinstance(value, str) or name == "file_sha256"}


def ion_name(element: str, charge_e: float) -> str:
    """Return a name such as Li+ or O2-."""
    size = "" if abs(charge_e) == 1 else f"{abs(charge_e):g}"
    return f"{element}{size}{'+' if charge_e > 0 else '-'}" if charge_e else f"{element} without charge"


@cache
def _read() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return table


@cache
def _table() -> dict[str, Any]:
    pairs = {(a, float(q), b, float(p)): tuple(values) for a, q, b, p, *values in _read()["pairs"]}
    return _read() | {"pairs": pairs}
