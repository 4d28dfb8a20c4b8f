"""From the options of ``aiida-ion engine add`` to POTCARs and INCAR tags of VASP."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from aiida import orm

from aiida_ion.calculations.vasp.job import validate_incar
from aiida_ion.settings.files import read_yaml

#: Stands for a cut-off while the rest of the settings is looked at, which the protocol gives one.
ANY_CUTOFF = 100.0
#: What a file of settings holds.
SETTINGS = "electronic settings"


def vasp_choices(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``ion.md.vasp`` takes beside its code, from the options of the command line.

    :raises ValueError: if the family of POTCARs is not there.
    """
    family = given.get("potcars")
    if not family:
        raise ValueError("give --potcars, a family made by 'aiida-vasp potcar uploadfamily'")
    if not orm.QueryBuilder().append(orm.Group, filters={"label": family}).count():
        raise ValueError(f"there is no family of POTCARs {family!r}: make it with 'aiida-vasp potcar uploadfamily'")
    choices: dict[str, Any] = {"potential_family": family}
    if given.get("potcar_map"):
        choices["potential_mapping"] = dict(given["potcar_map"])
    if given.get("settings") is not None:
        choices["incar"] = read_yaml(given["settings"], SETTINGS)
        tags = {str(tag).lower(): value for tag, value in choices["incar"].items() if value is not None}
        problem = validate_incar(orm.Dict({"encut": ANY_CUTOFF} | tags), None)
        if problem is not None:
            raise ValueError(f"{PurePath(given['settings']).name}: {problem}")
    if given.get("kpoints"):
        choices["kpoints"] = given["kpoints"]
    return choices
