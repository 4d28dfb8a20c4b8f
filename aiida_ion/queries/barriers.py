"""The outputs of ``ion.barrier`` as plain mappings."""

from __future__ import annotations

from typing import Any

from aiida import orm

PROCESS = "aiida.workflows:ion.barrier"


def is_barrier(node: orm.Node) -> bool:
    """Whether a node is a work chain of migration barriers."""
    return isinstance(node, orm.WorkChainNode) and node.process_type == PROCESS


def barrier_outputs(node: orm.ProcessNode) -> dict[str, dict[str, Any]]:
    """Return the attributes of each output that is a mapping, by its label; nested ones as ``dft_bands__hop_01``."""
    links = node.base.links.get_outgoing(node_class=orm.Dict).all()
    return {link.link_label: dict(link.node.base.attributes.all) for link in links}
