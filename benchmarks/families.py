"""Families of fast students at equal labels: one crystal, one teacher, SevenNet-0, and one training of each family.

    python benchmarks/families.py --engines .engines

Each family is an ``ion.student`` of a single loop. The teacher's runs and labels have the same inputs for all of them,
so that AiiDA computes them once and serves the others from its cache. A row per family: CPU time of a step of molecular
dynamics by the route that the family's runs take (LAMMPS for POD, ASE for the others), force error on the teacher's own
run that nothing was trained on, CPU time of the training, and how many of the runs at 1.1 of the highest temperature
survived: no explosion, and no pair of atoms closer than in any frame that was trained on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from students import BIN, CRYSTALS

PROFILE = "ion-families"
#: Enough to compare, short enough for two cores: steps of the teacher's runs, and the first stage of the students'.
PARAMETERS = {"n_train_steps": 100, "n_validation_steps": 40, "n_test_steps": 60, "explore_ps": 0.5, "max_loops": 1}
#: Any error is accepted, so that what decides is survival.
ANY_ERROR = {"target_force_fraction": 1.0}
SETTINGS: dict[str, dict[str, Any]] = {"pod": {}, "allegro": {"n_epochs": 100}, "mace": {"n_epochs": 60}}
#: Length of the runs that must survive, ps: less for what is slow.
LENGTHS_PS = {"pod": 20.0, "allegro": 20.0, "mace": 2.0}
COLUMNS = (
    "family",
    "CPU ms per atom and step",
    "times faster",
    "force MAE eV/A (of mean force)",
    "slope",
    "training CPU s",
    "survived",
    "lengths ps",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", type=Path, default=Path(".engines"), help="folder of the environments")
    parser.add_argument("--crystal", choices=list(CRYSTALS), default="Li3N")
    parser.add_argument("--families", nargs="+", choices=list(SETTINGS), default=list(SETTINGS))
    parser.add_argument("--parameters", type=json.loads, default={}, help="other parameters of ion.student, JSON")
    parser.add_argument("--settings", type=json.loads, default={}, help='by family, such as {"mace": {"n_epochs": 20}}')
    parser.add_argument("--lengths-ps", type=json.loads, default={}, help='by family, such as {"pod": 100}')
    parser.add_argument("--folder", type=Path, help="keep the profile here; what it has is not computed again")
    given = parser.parse_args()
    os.environ["AIIDA_ION_ENGINES"] = str(given.engines.absolute())
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AIIDA_PATH"] = str((given.folder or Path(folder)).absolute())
        subprocess.run([str(BIN / "aiida-ion"), "setup", "--profile-name", PROFILE, "--no-daemon"], check=True)
        rows = [compared(family, given) for family in given.families]
    print(f"\n| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    print("\n".join(rows))


def compared(family: str, given: Any) -> str:
    """Train a family, run it, and return its row of the table."""
    from aiida import load_profile, orm
    from aiida.engine import run_get_node

    from aiida_ion.campaigns.training.student import StudentRequest, student_builder

    load_profile(PROFILE)
    build, temperature_K, multiples = CRYSTALS[given.crystal]
    lengths, settings = LENGTHS_PS | given.lengths_ps, SETTINGS | given.settings
    parameters = PARAMETERS | ANY_ERROR | {"max_temperature_K": temperature_K, "supercell": multiples}
    parameters |= {"acceptance_ps": float(lengths[family])} | given.parameters
    request = StudentRequest("sevenn", family=family, parameters=parameters, settings=settings[family])
    node = run_get_node(student_builder(orm.StructureData(ase=build()), request))[1]
    print(f"\n{family}: {node.exit_message or 'all its runs survived'}", flush=True)
    if "report" not in node.outputs:
        return f"| {family} | - | - | - | - | - | - | {node.exit_message} |"
    return row(family, node)


def row(family: str, node: Any) -> str:
    """Return a family as a row of a Markdown table."""
    about = node.outputs.report.base.attributes.all
    last, speeds, n_atoms = about["history"][-1], about["steps_per_cpu_s"], len(node.outputs.supercell.sites)
    training = next(one for one in node.called if one.process_type.endswith(("ion.train", "ion.lammps_train")))
    # The program that fits POD says the time of its one thread only.
    spent, runs = training.outputs.cost.get_dict(), last["runs"]
    cells = (
        family,
        f"{1000 / speeds['student'] / n_atoms:.3f}",
        f"{speeds['student'] / speeds['teacher']:.0f}",
        f"{last['force_mae_eV_A']:.3f} ({last['force_mae_eV_A'] / last['target_eV_A']:.2f})",
        f"{last['slope']:.3f}",
        f"{spent.get('cpu_time_s') or spent['fit_time_s']:.3g}",
        f"{sum(run['ended'] == 'survived' for run in runs)} of {len(runs)}",
        ", ".join(f"{run['survived_ps']:.2g} of {run['length_ps']:g}" for run in runs),
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
