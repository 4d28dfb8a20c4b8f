"""The last part of ``ion.conductivity``: the Arrhenius law is fitted on the fits of all temperatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm

from aiida_ion.workchains.conductivity.md import is_watched


def define_result(spec: Any) -> None:
    """Declare the output."""
    spec.output(
        "conductivity",
        valid_type=orm.ArrayData,
        required=False,
        help="Activation energy (eV), ionic conductivity (mS/cm) at the target temperature, 95 % intervals, as "
        "attributes; posterior samples as arrays.",
    )


def arrhenius_parameters(inputs: Mapping[str, Any], refused: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the parameters of `fit_conductivity`.

    :param inputs: of the conductivity.
    :param refused: runs and fits that are not used, each a ``temperature_K`` and a ``reason``.
    """
    parameters, watched = inputs["parameters"].get_dict(), is_watched(inputs)
    return {
        **({} if watched is None else {"watched": watched}),
        "target_temperature_K": parameters["target_temperature_K"],
        "priors": parameters.get("priors", {}),
        **interval_limit(inputs),
        "failed": sorted(refused, key=lambda entry: entry["temperature_K"]),
    }


#: Settings of the fits that say which numbers are shown, and that hold for the conductivity, too.
_LIMITS = ("max_interval_decades", "max_useful_bound_cm2_s", "max_useful_bound_mS_cm")


def interval_limit(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the fits set of the limits beyond which a number is poorly known, or a bound says nothing."""
    parameters = inputs["diffusion"]["parameters"].get_dict() if "parameters" in inputs["diffusion"] else {}
    return {name: parameters[name] for name in _LIMITS if name in parameters}
