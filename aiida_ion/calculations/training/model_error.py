"""The error of a student as a model of its teacher: how far its diffusivity is from the teacher's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.analysis.comparison.ratios import Quantity, ratio
from aiida_ion.analysis.crystals.charges import formal_charges, guess_mobile_species
from aiida_ion.calculations.comparison.transport import diffusivity_of, ratio_attributes
from aiida_ion.verdicts import POORLY_KNOWN, verdict_of

#: Names of the fits of both among the inputs of ``ion.student_report``.
FIT_OF_STUDENT, FIT_OF_TEACHER = "diffusion_student", "diffusion_teacher"


def mobile_ion(structure: orm.StructureData, named: str | None) -> tuple[str, dict[str, float]] | None:
    """Return the element whose diffusivity is compared, and the charges; ``None`` without a usual mobile ion.

    :param structure: the crystal.
    :param named: the element, where it is named.
    """
    formula = structure.get_formula("hill_compact")
    try:
        mobile = named or guess_mobile_species(formula)
    except ValueError:
        return None
    try:
        charges = formal_charges(formula)
    except ValueError:  # only the conductivity needs them, and that is not compared
        charges = dict.fromkeys(structure.get_symbols_set(), 0.0) | {mobile: 1.0}
    return mobile, charges


def model_error(student: orm.ArrayData | None, teacher: orm.ArrayData | None) -> dict[str, Any]:
    """Return the tracer diffusivity of a student over its teacher's, at the temperature where both ran.

    :param student: diffusion node of its runs; ``None`` without one.
    :param teacher: that of the teacher's run.
    :returns: ``mobile_species``, ``temperature_K``, ``teacher_ps`` (time that was analysed),
        ``tracer_diffusivity_ratio`` with its interval or bounds as a comparison of levels has them; ``agrees``, whether
        the interval holds one, ``None`` where nothing can be told, and then ``reason``.
    """
    if student is None or teacher is None:
        missing = "student" if student is None else "teacher"
        return {"agrees": None, "reason": f"there is no fit of the {missing}'s runs"}
    fits = {"student": student.base.attributes.all, "teacher": teacher.base.attributes.all}
    about = {
        "mobile_species": fits["teacher"].get("mobile_species"),
        "temperature_K": fits["teacher"].get("target_temperature_K"),
        "teacher_ps": fits["teacher"].get("analysed_time_ps"),
    }
    sides, reasons = [], []
    for (name, attributes), node in zip(fits.items(), (student, teacher), strict=True):
        reason = _unusable(attributes)
        sides.append(Quantity() if reason else diffusivity_of(node, attributes))
        reasons += [f"the diffusivity of the {name} {reason}"] if reason else []
    quotient = ratio(*sides)
    reason = "; ".join(reasons) or _in_words(quotient.reason)
    agrees = None if quotient.ci95 is None else bool(quotient.ci95[0] <= 1.0 <= quotient.ci95[1])
    return about | ratio_attributes("tracer_diffusivity", quotient) | {"agrees": agrees, "reason": reason or None}


def _unusable(attributes: Mapping[str, Any]) -> str | None:
    if attributes.get("fit_consistent") is False:
        return "is not compared: its fits disagree with each other"
    if verdict_of(attributes) == POORLY_KNOWN:
        return "is poorly known"
    return None


def _in_words(reason: str | None) -> str | None:
    """Return a reason with the names of both in place of levels of theory."""
    names = {"both levels have": "both have", "this level": "the student", "the reference": "the teacher"}
    for old, new in names.items():
        reason = None if reason is None else reason.replace(old, new)
    return reason
