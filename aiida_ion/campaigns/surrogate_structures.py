"""Crystals for a prediction: relaxed, repeated and sampled like those that the surrogate was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiida import orm

from aiida_ion.aiida_private.builders import builder_inputs
from aiida_ion.calculations.functions import make_supercell
from aiida_ion.campaigns.batch import make_batch, require_all
from aiida_ion.campaigns.plan import Plan
from aiida_ion.campaigns.plans import multiples
from aiida_ion.campaigns.queueing import Report, ending_of, run_all
from aiida_ion.campaigns.request import RunRequest
from aiida_ion.campaigns.surrogate_candidates import Candidate
from aiida_ion.campaigns.surrogate_sampling import check, gather, sample, usable
from aiida_ion.workchains.conductivity.md import engine_inputs
from aiida_ion.workchains.queue.plans import QueuedProcess, distinct


def sample_structures(
    model: orm.SinglefileData,
    structures: Sequence[str],
    engine: str,
    request: RunRequest,
    n_parallel: int,
    report: Report,
    skip_bad: bool = False,
) -> Any:
    """Return the dataset of crystals, without labels.

    :param model: has the temperature and the parameters of the samples.
    :param structures: files, pks or uuids.
    :param engine: name of the engine whose forces are sampled.
    :param request: what is asked of it; the temperature is that of the model.
    :param n_parallel: how many materials are sampled in parallel.
    :param report: called with each line of progress.
    :param skip_bad: list crystals that cannot be sampled and leave them out.
    :raises ValueError: if no crystal can be sampled, or some cannot and are not to be left out.
    """
    temperature_K = float(model.base.attributes.get("temperature_K"))
    sampling = sampling_of(model)
    batch = make_batch(structures, [engine], replace(request, temperatures_K=[temperature_K], seeds=[1]))
    require_all(batch, skip_bad, report)
    plans = batch.plans
    if plans[0].engine.md.forces_class is None:
        raise ValueError(f"{engine} computes no forces of samples: give a potential or LAMMPS, not DFT")
    cells = [plan.builder.structure for plan in plans]
    if request.relax_ions is not False:
        cells = relaxed(plans, n_parallel, report)
    candidates = [
        candidate(plan, cell, dict(sampling) | {"temperature_K": temperature_K})
        for plan, cell in zip(plans, cells, strict=True)
    ]
    check(candidates)
    group = orm.Group.collection.get_or_create(request.group)[0] if request.group else None
    chains = sample(candidates, n_parallel, report, group)
    for item, chain in zip(candidates, chains, strict=True):
        if not usable(chain):
            report(f"  NOTE {item.title}: {ending_of(chain)}")
    # Whether they suit the model is checked by the prediction.
    node = gather(candidates, chains, ["level_of_theory", "mobile_species"], sampling)
    if group is not None:
        group.add_nodes([node])
    return node


def sampling_of(model: orm.SinglefileData) -> dict[str, Any]:
    """Return the parameters of the samples that a model reads.

    :raises ValueError: if it reads frames of long runs.
    """
    sampling: dict[str, Any] = model.base.attributes.get("sampling")
    if "trajectory" in sampling["kinds"]:
        raise ValueError(
            "this model reads frames of a long run, so it cannot predict: train one with another protocol, or "
            "give a dataset"
        )
    return sampling


def relaxed(plans: Sequence[Plan], n_parallel: int, report: Report) -> list[orm.StructureData]:
    """Return the crystals with relaxed ions, in the fixed cell.

    :raises ValueError: naming the first that could not be relaxed.
    """
    processes = []
    for plan, title in zip(plans, distinct([plan.title for plan in plans]), strict=True):
        inputs = builder_inputs(plan.builder)
        builder = plan.engine.md.relax_builder(plan.builder.structure, engine_inputs(inputs), multiples(plan.builder))
        builder.parameters = plan.builder.relax_parameters
        processes.append(QueuedProcess(title, plan.engine.md.relax_job(), builder_inputs(builder)))
    report(f"relaxing the ions of {len(processes)} crystals")
    jobs = run_all(processes, n_parallel, report, label=f"relaxation of {len(processes)} crystals")
    for plan, job in zip(plans, jobs, strict=True):
        if job is None or "structure" not in job.outputs:
            raise ValueError(f"{plan.title} could not be relaxed: {ending_of(job)}")
    return [job.outputs.structure for job in jobs]


def candidate(plan: Plan, cell: orm.StructureData, sampling: Mapping[str, Any]) -> Candidate:
    """Return the inputs that sample a crystal.

    :param plan: of its conductivity; the samples take cell, potential and settings from it.
    :param cell: with relaxed ions.
    :param sampling: parameters of ``ion.surrogate_samples``.
    """
    builder = plan.builder
    parameters = builder.parameters.get_dict()
    engine = dict(builder_inputs(builder)["md"]["engine"])
    options = dict(builder.md.options)
    supercell: Any = make_supercell(cell, orm.Dict({"multiples": multiples(builder)}))
    inputs: dict[str, Any] = {
        "structure": supercell,
        "parameters": orm.Dict(dict(sampling)),
        "forces": {
            "entry_point": orm.Str(plan.engine.md.forces_job()),
            "engine": plan.engine.md.shared_inputs(engine),
            "options": options,
        },
    }
    if "short_md" in sampling["kinds"]:
        md = {"entry_point": builder.md.entry_point, "parameters": builder.md.parameters, "engine": engine}
        inputs["md"] = md | {"options": options}
    about = {
        "formula": parameters["formula"],
        "level_of_theory": plan.level_of_theory,
        "mobile_species": parameters["mobile_species"],
        "temperature_K": sampling["temperature_K"],
        "charge_e": parameters["charges"].get(parameters["mobile_species"]),
    }
    return Candidate(plan.title, inputs, about)
