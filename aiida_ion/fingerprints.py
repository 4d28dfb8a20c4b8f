"""What decides energies and forces, as one mapping and its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

#: Keys of what an output node says of its level of theory.
FINGERPRINT, FINGERPRINT_SHA256 = "level_of_theory_fingerprint", "level_of_theory_sha256"
#: Digits of the hash that are kept: a database of a million levels of theory has one such pair in 10^8.
SHORT = 16


def short_sha256(facts: Mapping[str, Any]) -> str:
    """Return the first digits of the sha256 of a mapping, the same whatever the order of its keys.

    :raises ValueError: for a number that is not finite.
    """
    text = json.dumps(_canonical(facts), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:SHORT]


def fingerprint(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an output node keeps of a level of theory: the mapping, without what is ``None``, and its hash."""
    known = {key: value for key, value in facts.items() if value is not None}
    return {FINGERPRINT: known, FINGERPRINT_SHA256: short_sha256(known)}


def _canonical(value: Any) -> Any:
    """Return a value in which a whole number is the same as int and as float, as it is for a program."""
    if isinstance(value, Mapping):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value
