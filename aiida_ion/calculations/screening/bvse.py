"""``ion.bvse``: crystals -> percolation barriers of the bond valence site energy, many in one job."""

from __future__ import annotations

from typing import Any

from aiida_ion.analysis.energy_maps.bvse_settings import BvseSettings
from aiida_ion.calculations.screening.maps import MapCalculation, MapParser


class BvseCalculation(MapCalculation):
    """Barriers of one ion in the rigid framework, in one, two and three dimensions, with their interval."""

    _program = "screening.bvse"
    settings = BvseSettings

    @classmethod
    def define(cls, spec: Any) -> None:
        """Declare what every job with many materials has; the code is a Python with pymatgen, as that of the fits."""
        super().define(spec)
        spec.inputs["metadata"]["options"]["parser_name"].default = "ion.bvse"


class BvseParser(MapParser):
    """Attaches the results."""
