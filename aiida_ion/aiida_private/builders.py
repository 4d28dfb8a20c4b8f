"""Process builders: their inputs as plain mappings, and what a submission would refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def builder_inputs(builder: Any) -> dict[str, Any]:
    """Return the inputs of a builder, nested, without empty namespaces."""
    inputs: dict[str, Any] = builder._inputs(prune=True)
    return inputs


def set_inputs(builder: Any, inputs: Mapping[str, Any]) -> None:
    """Set inputs of a builder, nested; those not given stay."""
    builder._update(inputs)


def validate_builder(builder: Any) -> str | None:
    """Return why a builder cannot be submitted, in the words of its submission; ``None`` if it can."""
    problem = builder._process_spec.inputs.validate(builder_inputs(builder))
    return None if problem is None else str(problem.message)
