"""Crystals for the DFT engines, without AiiDA."""

from __future__ import annotations

from pathlib import Path

import pytest
from ase.build import bulk

from tests.dft.vasp.running import Crystal


@pytest.fixture
def oxide(tmp_path: Path) -> Crystal:
    """Return Li2O with its species interleaved (Li O Li), a little shaken, on the stand-in for VASP."""
    atoms = bulk("OLi2", "fluorite", a=4.62)[[1, 0, 2]]
    atoms.rattle(0.02, seed=3)
    return Crystal(atoms, tmp_path)
