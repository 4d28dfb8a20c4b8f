"""Settings of a conductivity that are possible but unusual: refused if they cannot work, else remarked on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm
from ase.data import atomic_masses, atomic_numbers

from aiida_ion.calculations.functions import multiples_of
from aiida_ion.calculations.md import symbols_of
from aiida_ion.settings.md import MdSettings, usual_timestep_fs
from aiida_ion.units import BYTES_PER_GB

#: Bytes of a number in a stored frame, and of a row of thermo, which is written at every step.
FRAME_NUMBER_BYTES, THERMO_ROW_BYTES = 4, 72
#: The frames of a run are in memory when they are parsed and fitted: a run with more is refused, or remarked on.
MAX_RUN_BYTES, MANY_RUN_BYTES = 50 * BYTES_PER_GB, 5 * BYTES_PER_GB
#: Most solids have melted at this temperature, K.
HOT_K = 3000.0


def run_bytes(n_atoms: int, settings: MdSettings) -> float:
    """Return roughly how many bytes one run stores: its frames, and thermo at every step."""
    n_frames = settings.n_steps // settings.sample_every + 1
    return 3 * n_atoms * (1 + len(settings.keep)) * n_frames * FRAME_NUMBER_BYTES + settings.n_steps * THERMO_ROW_BYTES


def validate_size(n_atoms: int, settings: MdSettings) -> str | None:
    """Return why the frames of a run cannot be handled; ``None`` if they can."""
    n_frames = settings.n_steps // settings.sample_every + 1
    rest = settings.n_steps - settings.equilibration_fs / settings.timestep_fs
    if rest < settings.sample_every:
        return (
            f"sample_every = {settings.sample_every:,} leaves fewer than two frames of {settings.n_steps:,} steps "
            "after equilibration: make it smaller, or the run longer"
        )
    n_bytes = run_bytes(n_atoms, settings)
    if n_bytes <= MAX_RUN_BYTES:
        return None
    return (
        f"a run would store {n_bytes / BYTES_PER_GB:,.0f} GB: {n_frames:,} frames of {n_atoms:,} atoms, and thermo of "
        f"{settings.n_steps:,} steps; at most {MAX_RUN_BYTES / BYTES_PER_GB:g} GB are held in memory: raise "
        "sample_every, or run shorter"
    )


def n_atoms_of(structure: orm.StructureData, parameters: Mapping[str, Any]) -> int:
    """Return the number of atoms of the supercell."""
    first, second, third = multiples_of(structure, {"multiples": parameters.get("supercell")} | dict(parameters))
    return len(structure.sites) * first * second * third


def unusual_settings(structure: orm.StructureData, parameters: Mapping[str, Any], md: Mapping[str, Any]) -> list[str]:
    """Return a sentence on each setting that is possible but unusual.

    :param parameters: the parameters of the work chain.
    :param md: its MD settings, without temperature and seed.
    """
    hottest = max(parameters["temperatures_K"])
    settings = MdSettings.from_dict({**md, "temperature_K": hottest, "seed": 1})
    sentences = timestep_remark(symbols_of(structure), settings.timestep_fs)
    if hottest > HOT_K:
        sentences.append(f"{hottest:,g} K is above what most solids withstand: a melt is refused after it has run")
    n_bytes = run_bytes(n_atoms_of(structure, parameters), settings)
    if n_bytes > MANY_RUN_BYTES:
        size_GB = n_bytes / BYTES_PER_GB
        sentences.append(f"each run stores about {size_GB:,.0f} GB: raise sample_every if that is too much")
    return sentences


def timestep_remark(symbols: Sequence[str], timestep_fs: float) -> list[str]:
    """Return a sentence if the time step is long for the lightest element, else nothing."""
    lightest = min(set(symbols), key=lambda symbol: atomic_masses[atomic_numbers[symbol]])
    usual_fs = usual_timestep_fs(float(atomic_masses[atomic_numbers[lightest]]))
    if timestep_fs <= usual_fs:
        return []
    return [f"a time step of {timestep_fs:g} fs is long for {lightest}: up to {usual_fs:.1f} fs is usual"]
