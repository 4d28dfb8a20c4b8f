"""What each method of screening gives, by which materials are judged and ranked."""

from __future__ import annotations

from dataclasses import dataclass

BARRIERS = ("barrier_1d_eV", "barrier_2d_eV", "barrier_3d_eV")


@dataclass(frozen=True)
class Method:
    """A method of screening.

    :param help: what it does.
    :param quantities: names of what it gives, with units; none where it only accepts or refuses.
    :param needs_engine: which kind of engine it uses: ``potential``, ``dft``, ``any``, or none.
    :param many_at_once: whether one job takes many materials.
    """

    help: str
    quantities: tuple[str, ...] = ()
    needs_engine: str | None = None
    many_at_once: bool = False

    @property
    def computes(self) -> bool:
        """Whether it runs anything."""
        return bool(self.quantities)


METHODS: dict[str, Method] = {
    "gate": Method("accepts or refuses a crystal by its composition and size; computes nothing"),
    "bvse": Method("percolation energies of the bond-valence site energy", BARRIERS, many_at_once=True),
    "pes": Method(
        "percolation energies of one ion in the frozen framework, by a potential",
        (*BARRIERS, "Xi", "mpe", "site_depth_eV"),
        "potential",
        many_at_once=True,
    ),
    "barrier": Method("migration barriers of relaxed hops between sites", BARRIERS, "potential"),
    "surrogate": Method(
        "diffusivity at the temperature of a trained surrogate, from short samples",
        ("tracer_diffusivity_cm2_s", "ionic_conductivity_mS_cm"),
        "potential",
    ),
    "conductivity": Method(
        "ionic conductivity from molecular dynamics",
        ("ionic_conductivity_mS_cm", "activation_energy_eV"),
        "any",
    ),
}
#: Quantities of which more is better; of the others less is.
MORE_IS_BETTER = ("Xi", "ionic_conductivity_mS_cm", "tracer_diffusivity_cm2_s")
