"""One bad input: what is called, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class HostileInput:
    """One bad input. Every file of this folder but this one has ``inputs(folder) -> list[HostileInput]``.

    :param name: what is wrong with it, in a few words; unique.
    :param call: arguments of ``aiida-ion``, such as ``("run", "a.cif", "--engine", "toy", "--dry-run")``; or a function
        without arguments that is to raise ``ValueError``. The profile is loaded, and holds the engines ``toy``
        (Lennard-Jones, ASE) and ``lammps-toy``, and the code of the fits.
    :param pattern: regular expression that the one line must match.
    :param outcome: ``error``: one clear sentence, exit code 1 or 2, nothing stored; ``warning``: accepted, with a line
        that matches.
    """

    name: str
    call: tuple[str, ...] | Callable[[], object]
    pattern: str
    outcome: Literal["error", "warning"] = "error"
