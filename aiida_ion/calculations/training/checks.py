"""What the jobs behind the sources of a dataset say of its quality: cut-offs, k-points, one level of theory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aiida_ion.calculations.dft.cutoff_hints import potcar_hints, upf_hints, without_hint
from aiida_ion.calculations.training.sources import Source
from aiida_ion.dft.cutoffs import CutoffHint, cutoff_warnings, is_marked
from aiida_ion.dft.pw.input import normal_namelists
from aiida_ion.training.checks.levels import SourceLevel, check_k_points, check_one_level
from aiida_ion.training.runs import LabelledRun

#: Programs that converge electrons.
DFT_PROGRAMS = ("pw.x", "VASP")


def check_levels(sources: Sequence[Source], runs: Sequence[LabelledRun], allow: Sequence[str]) -> list[str]:
    """Check that sources are of one level of theory, whose cut-offs and k-points make good forces.

    :param allow: ``gamma_only``, ``low_cutoffs``, ``k_spacing``: what is accepted though it is usually refused.
    :returns: remarks.
    :raises ValueError: naming the sources and what differs.
    """
    check_one_level(
        [
            SourceLevel(source.name, run.level_of_theory, source.level.facts)
            for source, run in zip(sources, runs, strict=True)
        ],
        allow,
    )
    remarks: dict[str, None] = {}
    for source, run in zip(sources, runs, strict=True):
        for remark in _about_electrons(source, run, allow):
            remarks[remark] = None
    return list(remarks)


def _about_electrons(source: Source, run: LabelledRun, allow: Sequence[str]) -> list[str]:
    facts = source.level.facts
    if not facts:
        if is_marked(run.level_of_theory) and "low_cutoffs" not in allow:
            raise ValueError(f"{source.name}: {run.level_of_theory}: {LOW}")
        return [f"{run.level_of_theory}: cut-offs and k-points are not known, and were not checked."]
    if facts.get("program") not in DFT_PROGRAMS:
        return []
    remarks = _about_cutoffs(source, allow)
    cell = np.asarray(run.cells[0], dtype=float)
    return remarks + check_k_points(source.name, cell, facts, allow)


LOW = "a potential would learn the errors of its forces; run it with higher cut-offs, or --allow low_cutoffs"


def _about_cutoffs(source: Source, allow: Sequence[str]) -> list[str]:
    given, hints, unknown = cutoffs_and_hints(source)
    warnings = cutoff_warnings(given, hints)
    if warnings and "low_cutoffs" not in allow:
        raise ValueError(f"{source.name}: {' '.join(warnings).rstrip('.')}; {LOW}")
    if unknown:
        warnings.append(
            f"No cut-off is suggested for {', '.join(sorted(unknown))}: compare forces at two cut-offs "
            "('aiida-ion engine converge'); 2 % is good."
        )
    return warnings


def cutoffs_and_hints(source: Source) -> tuple[tuple[float, ...], list[CutoffHint], list[str]]:
    """Return the cut-offs of the job that made labels, those that its pseudopotentials suggest, and files without."""
    inputs = source.level.inputs
    if "pseudos" in inputs and "namelists" in inputs:
        system = normal_namelists(inputs["namelists"].get_dict())["SYSTEM"]
        wave = float(system["ecutwfc"])
        pseudos = inputs["pseudos"]
        return (wave, float(system.get("ecutrho", 4.0 * wave))), upf_hints(pseudos), without_hint(pseudos)
    if "incar" in inputs and "potential" in inputs:
        tags = {str(key).lower(): value for key, value in inputs["incar"].get_dict().items()}
        given = (float(tags["encut"]),) if "encut" in tags else ()
        hints = potcar_hints(inputs["potential"])
        known = {hint.element for hint in hints}
        unknown = [str(one.title) for one in inputs["potential"].values() if str(one.element) not in known]
        return given, hints, unknown
    return (), [], []
