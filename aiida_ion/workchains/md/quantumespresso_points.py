"""Single points of pw.x at other cut-offs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm

from aiida_ion.calculations.dft.cutoff_hints import upf_hints
from aiida_ion.calculations.quantumespresso.single_point import QuantumEspressoSinglePointCalculation
from aiida_ion.dft.cutoffs import highest
from aiida_ion.dft.pw.input import normal_namelists
from aiida_ion.workchains.md.quantumespresso_inputs import DENSITY_FACTORS, cutoffs_of, functional_of, headers
from aiida_ion.workchains.md.single_points import SinglePoints


class PwSinglePoints(SinglePoints):
    """Cut-offs of wave functions and density, Ry."""

    job = QuantumEspressoSinglePointCalculation
    unit = "Ry"

    @classmethod
    def cutoffs(cls, engine: Mapping[str, Any]) -> tuple[float, ...]:
        """Return the cut-offs of wave functions and density, Ry."""
        return cutoffs_of(engine)

    @classmethod
    def suggested(cls, engine: Mapping[str, Any]) -> tuple[float, ...]:
        """Return the suggested cut-offs, that of the density by the usual factor where the files have none."""
        hints = highest(upf_hints(engine["pseudos"]))
        if len(hints) != 1:
            return hints
        norm_conserving = all(header.norm_conserving for header in headers(engine["pseudos"]).values())
        return hints[0], DENSITY_FACTORS[norm_conserving] * hints[0]

    @classmethod
    def functional(cls, engine: Mapping[str, Any]) -> str:
        """Return such as ``QE PBEsol``."""
        return f"QE {functional_of(engine)}"

    @classmethod
    def with_cutoffs(cls, engine: Mapping[str, Any], cutoffs: Sequence[float]) -> dict[str, Any]:
        """Return engine inputs whose namelist SYSTEM has these cut-offs."""
        namelists = normal_namelists(engine["namelists"].get_dict())
        wave, density = cutoffs
        namelists["SYSTEM"] |= {"ecutwfc": float(wave), "ecutrho": float(density)}
        return {**engine, "namelists": orm.Dict(namelists)}

    @classmethod
    def options(cls, cutoffs: Sequence[float]) -> str:
        """Return such as ``--ecutwfc-Ry 60 --ecutrho-Ry 480``."""
        return f"--ecutwfc-Ry {cutoffs[0]:g} --ecutrho-Ry {cutoffs[1]:g}"
