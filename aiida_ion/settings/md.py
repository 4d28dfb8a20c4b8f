"""The engine-neutral vocabulary of a molecular-dynamics run, validated before anything is submitted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from aiida_ion.settings.elements import Element
from aiida_ion.settings.lists import Many, Table
from aiida_ion.settings.rules import MAX_RUN_SEED, Number, Word
from aiida_ion.settings.schema import Settings, number, setting, whole, word
from aiida_ion.settings.values import SettingsError

ENSEMBLES = ("nve", "nvt", "npt")
THERMOSTATS = ("csvr", "nose_hoover", "langevin")
OPTIONAL_ARRAYS = ("velocities", "forces")

#: The elements that are not metals. Cations are smaller than their atoms: where distances are judged, the covalent
#: radii of metals are multiplied by METAL_PART.
NON_METALS = frozenset(
    "H He B C N O F Ne Si P S Cl Ar Ge As Se Br Kr Sb Te I Xe Po At Rn".split()  # noqa: SIM905
)
METAL_PART = 0.7

#: A thermostat time of 100 fs is customary for solids at a time step of 1-2 fs.
DEFAULT_THERMOSTAT_TIME_FS = 100.0
DEFAULT_BAROSTAT_TIME_FS = 1000.0


#: Allowed temperatures, K: helium is liquid below, and no crystal is left above.
TEMPERATURE_K: dict[str, Any] = {"least": 1.0, "most": 10_000.0, "unit": "K"}
#: Allowed lengths of a run, ps: the longest is a microsecond.
TIME_PS: dict[str, Any] = {"above": 0.0, "most": 1e6, "unit": "ps"}
#: Allowed total length of all runs, ps.
TOTAL_TIME_PS: dict[str, Any] = {"above": 0.0, "most": 1e9, "unit": "ps"}
#: Formal charges of the elements.
CHARGES = Table(key=Element(), item=Number(least=-10.0, most=10.0, unit="e"), help="Formal charge of each element")
#: Where forces are computed.
DEVICE = Word(
    pattern=(r"cpu|mps|(cuda|xpu)(:[0-9]{1,3})?", "cpu, cuda, cuda:1, mps or xpu"),
    help="ASE engines: where forces are computed",
)
#: Mass of hydrogen, u.
HYDROGEN_U = 1.008
#: The longest safe time step for a hydrogen atom, fs; of another element it grows with the root of the mass.
USUAL_TIMESTEP_H_FS = 1.0


@dataclass(frozen=True)
class MdSettings(Settings):
    """One molecular-dynamics run, in terms that all engines share."""

    what: ClassVar[str] = "MD setting"

    temperature_K: float = number(help="Target temperature; also that of the starting velocities", **TEMPERATURE_K)
    timestep_fs: float = number(help="Integration step", least=0.001, most=100.0, unit="fs")
    n_steps: int = whole(help="Total number of steps of the run, over all its segments", least=1, most=10**9)
    ensemble: str = word(ENSEMBLES, "nvt", help="Ensemble")
    thermostat: str = word(
        THERMOSTATS,
        "csvr",
        help="Thermostat: `csvr` is stochastic velocity rescaling, `nose_hoover` are chains",
    )
    thermostat_time_fs: float = number(
        DEFAULT_THERMOSTAT_TIME_FS,
        help="Time constant of the thermostat; the inverse friction for `langevin`",
        above=0.0,
        most=1e6,
        unit="fs",
    )
    pressure_GPa: float = number(0.0, help="Target pressure for `npt`", least=-1000.0, most=1000.0, unit="GPa")
    barostat_time_fs: float = number(
        DEFAULT_BAROSTAT_TIME_FS, help="Time constant of the barostat for `npt`", above=0.0, most=1e7, unit="fs"
    )
    sample_every: int = whole(
        10, help="Steps between stored frames; frame k is step `k * sample_every`", least=1, most=10**9
    )
    equilibration_fs: float = number(
        0.0, help="Time at the start excluded from the analysis; its frames are kept", least=0.0, most=1e9, unit="fs"
    )
    seed: int = whole(
        1,
        help="Seed of the starting velocities and of the thermostat; every replica has its own",
        least=0,
        most=MAX_RUN_SEED,
    )
    keep: tuple[str, ...] = setting(
        Many(
            item=Word(choices=OPTIONAL_ARRAYS), may_be_empty=True, distinct=True, help="What to store besides positions"
        ),
        [],
    )
    max_force_eV_A: float = number(
        100.0,
        help="A larger force on any atom means that the run exploded",
        above=0.0,
        most=1e6,
        unit="eV/angstrom",
    )
    max_temperature_ratio: float = number(
        5.0, help="A temperature above this multiple of the target means that the run exploded", above=0.0, most=1e9
    )
    min_distance_ratio: float = number(
        0.4,
        help="Two atoms closer than this times the sum of their radii mean that the run exploded; looked at in every "
        "frame that is stored. Radii are covalent, of metals `METAL_PART` of them",
        above=0.0,
        most=2.0,
    )
    restart_every_seconds: float = number(
        60.0, help="Wall time between two restart files", above=0.0, most=1e6, unit="s"
    )

    def check_together(self) -> None:
        """Refuse a run that ends before it is equilibrated.

        :raises SettingsError: with both times.
        """
        object.__setattr__(self, "keep", tuple(self.keep))
        if not self.equilibration_fs < self.total_time_fs:
            raise SettingsError(
                f"equilibration_fs = {self.equilibration_fs:g} leaves nothing of a run of {self.total_time_fs:g} fs"
            )

    @property
    def total_time_fs(self) -> float:
        """Length of the whole run, fs."""
        return self.n_steps * self.timestep_fs


@dataclass(frozen=True)
class RelaxSettings(Settings):
    """The relaxation of the ions in the fixed cell."""

    what: ClassVar[str] = "relaxation setting"

    max_force_eV_A: float = number(
        0.02, help="Largest force of a relaxed ion", above=0.0, most=100.0, unit="eV/angstrom"
    )
    max_steps: int = whole(500, help="Maximum number of steps", least=1, most=10**6)


def usual_timestep_fs(lightest_mass_u: float) -> float:
    """Return the longest time step, fs, that usually resolves the fastest vibration of an atom.

    Periods grow with the root of the mass: 1 fs for hydrogen, 2.6 fs for lithium, 4 fs for oxygen.
    """
    return USUAL_TIMESTEP_H_FS * math.sqrt(lightest_mass_u / HYDROGEN_U)
