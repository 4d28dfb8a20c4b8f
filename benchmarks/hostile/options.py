"""Options of ``aiida-ion run`` and its like: out of range, of another type, at odds with each other."""

from __future__ import annotations

from pathlib import Path

from ase.build import bulk
from ase.io import write

from benchmarks.hostile.hostile_input import HostileInput

#: Option -> what the line says, and values that it refuses.
RUN: dict[str, tuple[str, tuple[str, ...]]] = {
    "--temperatures": (
        "list of numbers from 1 to 10,000 K",
        (
            "",
            "0",
            "-300",
            "1e9",
            "1e-9",
            "inf",
            "nan",
            "800,800",
            "800;900",
            "800 K",
            "hot",
            "800,,900",
            "1e400",
        ),
    ),
    "--target-temperature-K": ("from 1 to 10,000 K", ("0", "-5", "1e6", "nan", "inf", "warm", "")),
    "--seeds": (
        "whole numbers from 0 to 2,147,483,647",
        ("", "-1", "1.5", "1e23", "100000000000000000000000", "1,1", "nan", "true", "0x10", "1_000"),
    ),
    "--time-ps": ("above 0 and at most 1,000,000 ps", ("inf", "nan", "0", "-1", "1e300", "1e999", "long", "10ps")),
    "--timestep-fs": ("from 0.001 to 100 fs", ("1e-300", "0", "-2", "nan", "1000", "two", "2,0")),
    "--sample-every": ("whole number from 1", ("0", "-1", "1.5", "1e30", "often")),
    "--equilibration-ps": ("from 0 to 1,000,000 ps", ("-1", "inf", "nan", "1e300", "x")),
    "--supercell": (
        "list of 3 whole numbers from 1 to 100",
        ("2,2", "2,2,0", "2,2,2,2", "-1,1,1", "1.5,1,1", "1e9,1,1", "a,b,c", ""),
    ),
    "--min-width-A": ("above 0 and at most 200 angstrom", ("0", "-1", "1e11", "nan", "inf", "wide")),
    "--mobile-species": ("symbol of an element", ("Xx", "", "li", "Li+", "7Li", "D", "Li Na")),
    "--charges": (
        "charges",
        (
            "Li=nan",
            "Li=inf",
            "Li=1,Li=2",
            "Li=",
            "=1",
            "Li",
            "Li:1",
            "Xx=1",
            "Li=1e9",
            "Li=+-1",
            "",
            "Li=1,,O=-2",
            "Li=one",
        ),
    ),
    "--keep": ("velocities, forces", ("stress", "", "velocities,velocities", "Velocities")),
    "--thermostat": ("one of csvr, nose_hoover, langevin", ("berendsen", "", "CSVR")),
    "--ensemble": ("one of nve, nvt, npt", ("nvx", "", "NVT")),
    "--max-concurrent": ("whole number from 1 to 10,000", ("0", "-1", "1e12", "many", "2.5")),
    "--processes": ("whole number from 1", ("0", "-2", "1e9", "x")),
    "--threads": ("whole number from 1", ("0", "-2", "1e9", "1.5")),
    "--walltime-s": ("whole number from 1", ("0", "-60", "1e20", "1h")),
    "--max-force-frames": ("whole number from 1", ("0", "-1", "1e9")),
    "--device": ("cpu, cuda, cuda:1, mps or xpu", ("gpu", "", "cuda:", "cuda:-1", "GPU 0", "cuda;rm")),
    "--protocol": ("protocol", ("quick", "", "Fast", "../fast")),
    "--engine": ("engine", ("", "gold", "no such engine", "a" * 300)),
    "--group": ("--group", ("", "   ", "two\nlines", "bell\x07")),
    "--job-options": (
        "job option|resource|--job-options",
        (
            "not json",
            "[]",
            "3",
            "null",
            '{"queue_name": 5}',
            '{"max_wallclock_seconds": "long"}',
            '{"max_wallclock_seconds": -5}',
            '{"resources": "many"}',
            '{"resources": {"num_machines": -1}}',
            '{"resources": {"num_machines": 0}}',
            '{"resources": {"num_machines": "two"}}',
            '{"resources": {"nodes": 2}}',
            '{"queue": "gpu"}',
            '{"withmpi": "yes"}',
            '{"withmpi": 1}',
            '{"a": NaN}',
            '{"queue_name": "a", "queue_name": "b"}',
            '{"max_memory_kb": -1}',
            '{"environment_variables": ["A=1"]}',
            '{"priority": 3}',
            '{"account": {}}',
            '{"custom_scheduler_commands": 7}',
        ),
    ),
}
#: What goes with a target alone.
TARGET: dict[str, tuple[str, tuple[str, ...]]] = {
    "--target-relative-error": ("above 0 and at most 10", ("0", "-0.1", "nan", "inf", "20%", "100")),
    "--target-quantity": ("one of tracer_diffusivity, ionic_conductivity", ("haven_ratio", "")),
    "--first-time-ps": ("above 0", ("0", "-1", "nan", "inf")),
    "--max-time-ps": ("above 0", ("0", "-1", "nan", "1e300")),
    "--max-rounds": ("whole number from 1 to 1,000", ("0", "-1", "1.5", "1e9")),
    "--max-total-time-ps": ("above 0", ("0", "-1", "nan", "inf")),
}
#: Names -> options that are each possible and do not go together, and what the line says.
TOGETHER: dict[str, tuple[tuple[str, ...], str]] = {
    "equilibration longer than the run": (("--time-ps", "2", "--equilibration-ps", "3"), "leaves nothing of a run"),
    "equilibration as long as the run": (("--time-ps", "2", "--equilibration-ps", "2"), "leaves nothing of a run"),
    "a run of less than a step": (("--time-ps", "0.001", "--timestep-fs", "2"), "less than one step"),
    "frames further apart than the run is long": (("--sample-every", "100000000"), "frames"),
    "a billion steps and all frames": (("--time-ps", "1e6", "--sample-every", "1"), "GB|TB"),
    "a target and a length": (
        ("--target-relative-error", "0.2", "--time-ps", "5"),
        "--first-time-ps and --max-time",
    ),
    "a budget without a target": (("--max-time-ps", "5"), "--target-relative-error"),
    "a first round longer than the longest": (
        ("--target-relative-error", "0.2", "--first-time-ps", "20", "--max-time-ps", "10"),
        "less than the first round",
    ),
    "a budget below the first round": (
        ("--target-relative-error", "0.2", "--max-total-time-ps", "1"),
        "less than the first round",
    ),
    "charges that are not neutral": (("--charges", "Li=1,O=-1"), "not neutral"),
    "charges of an absent element": (("--charges", "Na=1"), "does not contain"),
    "no charge on the mobile ion": (("--charges", "Li=0,O=0"), "charge"),
    "a mobile ion that is absent": (("--mobile-species", "Na"), "no Na"),
    "the potential of another engine": (("--potential", "pedone-2006"), "for LAMMPS"),
    "a reference that does not run": (
        ("--engine", "lammps-toy", "--reference", "gold"),
        "reference|potential",
    ),
    "more threads than cores": (("--threads", "5000"), "cores"),
    "more processes than cores": (("--processes", "5000"), "cores"),
}


def inputs(folder: Path) -> list[HostileInput]:
    """Return bad options, on a good crystal."""
    crystal = folder / "Li2O.cif"
    write(crystal, bulk("OLi2", "fluorite", a=4.62))
    run = ("run", str(crystal), "--engine", "toy", "--protocol", "fast", "--dry-run")
    results = [
        HostileInput(f"run {option} {value[:40]!r}", (*run, option, value), pattern)
        for option, (pattern, values) in RUN.items()
        for value in values
    ]
    target = ("--target-relative-error", "0.2")
    results += [
        HostileInput(
            f"run {option} {value!r}",
            (*run, *(() if option == target[0] else target), option, value),
            pattern,
        )
        for option, (pattern, values) in TARGET.items()
        for value in values
    ]
    results += [HostileInput(f"run with {name}", (*run, *more), pattern) for name, (more, pattern) in TOGETHER.items()]
    results += [
        HostileInput("run with a step of 20 fs", (*run, "--timestep-fs", "20"), "20 fs is long for Li", "warning"),
        HostileInput("run at 9,000 K", (*run, "--temperatures", "9000"), "9,000 K", "warning"),
        HostileInput("run without engine", run[:2], "--engine"),
        HostileInput("run without a crystal", ("run", "--engine", "toy"), "STRUCTURE"),
        HostileInput("run with an unknown option", (*run, "--temperature", "800"), "--temperature"),
        HostileInput("an unknown command", ("runn",), "runn"),
        HostileInput("an empty command", ("",), "command"),
    ]
    return results
