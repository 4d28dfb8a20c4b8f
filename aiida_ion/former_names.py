"""Names that earlier versions stored, and what they are called now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Kinds of configurations of a surrogate.
FORMER_KINDS = {"smeared": "displaced"}


def with_present_kinds(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a sampling with the names that its ``kinds`` have now."""
    known, kinds = dict(parameters), parameters.get("kinds")
    if isinstance(kinds, list):
        known["kinds"] = [FORMER_KINDS.get(kind, kind) if isinstance(kind, str) else kind for kind in kinds]
    return known
