"""Whether the runs of a dataset have one zero of energy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aiida_ion.training.runs import LabelledRun
from aiida_ion.units import BOLTZMANN_EV_K

#: Energies of one composition may differ by this, and by this multiple of k times the difference of temperatures, eV
#: for each atom: disorder and strain make less, another program or pseudopotential much more.
SAME_ZERO_EV, SAME_ZERO_KT = 0.5, 3.0


def check_zeros(sources: Sequence[LabelledRun]) -> None:
    """Refuse runs of one composition whose energies have different zeros.

    :raises ValueError: naming two runs and their energies.
    """
    first: dict[str, tuple[LabelledRun, float]] = {}
    for source in sources:
        energy = float(np.median(source.energies_eV)) / len(source.symbols)
        key = _proportions(source)
        other, reference = first.setdefault(key, (source, energy))
        temperature_K = abs((source.temperature_K or 0.0) - (other.temperature_K or 0.0))
        if abs(energy - reference) > SAME_ZERO_EV + SAME_ZERO_KT * BOLTZMANN_EV_K * temperature_K:
            raise ValueError(
                f"{other.name} and {source.name} have the same composition, and energies of {reference:.3f} and "
                f"{energy:.3f} eV per atom: they are not of one level of theory, or one of them is in another unit; "
                "make one dataset of each, or --allow energy_zero"
            )


def _proportions(source: LabelledRun) -> str:
    """Return the composition per atom, the same for every supercell."""
    return " ".join(f"{name} {number / len(source.symbols):.6f}" for name, number in source.composition.items())
