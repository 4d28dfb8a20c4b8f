"""How a process ended, in its own words."""

from __future__ import annotations

from typing import Any


def outcome(node: Any) -> str:
    """Return how a child ended: what it is, its exit status and its message, or the last line of an exception."""
    text = node.exit_message or (node.exception or "").strip().rpartition("\n")[2] or node.process_state.value
    return f"{node.process_label}<{node.pk}> [{node.exit_status}] {text}"
