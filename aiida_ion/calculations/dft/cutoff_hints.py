"""The least cut-offs of pseudopotentials: what a family recommends, else what the author wrote into the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.common import exceptions

from aiida_ion.dft.cutoffs import CutoffHint
from aiida_ion.dft.pw.upf import read_upf_header

#: Type of a family that may recommend cut-offs, and of those derived from it.
FAMILIES = ("pseudo.family.cutoffs", "pseudo.family.sssp", "pseudo.family.pseudo_dojo")


def upf_hints(pseudos: Mapping[str, Any]) -> list[CutoffHint]:
    """Return the hints of UPF pseudopotentials, by kind or element; none for those of which nobody says anything.

    A family's recommendation was tested, and counts more than the header of the file.
    """
    hints = {}
    for upf in pseudos.values():
        hint = _recommended(upf) or _in_header(upf)
        if hint is not None:
            hints[hint.element, hint.source] = hint
    return [hints[key] for key in sorted(hints)]


def without_hint(pseudos: Mapping[str, Any]) -> list[str]:
    """Return the files of which neither a family nor the header says a cut-off of the wave functions."""
    return [str(upf.filename) for upf in pseudos.values() if _recommended(upf) is None and _in_header(upf) is None]


def _in_header(upf: Any) -> CutoffHint | None:
    header = read_upf_header(upf.get_content())
    if header.ecutwfc_Ry is None:
        return None
    values = (header.ecutwfc_Ry, header.ecutrho_Ry) if header.ecutrho_Ry is not None else (header.ecutwfc_Ry,)
    return CutoffHint(str(upf.element), str(upf.filename), values, "Ry")


def _recommended(upf: Any) -> CutoffHint | None:
    """Return the lowest cut-offs that a family of this profile recommends for a pseudopotential."""
    if not upf.is_stored:
        return None
    query = orm.QueryBuilder().append(type(upf), filters={"id": upf.pk}, tag="upf")
    query.append(orm.Group, with_node="upf", filters={"type_string": {"in": FAMILIES}})
    hints = []
    for family in query.all(flat=True):
        for stringency in family.get_cutoff_stringencies():
            wave, density = family.get_recommended_cutoffs(elements=(upf.element,), stringency=stringency, unit="Ry")
            hints.append(CutoffHint(str(upf.element), f"the family {family.label}", (wave, density), "Ry"))
    return min(hints, key=lambda hint: hint.values, default=None)


def potcar_hints(potential: Mapping[str, Any]) -> list[CutoffHint]:
    """Return ENMAX of POTCARs, in whole eV; none for those that are not in this profile, or do not say it."""
    hints = {}
    for given in potential.values():
        try:
            text = given.get_content().decode(errors="replace")
        except exceptions.NotExistent:
            continue
        enmax = re.search(r"ENMAX\s*=\s*(\d+(?:\.\d*)?)", text)
        if enmax is not None and float(enmax[1]) > 0:
            title = str(given.title)
            hints[title] = CutoffHint(str(given.element), f"the POTCAR {title}", (float(round(float(enmax[1]))),), "eV")
    return sorted(hints.values(), key=lambda hint: hint.element)
