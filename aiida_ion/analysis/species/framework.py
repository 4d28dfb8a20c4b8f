"""Whether a framework that was named is one that a crystal can have."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def validate_framework(
    framework_species: Sequence[str] | None, mobile_species: str | None, elements: Collection[str]
) -> str | None:
    """Return what is wrong with a framework that was named, nothing when it can be used.

    :param elements: those of the structure or trajectory.
    """
    if framework_species is None:
        return None
    if mobile_species in framework_species:
        return f"framework_species names {mobile_species}, the mobile species: name the elements that stay"
    absent = sorted(set(framework_species) - set(elements))
    if absent:
        return f"framework_species names {', '.join(absent)}; the crystal holds {', '.join(sorted(elements))}"
    return None
