"""Protocol and structure -> POTCARs and electronic tags of VASP, and what the user should know about them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.common import exceptions

from aiida_ion.calculations.dft.cutoff_hints import potcar_hints
from aiida_ion.calculations.vasp.job import UPLOAD_ADVICE, PotcarData, validate_incar
from aiida_ion.dft.cutoffs import cutoff_warnings, highest, mark
from aiida_ion.dft.vasp.functional import functional_name
from aiida_ion.workchains.protocols import merge, protocol_inputs

#: A looser convergence of the electrons than this, eV an atom, makes the energy drift within picoseconds.
LOOSE_EDIFF_EV_ATOM = 1e-5


def incar_of_protocol(protocol: str | None, overrides: Mapping[str, Any] | None) -> orm.Dict:
    """Return the electronic tags of a protocol with the overrides; ``None`` removes a tag.

    :raises ValueError: for a protocol that does not exist, or a tag that cannot be used.
    """
    chosen = protocol_inputs("vasp", protocol)
    changes = {str(tag).lower(): value for tag, value in (overrides or {}).items()}
    tags = {tag: value for tag, value in merge(chosen, changes).items() if value is not None}
    problem = validate_incar(orm.Dict(tags), None)
    if problem is not None:
        raise ValueError(f"incar: {problem}")
    return orm.Dict(tags)


def with_enough_encut(incar: orm.Dict, overrides: Mapping[str, Any] | None, potential: Mapping[str, Any]) -> orm.Dict:
    """Return tags whose `encut`, where the user gives none, is that of the protocol or the largest ENMAX, eV."""
    given = {str(tag).lower() for tag, value in (overrides or {}).items() if value is not None}
    needed = highest(potcar_hints(potential))
    tags = incar.get_dict()
    if "encut" in given or not needed or tags["encut"] >= needed[0]:
        return incar
    return orm.Dict(tags | {"encut": needed[0]})


def level_name(engine: Mapping[str, Any]) -> str:
    """Return program and functional, such as ``VASP PBE``; an `encut` below ENMAX is named, too."""
    tags, potential = engine["incar"].get_dict(), engine["potential"]
    below = mark((float(tags["encut"]),), potcar_hints(potential)) if "encut" in tags else ""
    name = functional_name(tags, [str(given.title) for given in potential.values()])
    return f"VASP {name}{f' {below}' if below else ''}"


def potentials_of(
    structure: orm.StructureData, family: str, mapping: Mapping[str, str] | None = None
) -> dict[str, PotcarData]:
    """Return the POTCAR of each kind of a structure.

    :param family: label of a family of POTCARs.
    :param mapping: element or kind -> name of the POTCAR; those of MPRelaxSet for what it does not hold.
    :raises ValueError: naming element, POTCAR and family of one that is not there.
    """
    if PotcarData.get_potcar_group(family) is None:
        raise ValueError(f"there is no family of POTCARs {family!r}: {UPLOAD_ADVICE} --name {family}")
    return {kind.name: _potential(kind.name, kind.symbols[0], family, mapping or {}) for kind in structure.kinds}


def _potential(kind: str, element: str, family: str, mapping: Mapping[str, str]) -> Any:
    name = mapping.get(kind) or mapping.get(element) or recommended_potentials().get(element, element)
    try:
        return PotcarData.get_potcars_dict([kind], family, mapping={kind: name})[kind]
    except exceptions.NotExistent as error:
        there = sorted(PotcarData.get_full_names(family, element))
        others = f"the family has {', '.join(there)}: choose one with potential_mapping, or " if there else ""
        raise ValueError(f"no POTCAR {name} for {element} in the family {family}: {others}{UPLOAD_ADVICE}") from error


def mapping_warnings(choices: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each POTCAR that an engine names and whose ENMAX is above the `encut` it was given.

    :param choices: as `vasp_choices` returns them.
    """
    tags = {str(tag).lower(): value for tag, value in (choices.get("incar") or {}).items()}
    if not tags.get("encut"):
        return []
    family, named = choices["potential_family"], choices.get("potential_mapping") or {}
    wanted = {
        element: name
        for element, name in (recommended_potentials() | named).items()
        if name in PotcarData.get_full_names(family, element)
    }
    potential = PotcarData.get_potcars_dict(list(wanted), family, mapping=wanted)
    return cutoff_warnings((float(tags["encut"]),), potcar_hints(potential))


def recommended_potentials() -> dict[str, str]:
    """Return the POTCAR of each element in pymatgen's MPRelaxSet, such as ``Li_sv`` for ``Li``."""
    from pymatgen.io.vasp.sets import MPRelaxSet

    return {str(element): str(name) for element, name in MPRelaxSet.CONFIG["POTCAR"].items()}


def remarks_on(structure: orm.StructureData, engine: Mapping[str, Any]) -> list[str]:
    """Return sentences on what the user should know before VASP runs this structure."""
    tags = engine["incar"].get_dict()
    remarks = ["csvr (MDALGO = 5) needs VASP 6.4.3 or newer; older ones are refused after their first job"]
    electrons = electrons_of(structure, engine["potential"])
    if electrons is not None and round(electrons) % 2 and int(tags.get("ispin", 1)) == 1:
        remarks.append(f"{electrons:g} electrons, an odd number: without spin (ispin 2) one state is only half filled")
    ediff = float(tags.get("ediff", 1e-4))
    if ediff > LOOSE_EDIFF_EV_ATOM * len(structure.sites):
        remarks.append(f"ediff {ediff:g} eV is loose for {len(structure.sites)} atoms: the energy will drift")
    if int(tags.get("ismear", 1)) > 0:
        remarks.append("ismear above 0 is for metals: in an insulator forces are wrong wherever a gap is smeared")
    return remarks + cutoff_warnings((float(tags["encut"]),), potcar_hints(engine["potential"]))


def electrons_of(structure: orm.StructureData, potential: Mapping[str, Any]) -> float | None:
    """Return the number of valence electrons; ``None`` if the POTCARs are not in this profile."""
    try:
        contents = {kind: given.get_content().decode(errors="replace") for kind, given in potential.items()}
    except exceptions.NotExistent:
        return None
    valence = {kind: re.findall(r"ZVAL\s*=\s*([\d.]+)", text) for kind, text in contents.items()}
    return sum(float(valence[site.kind_name][0]) for site in structure.sites)
