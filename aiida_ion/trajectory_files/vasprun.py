"""Molecular dynamics of VASP from its ``vasprun.xml``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from aiida_ion.dft.vasp_functional import functional_name
from aiida_ion.dft.vasp_output import Start, VaspFiles
from aiida_ion.dft.vasp_xml import Vasprun
from aiida_ion.trajectory_files.dft_output import DftOutput, enough_steps
from aiida_ion.trajectory_files.opening import unpacked

#: VASP's molecular dynamics with a thermostat: one of these algorithms, or a Nose mass.
THERMOSTATS = (2, 3, 4, 5, 13)


def read_vasp(path: Path) -> DftOutput:
    """Return the molecular dynamics of a ``vasprun.xml``, which may be cut anywhere.

    :raises ValueError: if it holds no molecular dynamics at constant volume.
    """
    with _as_vasp_folder(path) as folder:
        files = VaspFiles(folder)
        run = files.run
        if run.number("IBRION") not in (None, 0.0):
            raise ValueError(f"it is no molecular dynamics (IBRION = {run.number('IBRION'):g})")
        symbols = [block["symbol"] for block in run.blocks for _ in range(block["count"])]
        masses = np.array([block["mass"] for block in run.blocks for _ in range(block["count"])])
        if not len(run) or len(symbols) != run.positions.shape[1]:
            raise ValueError("it holds no whole ionic step")
        begin = Start(run.positions[0] @ run.cell, np.zeros((len(symbols), 3)), 0, np.arange(len(symbols)), masses)
        steps, bad = files.steps(begin), run.unconverged()
    assert steps is not None
    kept, remarks = steps if bad is None else steps.rows(0, bad), []
    if bad is not None:
        remarks.append(f"WARNING: the electrons of step {bad} did not converge; the {bad} steps before are taken.")
    return DftOutput(symbols, enough_steps(kept), masses, _vasp_facts(run), remarks)


def _vasp_facts(run: Vasprun) -> dict[str, Any]:
    tags = {name.lower(): value for name, value in run.parameters.items()}
    level = f"VASP {functional_name(tags, [str(block['title']) for block in run.blocks])}"
    facts: dict[str, Any] = {"timestep_fs": run.number("POTIM"), "sample_every": 1, "level_of_theory": level}
    begin, end, mass = (run.number(name) for name in ("TEBEG", "TEEND", "SMASS"))
    thermostat = int(run.number("MDALGO") or 0) in THERMOSTATS or (mass is not None and mass >= 0)
    if thermostat and begin is not None and begin == (begin if end is None else end):
        facts["target_temperature_K"] = begin
    return facts


@contextmanager
def _as_vasp_folder(path: Path) -> Iterator[Path]:
    """Give a vasprun.xml of any name the name that it has in VASP's folder."""
    with unpacked(path) as file, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "vasprun.xml").symlink_to(file.absolute())
        yield Path(folder)
