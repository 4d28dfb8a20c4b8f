"""Which crystals a screening begins with: by composition and size, nothing is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from aiida import orm

from aiida_ion.analysis.crystals.charges import formal_charges
from aiida_ion.calculations.screening.batch import validate_crystal
from aiida_ion.settings.elements import Element
from aiida_ion.settings.lists import Many
from aiida_ion.settings.schema import Settings, flag, setting, whole


@dataclass(frozen=True)
class GateSettings(Settings):
    """What a crystal must be to be screened."""

    what: ClassVar[str] = "setting of a gate"

    mobile_species: str = setting(Element(help="The element that is to move"))
    forbidden_elements: list[str] = setting(
        Many(item=Element(), may_be_empty=True, distinct=True, help="Elements that are not wanted"), []
    )
    max_atoms: int | None = whole(None, help="Most atoms in the cell", least=1, most=100_000)
    needs_charges: bool = flag(True, help="Whether common oxidation states must make it neutral")


def validate_candidate(node: orm.StructureData, settings: Mapping[str, Any]) -> str | None:
    """Return why a crystal is not screened; ``None`` if it is.

    :param settings: of :class:`GateSettings`.
    """
    gate = GateSettings.from_dict(settings)
    elements = sorted({symbol for kind in node.kinds for symbol in kind.symbols})
    if gate.mobile_species not in elements:
        return f"there is no {gate.mobile_species} in {node.get_formula()}"
    refusal = validate_crystal(node)
    if refusal is not None:
        return refusal
    unwanted = [element for element in elements if element in gate.forbidden_elements]
    if unwanted:
        return f"it contains {', '.join(unwanted)}"
    if gate.max_atoms is not None and len(node.sites) > gate.max_atoms:
        return f"its cell has {len(node.sites)} atoms, more than {gate.max_atoms}"
    return _validate_charges(node, gate.mobile_species) if gate.needs_charges else None


def _validate_charges(node: orm.StructureData, mobile_species: str) -> str | None:
    try:
        charges = formal_charges(node.get_formula(mode="count"))
    except ValueError as error:
        return str(error)
    return None if charges[mobile_species] else f"{mobile_species} has no charge in {node.get_formula()}"
