"""A loaded potential, and the pair list that its calculator made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiida_ion.runners.checkpoints import (
    Checkpoint,
)


@dataclass
class Potential:
    """A loaded potential.

    :param calculator: the ASE calculator.
    :param packages: distributions whose versions decide its numbers.
    :param checkpoint: name and sha256 of the weights, null where there are none, and as what they were loaded.
    :param elements: atomic numbers it knows; None where it cannot say.
    :param device: device it runs on.
    :param dtype: precision it computes in; None where it cannot say.
    :param is_compiled: whether its first evaluations may differ from later ones, while torch compiles.
    :param warnings: sentences on what was asked for and could not be had.
    :param path: its file of weights, where it is one.
    """

    calculator: Any
    packages: tuple[str, ...] = ()
    checkpoint: Checkpoint = field(default_factory=lambda: {"name": None, "sha256": None})
    elements: frozenset[int] | None = None
    device: str = "cpu"
    dtype: str | None = "float64"
    is_compiled: bool = False
    warnings: list[str] = field(default_factory=list)
    path: Path | None = None

    def fingerprint(self, name: str) -> str:
        """Return what a continuation must have in common with the run it continues."""
        return f"{name} {self.checkpoint['sha256'] or self.checkpoint['name'] or ''}".strip()


def neighbour_reference(calculator: Any) -> tuple[Any, Any] | None:
    """Return positions (N, 3) and cell (3, 3) a calculator's pair list was made at, or None without one.

    The order in which pairs are summed follows from that geometry, so a continuation to the last bit must
    make the list there again; see :func:`restore_neighbours`.
    """
    reference = getattr(calculator, "reference", None)
    if isinstance(reference, tuple):
        return reference
    primitive = getattr(getattr(calculator, "nl", None), "nl", None)
    if primitive is None or getattr(primitive, "use_scaled_positions", False):
        return None
    positions = getattr(primitive, "coordinates", getattr(primitive, "positions", None))
    return None if positions is None else (positions, primitive.cell)


def restore_neighbours(calculator: Any, atoms: Any, reference: tuple[Any, Any]) -> None:
    """Evaluate the calculator at the geometry its pair list was made at."""
    there = atoms.copy()
    there.set_constraint()
    there.set_positions(reference[0])
    there.set_cell(reference[1], scale_atoms=False)
    calculator.calculate(there, ["energy", "forces"])
