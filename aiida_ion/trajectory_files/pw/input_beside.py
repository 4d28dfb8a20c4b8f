"""The input of pw.x next to its output: cell and first positions in full precision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from aiida_ion.trajectory_files.pw.run import PwRun

#: Output and input agree within the digits of the output, angstrom.
DIGITS_A = 1e-3


def with_input_beside(run: PwRun, path: Path, remarks: list[str]) -> PwRun:
    """Return a run with cell and first positions from the input of the same name, if it is of the same crystal.

    An input that cannot be read, or is of another crystal, is ignored with a remark: the output is sufficient.
    """
    stem = path.with_suffix("") if path.suffix == ".gz" else path
    names = [stem.with_suffix(suffix) for suffix in (".in", ".pwi")]
    beside = next((name for name in names if name.is_file() and name != path), None)
    if beside is None:
        return run
    from ase.io import read

    try:
        atoms = read(str(beside), format="espresso-in")
    except Exception as error:  # the reader can raise any exception on a broken file
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        remarks.append(f"{beside.name} next to it cannot be read ({reason}); only the output is used.")
        return run
    head = run.head
    if len(atoms) != len(head.symbols) or not np.allclose(atoms.cell.array, head.cell, atol=DIGITS_A):
        remarks.append(f"WARNING: {beside.name} next to it is of another crystal; only the output is used.")
        return run
    if not np.allclose(atoms.positions, head.positions, atol=DIGITS_A):
        remarks.append(f"WARNING: {beside.name} next to it has other positions; only the output is used.")
        return run
    if run.output.steps[0].unit != "angstrom" or not run.start_is_known:
        return run
    steps = replace(
        run.steps,
        cell=atoms.cell.array,
        positions=np.concatenate([atoms.positions[None], run.steps.positions[1:]]),
    )
    return replace(run, steps=steps)
