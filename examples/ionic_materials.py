"""Materials of the ionic models: a lattice, and a force field whose numbers are drawn.

Lithium and the framework are rigid ions (damped Coulomb and a Born-Mayer wall); the framework is held together by Morse
wells between its own neighbours. The charges of the force field are the formal ones times a drawn number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from ase import Atoms
from ionic_lattices import LATTICES, build

COULOMB_EV_A = 14.399645
#: Forces end here, or at twice the distance of neighbouring anions where that is less.
CUTOFF_A = 6.5
#: Distance of neighbouring anions, angstrom.
ANIONS_A = {"S": 3.9, "Se": 4.1, "Te": 4.45, "Cl": 3.75, "Br": 3.95, "I": 4.3}
#: The same in lattices that other anions suit.
OTHER_ANIONS_A: Mapping[str, Mapping[str, float]] = {
    "wurtzite": {"Se": 4.1, "Te": 4.45, "Br": 4.0, "I": 4.3},
    "hcp": {"Se": 4.1, "Te": 4.45, "Br": 4.0, "I": 4.3},
    "CsCl": {"Cl": 4.3, "Br": 4.5, "I": 4.8},
    "antiperovskite": {"Cl": 3.95, "Br": 4.1, "I": 4.3},
    "stuffed fluorite": {"O": 2.75, "F": 2.8},
}
#: The other immobile ions, by lattice.
OTHERS: Mapping[str, tuple[str, ...]] = {
    "CsCl": ("S", "Se"),
    "antiperovskite": ("O", "S"),
    "stuffed fluorite": ("Zr", "Ce", "Hf"),
    "half Heusler": ("Zn", "Mg", "Al"),
    "halide": ("Y", "Zr", "In"),
    "spinel": ("Mn", "Mg", "Ti"),
}


@dataclass(frozen=True)
class Material:
    """One material.

    :param label: says which it is, and in which set.
    :param lattice: its family, a key of :data:`ionic_lattices.LATTICES`.
    :param atoms: supercell, lithium on sites of the ideal lattice.
    :param charges: formal charge of each element, e.
    :param potential: force field as ``ion.lammps_md`` takes it.
    :param numbers: what was drawn.
    """

    label: str
    lattice: str
    atoms: Atoms
    charges: dict[str, float]
    potential: dict[str, Any]
    numbers: dict[str, float]
    timestep_fs: float = 2.5


def draw(seed: int, index: int, min_charge_scale: float = 0.15) -> Material:
    """Return material number ``index`` of the set of a seed; it does not depend on how many there are.

    :param min_charge_scale: the charges are the formal ones times a number from this to one: high ones bind lithium.
    """
    random = np.random.default_rng([seed, index])
    name = list(LATTICES)[index % len(LATTICES)]
    lattice = LATTICES[name]
    anions = OTHER_ANIONS_A.get(name, ANIONS_A)
    anion = str(random.choice(list(anions)))
    numbers = {
        "spacing_A": anions[anion] * random.uniform(0.97, 1.06),
        "fill": float(random.choice(lattice.fills)),
        "charge_scale": random.uniform(min_charge_scale, 1.0),
        "size": random.uniform(*lattice.sizes),
        "hardness_A": random.uniform(0.16, 0.36),
        "well_eV": random.uniform(0.5, 0.9),
    }
    names = {"X": anion}
    if name in OTHERS:
        names["M"] = str(random.choice(OTHERS[name]))
    atoms = build(lattice, numbers["spacing_A"], numbers["fill"], names, random)
    charges = formal_charges(atoms, names, lattice.charge_M)
    label = f"ionic model {seed}-{index:04d}"
    potential = {
        "name": label,
        "level_of_theory": f"classical/{label}",
        "charges": {element: numbers["charge_scale"] * charge for element, charge in charges.items()},
        "commands": "\n".join(commands(atoms, name, charges, numbers)),
    }
    return Material(label, name, atoms, charges, potential, numbers)


def formal_charges(atoms: Atoms, names: Mapping[str, str], charge_M: float) -> dict[str, float]:
    """Return formal charges of a neutral cell, e: lithium has one, the anions what makes it neutral."""
    symbols = list(atoms.symbols)
    n = {kind: symbols.count(element) for kind, element in names.items()}
    positive = symbols.count("Li") + charge_M * n.get("M", 0)
    charges = {"Li": 1.0, names["X"]: -positive / n["X"]}
    return charges | ({names["M"]: charge_M} if "M" in names else {})


def commands(atoms: Atoms, name: str, charges: Mapping[str, float], numbers: Mapping[str, float]) -> list[str]:
    """Return the force field as LAMMPS commands, metal units."""
    cutoff_A = min(CUTOFF_A, 2.0 * numbers["spacing_A"])
    lines = [
        f"pair_style hybrid/overlay born/coul/dsf 0.2 {cutoff_A:.3f} morse {cutoff_A:.3f}",
        "pair_modify shift yes",
    ]
    ideal = neighbour_distances(atoms)
    for first, second in combinations_with_replacement(dict.fromkeys(atoms.symbols), 2):
        distance = ideal.get(frozenset((first, second)), cutoff_A)
        if "Li" not in (first, second):
            steepness = (4.5 if name == "CsCl" else 5.0) / distance
            depth = numbers["well_eV"] * (2.0 if first != second else 1.0)
            lines.append(wall(first, second, 0.0, 1.0, 1.0))
            lines.append(f"pair_coeff {first} {second} morse {depth:.6f} {steepness:.6f} {distance:.6f}")
        elif first == second:
            lines.append(wall(first, second, 0.1, 0.25, 1.6))
        else:
            # Alone, the two ions would rest at this distance: the wall there is as steep as their attraction.
            size = numbers["size"] * distance
            product = -charges[first] * charges[second] * numbers["charge_scale"] ** 2
            height = max(0.05, numbers["hardness_A"] * COULOMB_EV_A * product / size**2)
            lines.append(wall(first, second, height, numbers["hardness_A"], size))
    return lines


def wall(first: str, second: str, height_eV: float, hardness_A: float, size_A: float) -> str:
    """Return a Born-Mayer wall: height * exp((size - r) / hardness), beside the Coulomb energy."""
    return f"pair_coeff {first} {second} born/coul/dsf {height_eV:.6f} {hardness_A:.5f} {size_A:.5f} 0.0 0.0"


def neighbour_distances(atoms: Atoms) -> dict[frozenset[str], float]:
    """Return the shortest distance between each two elements in the ideal lattice, angstrom."""
    result: dict[frozenset[str], float] = {}
    distances = atoms.get_all_distances(mic=True)
    np.fill_diagonal(distances, np.inf)
    symbols = np.array(atoms.symbols)
    for pair in combinations_with_replacement(dict.fromkeys(symbols), 2):
        block = distances[np.ix_(symbols == pair[0], symbols == pair[1])]
        if np.isfinite(block).any():
            result[frozenset(pair)] = float(block.min())
    return result
