"""Which displacement of charge the collective diffusivity is based on, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

#: A cell is neutral if the sum of its charges is below this per atom, e.
NEUTRALITY_TOLERANCE_E = 1e-4


class ChargeFrame(NamedTuple):
    """The frame of reference of the collective displacement.

    :param charges_e: charge of each atom, e, (N,), with zero sum; ``None`` if only the mobile ions are summed.
    :param name: ``centre_of_charge`` (of all atoms except the mobile ions) or ``framework`` (its unweighted centre).
    :param reason: why not all charges are used, a sentence, or ``None``.
    """

    charges_e: FloatArray | None
    name: str
    reason: str | None


def charge_frame(symbols: Sequence[str], mobile_species: str, charges: Mapping[str, float]) -> ChargeFrame:
    """Use all charges if they are known and neutral, else the mobile ions in the frame of the framework.

    In a neutral cell sum q_i r_i does not depend on the frame; it equals the sum over the mobile ions alone in the
    frame of the centre of charge of all others.
    """
    missing = sorted(set(symbols) - set(charges))
    if missing:
        return _mobile_alone(f"the charges lack {', '.join(missing)}")
    if charges[mobile_species] == 0:
        return _mobile_alone("the mobile species has no charge")
    each = np.array([float(charges[symbol]) for symbol in symbols])
    if abs(each.sum()) > NEUTRALITY_TOLERANCE_E * len(each):
        return _mobile_alone(f"the charges add up to {each.sum():+g} e")
    return ChargeFrame(each, "centre_of_charge", None)


def _mobile_alone(why: str) -> ChargeFrame:
    return ChargeFrame(None, "framework", f"Only the mobile ions are summed, in the framework's frame: {why}.")
