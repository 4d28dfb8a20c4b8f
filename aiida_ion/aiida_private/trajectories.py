"""Trajectory nodes of single precision."""

from __future__ import annotations

from typing import Any

import numpy as np
from aiida import orm


def accept_float32() -> None:
    """Let ``TrajectoryData`` hold float32, half of what it would take otherwise; a second call changes nothing.

    AiiDA checks for float64 whenever a trajectory is stored, which it does again for the clones that caching makes. It
    does not check when one is read, so such a node opens everywhere as a plain ``TrajectoryData``. All of its other
    checks (shapes, symbols, cells) stay in force: they see an array of the same shape that takes no memory.
    """
    check = orm.TrajectoryData._internal_validate
    if getattr(check, "accepts_float32", False):
        return

    def widened(array: Any) -> Any:
        single = isinstance(array, np.ndarray) and array.dtype == np.float32
        return np.broadcast_to(np.float64(0.0), array.shape) if single else array

    def _internal_validate(
        self: Any, stepids: Any, cells: Any, symbols: Any, positions: Any, times: Any, velocities: Any, pbc: Any
    ) -> None:
        check(self, stepids, cells, symbols, widened(positions), times, widened(velocities), pbc)

    _internal_validate.accepts_float32 = True  # type: ignore[attr-defined]
    orm.TrajectoryData._internal_validate = _internal_validate  # type: ignore[method-assign]
