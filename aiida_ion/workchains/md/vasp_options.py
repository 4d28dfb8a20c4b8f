"""From the options of ``aiida-ion engine add`` to POTCARs and INCAR tags of VASP."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from aiida import orm

from aiida_ion.calculations.vasp.job import validate_incar
from aiida_ion.settings.files import read_yaml
from aiida_ion.workchains.md.requests import EngineSetup

#: Stands for a cut-off while the rest of the settings is looked at, which the protocol gives one.
ANY_CUTOFF = 100.0
#: What a file of settings holds.
SETTINGS = "electronic settings"


def vasp_choices(setup: EngineSetup) -> dict[str, Any]:
    """Return what ``ion.md.vasp`` takes beside its code, from the options of the command line.

    :raises ValueError: if the family of POTCARs is not there.
    """
    family = setup.potcars
    if not family:
        raise ValueError("give --potcars, a family made by 'aiida-vasp potcar uploadfamily'")
    if not orm.QueryBuilder().append(orm.Group, filters={"label": family}).count():
        raise ValueError(f"there is no family of POTCARs {family!r}: make it with 'aiida-vasp potcar uploadfamily'")
    choices: dict[str, Any] = {"potential_family": family}
    if setup.potcar_map:
        choices["potential_mapping"] = dict(setup.potcar_map)
    if setup.settings is not None:
        choices["incar"] = read_yaml(setup.settings, SETTINGS)
        tags = {str(tag).lower(): value for tag, value in choices["incar"].items() if value is not None}
        problem = validate_incar(orm.Dict({"encut": ANY_CUTOFF} | tags), None)
        if problem is not None:
            raise ValueError(f"{PurePath(setup.settings).name}: {problem}")
    if setup.kpoints:
        choices["kpoints"] = list(setup.kpoints)
    return choices
