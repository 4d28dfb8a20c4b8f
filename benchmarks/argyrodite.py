"""D of ordered Li6PS5Cl against crystals with half of S and Cl exchanged, by a student of SevenNet-0.

    python benchmarks/argyrodite.py --engines .engines --folder argyrodite

Everything is a command of ``aiida-ion`` in a profile of its own in ``--folder``: order the exchanged crystal, train a
student that runs both, register it, run both, compare. Call it again to continue: what is in the profile is not
computed again. ``--stages`` runs some of them, and ``--set`` changes the settings below, such as
``--set '{"exchanged_ps": 10}'``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.own_profile import (
    aiida_ion,
    arguments,
    overrides_file,
    own_profile,
    processes,
    registered,
    run_stages,
)

PROFILE = "argyrodite"
STUDENT, ORDERED, EXCHANGED = "student", "ordered", "exchanged"
STAGES = ("cells", "student", "beside", "ordered", "exchanged", "report")
#: The conventional cell.
ORDERING = {"max_atoms": 60, "min_width_A": 9.8}

#: What is run; ``--set`` changes it.
SETTINGS: dict[str, Any] = {
    "teacher": "sevenn",
    "lattice_A": 10.28,
    "ordered_temperatures_K": [700, 775, 840, 900],
    "exchanged_temperatures_K": [500, 650, 775, 900],
    "target_temperature_K": 300,
    # Ordered cells of the exchanged crystal; the student is trained on the first of them and on the ordered crystal.
    "members": 5,
    "trained_members": 1,
    "ordered_seeds": [1, 2],
    "ordered_ps": 100.0,
    "exchanged_ps": 40.0,
    "equilibration_ps": 4.0,
    "timestep_fs": 2.0,
    "student": {
        "max_temperature_K": 1000.0,
        "supercell": [1, 1, 1],
        "n_train_steps": 160,
        "n_validation_steps": 60,
        "n_test_steps": 140,
        "generate": {"n_rattled": 8, "n_strained": 8},
        "explore_ps": 3.0,
        "acceptance_ps": 30.0,
        "n_seeds": 4,
        "n_spread_frames": 12,
    },
    "student_settings": {},
}

#: The ordered crystal (Kraft et al., J. Am. Chem. Soc. 139, 10909 (2017)): lithium on half of 48h, as 24g.
SITES = [
    ("Cl", 0.0, 0.0, 0.0, 1.0),
    ("P", 0.5, 0.5, 0.5, 1.0),
    ("S", 0.25, 0.25, 0.25, 1.0),
    ("S", 0.617, 0.617, 0.617, 1.0),
    ("Li", 0.25, 0.017, 0.25, 1.0),
]
#: Half of Cl on 4a and half of S on 4c exchanged; lithium on both halves of 48h.
EXCHANGED_SITES = [
    ("Cl", 0.0, 0.0, 0.0, 0.5),
    ("S", 0.0, 0.0, 0.0, 0.5),
    ("P", 0.5, 0.5, 0.5, 1.0),
    ("S", 0.25, 0.25, 0.25, 0.5),
    ("Cl", 0.25, 0.25, 0.25, 0.5),
    ("S", 0.617, 0.617, 0.617, 1.0),
    ("Li", 0.19, 0.19, 0.02, 0.5),
]


def main() -> None:
    given, settings = arguments(__doc__, STAGES, SETTINGS)
    with own_profile(PROFILE, given.folder, given.engines, [settings["teacher"], "lammps"]):
        files = write_cifs(given.folder, settings["lattice_A"])
        stages = {
            "cells": lambda: order_cells(settings, files),
            "student": lambda: make_student(settings, files),
            "beside": beside_teacher,
            "ordered": lambda: run(settings, files, ORDERED),
            "exchanged": lambda: run(settings, files, EXCHANGED),
            "report": report,
        }
        run_stages(given.stages, stages)


def write_cifs(folder: Path, lattice_A: float) -> dict[str, Path]:
    """Write both crystals, and return their files."""
    files = {}
    for name, sites in ((ORDERED, SITES), (EXCHANGED, EXCHANGED_SITES)):
        files[name] = folder / f"{name}.cif"
        rows = [
            f"{element}{number} {element} {x} {y} {z} {occ}" for number, (element, x, y, z, occ) in enumerate(sites)
        ]
        head = [
            "data_Li6PS5Cl",
            *(f"_cell_length_{axis} {lattice_A}" for axis in "abc"),
            *(f"_cell_angle_{angle} 90" for angle in ("alpha", "beta", "gamma")),
            "_symmetry_space_group_name_H-M 'F -4 3 m'",
            "_symmetry_Int_Tables_number 216",
            "loop_",
            *(f"_atom_site_{key}" for key in ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")),
        ]
        files[name].write_text("\n".join([*head, *rows]) + "\n")
    return files


def order_cells(settings: dict[str, Any], files: dict[str, Path]) -> None:
    """Draw the ordered cells of the exchanged crystal, of which the first are trained on."""
    if not drawn_cells():
        more = json.dumps(ORDERING)
        aiida_ion("order", files[EXCHANGED], "--n", settings["members"], "--settings", more, "--run")


def drawn_cells() -> list[int]:
    """Return the pks of the ordered cells, in their order; none if they were not drawn."""
    jobs = [job for job in processes("ion.order_structure") if job.is_finished_ok]
    if not jobs:
        return []
    outputs = jobs[0].outputs.orderings
    return [outputs[label].pk for label in sorted(outputs)]


def make_student(settings: dict[str, Any], files: dict[str, Path]) -> None:
    """Train the student of both crystals, and register it, also where not all of its runs survived."""
    if STUDENT in registered():
        return print("the student is registered")
    also = [word for pk in drawn_cells()[: settings["trained_members"]] for word in ("--also", pk)]
    parameters = json.dumps(settings["student"])
    aiida_ion(
        *("potential", "student", files[ORDERED], *also, "--teacher", settings["teacher"], "--wait"),
        *("--parameters", parameters, "--settings", json.dumps(settings["student_settings"])),
        check=False,
    )
    chain = processes("ion.student")[-1]
    if "report" not in chain.outputs:
        raise SystemExit(f"no student: {chain.exit_message}")
    unaccepted = [] if chain.is_finished_ok else ["--unaccepted"]
    aiida_ion("potential", "register", chain.pk, "--name", STUDENT, *unaccepted)
    return None


def beside_teacher() -> None:
    """Compare the student with its teacher in both crystals."""
    from benchmarks.beside_teacher import print_beside_teacher

    print_beside_teacher(processes("ion.student")[-1], processes("ion.lammps_train")[-1])


def run(settings: dict[str, Any], files: dict[str, Path], name: str) -> None:
    """Run the ordered crystal, or the cells of the exchanged one, and print the conductivity."""
    fits = {"diffusion": {"collective": False, "green_kubo": False}}
    more: tuple[Any, ...] = ("--supercell", "1,1,1", "--seeds", ",".join(map(str, settings["ordered_seeds"])))
    if name == EXCHANGED:
        more = ("--orderings", settings["members"], "--ordering-settings", json.dumps(ORDERING))
    aiida_ion(
        *("run", files[name], "--engine", STUDENT, *more, "--mobile-species", "Li"),
        *("--temperatures", ",".join(map(str, settings[f"{name}_temperatures_K"]))),
        *("--target-temperature-K", settings["target_temperature_K"]),
        *("--time-ps", settings[f"{name}_ps"], "--equilibration-ps", settings["equilibration_ps"]),
        *("--timestep-fs", settings["timestep_fs"], "--overrides", overrides_file(files[name].parent, fits), "--wait"),
        check=False,
    )


def report() -> None:
    """Print the student, D of both at each temperature and at the target temperature, and their ratios."""
    from aiida_ion.cli.text.students import student_lines

    for chain in processes("ion.student")[-1:]:
        lines = student_lines(chain.outputs.report) if "report" in chain.outputs else ["The student has no report."]
        print("\n".join(lines))
    exchanged, ordered = (process.outputs for process in (processes("ion.ensemble")[-1], ordered_run()))
    sides = [dict(one.diffusion) if "diffusion" in one else {} for one in (exchanged, ordered)]
    print("\n| T, K | D* ordered, cm2/s | D* exchanged, cm2/s | between members, decades | ratio |")
    print("|---|---|---|---|---|")
    for label in sorted(set(sides[0]) | set(sides[1])):
        print(f"| {temperature_row(*(side.get(label) for side in sides))} |")
    results = [one.conductivity for one in (exchanged, ordered) if "conductivity" in one]
    if len(results) == len(sides):
        print(f"| {target_row(*results)} |")
    for one in results:
        words = {name: value for name, value in one.base.attributes.all.items() if name in SHOWN}
        print(json.dumps(words, indent=1))


#: What is printed of both conductivities.
SHOWN = (
    *("formula", "activation_energy_eV", "activation_energy_ci95_eV", "ionic_conductivity_mS_cm", "warnings"),
    *("ionic_conductivity_ci95_mS_cm", "ionic_conductivity_upper_bound_mS_cm", "verdict", "reason", "members"),
    *("member_std_decades", "between_members_std_decades", "within_members_std_decades", "max_over_min_of_members"),
)


def ordered_run() -> Any:
    """Return the conductivity of the ordered crystal: the last that is of no ensemble."""
    return [node for node in processes("ion.conductivity") if node.caller is None][-1]


def temperature_row(exchanged: Any, ordered: Any) -> str:
    """Return both diffusivities at a temperature and their ratio, as cells of a table; ``None`` where one has none."""
    from aiida_ion.analysis.comparison.ratios import Quantity, ratio
    from aiida_ion.calculations.comparison.transport import diffusivity_of

    about = [{} if node is None else node.base.attributes.all for node in (exchanged, ordered)]
    sides = [
        Quantity() if node is None else diffusivity_of(node, one)
        for node, one in zip((exchanged, ordered), about, strict=True)
    ]
    return " | ".join(
        [
            f"{(about[0] or about[1])['target_temperature_K']:g}",
            *(value_words(one, "tracer_diffusivity", "cm2_s") for one in reversed(about)),
            spread_words(about[0]),
            "-" if None in (exchanged, ordered) else ratio_words(ratio(*sides)),
        ]
    )


def target_row(exchanged: Any, ordered: Any) -> str:
    """Return the same at the target temperature, where both are extrapolated."""
    from aiida_ion.analysis.comparison.ratios import Quantity, ratio

    about = [node.base.attributes.all for node in (exchanged, ordered)]
    sides = []
    for node, one in zip((exchanged, ordered), about, strict=True):
        has_samples = "log10_diffusivity_samples_cm2_s" in node.get_arraynames()
        samples = 10.0 ** node.get_array("log10_diffusivity_samples_cm2_s").astype(float) if has_samples else None
        bound = one.get("tracer_diffusivity_upper_bound_cm2_s")
        sides.append(Quantity(samples=samples, upper_bound=None if has_samples else bound))
    return " | ".join(
        [
            f"{about[0]['target_temperature_K']:g}, extrapolated",
            *(value_words(one, "tracer_diffusivity", "cm2_s") for one in reversed(about)),
            spread_words(about[0]),
            ratio_words(ratio(*sides)),
        ]
    )


def spread_words(attributes: Any) -> str:
    """Return the standard deviation between members, in decades."""
    spread = attributes.get("member_std_decades")
    return "-" if spread is None else f"{spread:.2f}"


def value_words(attributes: Any, name: str, unit: str) -> str:
    """Return a value with its interval, or its bound."""
    value, ci95 = attributes.get(f"{name}_{unit}"), attributes.get(f"{name}_ci95_{unit}")
    if value is None:
        bound = attributes.get(f"{name}_upper_bound_{unit}")
        return "-" if bound is None else f"below {bound:.2g}"
    return f"{value:.2g} [{ci95[0]:.2g}, {ci95[1]:.2g}]"


def ratio_words(quotient: Any) -> str:
    """Return a ratio with its interval, or what bounds it."""
    if quotient.ratio is not None:
        low, high = quotient.ci95
        return f"{quotient.ratio:.3g} [{low:.2g}, {high:.2g}]"
    if quotient.lower_bound is not None:
        return f"above {quotient.lower_bound:.2g}"
    return f"below {quotient.upper_bound:.2g}" if quotient.upper_bound is not None else str(quotient.reason)


if __name__ == "__main__":
    main()
