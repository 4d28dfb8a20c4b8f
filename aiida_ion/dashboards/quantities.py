"""Quantities that can be compared between levels of theory and with experiment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quantity:
    """A quantity and its columns.

    :param key: name in the address.
    :param words: description.
    :param symbol: symbol on axes.
    :param table: function of `aiida_ion.queries` whose table has it.
    :param stem: name of its column without the `suffix`, which is the unit.
    :param band: half width of the band about the diagonal, in decades, or in units for linear axes.
    :param has_temperature: whether it depends on temperature.
    """

    key: str
    words: str
    symbol: str
    unit: str
    table: str
    stem: str
    suffix: str
    logarithmic: bool
    band: float
    has_temperature: bool = True

    @property
    def value(self) -> str:
        """Return the column of the value."""
        return f"{self.stem}_{self.suffix}"

    @property
    def edges(self) -> tuple[str, str]:
        """Return the columns of the 95 % interval."""
        return f"{self.stem}_ci95_low_{self.suffix}", f"{self.stem}_ci95_high_{self.suffix}"

    @property
    def bound(self) -> str:
        """Return the column of the upper bound."""
        return f"{self.stem}_upper_bound_{self.suffix}"


_ALL = (
    Quantity(
        "conductivity",
        "ionic conductivity at the target temperature",
        "σ",
        "mS/cm",
        "conductivity",
        "ionic_conductivity",
        "mS_cm",
        True,
        1.0,
    ),
    Quantity(
        "diffusivity",
        "tracer diffusivity at a temperature",
        "D*",
        "cm²/s",
        "diffusion",
        "tracer_diffusivity",
        "cm2_s",
        True,
        1.0,
    ),
    Quantity(
        "activation_energy",
        "activation energy",
        "Eₐ",
        "eV",
        "conductivity",
        "activation_energy",
        "eV",
        False,
        0.1,
        has_temperature=False,
    ),
)

QUANTITIES = {one.key: one for one in _ALL}
