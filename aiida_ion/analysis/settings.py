"""What the settings of an analysis have in common: known names only, and numbers that are numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeGuard


def refuse_unknown(kind: Any, given: Mapping[str, Any], what: str) -> None:
    """Refuse names that are no fields of a dataclass.

    :param what: one of them in words, such as ``jump setting``.
    :raises ValueError: naming the unknown ones and the known.
    """
    known = {field.name for field in fields(kind)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise ValueError(f"unknown {what} {', '.join(unknown)}; known are {', '.join(sorted(known))}")


def require(condition: bool, name: str, settings: object, wanted: str) -> None:
    """Refuse a setting that is not what is wanted.

    :raises ValueError: with its name, what is wanted and what was given.
    """
    if not condition:
        raise ValueError(f"{name} must be {wanted}, got {getattr(settings, name)!r}")


def is_number(value: object) -> TypeGuard[float]:
    """Return whether this is a finite number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def is_whole(value: object) -> TypeGuard[int]:
    """Return whether this is a whole number; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)
