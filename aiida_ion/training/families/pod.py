"""POD, proper orthogonal descriptors of LAMMPS: settings, their defaults, how many coefficients are fitted.

A linear potential: the energy is a sum of descriptors times coefficients, which one least-squares fit gives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

import numpy as np

from aiida_ion.settings.schema import Settings, number, whole
from aiida_ion.settings.values import SettingsError

FAMILY = "POD"
#: The seed whose fit sees all training frames; every other one sees a bootstrap of them.
ALL_FRAMES_SEED = 1
#: Number of angular functions of four-body descriptors up to each degree (LAMMPS manual, "fitpod").
ANGULAR_4 = (1, 2, 4, 7, 11, 16, 23)
#: Degree of each angular function of three-body descriptors is its index; the largest that LAMMPS has.
MAX_ANGULAR_3 = 12
#: The normal equations of more coefficients need more than 3 GB.
MAX_DESCRIPTORS = 20_000


@dataclass(frozen=True)
class PodSettings(Settings):
    """One fit of a POD potential."""

    what: ClassVar[str] = "POD setting"

    rcut_A: float = number(
        5.5, help="Cut-off: atoms that are farther away are not seen", above=1.0, most=15.0, unit="angstrom"
    )
    rin_A: float = number(
        0.8,
        help="Inner cut-off of the radial functions; no two atoms may come closer",
        above=0.0,
        most=3.0,
        unit="angstrom",
    )
    bessel_degree: int = whole(4, help="Degree of the Bessel functions", least=1, most=12)
    inverse_degree: int = whole(8, help="Degree of the inverse powers", least=1, most=24)
    radial_2: int | None = whole(None, help="Radial functions of pairs; by the number of elements", least=1, most=32)
    radial_3: int | None = whole(None, help="Radial functions of triples", least=0, most=32)
    angular_3: int | None = whole(None, help="Angular degree of triples", least=0, most=MAX_ANGULAR_3)
    radial_4: int | None = whole(None, help="Radial functions of four-body terms", least=0, most=32)
    angular_4: int | None = whole(None, help="Angular degree of four-body terms", least=0, most=len(ANGULAR_4) - 1)
    radial_5: int | None = whole(None, help="Radial functions of five-body terms", least=0, most=32)
    angular_5: int | None = whole(None, help="Angular degree of five-body terms", least=0, most=len(ANGULAR_4) - 1)
    energy_weight: float = number(100.0, help="Weight of an energy per atom in eV", least=0.0, most=1e6)
    force_weight: float = number(1.0, help="Weight of a force component in eV/angstrom", above=0.0, most=1e6)
    regularisation: float = number(
        1e-5, help="Added to the diagonal of the normal equations, relative to it", above=0.0, most=1.0
    )
    equations_per_descriptor: float = number(
        10.0, help="A fit is refused with fewer force components for each coefficient", least=1.0, most=1e6
    )
    rcut_shift_A: float = number(
        0.0,
        help="Members of a committee with even seeds have a cut-off shorter by this, those with odd ones above "
        f"{ALL_FRAMES_SEED} one longer by it",
        least=0.0,
        most=2.0,
        unit="angstrom",
    )

    def check_together(self) -> None:
        """Refuse what LAMMPS refuses: functions must not grow with the body order.

        :raises SettingsError: saying which.
        """
        if not self.rin_A < self.rcut_A - self.rcut_shift_A:
            raise SettingsError(f"rin_A = {self.rin_A:g} must be below the cut-off, {self.rcut_A:g} angstrom")
        for name in ("radial", "angular"):
            orders = [order for order in (2, 3, 4, 5) if hasattr(self, f"{name}_{order}")]
            given = [(f"{name}_{order}", getattr(self, f"{name}_{order}")) for order in orders]
            chosen = [(key, value) for key, value in given if value is not None]
            for (before, more), (after, fewer) in pairwise(chosen):
                if fewer > more:
                    raise SettingsError(f"{after} = {fewer} must not be above {before} = {more}")


@dataclass(frozen=True)
class Basis:
    """Numbers of functions of one fit; angular numbers are degrees."""

    radial_2: int
    radial_3: int
    angular_3: int
    radial_4: int = 0
    angular_4: int = 0
    radial_5: int = 0
    angular_5: int = 0


def default_basis(n_elements: int) -> Basis:
    """Return the default numbers of functions; triples grow with the cube of the number of elements."""
    if n_elements <= 3:
        return Basis(8, 5, 4, 3, 2)
    return Basis(8, 5, 4) if n_elements == 4 else Basis(6, 4, 3)


def basis_of(settings: PodSettings, n_elements: int) -> Basis:
    """Return the numbers of functions of a fit, those of the settings where they are given.

    :raises SettingsError: if given and default numbers do not go together.
    """
    default = default_basis(n_elements)
    names = tuple(default.__dataclass_fields__)
    given = {name: getattr(settings, name) for name in names if getattr(settings, name) is not None}
    basis = replace(default, **given)
    # LAMMPS refuses a default that is larger than the given number of a lower order: it follows that one.
    for name, lower in (("radial_3", "radial_2"), ("radial_4", "radial_3"), ("radial_5", "radial_4")):
        if name not in given:
            basis = replace(basis, **{name: min(getattr(basis, name), getattr(basis, lower))})
    for name, lower in (("angular_4", "angular_3"), ("angular_5", "angular_4")):
        if name not in given:
            basis = replace(basis, **{name: min(getattr(basis, name), getattr(basis, lower))})
    PodSettings(**{name: getattr(basis, name) for name in names})
    return basis


def descriptors_per_element(basis: Basis, n_elements: int) -> int:
    """Return the number of coefficients of each element, the energy of the free atom included.

    LAMMPS, ``src/ML-POD/eapod.cpp``: with E elements there are E pairs, E (E + 1) / 2 triples and
    E (E + 1) (E + 2) / 6 quadruples around each; five-body terms are products of two triples.
    """
    n_triples = n_elements * (n_elements + 1) // 2
    n_quadruples = n_triples * (n_elements + 2) // 3
    return (
        1
        + basis.radial_2 * n_elements
        + basis.radial_3 * (basis.angular_3 + 1) * n_triples
        + basis.radial_4 * ANGULAR_4[basis.angular_4] * n_quadruples
        + _products(basis, n_triples)
    )


def n_descriptors(basis: Basis, n_elements: int) -> int:
    """Return the number of coefficients of a fit."""
    return n_elements * descriptors_per_element(basis, n_elements)


def check_size(settings: PodSettings, n_elements: int, n_force_components: int) -> int:
    """Return the number of coefficients of a fit, or refuse a fit that the frames do not determine.

    :param n_force_components: 3 x atoms x frames of the training frames.
    :raises ValueError: with what to change.
    """
    basis = basis_of(settings, n_elements)
    n_coefficients = n_descriptors(basis, n_elements)
    if n_coefficients > MAX_DESCRIPTORS:
        raise ValueError(
            f"these settings give {n_coefficients} coefficients for {n_elements} elements, above the "
            f"{MAX_DESCRIPTORS} that memory allows: lower radial_3, angular_3 or the four-body terms"
        )
    needed = int(np.ceil(settings.equations_per_descriptor * n_coefficients))
    if n_force_components < needed:
        raise ValueError(
            f"{n_force_components} force components of training frames do not determine {n_coefficients} coefficients:"
            f" at least {needed} are asked for ({settings.equations_per_descriptor:g} each). Give more frames, fewer "
            "functions (radial_4: 0 first), or lower equations_per_descriptor"
        )
    return n_coefficients


def member_settings(settings: PodSettings, seed: int) -> PodSettings:
    """Return the settings of a member of a committee: its cut-off is shifted where that is asked for."""
    if seed == ALL_FRAMES_SEED or not settings.rcut_shift_A:
        return settings
    shift = settings.rcut_shift_A if seed % 2 else -settings.rcut_shift_A
    return replace(settings, rcut_A=settings.rcut_A + shift, rcut_shift_A=0.0)


def drawn_frames(n_frames: int, seed: int) -> list[int]:
    """Return which frames a member of a committee is fitted to, sorted: all of them, or as many with replacement."""
    if seed == ALL_FRAMES_SEED:
        return list(range(n_frames))
    drawn = np.random.default_rng(seed).integers(n_frames, size=n_frames)
    return sorted(int(index) for index in drawn)


def _products(basis: Basis, n_triples: int) -> int:
    """Return the number of five-body terms: products of two three-body functions, each pair once.

    The angular degrees add up to at most the degree asked for, the radial indices to less than their number.
    """
    if not basis.radial_5:
        return 0
    n_angular = basis.angular_3 + 1
    functions = [(radial, angular) for radial in range(basis.radial_3) for angular in range(n_angular)]
    pairs = sum(
        1
        for first, (radial_a, angular_a) in enumerate(functions)
        for radial_b, angular_b in functions[first:]
        if radial_a + radial_b < basis.radial_5 and angular_a + angular_b <= basis.angular_5
    )
    return pairs * n_triples * (n_triples + 1) // 2
