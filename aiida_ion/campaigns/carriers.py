"""Runs of a perfect crystal and of cells with defects, gathered for ``ion.defect_conductivity``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aiida_ion.analysis.defects.carrier_settings import CarrierSettings

if TYPE_CHECKING:
    from aiida import orm

#: Start of the label of the run of a member in that of all.
MEMBER = "member_"
#: Of the run of the perfect crystal in names of inputs.
PERFECT = "perfect"


def carrier_inputs(
    perfect: orm.WorkChainNode | None,
    ensembles: Mapping[orm.ProcessNode, Sequence[orm.WorkChainNode]],
    settings: Mapping[str, Any],
    formation: orm.Dict | None = None,
) -> dict[str, Any]:
    """Return the inputs of ``ion.defect_conductivity``.

    :param perfect: the run (``ion.conductivity``) of the perfect crystal; ``None`` where it was not computed.
    :param ensembles: for each job or work chain that made cells (``ion.make_defects``, ``ion.defects``) the runs of its
        members, in their order, or the one run of all of them (``ion.ensemble``).
    :param settings: of :class:`~aiida_ion.analysis.defects.carrier_settings.CarrierSettings`.
    :param formation: an ensemble with ``formation_energy_eV`` of a Frenkel pair.
    :raises ValueError: for runs that are not of these cells, or without a fit.
    """
    from aiida import orm

    CarrierSettings.from_dict(settings)
    if not ensembles:
        raise ValueError("no cells with defects: give the job that made them, with the run of each")
    runs: dict[str, dict[str, Any]] = {}
    nodes: dict[str, Any] = {}
    for name, node in _fits(perfect, PERFECT).items() if perfect is not None else ():
        nodes[name], runs[name] = node, {"ensemble": None, "member": None}
    for number, (made, given) in enumerate(ensembles.items()):
        label = f"ensemble_{number:02d}"
        nodes[label] = made.outputs.ensemble
        members = made.outputs.members
        chains = _runs_of(given)
        if len(chains) != len(members):
            raise ValueError(f"{made.pk} made {len(members)} cells, and {len(chains)} runs are given: one for each")
        for member, chain in enumerate(chains):
            _check_run(chain, members[f"o{member:03d}"], made)
            for name, node in _fits(chain, f"c{number:02d}_o{member:03d}").items():
                nodes[name], runs[name] = node, {"ensemble": label, "member": member}
    first = next(iter(ensembles))
    nodes["perfect"] = first.outputs.perfect
    if formation is not None:
        nodes["formation"] = formation
    return {"parameters": orm.Dict({**settings, "runs": runs}), **nodes}


def _runs_of(chains: Sequence[orm.WorkChainNode]) -> Sequence[orm.WorkChainNode]:
    """Return the runs of members, also where they were run together.

    :raises ValueError: for a member that was not run there.
    """
    if len(chains) != 1 or not str(chains[0].process_type).endswith(":ion.ensemble"):
        return chains
    together = chains[0]
    called: dict[str, Any] = {entry.link_label: entry.node for entry in together.base.links.get_outgoing().all()}
    runs = [called[label] for label in sorted(called) if label.startswith(MEMBER)]
    n_cells = len(together.inputs.members) if "members" in together.inputs else 0
    if len(runs) != n_cells:
        raise ValueError(
            f"{together.pk} ran {len(runs)} of {n_cells} cells itself: give the runs of the members, in their order"
        )
    return runs


def _check_run(chain: orm.WorkChainNode, cell: orm.StructureData, made: orm.ProcessNode) -> None:
    if chain.inputs.structure.uuid != cell.uuid:
        raise ValueError(
            f"{chain.pk} is a run of {chain.inputs.structure.pk}, not of {cell.pk}, the cell that {made.pk} made: give "
            "the runs in the order of the cells"
        )


def _fits(chain: orm.WorkChainNode, prefix: str) -> dict[str, Any]:
    """Return the diffusion nodes of a run under names for inputs.

    :raises ValueError: for a run without any.
    """
    if "diffusion" not in chain.outputs:
        raise ValueError(f"{chain.pk} has no fit of a temperature: wait until it is done, or look at 'aiida-ion show'")
    return {f"{prefix}_{label}": node for label, node in dict(chain.outputs.diffusion).items()}


def stored_runs(made: orm.ProcessNode, level_of_theory: str | None = None) -> list[orm.WorkChainNode]:
    """Return the runs of the cells of a job or work chain that are in the database, in the order of the cells.

    :param level_of_theory: of the runs; the newest of each cell where it is not given.
    :raises ValueError: for a cell without any.
    """
    members = made.outputs.members
    runs = {label: newest_run([members[label]], level_of_theory) for label in sorted(members)}
    missing = [f"{members[label].pk}" for label, run in runs.items() if run is None]
    if missing:
        at = "" if level_of_theory is None else f" at {level_of_theory}"
        raise ValueError(
            f"{made.pk}: no finished run{at} of {len(missing)} of {len(runs)} cells ({', '.join(missing)}): run them "
            "with 'aiida-ion run', or name the runs as CELLS:RUN,RUN"
        )
    return [run for run in runs.values() if run is not None]


def newest_run(structures: Sequence[orm.StructureData], level_of_theory: str | None = None) -> orm.WorkChainNode | None:
    """Return the newest conductivity of one of some cells that has fits; ``None`` if there is none."""
    from aiida import orm

    query = orm.QueryBuilder()
    query.append(orm.StructureData, filters={"uuid": {"in": [one.uuid for one in structures]}}, tag="cell")
    filters = {"process_type": {"like": "%:ion.conductivity"}, "attributes.process_state": "finished"}
    query.append(orm.WorkChainNode, with_incoming="cell", filters=filters, tag="run")
    for run in query.order_by({"run": {"id": "desc"}}).all(flat=True):
        fits = dict(run.outputs.diffusion) if "diffusion" in run.outputs else {}
        if fits and level_of_theory in (None, *(fit.base.attributes.get("level_of_theory") for fit in fits.values())):
            return run  # type: ignore[no-any-return]
    return None


def process_of(name: str) -> Any:
    """Return a process by its pk or uuid.

    :raises ValueError: for anything else.
    """
    from aiida import orm
    from aiida.common.exceptions import MultipleObjectsError, NotExistent

    try:
        node = orm.load_node(name.strip())
    except (NotExistent, MultipleObjectsError, ValueError) as error:
        raise ValueError(f"{name}: not the pk or uuid of a process") from error
    if not isinstance(node, orm.ProcessNode):
        raise ValueError(f"{name} is a {node.__class__.__name__}, not a process")
    return node
