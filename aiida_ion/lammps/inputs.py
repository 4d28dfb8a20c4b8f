"""LAMMPS input scripts of one segment of molecular dynamics, and of a relaxation in a fixed cell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ase.data import atomic_numbers, covalent_radii

from aiida_ion.lammps.fitted import REFERENCE_DATA, reference_commands
from aiida_ion.lammps.potentials import Potential
from aiida_ion.lammps.watch import watch_commands
from aiida_ion.settings.md import METAL_PART, NON_METALS, MdSettings
from aiida_ion.units import BAR_PER_GPA, FS_PER_PS, S_PER_HOUR, S_PER_MINUTE

INPUT = "md.in"
DATA = "structure.data"
RESTART_IN = "restart.in"
FRAMES = "frames.bin"
#: The frame at which a watched run stopped, which need not be one of the stored ones.
LAST_FRAME = "last_frame.bin"
THERMO = "thermo.txt"
STATES = "state.*.bin"
RESTARTS = ("restart.a", "restart.b")
LAST_RESTART = "restart.end"
RELAX_INPUT = "relax.in"
RELAX_FRAMES = ("relax_initial.bin", "relax_final.bin")
#: Files that a parser may need after a run; some may be absent. The restart files come first: if LAMMPS still writes
#: while its files are copied, the frames then extend at least to the state from which the next job continues.
RETRIEVE = ("log.lammps", LAST_FRAME, LAST_RESTART, *RESTARTS, STATES, THERMO, FRAMES)
RELAX_RETRIEVE = ("log.lammps", *RELAX_FRAMES)

#: Restart files and log lines are written this many times in a run, and at least every so many steps. The interval is
#: in steps, not in seconds: writing one rebuilds the neighbour list, and a trajectory must not depend on the clock.
REPORTS_PER_RUN = 100
MAX_RESTART_STEPS = 5000


def restart_interval(settings: MdSettings) -> int:
    """Steps between two restart files."""
    return max(1, min(math.ceil(settings.n_steps / REPORTS_PER_RUN), MAX_RESTART_STEPS))


def write_md_input(
    symbols: Sequence[str],
    settings: MdSettings,
    potential: Potential,
    charges: Mapping[str, float],
    *,
    restart: bool = False,
    max_seconds: float | None = None,
    closest_allowed_A: Mapping[str, float] | None = None,
) -> str:
    """Return the text of ``md.in`` for one segment.

    :param symbols: element of every atom.
    :param charges: formal charge of each element, e, for the charge current; 0 where absent.
    :param restart: continue from :data:`RESTART_IN` up to the same total number of steps.
    :param max_seconds: stop cleanly after this wall time, s.
    :param closest_allowed_A: bound of each pair of elements, angstrom: the run stops at the first step with a closer
        one.
    :raises ValueError: for an element that the potential does not describe, or a time limit that is not positive.
    """
    if max_seconds is not None and not max_seconds > 0:
        raise ValueError(f"max_seconds must be positive, got {max_seconds!r}")
    order = potential.type_order(symbols)
    report = max(1, settings.n_steps // REPORTS_PER_RUN)
    watched = watch_commands(order, closest_allowed_A or {})
    lines = [
        *system_commands(symbols, potential, RESTART_IN if restart else None),
        f"timestep {settings.timestep_fs / FS_PER_PS:.16g}",
        *_integrators(settings),
        *_thermo(order, settings, charges),
        *watched,
        *_frames(settings),
        f"thermo {report}",
        "thermo_style custom step temp pe",
        "thermo_modify lost error flush yes",
        *_restarts(settings),
    ]
    if max_seconds is not None:
        lines.append(f"timer timeout {_clock(max_seconds)} every 10")
    lines.append(f"run {settings.n_steps} upto")
    if watched:
        lines.append(f"write_dump all custom {LAST_FRAME} {_frame_columns(settings)} modify sort id")
    lines += [
        f"write_dump all custom {STATES} xu yu zu vx vy vz modify sort id",
        f"write_restart {LAST_RESTART}",
        'print "aiida-ion: stopped at step $(step)"',
    ]
    return "\n".join(lines) + "\n"


def write_relax_input(
    symbols: Sequence[str], potential: Potential, *, max_force_eV_A: float = 0.01, max_steps: int = 2000
) -> str:
    """Return the text of ``relax.in``: relaxation of the ions in the fixed cell by conjugate gradients and then FIRE.

    :param symbols: element of every atom.
    :param max_force_eV_A: convergence limit of the force on every atom, eV/angstrom.
    :param max_steps: steps of each of the two minimisers.
    :raises ValueError: for an element that the potential does not describe, or a limit that is not positive.
    """
    if not (max_force_eV_A > 0 and max_steps > 0):
        raise ValueError("max_force_eV_A and max_steps must be positive")
    limits = f"0.0 {max_force_eV_A:.16g} {max_steps} {10 * max_steps}"
    dump = "write_dump all custom {} xu yu zu fx fy fz modify sort id"
    lines = [
        *system_commands(symbols, potential),
        *_largest_force(),
        "thermo 10",
        "thermo_style custom step pe v_largest_force",
        "run 0",
        dump.format(RELAX_FRAMES[0]),
        'print "aiida-ion: initial energy_eV $(pe:%.15g) max_force_eV_A $(v_largest_force:%.15g)"',
        "min_style cg",
        "min_modify norm max",
        f"minimize {limits}",
        "min_style fire",
        f"minimize {limits}",
        "run 0",
        dump.format(RELAX_FRAMES[1]),
        'print "aiida-ion: final energy_eV $(pe:%.15g) max_force_eV_A $(v_largest_force:%.15g)"',
    ]
    return "\n".join(lines) + "\n"


def system_commands(symbols: Sequence[str], potential: Potential, restart: str | None = None) -> list[str]:
    """Return the commands that read the atoms and set their potential.

    A potential with a reference frame is asked for its energy first; LAMMPS stops there unless it is the stored one.

    :param symbols: element of every atom.
    :param restart: restart file to read; :data:`DATA` when None.
    :raises ValueError: for an element that the potential does not describe, or one that its cells must have and that is
        missing.
    """
    lines: list[str] = []
    if potential.reference is not None:
        system = _system(potential.reference.symbols, potential, f"read_data {REFERENCE_DATA}")
        lines = reference_commands(potential.reference, system)
    return lines + _system(symbols, potential, f"read_restart {restart}" if restart else f"read_data {DATA}")


def _system(symbols: Sequence[str], potential: Potential, reading: str) -> list[str]:
    order = potential.type_order(symbols)
    lines = ["units metal", "atom_style charge", "atom_modify map yes", "boundary p p p", "box tilt large", reading]
    if not potential.pairs:
        lines.append("labelmap atom " + " ".join(f"{number} {name}" for number, name in enumerate(order, 1)))
    return lines + potential.commands(order, len(symbols))


def _integrators(settings: MdSettings) -> list[str]:
    temperature = f"{settings.temperature_K:.16g} {settings.temperature_K:.16g}"
    time_ps = f"{settings.thermostat_time_fs / FS_PER_PS:.16g}"
    seed = settings.seed % 900_000_000 + 1
    barostat = ""
    if settings.ensemble == "npt":
        pressure_bar = settings.pressure_GPa * BAR_PER_GPA
        period_ps = settings.barostat_time_fs / FS_PER_PS
        barostat = f" iso {pressure_bar:.16g} {pressure_bar:.16g} {period_ps:.16g} fixedpoint 0 0 0"
    if settings.ensemble == "nve":
        return ["fix move all nve"]
    if settings.thermostat == "nose_hoover":
        style = "npt" if barostat else "nvt"
        return [f"fix move all {style} temp {temperature} {time_ps}{barostat} tchain 3"]
    lines = [f"fix move all nph{barostat}" if barostat else "fix move all nve"]
    if settings.thermostat == "csvr":
        return [*lines, f"fix heat all temp/csvr {temperature} {time_ps} {seed}"]
    # A restart file does not contain the generator of fix langevin, so the first step of a segment enters the seed.
    return [
        *lines,
        f"variable langevin_seed equal ({seed}+7919*step)%900000000+1",
        f"fix heat all langevin {temperature} {time_ps} $(v_langevin_seed:%.0f) zero yes",
    ]


def _largest_force() -> list[str]:
    return [
        "variable force_squared atom fx*fx+fy*fy+fz*fz",
        "compute largest_force_squared all reduce max v_force_squared",
        "variable largest_force equal sqrt(c_largest_force_squared)",
    ]


def _thermo(order: Sequence[str], settings: MdSettings, charges: Mapping[str, float]) -> list[str]:
    lines = _largest_force()
    charged = [(number, charges[name]) for number, name in enumerate(order, 1) if charges.get(name, 0.0) != 0.0]
    for number, _ in charged:
        lines.append(f"group type_{number} type {number}")
        lines.append(f"compute flow_{number} type_{number} reduce sum vx vy vz")
    for k, axis in enumerate("xyz", 1):
        terms = "+".join(f"({charge:.16g})*c_flow_{number}[{k}]" for number, charge in charged) or "0.0"
        lines.append(f"variable current_{axis} equal {terms}")
    columns = "c_thermo_pe v_kinetic c_thermo_temp v_largest_force v_current_x v_current_y v_current_z"
    if settings.ensemble == "npt":
        columns += " c_thermo_press v_volume"
        lines.append("variable volume equal vol")
    hottest = settings.max_temperature_ratio * settings.temperature_K
    return [
        *lines,
        "variable kinetic equal ke",
        f'fix thermo all ave/time 1 1 1 {columns} file {THERMO} format " %.15g"',
        f"fix too_strong all halt 1 v_largest_force > {settings.max_force_eV_A:.16g} error soft message yes",
        "variable temperature_now equal temp",
        f"fix too_hot all halt 10 v_temperature_now > {hottest:.16g} error soft message yes",
        *_too_near(order, settings),
    ]


def _too_near(order: Sequence[str], settings: MdSettings) -> list[str]:
    """Stop when two atoms of any kind are closer than the smallest pair of radii allows."""
    radii = [covalent_radii[atomic_numbers[name]] * (1.0 if name in NON_METALS else METAL_PART) for name in order]
    return [
        "compute distances all pair/local dist",
        "compute nearest all reduce min c_distances inputs local",
        "variable nearest_distance equal c_nearest",
        f"fix too_near all halt {settings.sample_every} v_nearest_distance < "
        f"{settings.min_distance_ratio * 2.0 * min(radii):.16g} error soft message yes",
    ]


def _frames(settings: MdSettings) -> list[str]:
    return [
        f"dump frames all custom {settings.sample_every} {FRAMES} {_frame_columns(settings)}",
        "dump_modify frames sort id",
    ]


def _frame_columns(settings: MdSettings) -> str:
    columns = ["xu yu zu"]
    columns += ["vx vy vz"] if "velocities" in settings.keep else []
    columns += ["fx fy fz"] if "forces" in settings.keep else []
    return " ".join(columns)


def _restarts(settings: MdSettings) -> list[str]:
    every = restart_interval(settings)
    return [
        f"dump state all custom {every} {STATES} xu yu zu vx vy vz",
        "dump_modify state sort id maxfiles 3",
        f"restart {every} {RESTARTS[0]} {RESTARTS[1]}",
    ]


def _clock(seconds: float) -> str:
    hours, rest = divmod(max(1, int(seconds)), S_PER_HOUR)
    return f"{hours:02d}:{rest // S_PER_MINUTE:02d}:{rest % S_PER_MINUTE:02d}"
