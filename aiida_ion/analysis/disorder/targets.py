"""Which composition the ordered cells are to have: that of the sites, or one that was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pymatgen.core.composition import Composition

from aiida_ion.analysis.disorder.charges import BALANCED, Charges
from aiida_ion.analysis.disorder.crystal import FULL, DisorderedCrystal, Orbit
from aiida_ion.analysis.disorder.refusal import OrderingRefused
from aiida_ion.analysis.disorder.roles import ANIONS
from aiida_ion.analysis.disorder.settings import OrderingSettings

#: Sites that hold more mobile ions than this many times those of the formula have a wrong multiplicity.
EXCESS = 1.3
#: Up to this difference of atomic fractions sites and formula are one composition.
SAME_COMPOSITION = 0.005
#: Up to this part of the anions' charge such a composition may be one that was analysed.
ANALYSED = 0.04
#: Up to this difference of atomic fractions the framework of a file is that of a formula.
SAME_FRAMEWORK = 0.025


def target_of(
    crystal: DisorderedCrystal, charges: Charges, settings: OrderingSettings
) -> tuple[Mapping[str, float], list[str]]:
    """Return atoms of each element in the primitive cell that the ordered cells are to have, and remarks.

    It is the composition of the sites, or that given in the settings where the sites are charged: diffraction often
    misses mobile ions.

    :raises OrderingRefused: for a formula that cannot be read, holds hydrogen that the sites lack, or has another
        framework.
    """
    stated = crystal.composition
    if settings.target_composition is None:
        return stated, []
    given = read_formula(settings.target_composition)
    mobile = settings.mobile_species
    if "H" in given and "H" not in stated:
        raise OrderingRefused(
            "hydrogen",
            f"{settings.target_composition} contains hydrogen, and the sites hold none: add it to the file",
        )
    if charges.relative <= BALANCED:
        return stated, []
    scale = _scale(stated, given, mobile)
    target = {element: amount * scale for element, amount in given.items()}
    difference = _difference(stated, target, mobile)
    if difference > SAME_FRAMEWORK or mobile not in target:
        raise OrderingRefused(
            "composition",
            f"the sites are charged ({100 * charges.relative:.1f} % of the anions' charge), and apart from {mobile} "
            f"they differ from {settings.target_composition} by {100 * difference:.1f} % of the atoms: correct the "
            "occupancies in the file",
        )
    _check_excess(stated[mobile], target[mobile], settings)
    charge = sum(amount * charges.states[element] for element, amount in target.items())
    anions = -sum(amount * min(charges.states[element], 0.0) for element, amount in target.items())
    if abs(charge) > BALANCED * anions:
        analysed = _analysed(crystal, target, charges, mobile)
        if analysed is not None:
            return analysed
        raise OrderingRefused(
            "charge",
            f"the sites are charged ({charges.residual_e:+.2f} e in the primitive cell), and so is "
            f"{settings.target_composition} ({charge:+.2f} e): correct the occupancies, or give oxidation_states",
        )
    return target, [
        f"the sites hold {stated[mobile]:.2f} {mobile} in the primitive cell, leaving {charges.residual_e:+.2f} e: "
        f"the number of {settings.target_composition} was used, {target[mobile]:.2f}"
    ]


def _check_excess(stated: float, given: float, settings: OrderingSettings) -> None:
    """Refuse sites that hold far more mobile ions than the formula: diffraction misses ions, and invents none.

    :raises OrderingRefused: with both numbers.
    """
    if stated > EXCESS * given:
        mobile = settings.mobile_species
        raise OrderingRefused(
            "occupancy",
            f"the sites hold {stated:.2f} {mobile} in the primitive cell, and {settings.target_composition} has "
            f"{given:.2f}: an occupancy may be that of another multiplicity; correct the sites of {mobile}",
        )


def _analysed(
    crystal: DisorderedCrystal, target: Mapping[str, float], charges: Charges, mobile: str
) -> tuple[Mapping[str, float], list[str]] | None:
    """Return a neutral target where sites and formula are equally charged, and the sites have room to balance it.

    Analysed compositions are rarely neutral. Both agree on the framework, so that the mobile ions, which are hardest to
    see, are the ones to change.
    """
    stated = crystal.composition
    ions = -charges.residual_e / charges.states[mobile]
    free = sum(
        (1.0 - orbit.total) * float(places)
        for orbit, places in zip(crystal.orbits, crystal.multiplicities, strict=True)
        if set(orbit.occupancies) == {mobile} and orbit.is_partial
    )
    same = 0.5 * sum(abs(target.get(name, 0.0) - stated.get(name, 0.0)) for name in {*target, *stated})
    is_analysed = same <= SAME_COMPOSITION * crystal.n_atoms and charges.relative <= ANALYSED
    if not is_analysed or not 0.0 < ions <= free:
        return None
    return {**stated, mobile: stated[mobile] + ions}, [
        f"sites and formula are charged alike ({charges.residual_e:+.2f} e in the primitive cell): "
        f"{stated[mobile] + ions:.2f} {mobile} instead of {stated[mobile]:.2f} make it neutral, "
        f"{100 * ions / stated[mobile]:+.0f} %; an analysed composition is rarely neutral"
    ]


def with_missing_mobile(crystal: DisorderedCrystal, settings: OrderingSettings) -> tuple[DisorderedCrystal, list[str]]:
    """Return a crystal whose sites hold no mobile ion with those of the formula on vacant sites of its cations.

    X-rays hardly see lithium beside heavy atoms: in perovskites it is left out, and the cations are refined with the
    vacancies that it fills.

    :returns: the crystal as it is, and no remark, where it has mobile ions, no formula was given, or no room is there.
    """
    mobile, text = settings.mobile_species, settings.target_composition
    if text is None or mobile in crystal.composition:
        return crystal, []
    given = read_formula(text)
    target = {name: amount * _scale(crystal.composition, given, mobile) for name, amount in given.items()}
    hosts = [index for index, orbit in enumerate(crystal.orbits) if _is_host(orbit)]
    free = {index: 1.0 - crystal.orbits[index].total for index in hosts}
    room = sum(free[index] * float(crystal.multiplicities[index]) for index in hosts)
    wanted = target.get(mobile, 0.0)
    if not 0.0 < wanted <= room or _difference(crystal.composition, target, mobile) > SAME_FRAMEWORK:
        return crystal, []
    orbits = list(crystal.orbits)
    for index in hosts:
        shares = {**orbits[index].occupancies, mobile: free[index] * wanted / room}
        orbits[index] = Orbit(orbits[index].label, dict(sorted(shares.items())))
    labels = ", ".join(crystal.orbits[index].label for index in hosts)
    remark = (
        f"the sites hold no {mobile}: {wanted:.2f} in the primitive cell, the number of {text}, were put on vacant "
        f"places of {labels}; relax them before anything else"
    )
    return replace(crystal, orbits=tuple(orbits)), [remark]


def _is_host(orbit: Orbit) -> bool:
    """Whether places of an orbit of cations are vacant."""
    return orbit.total < FULL and not set(orbit.occupancies) & ANIONS


def read_formula(text: str) -> dict[str, float]:
    """Return the atoms of each element of a formula.

    :raises OrderingRefused: for text that is not one.
    """
    try:
        return {element.symbol: float(amount) for element, amount in Composition(text).items()}
    except (ValueError, KeyError, AttributeError) as error:  # pymatgen raises these for a formula it cannot read
        raise OrderingRefused("composition", f"target_composition {text!r} cannot be read: {error}") from error


def _scale(stated: Mapping[str, float], given: Mapping[str, float], mobile: str) -> float:
    """Return formula units per primitive cell, from the atoms of the framework."""
    totals = [sum(amount for element, amount in part.items() if element != mobile) for part in (stated, given)]
    return totals[0] / max(totals[1], 1e-9)


def _difference(stated: Mapping[str, float], target: Mapping[str, float], mobile: str) -> float:
    """Return half the sum of differences of the atomic fractions of the framework, 0 to 1."""
    names = {*stated, *target} - {mobile}
    total = sum(stated.get(name, 0.0) for name in names)
    return 0.5 * sum(abs(stated.get(name, 0.0) - target.get(name, 0.0)) for name in names) / total
