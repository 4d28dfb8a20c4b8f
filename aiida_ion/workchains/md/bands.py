"""Nudged elastic bands by the plugin of an engine that converges electrons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiida import orm


@dataclass(frozen=True)
class BandSettings:
    """How a band is relaxed by DFT.

    :param max_force_eV_A: force perpendicular to the path at which it has converged, eV/angstrom.
    :param max_steps: most steps.
    :param spring_eV_A2: springs between images, where the program does not choose them.
    """

    max_force_eV_A: float
    max_steps: int
    spring_eV_A2: float = 5.0


class Bands:
    """What an engine says of its bands; each plugin has its own ports."""

    @classmethod
    def process(cls) -> Any:
        """Return the job or work chain of a band.

        :raises ValueError: if the plugin is not installed.
        """
        raise NotImplementedError

    @classmethod
    def inputs(
        cls,
        engine: Mapping[str, Any],
        code: orm.AbstractCode,
        images: orm.TrajectoryData,
        settings: BandSettings,
        options: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Return its inputs.

        :param engine: the engine's inputs, for the cell of the images.
        :param code: the program.
        :param images: all images, the ends too.
        :param options: ``metadata.options`` of the job.
        """
        raise NotImplementedError

    @classmethod
    def outputs(cls, node: Any) -> dict[str, Any]:
        """Return what `ion.read_band` reads of a band that has ended; empty if it left nothing."""
        raise NotImplementedError
