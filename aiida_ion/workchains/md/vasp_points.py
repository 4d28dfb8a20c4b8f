"""Single points of VASP at other cut-offs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm

from aiida_ion.calculations.dft.cutoff_hints import potcar_hints
from aiida_ion.calculations.vasp.single_point import VaspSinglePointCalculation
from aiida_ion.dft.cutoffs import highest
from aiida_ion.dft.vasp.functional import functional_name
from aiida_ion.workchains.md.single_points import SinglePoints


class VaspSinglePoints(SinglePoints):
    """ENCUT, eV."""

    job = VaspSinglePointCalculation
    unit = "eV"

    @classmethod
    def cutoffs(cls, engine: Mapping[str, Any]) -> tuple[float, ...]:
        """Return ENCUT."""
        return (float(engine["incar"]["encut"]),)

    @classmethod
    def suggested(cls, engine: Mapping[str, Any]) -> tuple[float, ...]:
        """Return the largest ENMAX."""
        return highest(potcar_hints(engine["potential"]))

    @classmethod
    def functional(cls, engine: Mapping[str, Any]) -> str:
        """Return such as ``VASP PBE``."""
        titles = [str(given.title) for given in engine["potential"].values()]
        return f"VASP {functional_name(engine['incar'].get_dict(), titles)}"

    @classmethod
    def with_cutoffs(cls, engine: Mapping[str, Any], cutoffs: Sequence[float]) -> dict[str, Any]:
        """Return engine inputs with this ENCUT."""
        return {**engine, "incar": orm.Dict(engine["incar"].get_dict() | {"encut": float(cutoffs[0])})}

    @classmethod
    def options(cls, cutoffs: Sequence[float]) -> str:
        """Return the option that takes a file with ENCUT."""
        return f"--settings FILE, where FILE says `encut: {cutoffs[0]:g}`,"
