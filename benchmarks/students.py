"""Fast students of SevenNet-0 for three crystals: what they cost, how exact they are, and whether their runs survive.

    python benchmarks/students.py --engines .engines --crystals Li3N Li2O Li6PS5Cl

Each student is one ``ion.student`` work chain; its report is printed as the command ``aiida-ion show`` prints it, and a
row of a table at the end. CPU hours are those of all jobs, labels included.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.build import bulk
from ase.spacegroup import crystal

PROFILE = "ion-students"
BIN = Path(sys.executable).parent


def li3n() -> Atoms:
    """Return alpha-Li3N (Rabenau, Schulz, J. Less-Common Met. 50, 155 (1976))."""
    scaled = [(0, 0, 0), (0, 0, 0.5), (1 / 3, 2 / 3, 0), (2 / 3, 1 / 3, 0)]
    return Atoms("NLi3", scaled_positions=scaled, cell=[3.648, 3.648, 3.875, 90, 90, 120], pbc=True)


def li2o() -> Atoms:
    """Return antifluorite Li2O, expanded as at 1000 K."""
    return bulk("OLi2", "fluorite", a=4.72, cubic=True)


def li6ps5cl() -> Atoms:
    """Return ordered argyrodite: lithium on half of 48h, as 24g (Kraft et al., J. Am. Chem. Soc. 139, 10909 (2017))."""
    basis = [(0, 0, 0), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), (0.617, 0.617, 0.617), (0.25, 0.017, 0.25)]
    return crystal(("Cl", "P", "S", "S", "Li"), basis, spacegroup=216, cellpar=[10.28, 10.28, 10.28, 90, 90, 90])


#: Crystal, highest temperature (K) and multiples of its cell.
CRYSTALS: dict[str, tuple[Any, float, list[int]]] = {
    "Li3N": (li3n, 900.0, [3, 3, 2]),
    "Li2O": (li2o, 1000.0, [2, 2, 2]),
    "Li6PS5Cl": (li6ps5cl, 1000.0, [1, 1, 1]),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--engines", type=Path, default=Path(".engines"), help="folder of the environments")
    parser.add_argument("--crystals", nargs="+", choices=list(CRYSTALS), default=list(CRYSTALS))
    parser.add_argument("--acceptance-ps", type=float, default=100.0)
    parser.add_argument("--max-loops", type=int, default=8)
    parser.add_argument("--parameters", type=json.loads, default={}, help="other parameters of ion.student, JSON")
    parser.add_argument("--folder", type=Path, help="keep the profile here")
    given = parser.parse_args()
    os.environ["AIIDA_ION_ENGINES"] = str(given.engines.absolute())
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AIIDA_PATH"] = str((given.folder or Path(folder)).absolute())
        subprocess.run([str(BIN / "aiida-ion"), "setup", "--profile-name", PROFILE], check=True)
        rows = [student(name, given) for name in given.crystals]
    columns = "crystal", "atoms", "CPU h", "labels", "trainings", "force MAE eV/A (of mean force)", "slope"
    print(f"\n| {' | '.join(columns)} | survived ps | faster |")
    print("|---|---|---|---|---|---|---|---|---|")
    print("\n".join(rows))


def student(name: str, given: Any) -> str:
    """Make a student of a crystal, print its report, and return its row of the table."""
    from aiida import load_profile, orm
    from aiida.engine import run_get_node

    from aiida_ion.campaigns.training.student import StudentRequest, student_builder
    from aiida_ion.cli.text.students import student_lines

    load_profile(PROFILE)
    build, temperature_K, multiples = CRYSTALS[name]
    parameters = {
        "max_temperature_K": temperature_K,
        "supercell": multiples,
        "acceptance_ps": given.acceptance_ps,
        "max_loops": given.max_loops,
    }
    request = StudentRequest(teacher="sevenn", parameters=parameters | given.parameters)
    node = run_get_node(student_builder(orm.StructureData(ase=build()), request))[1]
    print(f"\n{name}: {node.exit_message or 'accepted'}", flush=True)
    if "report" not in node.outputs:
        return f"| {name} | - | - | - | - | - | - | {node.exit_message} | - |"
    print("\n".join(student_lines(node.outputs.report)), flush=True)
    return row(name, node)


def row(name: str, node: Any) -> str:
    """Return a student as a row of a Markdown table."""
    about = node.outputs.report.base.attributes.all
    last, speeds = about["history"][-1], about["steps_per_cpu_s"]
    faster = "-" if None in speeds.values() else f"{speeds['student'] / speeds['teacher']:.0f}"
    fraction = last["force_mae_eV_A"] / last["target_eV_A"] * about.get("target_force_fraction", 0.15)
    cells = (
        name,
        str(len(node.outputs.supercell.sites)),
        f"{about['cpu_time_s'] / 3600:.2f}",
        str(about["n_labels"]),
        str(last["training"]),
        f"{last['force_mae_eV_A']:.3f} ({fraction:.2f})",
        f"{last['slope']:.3f}",
        ", ".join(f"{run['survived_ps']:.0f}" for run in last["runs"]),
        faster,
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
