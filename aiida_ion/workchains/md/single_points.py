"""Single points by an engine at cut-offs and k-points that are not those of its runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from aiida.engine import CalcJob

from aiida_ion.calculations.dft.kpoints import with_mesh


class SinglePoints:
    """What an engine that converges electrons says of its cut-offs; each has its own."""

    #: The job of one configuration.
    job: ClassVar[type[CalcJob]]
    #: Unit of the cut-offs.
    unit: ClassVar[str]

    @classmethod
    def cutoffs(cls, engine: Mapping[str, Any]) -> tuple[float, ...]:
        """Return the cut-offs of engine inputs."""
        raise NotImplementedError

    @classmethod
    def suggested(cls, engine: Mapping[str, Any]) -> tuple[float, ...]:
        """Return the least cut-offs that suit all pseudopotentials by their files; empty where these say none."""
        raise NotImplementedError

    @classmethod
    def functional(cls, engine: Mapping[str, Any]) -> str:
        """Return program and functional, without cut-offs."""
        raise NotImplementedError

    @classmethod
    def with_cutoffs(cls, engine: Mapping[str, Any], cutoffs: Sequence[float]) -> dict[str, Any]:
        """Return engine inputs with other cut-offs."""
        raise NotImplementedError

    @classmethod
    def scaled(cls, cutoffs: Sequence[float], factor: float) -> list[float]:
        """Return cut-offs times a factor, in whole units."""
        return [float(round(value * factor)) for value in cutoffs]

    @classmethod
    def options(cls, cutoffs: Sequence[float]) -> str:
        """Return the options of `aiida-ion engine add` that give an engine these cut-offs."""
        raise NotImplementedError

    @classmethod
    def at(cls, engine: Mapping[str, Any], cutoffs: Sequence[float], mesh: Sequence[int]) -> dict[str, Any]:
        """Return the inputs of the job, but for its structure, at cut-offs and a mesh shifted as the engine's is."""
        return {**cls.with_cutoffs(engine, cutoffs), "kpoints": with_mesh(engine.get("kpoints"), mesh)}
