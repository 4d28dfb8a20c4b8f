"""A set of ionic models with known diffusivity: lattices x force fields, each with its run, as ordinary provenance.

The materials train and test what predicts the mean squared displacement from forces. Their geometries repeat and their
force fields do not, so that the geometry alone does not say how fast lithium is. One call of `ion.conductivity` each:
the ions are relaxed, then two runs with different velocities at one temperature, then the fit; where it knows too
little, the runs go on.

With the profile that `aiida-ion setup` made, and the engine of `aiida-ion engine install lammps`:

    python examples/ionic_models.py --n-materials 240 --group ionic-models

Stop it at any time and run it again: what the group holds is not computed again.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from aiida import load_profile, orm
from aiida.engine import submit
from aiida.plugins import WorkflowFactory
from ionic_materials import Material, draw

from aiida_ion.queries import Selection, diffusion

#: Slope of the mean squared displacement in angstrom^2/ps for a diffusivity of 1 cm^2/s.
SLOPE_A2_PS = 6.0e4
#: Which material of which set a work chain is for.
EXTRA = "ionic_model"
POLL_S = 5.0
REPORT_S = 60.0
#: Distance of neighbouring lithium sites, angstrom; from 2.4 to 2.9 in these lattices.
JUMP_A = 2.5
#: Lithium rattles by up to 1 angstrom in wide sites, which flattens the log of the MSD where it is a few angstrom^2.
MIN_LOG_LOG_SLOPE = 0.6
#: Rough cost of a time step on one core, s per atom.
STEP_S_ATOM = 2.5e-6


def main(arguments: list[str] | None = None) -> None:
    requested = parse(arguments)
    if requested.dry_run:
        describe(requested)
        return
    load_profile()
    group, _ = orm.Group.collection.get_or_create(label=requested.group)
    fill(group, requested)
    report(group)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n-materials", type=int, default=240, help="materials in all, those of earlier calls too")
    parser.add_argument("--group", default="ionic-models", help="label of the AiiDA group they are put into")
    parser.add_argument("--seed", type=int, default=1, help="another number, another set")
    parser.add_argument("--min-charge-scale", type=float, default=0.15, help="higher ones make slower materials")
    parser.add_argument("--temperature-K", type=float, default=1000.0)
    parser.add_argument("--first-time-ps", type=float, default=40.0, help="length of each of the two runs at first")
    parser.add_argument("--max-time-ps", type=float, default=320.0, help="and at most, for what is slow")
    parser.add_argument("--target-relative-error", type=float, default=0.15, help="of the diffusivity: enough is known")
    parser.add_argument("--equilibration-ps", type=float, default=4.0, help="what is left out at its start")
    parser.add_argument("--max-concurrent", type=int, default=3, help="materials at a time")
    parser.add_argument("--dry-run", action="store_true", help="say what the materials are, and run nothing")
    return parser.parse_args(arguments)


def describe(arguments: argparse.Namespace) -> None:
    """Print the materials and what they cost."""
    seconds_per_ps = 0.0
    for index in range(arguments.n_materials):
        material = draw(arguments.seed, index, arguments.min_charge_scale)
        seconds_per_ps += 2 * len(material.atoms) * STEP_S_ATOM * 1000 / material.timestep_fs
        numbers = ", ".join(f"{name} {value:.3g}" for name, value in material.numbers.items())
        formula = material.atoms.get_chemical_formula()
        print(f"{material.label}: {material.lattice}, {formula}, {len(material.atoms)} atoms, {numbers}")
    low, high = (seconds_per_ps * time_ps / 3600 for time_ps in (arguments.first_time_ps, arguments.max_time_ps))
    print(f"{arguments.n_materials} materials, {low:.1f} to {high:.1f} hours of one core for the runs alone")


def fill(group: orm.Group, arguments: argparse.Namespace) -> None:
    """Submit what the group lacks, some at a time, and wait for all."""
    last_report = 0.0
    while True:
        there = {node.base.extras.get(EXTRA): node.is_terminated for node in group.nodes}
        labels = [f"{arguments.seed}-{index:04d}" for index in range(arguments.n_materials)]
        missing = [index for index, label in enumerate(labels) if label not in there]
        n_running = sum(not is_terminated for is_terminated in there.values())
        for index in missing[: max(0, arguments.max_concurrent - n_running)]:
            node = submit(builder(draw(arguments.seed, index, arguments.min_charge_scale), arguments))
            node.base.extras.set(EXTRA, labels[index])
            group.add_nodes(node)
        if time.monotonic() - last_report > REPORT_S:
            last_report = time.monotonic()
            n_done = sum(there.get(label, False) for label in labels)
            print(f"{time.strftime('%H:%M:%S')}  {n_done} of {arguments.n_materials} done", flush=True)
        if not missing and not n_running:
            return
        time.sleep(POLL_S)


def builder(material: Material, arguments: argparse.Namespace) -> Any:
    """Return the inputs of one material."""
    md = {
        "timestep_fs": material.timestep_fs,
        "equilibration_fs": arguments.equilibration_ps * 1000,
        "sample_every": round(100.0 / material.timestep_fs),
    }
    made = WorkflowFactory("ion.conductivity").get_builder_from_protocol(
        structure=orm.StructureData(ase=material.atoms),
        engine="ion.md.lammps",
        protocol="fast",
        overrides={
            "temperatures_K": [arguments.temperature_K],
            "seeds": [1, 2],
            "supercell": [1, 1, 1],
            "max_concurrent": 2,
            "target_relative_error": arguments.target_relative_error,
            "first_time_ps": arguments.first_time_ps,
            "max_time_ps": arguments.max_time_ps,
            "mobile_species": "Li",
            "charges": material.charges,
            "md": md,
            "diffusion": {"jump_distance_A": JUMP_A, "min_log_log_slope": MIN_LOG_LOG_SLOPE},
        },
        code=orm.load_code("lammps@localhost"),
        potential=material.potential,
        diffusion_code=orm.load_code("kinisi@localhost"),
    )
    made.metadata.label = material.label
    made.metadata.description = f"{material.lattice}: {material.numbers}"
    return made


def report(group: orm.Group) -> None:
    """Print how the set is spread."""
    table = labels_of(group)
    print(f"{group.label}: {group.count()} materials, {len(table)} fits")
    outcomes = Counter(table["verdict"].where(table["refused_because"].isna(), "refused"))
    print(", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())))
    used = table[table["refused_because"].isna() & table["log10_slope"].notna()]
    edges = np.arange(-3.0, 3.0, 0.5)
    for low in edges:
        within = used[(used["log10_slope"] >= low) & (used["log10_slope"] < low + 0.5)]
        n_censored = int((within["verdict"] == "bound").sum())
        print(f"{low:+.1f} {'#' * (len(within) - n_censored)}{'<' * n_censored}")
    print("log10 of the slope in angstrom^2/ps; < is an upper bound")


def labels_of(group: orm.Group) -> pd.DataFrame:
    """Return the fits of a group with the logarithm of the slope, or of its upper bound."""
    table = diffusion(Selection(group=group.label)).query("not superseded").copy()
    value = table["tracer_diffusivity_cm2_s"].fillna(table["tracer_diffusivity_upper_bound_cm2_s"])
    slopes = pd.to_numeric(value) * SLOPE_A2_PS
    table["log10_slope"] = np.log10(slopes.where(slopes > 0))
    return table


if __name__ == "__main__":
    main()
