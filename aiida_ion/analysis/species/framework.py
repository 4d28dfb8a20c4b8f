"""Validation of a named framework."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def validate_framework(
    framework_species: Sequence[str] | None, mobile_species: str | None, elements: Collection[str]
) -> str | None:
    """Return what is wrong with a named framework, None if it is valid.

    :param elements: elements of the structure or trajectory.
    """
    if framework_species is None:
        return None
    if mobile_species in framework_species:
        return f"framework_species names {mobile_species}, the mobile species: name the elements that stay"
    absent = sorted(set(framework_species) - set(elements))
    if absent:
        return f"framework_species names {', '.join(absent)}; the crystal contains {', '.join(sorted(elements))}"
    return None
