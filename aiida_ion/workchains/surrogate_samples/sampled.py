"""What an ended ``ion.surrogate_samples`` contributes to a dataset."""

from __future__ import annotations

from typing import Any

from aiida import orm

from aiida_ion.calculations.surrogate.arrays import KINDS
from aiida_ion.former_names import FORMER_KINDS


def sampled_nodes(chain: Any) -> dict[str, Any]:
    """Return the nodes of a work chain that enter the dataset, by their names there."""
    nodes = {name: chain.inputs[name] for name in ("structure", "diffusion") if name in chain.inputs}
    for kind in (*KINDS, *FORMER_KINDS):
        if f"{kind}_forces" in chain.outputs:
            nodes[f"{FORMER_KINDS.get(kind, kind)}_forces"] = chain.outputs[f"{kind}_forces"]
    if "displaced_forces" in nodes:
        nodes["displaced"] = next(chain.outputs[name] for name in ("displaced", *FORMER_KINDS) if name in chain.outputs)
    if "trajectory_forces" in nodes:
        nodes |= {f"trajectories_{name}": node for name, node in chain.inputs.trajectories.items()}
    if "short_md_forces" in nodes:
        nodes |= {f"short_md_{name}": node for name, node in chain.outputs.short_md.items()}
    return nodes


def seconds_of(chain: Any) -> float:
    """Return the wall time of the jobs of a work chain, s."""
    jobs = [node for node in chain.called_descendants if isinstance(node, orm.CalcJobNode) and "cost" in node.outputs]
    return float(sum(job.outputs.cost.get_dict().get("wall_time_s") or 0.0 for job in jobs))
