"""``link_experiment``: a crystal and a measurement of it -> one node that links them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.datasets.compositions import MAX_DIFFERENCE, composition_difference

#: Of a disordered crystal whose file lacks mobile ions: the composition that its ordered cells have.
ORDERED_AS = "ordered_as"


@calcfunction
def link_experiment(structure: orm.StructureData, entry: orm.Dict) -> orm.Dict:
    """Record that a measurement is of this crystal.

    :param structure: the crystal, as conductivities are computed from it.
    :param entry: of a dataset: `dataset`, `entry_id`, `entry_formula`, `temperature_K`, conductivities in mS/cm, each
        the number or an upper bound, and flags; `ordered_as`, the composition of the ordered cells of a disordered
        crystal, where it is not that of its sites.
    :returns: all of the entry, with `formula` of the crystal and `composition_difference` to that of the entry.
    :raises ValueError: if the crystal is another compound, or the entry states no conductivity.
    """
    facts = entry.get_dict()
    linked = facts | check_link(structure, facts)
    node = orm.Dict(linked)
    node.label = f"{linked['dataset']} {linked['entry_id']} {linked['formula']}"
    return node


def check_link(structure: orm.StructureData, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return how well a crystal fits an entry.

    :raises ValueError: if it is another compound, or the entry states no conductivity.
    """
    name = f"{entry['dataset']} {entry['entry_id']}"
    if entry.get("ionic_conductivity_mS_cm") is None and entry.get("ionic_conductivity_upper_bound_mS_cm") is None:
        raise ValueError(f"{name} states no ionic conductivity")
    formula = entry.get(ORDERED_AS) or structure.get_pymatgen_structure().composition.reduced_formula
    difference = composition_difference(formula, entry["entry_formula"])
    if difference is None:
        raise ValueError(f"{name}: its formula, {entry['entry_formula']}, cannot be read")
    if difference > MAX_DIFFERENCE:
        raise ValueError(f"{name} is {entry['entry_formula']}, and the structure is {formula}")
    return {"formula": formula, "composition_difference": difference}
