"""What ends a run before its last step because of what its atoms do."""

from __future__ import annotations

from aiida_ion.training.nearest import TooClose


class ExplodedError(Exception):
    """The trajectory exploded; the message says how."""


class LeftTrainingError(Exception):
    """Two atoms of a stored frame are closer than the bound of their elements.

    :param seen: which, and how close.
    :param step: of the frame.
    :param time_ps: of the frame.
    """

    def __init__(self, seen: TooClose, step: int, time_ps: float) -> None:
        super().__init__(f"{seen}, at step {step} ({time_ps:.4g} ps)")
