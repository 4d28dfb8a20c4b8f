"""What of a conductivity is possible and hardly meant: refused where it cannot end well, else remarked on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm
from ase.data import atomic_masses, atomic_numbers

from aiida_ion.calculations.functions import multiples_of
from aiida_ion.calculations.md import symbols_of
from aiida_ion.settings.md import MdSettings, usual_timestep_fs

#: Bytes of a number of a stored frame, and of a row of thermo, which is written at every step.
FRAME_NUMBER_BYTES, THERMO_ROW_BYTES = 4, 72
#: The frames of a run are held in memory when they are parsed and fitted: more of them are refused, many remarked on.
MAX_RUN_BYTES, MANY_RUN_BYTES = 50e9, 5e9
#: Few solids are solid above this temperature, K.
HOT_K = 3000.0


def run_bytes(n_atoms: int, settings: MdSettings) -> float:
    """Return about how many bytes one run stores: its frames, and thermo at every step."""
    n_frames = settings.n_steps // settings.sample_every + 1
    return 3 * n_atoms * (1 + len(settings.keep)) * n_frames * FRAME_NUMBER_BYTES + settings.n_steps * THERMO_ROW_BYTES


def validate_size(n_atoms: int, settings: MdSettings) -> str | None:
    """Return why the frames of a run cannot be handled; nothing when they can."""
    n_frames = settings.n_steps // settings.sample_every + 1
    rest = settings.n_steps - settings.equilibration_fs / settings.timestep_fs
    if rest < settings.sample_every:
        return (
            f"sample_every = {settings.sample_every:,} leaves no two frames of {settings.n_steps:,} steps after "
            "equilibration: make it smaller, or the run longer"
        )
    n_bytes = run_bytes(n_atoms, settings)
    if n_bytes <= MAX_RUN_BYTES:
        return None
    return (
        f"a run would store {n_bytes / 1e9:,.0f} GB: {n_frames:,} frames of {n_atoms:,} atoms, and thermo of "
        f"{settings.n_steps:,} steps; at most {MAX_RUN_BYTES / 1e9:g} GB are held in memory: raise sample_every, or "
        "run shorter"
    )


def n_atoms_of(structure: orm.StructureData, parameters: Mapping[str, Any]) -> int:
    """Return the number of atoms of the supercell."""
    first, second, third = multiples_of(structure, {"multiples": parameters.get("supercell")} | dict(parameters))
    return len(structure.sites) * first * second * third


def remarks(structure: orm.StructureData, parameters: Mapping[str, Any], md: Mapping[str, Any]) -> list[str]:
    """Return sentences on what is possible and hardly meant.

    :param parameters: the parameters of the work chain.
    :param md: its MD settings, without temperature and seed.
    """
    hottest = max(parameters["temperatures_K"])
    settings = MdSettings.from_dict({**md, "temperature_K": hottest, "seed": 1})
    remark = timestep_remark(symbols_of(structure), settings.timestep_fs)
    if hottest > HOT_K:
        remark.append(f"{hottest:,g} K is above what most solids withstand: a melt is refused after it has run")
    n_bytes = run_bytes(n_atoms_of(structure, parameters), settings)
    if n_bytes > MANY_RUN_BYTES:
        remark.append(f"each run stores about {n_bytes / 1e9:,.0f} GB: raise sample_every if that is too much")
    return remark


def timestep_remark(symbols: Sequence[str], timestep_fs: float) -> list[str]:
    """Return a sentence on a time step that is long for the lightest element; none where it is not."""
    lightest = min(set(symbols), key=lambda symbol: atomic_masses[atomic_numbers[symbol]])
    usual_fs = usual_timestep_fs(float(atomic_masses[atomic_numbers[lightest]]))
    if timestep_fs <= usual_fs:
        return []
    return [f"a time step of {timestep_fs:g} fs is long for {lightest}: up to {usual_fs:.1f} fs is usual"]
