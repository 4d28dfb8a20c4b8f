"""The order in which materials are computed, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm


def ranked(labels: Sequence[str], values: Mapping[str, float]) -> list[str]:
    """Return labels from the lowest value to the highest; those without one follow, in their order."""
    return sorted(labels, key=lambda label: values.get(label, math.inf))


def core_seconds(node: orm.ProcessNode) -> float:
    """Return the core seconds of a process and of what it called, as far as they are known."""
    own = node.base.links.get_outgoing(link_label_filter="cost").first()
    if own is not None and isinstance(own.node, orm.Dict):
        cost: dict[str, Any] = own.node.get_dict()
        return float(cost.get("cpu_time_s") or cost.get("wall_time_s") or 0.0)
    called = node.called if isinstance(node, orm.WorkflowNode) else []
    return sum(core_seconds(child) for child in called)
