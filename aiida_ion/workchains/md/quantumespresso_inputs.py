"""Pseudopotentials, cut-offs and occupations of a structure: the engine inputs of Quantum ESPRESSO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.common.exceptions import MultipleObjectsError, NotExistent
from pymatgen.core.periodic_table import Element

from aiida_ion.calculations.dft.cutoff_hints import upf_hints, without_hint
from aiida_ion.calculations.quantumespresso.job import n_electrons
from aiida_ion.dft.cutoffs import cutoff_warnings, highest, mark
from aiida_ion.dft.pw.input import normal_namelists, spelled
from aiida_ion.dft.pw.upf import UpfHeader, dft_name, read_upf_header
from aiida_ion.workchains.protocols import merge, protocol_inputs

#: With ultrasoft and PAW pseudopotentials the density needs more than the fourfold cut-off of the wave functions.
DENSITY_FACTORS = {True: 4.0, False: 8.0}
#: Elements whose compounds are mostly magnetic.
OPEN_SHELLS = frozenset(("V", "Cr", "Mn", "Fe", "Co", "Ni"))


def pseudos_of(structure: orm.StructureData, family: Any, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the pseudopotential of each kind, from those given by kind or element, else from the family.

    :raises ValueError: naming what is missing.
    """
    given = given or {}
    pseudos, missing = {}, set()
    for kind in structure.kinds:
        upf = given.get(kind.name) or given.get(kind.symbols[0])
        if upf is None and family is not None and kind.symbols[0] in family.elements:
            upf = family.get_pseudo(kind.symbols[0])
        if upf is None:
            missing.add(kind.symbols[0])
        pseudos[kind.name] = upf
    if missing:
        where = f"pseudopotential family {family.label} has none" if family is not None else "no pseudopotential given"
        raise ValueError(f"{where} for {', '.join(sorted(missing))}; choose another family, or give pseudos")
    return pseudos


def load_family(family: Any) -> Any:
    """Return a pseudopotential family from its label, or as it is.

    :raises ValueError: if there is none of that name.
    """
    if family is None or isinstance(family, orm.Group):
        return family
    try:
        return orm.load_group(family)
    except (NotExistent, MultipleObjectsError) as error:
        remedy = "`aiida-pseudo install sssp` or `aiida-pseudo install family FOLDER LABEL` makes one"
        raise ValueError(f"no pseudopotential family {family!r}; {remedy}") from error


def recommended_cutoffs(structure: orm.StructureData, family: Any, stringency: str) -> tuple[float, float] | None:
    """Return the cut-offs of wave functions and density, Ry, that a family recommends; ``None`` where it has none."""
    known = family.get_cutoff_stringencies() if hasattr(family, "get_cutoff_stringencies") else ()
    stringency_known = stringency if stringency in known else None
    try:
        wave, density = family.get_recommended_cutoffs(structure=structure, stringency=stringency_known, unit="Ry")
    except (AttributeError, ValueError):  # it has none at all, no default, or none for an element
        return None
    return float(wave), float(density)


def headers(pseudos: Mapping[str, Any]) -> dict[str, UpfHeader]:
    """Return the header of each pseudopotential."""
    return {name: read_upf_header(upf.get_content()) for name, upf in pseudos.items()}


def build_namelists(
    structure: orm.StructureData,
    protocol: str | None,
    pseudos: Mapping[str, Any],
    family: Any,
    *,
    ecutwfc_Ry: float | None,
    ecutrho_Ry: float | None,
    overrides: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the namelists of a protocol for a structure, with the overrides.

    :raises ValueError: if there are no cut-offs, or a key is not the user's to set.
    """
    settings = protocol_inputs("quantumespresso", protocol)
    base = settings["namelists"]
    asked = spelled(overrides or {})
    if n_electrons(structure, pseudos, asked.get("SYSTEM", {})) % 2 != 0:
        base = merge(base, {"SYSTEM": settings["smearing"]})
    if "conv_thr" in asked.get("ELECTRONS", {}):
        base["ELECTRONS"].pop("conv_thr_per_atom")
    system = {key: value for key, value in (("ecutwfc", ecutwfc_Ry), ("ecutrho", ecutrho_Ry)) if value is not None}
    made = merge(merge(base, {"SYSTEM": system}), asked)
    recommended = recommended_cutoffs(structure, family, settings["cutoff_stringency"])
    if recommended is None:
        recommended = _suggested_cutoffs(pseudos, made["SYSTEM"])
    wave = made["SYSTEM"].setdefault("ecutwfc", recommended[0])
    made["SYSTEM"].setdefault("ecutrho", wave * recommended[1] / recommended[0])
    return normal_namelists(made)


def _suggested_cutoffs(pseudos: Mapping[str, Any], system: Mapping[str, Any]) -> tuple[float, float]:
    """Return the cut-offs of wave functions and density, Ry, that suit all pseudopotentials by their files.

    Where the user gives that of the wave functions, the density follows it by the usual factor.

    :raises ValueError: naming the files that suggest no cut-off, where the user gives none.
    """
    norm_conserving = all(header.norm_conserving for header in headers(pseudos).values())
    factor = DENSITY_FACTORS[norm_conserving]
    if "ecutwfc" in system:
        return 1.0, factor
    silent = without_hint(pseudos)
    if silent:
        raise ValueError(f"{', '.join(silent)} suggests no cut-offs; give ecutwfc_Ry and ecutrho_Ry")
    wave, *density = highest(upf_hints(pseudos))
    return wave, max([*density, 4.0 * wave]) if density else factor * wave


def cutoffs_of(engine: Mapping[str, Any]) -> tuple[float, float]:
    """Return the cut-offs of wave functions and density of engine inputs, Ry."""
    system = normal_namelists(engine["namelists"].get_dict())["SYSTEM"]
    return float(system["ecutwfc"]), float(system.get("ecutrho", 4.0 * system["ecutwfc"]))


def functional_of(engine: Mapping[str, Any]) -> str:
    """Return the functional that engine inputs stand for, with a Hubbard or dispersion correction.

    :raises ValueError: if the pseudopotentials do not agree on it.
    """
    system = normal_namelists(engine["namelists"].get_dict())["SYSTEM"]
    return dft_name(system, {name: header.functional for name, header in headers(engine["pseudos"]).items()})


def level_name(engine: Mapping[str, Any]) -> str:
    """Return program and functional, such as ``QE PBEsol``; cut-offs below the hints of the files are named, too."""
    below = mark(cutoffs_of(engine), upf_hints(engine["pseudos"]))
    return f"QE {functional_of(engine)}{f' {below}' if below else ''}"


def electron_remarks(structure: orm.StructureData, engine: Mapping[str, Any]) -> list[str]:
    """Return what the user should know about the electrons before they are computed."""
    system = normal_namelists(engine["namelists"].get_dict())["SYSTEM"]
    elements = {kind.symbols[0] for kind in structure.kinds}
    electrons = n_electrons(structure, engine["pseudos"], system)
    fixed = system.get("occupations", "fixed") == "fixed"
    remarks = []
    if electrons % 2 != 0:
        what = "bands cannot be filled in pairs" if fixed else "its occupations are smeared"
        remarks.append(f"The cell has {electrons:g} valence electrons, an odd number: {what}; look at its charges.")
    if fixed and all(Element(symbol).is_metal for symbol in elements):
        remarks.append("All elements are metals, and fixed occupations need a gap: set SYSTEM occupations to smearing.")
    magnetic = sorted(elements & OPEN_SHELLS)
    if magnetic and system.get("nspin", 1) == 1:
        remarks.append(f"{', '.join(magnetic)} may be magnetic, and spin is not polarised: set SYSTEM nspin to 2.")
    norm_conserving = all(header.norm_conserving for header in headers(engine["pseudos"]).values())
    wave, density = cutoffs_of(engine)
    hints = upf_hints(engine["pseudos"])
    ratio, suggested = density / wave, highest(hints)
    enough = len(suggested) == 2 and density >= suggested[1]
    if ratio < (4.0 if norm_conserving else 6.0) and not enough:
        needed = "4 times" if norm_conserving else "8 to 12 times, with ultrasoft or PAW pseudopotentials,"
        remarks.append(f"SYSTEM ecutrho is {ratio:.3g} times ecutwfc; forces need about {needed} that.")
    return remarks + cutoff_warnings((wave, density), hints)
