"""The parameters of ``ion.surrogate_samples``, validated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from aiida_ion.calculations.surrogate.arrays import KINDS
from aiida_ion.calculations.surrogate.displaced import validate_amplitudes
from aiida_ion.former_names import with_present_kinds
from aiida_ion.settings.lists import Many, Table
from aiida_ion.settings.md import TEMPERATURE_K, MdSettings
from aiida_ion.settings.rules import MAX_SEED, Number, Word
from aiida_ion.settings.schema import Settings, number, rules_of, setting, whole
from aiida_ion.settings.values import SettingsError


@dataclass(frozen=True)
class SampleParameters(Settings):
    """Which configurations of a material are evaluated."""

    what: ClassVar[str] = "parameter"

    temperature_K: float = number(help="Temperature of the short run", **TEMPERATURE_K)
    kinds: list[str] = setting(
        Many(item=Word(choices=tuple(KINDS)), distinct=True, help="Kinds of configurations"), list(KINDS)
    )
    amplitudes_A: dict[str, int] = setting(
        Table(
            item=Number(least=1, most=10_000, whole=True),
            help="Standard deviation of each Cartesian component, angstrom, as text: number of displaced copies",
        ),
        {"0.05": 5, "0.1": 20, "0.2": 5},
    )
    n_trajectory_frames: int = whole(20, help="Frames of the given run", least=1, most=10**6)
    equilibration_fs: float = number(
        0.0, help="Time at the start of the given run that is left out", least=0.0, unit="fs"
    )
    short_md_fs: float = number(1000.0, help="Length of the short run", above=0.0, most=1e9, unit="fs")
    n_short_md_frames: int = whole(50, help="Frames of the short run", least=1, most=10**6)
    timestep_fs: float | None = setting(
        replace(rules_of(MdSettings)["timestep_fs"], optional=True, help="Time step of the short run; null: as others"),
        None,
    )
    seed: int = whole(
        1, help="Seed of the displacements and, as another number, of the short run", least=0, most=MAX_SEED
    )

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Build from a plain mapping, also of an earlier version.

        :raises SettingsError: for a missing, unknown or invalid parameter.
        """
        return super().from_dict(with_present_kinds(given) if isinstance(given, Mapping) else given)

    def check_together(self) -> None:
        """Refuse amplitudes that are not lengths.

        :raises SettingsError: naming them.
        """
        problem = validate_amplitudes(self.amplitudes_A)
        if problem is not None:
            raise SettingsError(problem)
