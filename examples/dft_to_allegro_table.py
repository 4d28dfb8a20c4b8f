"""What came out: errors, survival, diffusivity, conductivities and Haven ratio, and CPU time beside that of DFT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion.queries import cost, diffusion, runs

MS_PER_S = 1000.0
#: Column of the table -> a value, its 95 % interval and its upper bound, where there is such a thing.
RESULTS = {
    "D* (cm2/s)": (
        "tracer_diffusivity_cm2_s",
        "tracer_diffusivity_ci95_cm2_s",
        "tracer_diffusivity_upper_bound_cm2_s",
    ),
    "tracer sigma (mS/cm)": (
        "ionic_conductivity_mS_cm",
        "ionic_conductivity_ci95_mS_cm",
        "ionic_conductivity_upper_bound_mS_cm",
    ),
    "collective sigma (mS/cm)": (
        "collective_ionic_conductivity_mS_cm",
        "collective_ionic_conductivity_ci95_mS_cm",
        None,
    ),
    "Haven ratio": ("haven_ratio", "haven_ratio_ci95", None),
}


def report(sources: Mapping[str, Sequence[str]], long_runs: Mapping[str, str]) -> None:
    """Print the tables.

    :param sources: pks of what trained, validated and tested; the DFT runs are among them.
    :param long_runs: pk of the conductivity of each size.
    """
    print("\nErrors on frames that were not trained on:")
    print_table([errors_of(size, pk) for size, pk in long_runs.items()])
    print("\nLong runs:")
    print_table([row for size, pk in long_runs.items() for row in rows_of(size, int(pk))])
    print("\n".join(line for size, pk in long_runs.items() for line in caveats_of(size, int(pk))))
    print("\nCost:")
    print_table(cost_rows(dft_cost([int(pk) for pks in sources.values() for pk in pks]), long_runs))


def print_table(rows: Sequence[Mapping[str, str]]) -> None:
    """Print rows as a Markdown table."""
    names = list(rows[0])
    lines = [names, ["---"] * len(names), *[[row.get(name, "") for name in names] for row in rows]]
    print("\n".join(f"| {' | '.join(cells)} |" for cells in lines))


def errors_of(size: str, conductivity: str) -> dict[str, str]:
    """Return the errors of the potential that a conductivity ran with, from the report of its training."""
    training = training_of(orm.load_node(int(conductivity)))
    about = training.outputs.report.base.attributes.all
    row = {"size": size, "weights": f"{about.get('n_weights') or 0:,}" if about.get("n_weights") else "-"}
    for split in ("train", "validation", "test"):
        error = (about.get("errors") or {}).get(split)
        row[f"{split}: force MAE (meV/A)"] = f"{MS_PER_S * error['forces']['mae_eV_A']:.0f}" if error else "-"
    row["training (CPU s)"] = f"{training.outputs.cost.get_dict().get('cpu_time_s') or float('nan'):.0f}"
    return row


def training_of(conductivity: Any) -> Any:
    """Return the job that trained the potential of a conductivity."""
    return conductivity.inputs.md.engine.checkpoint.creator


def rows_of(size: str, conductivity: int) -> list[dict[str, str]]:
    """Return a row for each temperature of a conductivity."""
    fits = fits_of(conductivity)
    jobs = runs()
    jobs = jobs[jobs["process_pk"] == conductivity]
    rows = []
    for kelvin, of_temperature in jobs.groupby("temperature_K"):
        fit = fits[fits["target_temperature_K"] == kelvin]
        row = {"size": size, "T (K)": f"{kelvin:g}", "survived (ps)": survived(of_temperature)}
        row |= {name: value_of(fit, *columns) for name, columns in RESULTS.items()}
        grade, verdict = ("-", "no fit") if fit.empty else (fit.iloc[0]["grade"], fit.iloc[0]["verdict"])
        rows.append(row | {"grade": f"{grade}, {verdict}"})
    return rows


def fits_of(conductivity: int) -> pd.DataFrame:
    """Return the fits of a conductivity, one for each temperature."""
    fits = diffusion()
    return fits[(fits["process_pk"] == conductivity) & ~fits["superseded"].astype(bool)]


def caveats_of(size: str, conductivity: int) -> list[str]:
    """Return why a temperature has no value, or one that no extrapolation would use."""
    fits = fits_of(conductivity)
    about = zip(fits["target_temperature_K"], fits["refused_because"], fits["reason"], strict=True)
    return [
        f"{size}, {kelvin:g} K: {sentence}"
        for kelvin, *sentences in about
        for sentence in sentences
        if isinstance(sentence, str) and sentence
    ]


def survived(jobs: pd.DataFrame) -> str:
    """Return the length of each run, ps, in the order of the seeds; with a mark where it ended badly."""
    parts = []
    for seed, of_seed in jobs.groupby("seed"):
        last = of_seed.sort_values("pk").iloc[-1]
        mark = "" if last["exit_status"] == 0 else f" (exit {last['exit_status']})"
        parts.append(f"seed {seed}: {of_seed['time_ps'].sum():.3g}{mark}")
    return ", ".join(parts)


def value_of(fit: pd.DataFrame, value: str, interval: str, bound: str | None) -> str:
    """Return a number with its 95 % interval, or its upper bound; a dash where there is neither."""
    if fit.empty or pd.isna(fit.iloc[0][value]):
        is_bounded = not fit.empty and bound is not None and pd.notna(fit.iloc[0][bound])
        return f"< {fit.iloc[0][bound]:.3g}" if is_bounded else "-"
    low, high = (fit.iloc[0][interval.replace("ci95", f"ci95_{side}")] for side in ("low", "high"))
    return f"{fit.iloc[0][value]:.3g} [{low:.3g}, {high:.3g}]"


def dft_cost(pks: Sequence[int]) -> dict[str, float]:
    """Return the CPU time of a step of molecular dynamics and of a single point of the labels, s per atom."""
    nodes = [orm.load_node(pk) for pk in pks]
    jobs = {job.pk: job for node in nodes for job in node.called_descendants if isinstance(job, orm.CalcJobNode)}
    spent: dict[str, list[tuple[float, float]]] = {}
    for job in jobs.values():
        ledger = job.outputs.cost.get_dict() if "cost" in job.outputs else {}
        if ledger.get("cpu_time_s") and "structure" in job.inputs:
            kind = "step" if ledger.get("n_steps") else "single point"
            n_atoms = len(job.inputs.structure.sites)
            spent.setdefault(kind, []).append((ledger["cpu_time_s"], n_atoms * (ledger.get("n_steps") or 1)))
    return {kind: sum(seconds for seconds, _ in each) / sum(n for _, n in each) for kind, each in spent.items()}


def cost_rows(dft: Mapping[str, float], long_runs: Mapping[str, str]) -> list[dict[str, str]]:
    """Return rows of the CPU time of one atom, and how many times less it is than that of DFT."""
    ms = {f"DFT, {kind}": MS_PER_S * seconds for kind, seconds in sorted(dft.items())}
    table = cost()
    for size, pk in long_runs.items():
        mine = table[table["process_pk"] == int(pk)]
        atom_steps = (mine["n_steps"] * mine["n_atoms"]).sum()
        if atom_steps:
            ms[f"Allegro {size}, step"] = MS_PER_S * mine["cpu_time_s"].sum() / atom_steps
    step = MS_PER_S * dft["step"] if dft.get("step") else float("nan")
    return [
        {"what": name, "CPU ms per atom": f"{value:.3g}", "times less than a step of DFT": f"{step / value:.3g}"}
        for name, value in ms.items()
    ]
