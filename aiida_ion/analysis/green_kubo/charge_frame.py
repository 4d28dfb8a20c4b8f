"""Which displacement of charge the collective diffusivity is made of, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

#: Charges of a cell that add up to less than this for each atom, e, are neutral.
NEUTRALITY_TOLERANCE_E = 1e-4


class ChargeFrame(NamedTuple):
    """The frame of reference of the collective displacement.

    :param charges_e: charge of each atom, e, (N,), together zero; ``None`` where the mobile ions alone are summed.
    :param name: ``centre_of_charge`` (of all atoms but the mobile ions) or ``framework`` (its unweighted centre).
    :param reason: why not all charges are taken, a sentence, or ``None``.
    """

    charges_e: FloatArray | None
    name: str
    reason: str | None


def charge_frame(symbols: Sequence[str], mobile_species: str, charges: Mapping[str, float]) -> ChargeFrame:
    """Take all charges where they are known and neutral, else the mobile ions in the frame of the framework.

    Of a neutral cell sum q_i r_i does not depend on the frame; that of the mobile ions alone, in the frame of the
    centre of charge of all others, is the same vector.
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
    return ChargeFrame(None, "framework", f"The mobile ions alone are summed, in the framework's frame: {why}.")
