"""Namelists and cards of Quantum ESPRESSO's pw.x from MD and relaxation settings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from ase import units
from numpy.typing import ArrayLike
from scipy import constants

from aiida_ion.settings.md import MdSettings
from aiida_ion.units import S_PER_FS

Namelists = dict[str, dict[str, Any]]

#: One Rydberg atomic unit of time (twice the Hartree one), fs.
RYDBERG_TIME_FS: float = 2.0 * constants.physical_constants["atomic unit of time"][0] / S_PER_FS

#: Keys that follow from the MD settings, the structure and the job, and so cannot be set again.
OWNED: dict[str, tuple[str, ...]] = {
    "CONTROL": (
        *("calculation", "restart_mode", "dt", "nstep", "max_seconds", "tprnfor", "disk_io", "verbosity"),
        *("outdir", "prefix", "pseudo_dir", "wfcdir", "etot_conv_thr", "forc_conv_thr"),
    ),
    "SYSTEM": ("ibrav", "celldm", "a", "b", "c", "cosab", "cosac", "cosbc", "nat", "ntyp", "nosym"),
    "ELECTRONS": ("startingwfc",),
    "IONS": (),
}
#: IONS follows from the MD settings, except how electrons are extrapolated from step to step.
IONS_ALLOWED = ("pot_extrapolation", "wfc_extrapolation")

#: Fraction of the wall time for the first of the two runs of a thermostatted job.
START_FRACTION = 0.1
#: The random generator of pw.x's thermostat starts the same in every run and cannot be seeded. Random starting
#: wavefunctions draw from it first, so the choice of them gives replicas and segments one of three sequences.
STARTING_WFC = ("file", "atomic+random", "random")


def spelled(namelists: Mapping[str, Any]) -> Namelists:
    """Return namelists with names in upper and keys in lower case.

    :raises ValueError: for a namelist that is not a mapping.
    """
    for name, content in namelists.items():
        if not isinstance(content, Mapping):
            raise ValueError(f"namelists must hold namelists such as SYSTEM, each a mapping; {name} is {content!r}")
    return {name.upper(): {key.lower(): value for key, value in content.items()} for name, content in namelists.items()}


def normal_namelists(namelists: Mapping[str, Any]) -> Namelists:
    """Return valid namelists in the spelling of pw.x.

    One key is an addition to those of pw.x: ELECTRONS ``conv_thr_per_atom``, in Ry, does not depend on cell size.

    :raises ValueError: for a namelist or key that users cannot set, or no wave-function cut-off.
    """
    normal = spelled(namelists)
    for name, content in normal.items():
        if name not in OWNED:
            raise ValueError(f"namelist {name} is not used by this job, which accepts {', '.join(OWNED)}; leave it out")
        keys = {key.partition("(")[0] for key in content}
        owned = keys - set(IONS_ALLOWED) if name == "IONS" else keys & set(OWNED[name])
        if owned:
            raise ValueError(f"{name} {', '.join(sorted(owned))} is set by the job itself; leave it out of namelists")
    if {"conv_thr", "conv_thr_per_atom"} <= set(normal.get("ELECTRONS", {})):
        raise ValueError("ELECTRONS accepts conv_thr or conv_thr_per_atom, both in Ry; leave one out")
    cutoff = normal.get("SYSTEM", {}).get("ecutwfc")
    if cutoff is None:
        raise ValueError("namelists has no SYSTEM ecutwfc; give the wave-function cut-off in Ry")
    for key in ("ecutwfc", "ecutrho"):
        value = normal["SYSTEM"].get(key, cutoff)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
            raise ValueError(f"SYSTEM {key} must be a positive number of Ry, got {value!r}")
    return normal


def md_namelists(
    namelists: Mapping[str, Any], settings: MdSettings, n_atoms: int, first_step: int, max_seconds: float | None
) -> list[Namelists]:
    """Return the namelists of the one or two runs of a job, from its first step to ``n_steps``.

    The first run starts from explicit velocities. With a thermostat it is one step without it: starting with svr from
    given velocities, pw.x 6.7 scales them by a temperature that it has not computed yet. The second run continues from
    the files of the first. It has the same velocities in its input, so that it cannot draw others if the first
    completed no step.

    :param first_step: the step at which the job starts.
    :param max_seconds: wall time of the job, s.
    :raises ValueError: see :func:`normal_namelists`.
    """
    namelists = for_atoms(namelists, n_atoms)
    n_iterations = settings.n_steps - first_step + 1
    if settings.ensemble == "nve":
        return [_md(namelists, settings, n_iterations, max_seconds)]
    first, rest = (
        None if max_seconds is None else part * max_seconds for part in (START_FRACTION, 1.0 - START_FRACTION)
    )
    start = _md(namelists, settings, 1, first)
    main = _md(namelists, settings, n_iterations - 1, rest)
    main["CONTROL"]["restart_mode"] = "restart"
    main["ELECTRONS"]["startingwfc"] = STARTING_WFC[(settings.seed + first_step) % len(STARTING_WFC)]
    main["IONS"] |= {
        "ion_temperature": "svr",
        "tempw": settings.temperature_K,
        "nraise": max(1, round(settings.thermostat_time_fs / settings.timestep_fs)),
    }
    return [start, main]


def relax_namelists(
    namelists: Mapping[str, Any], n_atoms: int, max_force_eV_A: float, max_steps: int, max_seconds: float | None
) -> Namelists:
    """Return the namelists of a relaxation of the ions by BFGS.

    pw.x requires each component of each force to be below its limit: dividing by sqrt(3) makes every force small
    enough. Its second condition, on the energy, is disabled.
    """
    force_Ry_bohr = max_force_eV_A / (units.Ry / units.Bohr) / math.sqrt(3.0)
    made = _common(for_atoms(namelists, n_atoms), "relax", max_steps + 1, max_seconds)
    made["CONTROL"] |= {"forc_conv_thr": force_Ry_bohr, "etot_conv_thr": 1.0}
    made["IONS"]["ion_dynamics"] = "bfgs"
    return made


def single_point_namelists(namelists: Mapping[str, Any], n_atoms: int, max_seconds: float | None) -> Namelists:
    """Return the namelists of energy, forces and stress of one configuration."""
    made = _common(for_atoms(namelists, n_atoms), "scf", 1, max_seconds)
    del made["CONTROL"]["nstep"], made["IONS"]
    return made


def for_atoms(namelists: Mapping[str, Any], n_atoms: int) -> Namelists:
    """Return normal namelists with the threshold per atom converted to that of the cell."""
    normal = normal_namelists(namelists)
    electrons = normal.setdefault("ELECTRONS", {})
    if "conv_thr_per_atom" in electrons:
        electrons["conv_thr"] = electrons.pop("conv_thr_per_atom") * n_atoms
    return normal


def _md(namelists: Namelists, settings: MdSettings, n_iterations: int, max_seconds: float | None) -> Namelists:
    made = _common(namelists, "md", n_iterations, max_seconds)
    made["CONTROL"]["dt"] = settings.timestep_fs / RYDBERG_TIME_FS
    made["IONS"] |= {
        "ion_dynamics": "verlet",
        "ion_velocities": "from_input",
        "ion_temperature": "not_controlled",
    }
    return made


def _common(namelists: Namelists, calculation: str, nstep: int, max_seconds: float | None) -> Namelists:
    made = {name: dict(namelists.get(name, {})) for name in OWNED}
    made["CONTROL"] |= {
        "calculation": calculation,
        "restart_mode": "from_scratch",
        "nstep": nstep,
        "tprnfor": True,
        "disk_io": "low",
        "verbosity": "low",
    }
    made["CONTROL"].setdefault("tstress", True)  # a functional without stresses can be told to go without
    if max_seconds is not None:
        made["CONTROL"]["max_seconds"] = max_seconds
    made["SYSTEM"]["nosym"] = True
    return made


def more_robust_scf(namelists: Mapping[str, Any], times: int) -> Namelists:
    """Return namelists for slower but more robust SCF convergence.

    :param times: how often to halve ``mixing_beta`` and double ``electron_maxstep``, starting from pw.x's defaults
        where not given.
    """
    changed = normal_namelists(namelists)
    electrons = changed.setdefault("ELECTRONS", {})
    electrons["mixing_beta"] = electrons.get("mixing_beta", 0.7) / 2**times
    electrons["electron_maxstep"] = electrons.get("electron_maxstep", 100) * 2**times
    return changed


def with_start(text: str, labels: Sequence[str], positions: ArrayLike, velocities_A_fs: ArrayLike | None = None) -> str:
    """Return an input with its positions replaced and velocities added, in full precision.

    :param labels: name of the species of each of N atoms.
    :param positions: shape (N, 3), angstrom, wrapped or not.
    :param velocities_A_fs: shape (N, 3), angstrom/fs; written in bohr per Rydberg unit of time.
    """
    before, rest = text.split("ATOMIC_POSITIONS", 1)
    cards = _card("ATOMIC_POSITIONS angstrom", labels, positions)
    if velocities_A_fs is not None:
        factor = RYDBERG_TIME_FS / units.Bohr
        rows = [[value * factor for value in row] for row in _rows(velocities_A_fs)]
        cards += _card("ATOMIC_VELOCITIES", labels, rows)
    return f"{before}{cards}K_POINTS{rest.split('K_POINTS', 1)[1]}"


def _rows(values: Any) -> list[list[float]]:
    return [[float(value) for value in row] for row in values]


def _card(title: str, labels: Sequence[str], values: ArrayLike) -> str:
    rows = zip(labels, _rows(values), strict=True)
    return f"{title}\n" + "".join(f"{label} {x:.16e} {y:.16e} {z:.16e}\n" for label, (x, y, z) in rows)


def n_k_points(mesh: Sequence[int], offset: Sequence[float]) -> int:
    """Return how many k-points of a mesh pw.x computes; k and -k count once.

    :param mesh: three whole numbers.
    :param offset: three times 0 or 0.5.
    """
    axes = [range(round(2 * shift), 2 * number, 2) for number, shift in zip(mesh, offset, strict=True)]
    distinct = set()
    for point in product(*axes):
        mirrored = tuple(-twice % (2 * number) for twice, number in zip(point, mesh, strict=True))
        distinct.add(min(point, mirrored))
    return len(distinct)
