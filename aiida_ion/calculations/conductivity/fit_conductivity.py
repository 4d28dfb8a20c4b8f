"""``fit_conductivity``: the diffusion nodes of one material -> its conductivity node."""

from __future__ import annotations

from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.analysis.arrhenius.fit import Priors, fit_arrhenius
from aiida_ion.calculations.conductivity.collective import collective_attributes
from aiida_ion.calculations.conductivity.members import is_pooled, member_attributes
from aiida_ion.calculations.conductivity.points import arrhenius_point, bound_entry, conductivity_numbers, is_bound
from aiida_ion.calculations.conductivity.species import species_attributes
from aiida_ion.calculations.conductivity.summary import summary
from aiida_ion.calculations.functions import conductivity_arrays
from aiida_ion.fingerprints import FINGERPRINT_SHA256
from aiida_ion.verdicts import MAX_INTERVAL_DECADES, MAX_USEFUL_BOUND

#: Attributes that every diffusion of one material shares.
SHARED = ("mobile_species", "formula", "level_of_theory", "charge_e", "number_density_A3")


@calcfunction
def fit_conductivity(
    parameters: orm.Dict, convergence: orm.Dict | None = None, **diffusion: orm.ArrayData
) -> orm.ArrayData:
    """Fit the Arrhenius law to the posteriors of all temperatures and extrapolate the ionic conductivity.

    :param parameters: `target_temperature_K`; optionally `priors` of the fit, `max_interval_decades`, beyond which the
        conductivity is poorly known, `max_useful_bound_mS_cm`, above which a bound is not shown, `failed`, the
        temperatures without a fit, each with its reason, and `watched`, whether runs of a trained potential were
        stopped where they left its training frames.
    :param convergence: the last decision on runs that were extended: why each temperature stopped.
    :param diffusion: diffusion nodes, one for each temperature; those that `pool_members` made of an ensemble add what
        is known of its members.
    """
    settings = parameters.get_dict()
    nodes = list(diffusion.values())
    shared = {name: nodes[0].base.attributes.get(name, None) for name in SHARED}
    given = (settings["target_temperature_K"], shared["charge_e"], shared["number_density_A3"])
    priors = Priors(**settings.get("priors", {}))
    decades = float(settings.get("max_interval_decades", MAX_INTERVAL_DECADES))
    points = [arrhenius_point(node) for node in nodes]
    result = fit_arrhenius(points, *given, priors=priors, max_interval_decades=decades)
    of_members = member_attributes(nodes, result) if is_pooled(nodes) else {}
    node = conductivity_arrays(result.arrays())
    attributes = shared | result.attributes() | conductivity_numbers(result) | of_members
    attributes |= collective_attributes(nodes, *given, priors, decades)
    attributes |= species_attributes(nodes, result, shared, priors)
    hashes = {str(one.base.attributes.get(FINGERPRINT_SHA256, "")) for one in nodes} - {""}
    if hashes:
        attributes[FINGERPRINT_SHA256] = ", ".join(sorted(hashes))
    attributes["temperatures_refused"] = result.temperatures_refused + settings.get("failed", [])
    attributes["temperatures_bound"] = [bound_entry(one) for one in nodes if is_bound(one)]
    attributes |= {name: settings[name] for name in ("watched", *MAX_USEFUL_BOUND.values()) if name in settings}
    if convergence is not None:
        attributes["convergence"] = convergence.get_dict()
    node.base.attributes.set_many(attributes | {"summary": summary(attributes)})
    node.label = f"{shared['formula']} {shared['level_of_theory']}"
    return node
