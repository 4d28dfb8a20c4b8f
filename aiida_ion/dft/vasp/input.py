"""INCAR and POSCAR from settings, positions and velocities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import units
from numpy.typing import ArrayLike, NDArray

from aiida_ion.settings.md import MdSettings
from aiida_ion.units import FS_PER_PS

#: Tags that follow from the settings of a run and from the structure.
OWNED_TAGS = frozenset((
    "ibrion", "nsw", "potim", "tebeg", "teend", "mdalgo", "smass", "isif", "isym", "nblock", "kblock", "ediffg",
    "pomass", "random_seed", "random_generator", "andersen_prob", "csvr_period", "langevin_gamma", "langevin_gamma_l",
    "pmass", "pstress", "nhc_nchains", "nhc_period", "nhc_nrespa", "nhc_ns", "psubsys", "tsubsys", "scalee", "iopt",
    "images", "kspacing", "kgamma", "system", "ml_lmlff",
))  # fmt: skip
#: Tags that shorten the output of a long run: wavefunctions and density are large.
SHORT_OUTPUT: dict[str, Any] = {"lwave": False, "lcharg": False, "nwrite": 0}
#: The first of VASP's three numbers must be below this; the other two count the numbers drawn before.
RANDOM_SEED_LIMIT = 900_000_000
CSVR_SINCE = (6, 4, 3)


@dataclass(frozen=True)
class SiteGroups:
    """Sites in the order of POSCAR, which lists each kind in one block.

    :param order: shape (N,), ``order[i]`` is the i-th site in POSCAR.
    :param kinds: kind of each block, in the order of their first sites.
    :param counts: sites of each block.
    """

    order: NDArray[np.int64]
    kinds: tuple[str, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, kinds: Sequence[str]) -> SiteGroups:
        """Group sites by their kinds."""
        names = tuple(dict.fromkeys(kinds))
        rank = np.array([names.index(kind) for kind in kinds])
        return cls(np.argsort(rank, kind="stable"), names, tuple(int(n) for n in np.bincount(rank)))

    @property
    def inverse(self) -> NDArray[np.int64]:
        """Shape (N,), the index of each site in POSCAR; maps an array from VASP to the order of the structure."""
        places: NDArray[np.int64] = np.argsort(self.order)
        return places


def md_tags(
    settings: MdSettings, *, masses: Sequence[float], n_atoms: int, first_vector_A: float, first_step: int
) -> dict[str, Any]:
    """Return the tags of molecular dynamics from ``first_step`` to the last.

    VASP evaluates NSW geometries, the first as given: steps 0..n need NSW = n + 1.

    :param masses: of each block of POSCAR, g/mol.
    :param first_vector_A: length of the first lattice vector, angstrom.
    """
    return {
        "ibrion": 0,
        "nsw": settings.n_steps - first_step + 1,
        "potim": settings.timestep_fs,
        "tebeg": settings.temperature_K,
        "teend": settings.temperature_K,
        "isif": 2,
        "isym": 0,
        "nblock": 1,
        "pomass": [float(mass) for mass in masses],
        "random_seed": random_seed(settings.seed, first_step),
        **_thermostat_tags(settings, len(masses), n_atoms, first_vector_A),
    }


def _thermostat_tags(settings: MdSettings, n_blocks: int, n_atoms: int, first_vector_A: float) -> dict[str, Any]:
    if settings.ensemble == "nve":
        return {"mdalgo": 1, "andersen_prob": 0.0}
    if settings.thermostat == "csvr":
        # In fs: the wiki said time steps until it was corrected in July 2026.
        return {"mdalgo": 5, "csvr_period": settings.thermostat_time_fs}
    if settings.thermostat == "langevin":
        return {"mdalgo": 3, "langevin_gamma": [FS_PER_PS / settings.thermostat_time_fs] * n_blocks}
    return {"mdalgo": 2, "smass": nose_mass(settings, n_atoms, first_vector_A)}


def nose_mass(settings: MdSettings, n_atoms: int, first_vector_A: float) -> float:
    """Return SMASS for the thermostat mass Q = (3 N - 3) k T tau^2 that ASE and LAMMPS use.

    VASP's unit of Q is atomic mass units times the square of the first lattice vector. The period of the temperature
    that it prints is 2 pi sqrt(Q / 2 (3 N - 3) k T), so 4.4 tau.
    """
    energy = (3 * n_atoms - 3) * units.kB * settings.temperature_K
    return float(energy * (settings.thermostat_time_fs * units.fs / first_vector_A) ** 2)


def random_seed(seed: int, first_step: int) -> list[int]:
    """Return RANDOM_SEED: different for each segment of a run, the same for a repeated one."""
    drawn = int(np.random.SeedSequence((seed, first_step)).generate_state(1)[0])
    return [drawn % RANDOM_SEED_LIMIT, 0, 0]


def relax_tags(max_force_eV_A: float, max_steps: int) -> dict[str, Any]:
    """Return the tags of a relaxation of the ions in the fixed cell."""
    return {"ibrion": 2, "nsw": max_steps, "isif": 2, "ediffg": -max_force_eV_A, "isym": 0}


def single_point_tags() -> dict[str, Any]:
    """Return the tags of energy, forces and stress of one configuration."""
    return {"ibrion": -1, "nsw": 0, "isif": 2, "isym": 0}


def in_poscar_order(electrons: Mapping[str, Any], order: NDArray[np.int64]) -> dict[str, Any]:
    """Return the user's tags with magnetic moments reordered from the structure to POSCAR."""
    tags = dict(electrons)
    if "magmom" in tags:
        tags["magmom"] = [tags["magmom"][site] for site in order]
    return tags


def incar_text(tags: Mapping[str, Any]) -> str:
    """Return INCAR, one tag per line, without those that are ``None``."""
    lines = [f"{tag.upper()} = {_value(value)}" for tag, value in tags.items() if value is not None]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return ".TRUE." if value else ".FALSE."
    if isinstance(value, (list, tuple)):
        return " ".join(_value(item) for item in value)
    return str(value)


def poscar_text(
    title: str,
    cell: ArrayLike,
    symbols: Sequence[str],
    counts: Sequence[int],
    positions: ArrayLike,
    velocities: ArrayLike | None = None,
) -> str:
    """Return POSCAR in the full precision that VASP reads.

    :param title: the comment line, of which VASP reads 40 characters.
    :param cell: shape (3, 3), angstrom, rows are the vectors.
    :param symbols: element of each block.
    :param positions: shape (N, 3), angstrom, in the order of the blocks; as are velocities.
    :param velocities: angstrom/fs; without them VASP draws its own.
    """
    fractional = np.asarray(positions) @ np.linalg.inv(np.asarray(cell))
    lines = [title[:40], "1.0", *_rows(cell), " ".join(symbols), " ".join(map(str, counts))]
    lines += ["Direct", *_rows(fractional - np.floor(fractional))]
    if velocities is not None:
        lines += ["Cartesian", *_rows(velocities)]
    return "\n".join(lines) + "\n"


def _rows(array: ArrayLike) -> list[str]:
    return [" ".join(f"{number:23.16f}" for number in row) for row in np.asarray(array, dtype=float)]
