"""Trains a potential: ``python -m aiida_ion.runners.trainers.train`` beside its inputs.

Reads ``inputs.json`` (``plan``: the parameters of ``ion.train``; ``parent``: as ``potential`` of the other programs,
or null; ``threads``, ``max_seconds``) and the labelled frames ``train.extxyz``, ``validation.extxyz`` and
``test.extxyz`` (energies in eV, forces in eV/angstrom, stresses in eV/angstrom^3). The family's own program trains in
the folder ``trainer``; what it printed is ``trainer.log``.

Writes the potential, ``predictions.npz`` (its energies and forces on all frames for validation and test and on some for
training, evaluated as molecular dynamics does, and those of the parent), ``curve.npz``, ``progress.json`` and at last
``results.json``.
"""

from __future__ import annotations

import sys

from aiida_ion.runners.output import run_program
from aiida_ion.runners.trainers.training import train


def main() -> int:
    """Train; the exit status is 0 whenever ``results.json`` was written."""
    return run_program(train)


if __name__ == "__main__":
    sys.exit(main())
