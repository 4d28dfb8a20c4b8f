"""Outputs of pw.x and VASP around a random walk of known diffusivity: for tests, and for lists of bad inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import units
from numpy.typing import NDArray

CELL_A = 9.2
TIMESTEP_FS = 2.0
#: What the mobile atoms of the walk have, cm^2/s.
DIFFUSIVITY_CM2_S = 5e-4
SITES = [[x, y, z] for x in (0.25, 0.75) for y in (0.25, 0.75) for z in (0.25, 0.75)]
FRAMEWORK = [[0.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]


@dataclass(frozen=True)
class Walk:
    """n steps of 8 Li, which walk at random, and 4 O, which vibrate.

    :param positions: shape (n, 12, 3), angstrom, unwrapped.
    """

    positions: NDArray[np.float64]
    symbols: list[str] = field(default_factory=lambda: ["Li"] * 8 + ["O"] * 4)
    cell: NDArray[np.float64] = field(default_factory=lambda: CELL_A * np.eye(3))

    @classmethod
    def of(cls, n_steps: int, seed: int = 1) -> Walk:
        """Draw a walk."""
        rng = np.random.default_rng(seed)
        sigma_A = np.sqrt(2 * DIFFUSIVITY_CM2_S * 10.0 * TIMESTEP_FS)  # 1 cm^2/s is 10 angstrom^2/fs
        steps = rng.normal(0.0, sigma_A, (n_steps, 8, 3))
        steps[0] = 0.0
        mobile = CELL_A * np.array(SITES) + np.cumsum(steps, axis=0)
        still = CELL_A * np.array(FRAMEWORK) + rng.normal(0.0, 0.05, (n_steps, 4, 3))
        return cls(np.concatenate([mobile, still], axis=1))


def diffusivity_cm2_s(positions: Any, symbols: Sequence[str], interval_fs: float) -> float:
    """Return the diffusivity of lithium from displacements over one interval, cm^2/s."""
    moved = np.diff(np.asarray(positions)[:, np.array(symbols) == "Li"], axis=0)
    return float((moved**2).sum(axis=2).mean() / (6 * interval_fs) / 10.0)


def pw_text(
    walk: Walk,
    unit: str = "angstrom",
    labels: Sequence[str] | None = None,
    *,
    first: int = 1,
    energies: int = 1,
    flags: str = "",
    temperature: str = "",
) -> str:
    """Return an output of pw.x.

    :param unit: of the positions after each step, as in `ATOMIC_POSITIONS (unit)`.
    :param labels: of the atoms; their elements when not given.
    :param first: number of the first step; above one the run was restarted and says less of itself.
    :param energies: how many energies a step prints; a hybrid functional prints several.
    :param flags: behind each row of positions: ``0 0 0`` where an atom is held.
    :param temperature: lines on the thermostat.
    """
    names = list(labels or walk.symbols)
    alat = CELL_A / units.Bohr
    scale = {"angstrom": 1.0, "bohr": 1 / units.Bohr, "alat": 1 / CELL_A, "crystal": 1 / CELL_A}[unit]
    tau = [
        f"      {i:4d}        {name:3s}   tau({i:4d}) = ({x:12.7f}{y:12.7f}{z:12.7f}  )"
        for i, (name, (x, y, z)) in enumerate(zip(names, walk.positions[0] / CELL_A, strict=True), 1)
    ]
    lines = [
        *("", "     Program PWSCF v.7.3.1 starts on  1Jan2026 at 10: 0: 0 ", ""),
        f"     lattice parameter (alat)  = {alat:12.4f}  a.u.",
        f"     unit-cell volume          = {alat**3:12.4f} (a.u.)^3",
        f"     number of atoms/cell      = {len(names):12d}",
        "     Exchange-correlation= PBE",
        f"     celldm(1)= {alat:10.6f}  celldm(2)=   0.000000  celldm(3)=   0.000000",
        "     crystal axes: (cart. coord. in units of alat)",
        *(
            f"               a({i + 1}) = ( {row[0]:10.6f} {row[1]:10.6f} {row[2]:10.6f} )"
            for i, row in enumerate(np.eye(3))
        ),
        "     atomic species   valence    mass     pseudopotential",
        *_species(names, walk.symbols),
        *("", "     site n.     atom                  positions (alat units)", *tau, ""),
    ]
    for step, positions in enumerate(walk.positions[1:], first):
        lines += _pw_step(step, positions * scale, names, unit, energies, flags, temperature if step == 1 else "")
    return "\n".join([*lines, "   JOB DONE.", ""])


def _species(names: Sequence[str], symbols: Sequence[str]) -> list[str]:
    pairs = dict(zip(names, symbols, strict=True))
    masses = {"Li": 6.94, "O": 15.999}
    return [
        f"        {name:6s}         3.00    {masses[symbol]:9.5f}     {symbol:2s}( 1.00)"
        for name, symbol in pairs.items()
    ]


def _pw_step(
    step: int, positions: Any, names: Sequence[str], unit: str, energies: int, flags: str, temperature: str
) -> list[str]:
    energy = [
        "!    total energy              =     -33.10000000 Ry",
        "     convergence has been achieved in  10 iterations",
    ]
    head = ["     Molecular Dynamics Calculation", *temperature.splitlines()] if step == 1 else []
    head += ["     Time step             =   41.34 a.u.,  2.0000 femto-seconds"] if step == 1 else []
    rows = [
        f"{name:3s}       {x:18.10f}{y:18.10f}{z:18.10f}   {flags}".rstrip()
        for name, (x, y, z) in zip(names, positions, strict=True)
    ]
    forces = [
        f"     atom {i:4d} type  1   force =     0.00100000   -0.00100000    0.00000000"
        for i in range(1, len(names) + 1)
    ]
    last = [energy[0].replace("!  ", "!! ")] if energies > 1 else []
    return [
        "     Self-consistent Calculation",
        *(energy * energies),
        *last,
        *("", "     Forces acting on atoms (cartesian axes, Ry/au):", "", *forces, ""),
        *(*head, f"     Entering Dynamics:    iteration = {step:5d}"),
        f"                           time      = {step * TIMESTEP_FS / 1000:8.4f} pico-seconds",
        *("", f"ATOMIC_POSITIONS ({unit})", *rows, ""),
        "     kinetic energy (Ekin) =           0.12542900 Ry",
        "     temperature           =         800.10000000 K ",
        *("     Ekin + Etot (const)   =         -32.97457100 Ry", ""),
    ]


@dataclass(frozen=True)
class VaspOptions:
    """What a ``vasprun.xml`` is to hold.

    :param tags: of INCAR, beside those of a run with a Nose-Hoover thermostat at 800 K.
    :param blocks: name, count, mass (g/mol) and title of the POTCAR of each block.
    :param ab_initio_every: one of so many steps is computed ab initio; the others stand beside the calculations.
    :param held: atoms that may not move.
    :param cells: shape (n, 3, 3), angstrom; that of the walk when not given.
    :param forces: whether machine-learned steps have forces.
    """

    tags: dict[str, Any] = field(default_factory=dict)
    blocks: tuple[tuple[str, int, float, str], ...] = (
        ("Li", 8, 7.01, "PAW_PBE Li 17Jan2003"),
        ("O", 4, 16.0, "PAW_PBE O 08Apr2002"),
    )
    ab_initio_every: int = 1
    held: tuple[int, ...] = ()
    cells: Any = None
    forces: bool = True
    version: str = "6.4.3"


def vasprun_text(walk: Walk, options: VaspOptions | None = None) -> str:
    """Return a ``vasprun.xml`` of a walk."""
    options = options or VaspOptions()
    tags = {
        "IBRION": 0,
        "NELM": 60,
        "EDIFF": 1e-5,
        "ISIF": 2,
        "POTIM": TIMESTEP_FS,
        "TEBEG": 800.0,
        "TEEND": 800.0,
        "SMASS": 0.0,
        "MDALGO": 2,
        "NBLOCK": 1,
        "NSW": len(walk.positions),
        **options.tags,
    }
    incar = "".join(f'  <i name="{name}">{value}</i>\n' for name, value in tags.items())
    blocks = "".join(
        f"    <rc><c>{count:4d}</c><c>{name:2s}</c><c>{mass:16.8f}</c><c> 1.0</c><c>  {title} </c></rc>\n"
        for name, count, mass, title in options.blocks
    )
    cells = options.cells if options.cells is not None else np.repeat(walk.cell[None], len(walk.positions), axis=0)
    free = 3 * (len(walk.symbols) - len(options.held)) - (0 if options.held else 3)
    kinetic_eV = 0.5 * free * units.kB * 800.0
    steps = "".join(
        _vasp_step(positions, cell, kinetic_eV, step % options.ab_initio_every == 0, options.forces)
        for step, (positions, cell) in enumerate(zip(walk.positions, cells, strict=True))
    )
    start = walk.positions[0] @ np.linalg.inv(cells[0])
    flags = "".join(
        f'   <v type="logical"> {"F F F" if atom in options.held else "T T T"} </v>\n'
        for atom in range(len(walk.symbols))
    )
    selective = f'  <varray name="selective"  type="logical" >\n{flags}  </varray>\n' if options.held else ""
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<modeling>\n <generator>\n'
        '  <i name="program" type="string">vasp </i>\n'
        f'  <i name="version" type="string">{options.version}  </i>\n </generator>\n'
        f" <incar>\n{incar} </incar>\n <parameters>\n{incar} </parameters>\n"
        f' <atominfo>\n  <array name="atomtypes" >\n   <set>\n{blocks}   </set>\n  </array>\n </atominfo>\n'
        f' <structure name="initialpos">\n{_structure(start, cells[0])}{selective} </structure>\n{steps}'
        f' <structure name="finalpos">\n{_structure(start, cells[-1])} </structure>\n</modeling>\n'
    )


def _vasp_step(positions: Any, cell: Any, kinetic_eV: float, ab_initio: bool, has_forces: bool) -> str:
    forces = f'  <varray name="forces" >\n{_rows(np.full_like(positions, 0.01))}  </varray>\n'
    text = (
        f" <structure>\n{_structure(positions @ np.linalg.inv(cell), cell)} </structure>\n"
        f"{forces if has_forces or ab_initio else ''}  <energy>\n"
        '   <i name="e_fr_energy">   -100.00000000 </i>\n'
        f'   <i name="kinetic"> {kinetic_eV:14.8f} </i>\n'
        f'   <i name="total"> {kinetic_eV - 100:14.8f} </i>\n  </energy>\n'
        '  <time name="totalsc">    8.95    9.24</time>\n'
    )
    if not ab_initio:
        return text
    scf = "".join(
        f'  <scstep>\n   <energy>\n    <i name="e_fr_energy"> {energy:14.8f} </i>\n   </energy>\n  </scstep>\n'
        for energy in (-99.99, -99.999999, -100.0)
    )
    return f" <calculation>\n{scf}{text} </calculation>\n"


def _structure(fractional: Any, cell: Any) -> str:
    return (
        f'  <crystal>\n   <varray name="basis" >\n{_rows(cell)}   </varray>\n  </crystal>\n'
        f'  <varray name="positions" >\n{_rows(fractional - np.floor(fractional))}  </varray>\n'
    )


def _rows(array: Any) -> str:
    return "".join(f"   <v> {x:16.8f} {y:16.8f} {z:16.8f} </v>\n" for x, y, z in array)
