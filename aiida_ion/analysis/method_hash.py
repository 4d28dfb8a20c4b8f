"""The hash by which results of a method are found again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def method_hash(method: Mapping[str, Any]) -> str:
    """Return the sha256 of everything that decides a number, as canonical JSON.

    :param method: settings, hashes of tables and weights, versions of methods; no labels and no cost.
    :raises ValueError: for a number that JSON does not have.
    """
    text = json.dumps(method, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
