"""From DFT molecular dynamics to tracer and collective conductivity by Allegro, and what it saves.

Every step is a command of aiida-ion, which is printed before it runs:

1. hot DFT molecular dynamics of a small cell, and single points of displaced and strained copies;
2. a dataset, and a small Allegro that scouts: its own runs are labelled by DFT, one to train on, one to test on;
3. Allegro of two sizes, trained on everything, registered as engines;
4. long runs of a larger cell at lower temperatures, one for each seed;
5. a table: what survived, diffusivity, both conductivities, Haven ratio, and CPU time beside that of DFT.

In a profile that `aiida-ion setup` made, with an engine that labels and the environment `nequip`:

    aiida-ion engine add dft --executable pw.x --kpoints 2,2,2 --shift-kpoints --pseudos FILE --pseudos FILE
    python examples/dft_to_allegro.py --dry-run
    python examples/dft_to_allegro.py

Stop it at any time and run it again: what the group holds is not computed again, and what runs is waited for.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from aiida import load_profile, orm
from ase.build import bulk
from ase.io import write
from dft_to_allegro_steps import Steps, run_of_seed
from dft_to_allegro_table import report

from aiida_ion.engines.engine import load_engine

#: Shapes of both sizes. In the talk that this follows they have about 24,500 and 91,100 weights; these are scaled down.
#: Within the cut-off no atom sees its own image in a cell of 4.8 angstrom.
SIZES: dict[str, dict[str, Any]] = {
    "small": {"cutoff_A": 4.5, "n_layers": 1, "n_scalars": 16, "n_tensors": 4, "l_max": 1},
    "medium": {"cutoff_A": 4.5, "n_layers": 2, "n_scalars": 32, "n_tensors": 8, "l_max": 2},
}
#: Antifluorite Li2O, expanded as when it is hot, angstrom.
LATTICE_A = 4.80


def main(arguments: list[str] | None = None) -> None:
    given = parse(arguments)
    load_profile(given.profile)
    steps = Steps(given.group, given.profile, given.dry_run)
    crystal = crystal_of(given, steps)
    sources = first_labels(crystal, given, steps)
    for number in range(1, given.rounds + 1):
        scout = trained("scout", sources, given, steps, f"{given.name}-scout-{number}")
        sources = own_frames(crystal, scout, number, sources, given, steps)
    engines = {size: trained(size, sources, given, steps, f"{given.name}-{size}") for size in given.sizes.split(",")}
    long_runs = {size: production(crystal, engine, given, steps) for size, engine in engines.items()}
    if not given.dry_run:
        report(sources, long_runs)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--structure", help="cell for DFT, a file or a pk (default: 12 atoms of Li2O)")
    parser.add_argument("--dft", default="dft", help="engine that labels, as 'aiida-ion engine list' has it")
    parser.add_argument("--name", default="allegro", help="begins the names of the trained engines")
    parser.add_argument("--group", default="dft-to-allegro", help="label of the AiiDA group that takes everything")
    parser.add_argument("--profile", help="AiiDA profile (default: AiiDA's default profile)")
    parser.add_argument("--dry-run", action="store_true", help="check the DFT runs, print all commands, run nothing")
    dft = parser.add_argument_group("labels")
    dft.add_argument("--dft-temperature-K", type=float, default=4000.0, help="of a start from the perfect lattice")
    dft.add_argument("--dft-seeds", default="1,2", help="one DFT run for each; the last one validates")
    dft.add_argument("--dft-ps", type=float, default=0.09, help="length of each DFT run")
    dft.add_argument("--dft-timestep-fs", type=float, default=3.0)
    dft.add_argument("--stride-fs", type=float, default=9.0, help="time between two frames of a DFT run that are used")
    dft.add_argument("--electrons", default="fast", help="protocol of the DFT: fast, balanced or stringent")
    dft.add_argument("--displaced", type=int, default=10, help="copies of the cell with atoms displaced")
    dft.add_argument("--strained", type=int, default=10, help="the same in strained cells")
    dft.add_argument("--largest-A", type=float, default=0.25, help="largest standard deviation of a displacement")
    dft.add_argument("--rounds", type=int, default=1, help="rounds of runs by a small Allegro that DFT labels")
    dft.add_argument("--own-temperature-K", type=float, default=2500.0, help="of these runs")
    dft.add_argument("--own-ps", type=float, default=5.0, help="length of these runs")
    dft.add_argument("--own-frames", type=int, default=8, help="frames of each of the two that DFT labels")
    dft.add_argument("--at-once", type=int, default=2, help="DFT jobs at a time")
    models = parser.add_argument_group("models")
    models.add_argument("--sizes", default="small,medium", help=f"any of {', '.join(SIZES)}")
    models.add_argument("--epochs", type=int, default=200)
    models.add_argument("--settings", type=json.loads, default={}, help="changes to all sizes, JSON")
    runs = parser.add_argument_group("long runs")
    runs.add_argument("--temperatures", default="1400", help="K, such as 1200,1400,1600")
    runs.add_argument("--seeds", default="1,2,3", help="one run for each at every temperature")
    runs.add_argument("--supercell", default="2,2,2", help="multiples of the cell for DFT")
    runs.add_argument("--time-ps", type=float, default=20.0, help="length of each run")
    runs.add_argument("--equilibration-ps", type=float, default=2.0, help="what is left out at its start")
    runs.add_argument("--timestep-fs", type=float, default=2.0)
    runs.add_argument("--no-watch", action="store_true", help="go on where a run leaves what the model was trained on")
    given = parser.parse_args(arguments)
    unknown = [size for size in given.sizes.split(",") if size not in SIZES]
    if unknown:
        parser.error(f"there is no size {unknown[0]!r}; choose from {', '.join(SIZES)}")
    if len(given.dft_seeds.split(",")) < 2:
        parser.error("give two DFT seeds or more: the last run validates, the others train")
    return given


def crystal_of(given: argparse.Namespace, steps: Steps) -> str:
    """Return the cell for DFT as the commands name it; a new profile gets Li2O as a structure of its own."""
    if given.structure:
        return str(given.structure)
    if given.dry_run:
        path = Path(tempfile.gettempdir()) / "Li2O-dft-to-allegro.vasp"
        write(path, bulk("OLi2", "fluorite", a=LATTICE_A, cubic=True))
        return str(path)
    return str(steps.kept("crystal", lambda: orm.StructureData(ase=bulk("OLi2", "fluorite", a=LATTICE_A, cubic=True))))


def first_labels(crystal: str, given: argparse.Namespace, steps: Steps) -> dict[str, list[str]]:
    """Run and label by DFT; return what trains and what validates, as pks."""
    words = [
        *("run", crystal, "--engine", given.dft, "--protocol", given.electrons, "--no-relax"),
        *("--temperatures", f"{given.dft_temperature_K:g}", "--seeds", given.dft_seeds, "--supercell", "1,1,1"),
        *("--time-ps", f"{given.dft_ps:g}", "--timestep-fs", f"{given.dft_timestep_fs:g}", "--sample-every", "1"),
        *("--equilibration-ps", "0", "--max-concurrent", str(given.at_once)),
        *([] if is_dft(given.dft) else ["--keep", "forces"]),
    ]
    md = steps.done("DFT molecular dynamics", words, may_fail=True, has_dry_run=True)
    *train, validation = [run_of_seed(md, int(seed)) for seed in given.dft_seeds.split(",")]
    words = [
        *("potential", "label", crystal, "--engine", given.dft, "--protocol", given.electrons),
        *("--displaced", str(given.displaced), "--strained", str(given.strained)),
        *("--largest-A", f"{given.largest_A:g}", "--max-concurrent", str(given.at_once)),
    ]
    return {
        "train": [*train, steps.done("displaced and strained copies", words)],
        "validation": [validation],
        "test": [],
    }


def is_dft(engine: str) -> bool:
    """Return whether an engine is DFT, whose runs have forces in any case."""
    try:
        return bool(load_engine(engine).md.is_dft)
    except ValueError as error:
        sys.exit(str(error))


def own_frames(
    crystal: str, scout: str, number: int, sources: dict[str, list[str]], given: argparse.Namespace, steps: Steps
) -> dict[str, list[str]]:
    """Run a trained potential where DFT can follow, label frames of both runs; the last round's second run tests."""
    seeds = (2 * number - 1, 2 * number)
    words = [
        *("run", crystal, "--engine", scout, "--protocol", "fast", "--no-relax", "--supercell", "1,1,1"),
        *("--temperatures", f"{given.own_temperature_K:g}", "--seeds", ",".join(map(str, seeds))),
        *("--time-ps", f"{given.own_ps:g}", "--timestep-fs", f"{given.timestep_fs:g}", "--sample-every", "10"),
        *("--equilibration-ps", "0"),
    ]
    md = steps.done(f"round {number}: runs of the scout", words, may_fail=True)
    labels = []
    for seed in seeds:
        words = [
            *("potential", "label", run_of_seed(md, seed), "--engine", given.dft, "--protocol", given.electrons),
            *("--spread", str(given.own_frames), "--max-concurrent", str(given.at_once)),
        ]
        labels.append(steps.done(f"round {number}: labels of the run of seed {seed}", words, may_fail=True))
    return {**sources, "train": [*sources["train"], *sources["test"], labels[0]], "test": [labels[1]]}


def trained(size: str, sources: dict[str, list[str]], given: argparse.Namespace, steps: Steps, engine: str) -> str:
    """Gather a dataset, train Allegro on it, register the engine; return its name."""
    words = ["potential", "dataset", *[pk for pks in sources.values() for pk in pks]]
    words += [word for split in ("validation", "test") for pk in sources[split] for word in (f"--{split}", pk)]
    dataset = steps.done("dataset", [*words, "--stride-fs", f"{given.stride_fs:g}"])
    settings = SIZES.get(size, SIZES["small"]) | {"n_epochs": given.epochs, "batch_size": 1} | given.settings
    words = ["potential", "train", dataset, "--family", "allegro", "--protocol", "student"]
    training = steps.done(f"Allegro {size}", [*words, "--settings", json.dumps(settings, sort_keys=True)])
    steps.registered(training, engine)
    return engine


def production(crystal: str, engine: str, given: argparse.Namespace, steps: Steps) -> str:
    """Run the larger cell; return the pk of the conductivity."""
    words = [
        *("run", crystal, "--engine", engine, "--protocol", "fast", "--no-relax", "--supercell", given.supercell),
        *("--temperatures", given.temperatures, "--seeds", given.seeds, "--time-ps", f"{given.time_ps:g}"),
        *("--timestep-fs", f"{given.timestep_fs:g}", "--equilibration-ps", f"{given.equilibration_ps:g}"),
        *(["--no-watch"] if given.no_watch else []),
    ]
    return steps.done(f"long runs by {engine}", words, may_fail=True)


if __name__ == "__main__":
    main()
