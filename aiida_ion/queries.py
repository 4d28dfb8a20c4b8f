"""Tables of what a profile or archive holds. Read-only; attributes are projected, no node is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
from aiida import orm

from aiida_ion import __version__

DIFFUSION_COLUMNS = (
    "formula",
    "level_of_theory",
    "target_temperature_K",
    "temperature_mean_K",
    "verdict",
    "reason",
    "grade",
    "n_eff",
    "n_replicas",
    "analysed_time_ps",
    "tracer_diffusivity_cm2_s",
    "tracer_diffusivity_ci95_cm2_s",
    "tracer_diffusivity_upper_bound_cm2_s",
    "ionic_conductivity_mS_cm",
    "ionic_conductivity_ci95_mS_cm",
    "ionic_conductivity_upper_bound_mS_cm",
    "haven_ratio",
)
CONDUCTIVITY_COLUMNS = (
    "formula",
    "level_of_theory",
    "verdict",
    "reason",
    "target_temperature_K",
    "activation_energy_eV",
    "activation_energy_ci95_eV",
    "ionic_conductivity_mS_cm",
    "ionic_conductivity_ci95_mS_cm",
    "ionic_conductivity_upper_bound_mS_cm",
    "temperatures_used_K",
    "temperatures_bound",
    "temperatures_refused",
    "summary",
)
#: Of both levels of theory; those of the reference carry `reference_` in front.
LEVEL_COLUMNS = (
    "ionic_conductivity_mS_cm",
    "ionic_conductivity_ci95_mS_cm",
    "ionic_conductivity_upper_bound_mS_cm",
    "activation_energy_eV",
    "activation_energy_ci95_eV",
    "wall_time_s",
    "cpu_time_s",
    "gpu_time_s",
    "n_steps",
    "wall_s_per_step",
    "core_s_per_step",
    "gpu_s_per_step",
    "steps_per_s",
    "peak_memory_MiB",
    "vdos_nyquist_THz",
)
COMPARISON_COLUMNS = (
    "formula",
    "level_of_theory",
    "reference_level_of_theory",
    "target_temperature_K",
    "ionic_conductivity_ratio",
    "ionic_conductivity_ratio_ci95",
    "ionic_conductivity_ratio_upper_bound",
    "ionic_conductivity_ratio_lower_bound",
    "log10_ionic_conductivity_difference",
    "log10_ionic_conductivity_difference_ci95",
    "activation_energy_difference_eV",
    "activation_energy_difference_ci95_eV",
    "log10_tracer_diffusivity_bias",
    "log10_tracer_diffusivity_bias_ci95",
    "log10_tracer_diffusivity_mae",
    "n_temperatures_compared",
    "temperatures",
    "force_mae_eV_A",
    "force_mae_ci95_eV_A",
    "force_rmse_eV_A",
    "force_rmse_ci95_eV_A",
    "force_mae_by_element_eV_A",
    "force_rmse_by_element_eV_A",
    "force_cosine_similarity",
    "force_slope",
    "force_largest_error_eV_A",
    "force_n_frames",
    "reference_force_rms_eV_A",
    "energy_mae_eV_atom",
    "energy_rmse_eV_atom",
    "energy_offset_eV_atom",
    "energy_correlation",
    "energy_n_frames",
    "rdf_distance",
    "rdf_distance_of_reference_halves",
    "rdf_distance_by_pair",
    "vdos_distance",
    "vdos_resolution_THz",
    "wall_speed_ratio",
    "core_speed_ratio",
    *LEVEL_COLUMNS,
    *(f"reference_{name}" for name in LEVEL_COLUMNS),
    "summary",
    "missing",
)
DIFFUSION_PROCESS = "aiida.calculations:ion.diffusion"
CONDUCTIVITY_PROCESS = "aiida.workflows:ion.conductivity"
COMPARISON_PROCESS = "aiida_ion.calculations.comparison.compare_levels"
COMPARISON_CHAIN = "aiida.workflows:ion.comparison"
#: Extra of a process that was served from the cache: the uuid of the one that really ran.
CACHED_FROM = "_aiida_cached_from"
OURS = ("aiida.calculations:ion.%", "aiida.workflows:ion.%")
PROCESS_FIELDS = (
    "process_type",
    "label",
    "attributes.process_state",
    "attributes.process_status",
    "attributes.exit_status",
    "attributes.exit_message",
    "attributes.exception",
    "attributes.state",
    "attributes.paused",
    "attributes.remote_workdir",
)
ENGINE_COLUMNS = [
    "pk",
    "name",
    "computer",
    "entry_point",
    "potential",
    "model",
    "device",
    "program",
    "checkpoint_sha256",
    "versions",
    "steps_per_s",
    "tested",
]
#: Words of AiiDA for a process that has ended.
ENDED = ("finished", "excepted", "killed")


def diffusion_table(material: str | None = None, level_of_theory: str | None = None) -> pd.DataFrame:
    """Return one row for each diffusion fit: D (cm^2/s) and sigma (mS/cm) at a temperature (K).

    ``moved`` says whether there is a diffusivity; where not, the upper bounds stand. ``wall_time_s`` is that of the
    molecular dynamics behind it, missing for imported trajectories. A fit served from the cache is one row.

    :param material: only this reduced formula.
    :param level_of_theory: only this level of theory.
    """
    query = orm.QueryBuilder()
    process = {"process_type": DIFFUSION_PROCESS}
    query.append(orm.CalcJobNode, filters=process, project=["id", "uuid", f"extras.{CACHED_FROM}"], tag="job")
    query.append(
        orm.ArrayData,
        with_incoming="job",
        edge_filters={"label": "diffusion"},
        filters=_filters(material, level_of_theory),
        project=["id", "uuid", "ctime", *_attributes(DIFFUSION_COLUMNS)],
    )
    table = _frame(query, ["job_pk", "job", "cached_from", "pk", "uuid", "time", *DIFFUSION_COLUMNS])
    table = table[~table["cached_from"].isin(set(table["job"]))].drop(columns=["cached_from", "job"])
    table.insert(4, "moved", table["verdict"] == "moved")
    table = table.merge(_wall_times(), how="left", on="pk")
    return table.sort_values(["formula", "level_of_theory", "target_temperature_K", "pk"], ignore_index=True)


def conductivity_table(material: str | None = None, level_of_theory: str | None = None) -> pd.DataFrame:
    """Return one row for each conductivity: sigma (mS/cm) at the target temperature (K), activation energy (eV).

    :param material: only this reduced formula.
    :param level_of_theory: only this level of theory.
    """
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"process_type": CONDUCTIVITY_PROCESS}, project=["id"], tag="process")
    query.append(
        orm.ArrayData,
        with_incoming="process",
        edge_filters={"label": "conductivity"},
        filters=_filters(material, level_of_theory),
        project=["id", "uuid", "ctime", *_attributes(CONDUCTIVITY_COLUMNS)],
    )
    table = _frame(query, ["process_pk", "pk", "uuid", "time", *CONDUCTIVITY_COLUMNS])
    table = table.merge(_process_wall_times(), how="left", on="process_pk")
    return table.sort_values(["formula", "level_of_theory", "target_temperature_K", "pk"], ignore_index=True)


def finished_conductivity(inputs: Mapping[str, Any]) -> int | None:
    """Return the pk of a finished conductivity work chain with the same inputs, the newest; ``None`` without one.

    Inputs are the same when their content is; how many runs went side by side does not matter. Only results of this
    version of the package count.

    :param inputs: inputs of an ``ion.conductivity``: nested mappings of stored nodes.
    """
    wanted = _inputs_known(inputs)
    query = orm.QueryBuilder()
    same_crystal = {"extras._aiida_hash": wanted["structure"]}
    query.append(orm.StructureData, filters=same_crystal, tag="structure")
    finished = {
        "process_type": CONDUCTIVITY_PROCESS,
        "attributes.exit_status": 0,
        "attributes.version.plugin": __version__,
    }
    query.append(
        orm.WorkChainNode,
        with_incoming="structure",
        edge_filters={"label": "structure"},
        filters=finished,
        project=["id"],
        tag="chain",
    )
    said = ["extras._aiida_hash", "attributes"]
    query.append(orm.Data, with_outgoing="chain", project=said, edge_project=["label"])
    found: dict[int, dict[str, Any]] = {}
    for pk, digest, attributes, label in query.all():
        found.setdefault(pk, {})[label] = _physical(attributes) if label == "parameters" else digest
    return max((pk for pk, known in found.items() if known == wanted), default=None)


def _inputs_known(inputs: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return link label -> hash of each node among nested inputs; of `parameters` the content that matters."""
    known: dict[str, Any] = {}
    for name, value in inputs.items():
        label = f"{prefix}{name}"
        if isinstance(value, Mapping):
            known |= _inputs_known(value, f"{label}__")
        elif isinstance(value, orm.Node):
            known[label] = value.base.extras.get("_aiida_hash", None)
        if label == "parameters":
            known[label] = _physical(value.get_dict())
    return known


def _physical(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in parameters.items() if key != "max_concurrent"}


def comparison_table(
    material: str | None = None, level_of_theory: str | None = None, pks: Sequence[int] | None = None
) -> pd.DataFrame:
    """Return one row for each comparison of a level of theory with a reference; what is missing there is missing here.

    Ratios are level over reference, differences level less reference. ``process_pk`` is the ``ion.comparison`` that
    returned it, missing where nobody did. A comparison served from the cache is one row.

    :param material: only this reduced formula.
    :param level_of_theory: only this level of theory (of the compared one, not of the reference).
    :param pks: only these comparisons, also where they came from the cache.
    """
    query = orm.QueryBuilder()
    process = {"process_type": COMPARISON_PROCESS}
    query.append(orm.CalcFunctionNode, filters=process, project=["uuid", f"extras.{CACHED_FROM}"], tag="function")
    query.append(
        orm.ArrayData,
        with_incoming="function",
        filters=_filters(material, level_of_theory),
        project=["id", "uuid", "ctime", *_attributes(COMPARISON_COLUMNS)],
    )
    table = _frame(query, ["function", "cached_from", "pk", "uuid", "time", *COMPARISON_COLUMNS])
    wanted = ~table["cached_from"].isin(set(table["function"])) if pks is None else table["pk"].isin(pks)
    table = table[wanted].drop(columns=["cached_from", "function"])
    table = _comparison_chains().merge(table, how="right", on="pk")
    names = ["formula", "level_of_theory", "reference_level_of_theory", "pk"]
    return table.sort_values(names, ignore_index=True)


def process_table(since: datetime | None = None, pks: Sequence[int] | None = None) -> pd.DataFrame:
    """Return one row for each of our processes, oldest first, with the process that called it.

    :param since: leave out what ended before this time; what still runs is always there.
    :param pks: only these processes, and what they called directly.
    """
    query = orm.QueryBuilder()
    filters: dict[str, Any] = {"or": [{"process_type": {"like": kind}} for kind in OURS]}
    if since is not None:
        alive = {"attributes.process_state": {"!in": list(ENDED)}}
        filters = {"and": [filters, {"or": [alive, {"mtime": {">": since}}]}]}
    query.append(orm.ProcessNode, filters=filters, project=["id", "uuid", "ctime", "mtime", *PROCESS_FIELDS])
    names = [field.rpartition(".")[2] for field in PROCESS_FIELDS]
    table = _frame(query, ["pk", "uuid", "ctime", "mtime", *names])
    table = table.merge(_callers(), how="left", on="pk").sort_values("pk", ignore_index=True)
    if pks is not None:
        table = table[table["pk"].isin(_descendants(table, set(pks)))].reset_index(drop=True)
    table["active"] = ~table["process_state"].isin(ENDED)
    return table


def engine_table() -> pd.DataFrame:
    """Return one row for each registered engine: its computer, potential, and what its last test found."""
    query = orm.QueryBuilder()
    query.append(orm.Computer, project=["label"], tag="computer")
    query.append(
        orm.InstalledCode,
        with_computer="computer",
        filters={"extras": {"has_key": "ion"}},
        project=["id", "label", "extras.ion", "attributes.filepath_executable", "extras.hidden"],
    )
    rows = []
    for computer, pk, name, about, program, hidden in query.all():
        if hidden:  # replaced by another of that name
            continue
        tested, potential, choices = (about.get(key) or {} for key in ("tested", "potential", "choices"))
        rows.append(
            {
                "pk": pk,
                "name": name,
                "computer": computer,
                "entry_point": about["entry_point"],
                "potential": potential.get("name") or choices.get("pseudo_family") or choices.get("potential_family"),
                "model": potential.get("model"),
                "device": potential.get("device"),
                "program": program,
                "checkpoint_sha256": potential.get("checkpoint_sha256"),
                "versions": tested.get("versions"),
                "steps_per_s": tested.get("steps_per_s"),
                "tested": tested.get("time"),
            }
        )
    return pd.DataFrame(rows, columns=ENGINE_COLUMNS).sort_values(["name", "computer"], ignore_index=True)


def _filters(material: str | None, level_of_theory: str | None) -> dict[str, Any]:
    wanted = {"attributes.formula": material, "attributes.level_of_theory": level_of_theory}
    return {key: value for key, value in wanted.items() if value is not None}


def _attributes(names: Sequence[str]) -> list[str]:
    return [f"attributes.{name}" for name in names]


def _frame(query: orm.QueryBuilder, columns: list[str]) -> pd.DataFrame:
    """Return the rows of a query under their names; nothing found is an empty table with the same columns."""
    return pd.DataFrame(query.all(), columns=columns)


def _comparison_chains() -> pd.DataFrame:
    """Return the newest work chain that returned each comparison."""
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"process_type": COMPARISON_CHAIN}, project=["id"], tag="process")
    query.append(orm.ArrayData, with_incoming="process", edge_filters={"type": "return"}, project=["id"])
    rows = _frame(query, ["process_pk", "pk"]).astype({"process_pk": "Int64"})
    return rows.sort_values("process_pk").drop_duplicates("pk", keep="last")


def _wall_times() -> pd.DataFrame:
    """Return the wall time, s, of the molecular dynamics behind each diffusion fit."""
    query = orm.QueryBuilder()
    query.append(orm.Dict, project=["attributes.wall_time_s"], tag="cost")
    query.append(orm.CalcJobNode, with_outgoing="cost", edge_filters={"label": "cost"}, tag="md")
    query.append(orm.TrajectoryData, with_incoming="md", project=["id"], tag="trajectory")
    fit = {"process_type": DIFFUSION_PROCESS}
    query.append(orm.CalcJobNode, with_incoming="trajectory", filters=fit, tag="fit")
    query.append(orm.ArrayData, with_incoming="fit", edge_filters={"label": "diffusion"}, project=["id"])
    return _sums(query, ["wall_time_s", "trajectory", "pk"])


def _process_wall_times() -> pd.DataFrame:
    query = orm.QueryBuilder()
    query.append(orm.WorkChainNode, filters={"process_type": CONDUCTIVITY_PROCESS}, project=["id"], tag="process")
    cost = {"label": "cost"}
    query.append(orm.Dict, with_incoming="process", edge_filters=cost, project=["attributes.wall_time_s"])
    return _sums(query, ["process_pk", "wall_time_s"])


def _sums(query: orm.QueryBuilder, columns: list[str]) -> pd.DataFrame:
    key = "pk" if "pk" in columns else "process_pk"
    rows = _frame(query, columns).drop_duplicates()
    rows["wall_time_s"] = rows["wall_time_s"].astype(float)
    sums: pd.DataFrame = rows.groupby(key, as_index=False)[["wall_time_s"]].sum(min_count=1)
    return sums


def _callers() -> pd.DataFrame:
    """Return, for each called process, who called it and as what."""
    query = orm.QueryBuilder()
    query.append(orm.WorkflowNode, project=["id"], tag="caller")
    query.append(orm.ProcessNode, with_incoming="caller", edge_project=["label"], project=["id"])
    rows = [(called, caller, label) for caller, called, label in query.all()]
    return pd.DataFrame(rows, columns=["pk", "caller_pk", "link_label"]).astype({"caller_pk": "Int64"})


def _descendants(table: pd.DataFrame, pks: set[int]) -> set[int]:
    """Return the processes and everything below them."""
    wanted = set(pks)
    for pk, caller in zip(table["pk"], table["caller_pk"], strict=True):
        # A caller is older than what it called, so one pass in the order of the pks is enough.
        if not pd.isna(caller) and int(caller) in wanted:
            wanted.add(int(pk))
    return wanted
