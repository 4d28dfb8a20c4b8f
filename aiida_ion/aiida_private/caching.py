"""The extras in which AiiDA keeps what caching needs, for queries; of a node `node.base.caching` gives them."""

from __future__ import annotations

from aiida.orm import Node

#: Hash of a node's content, as it is filtered and projected.
HASH = "extras._aiida_hash"
#: The extra that has the uuid of the process from which the outputs were copied.
CACHED_FROM = "_aiida_cached_from"


def hash_before_storing(node: Node) -> str | None:
    """Return the hash that a node will have when it is stored: public functions give it only afterwards."""
    digest: str | None = node.base.caching._compute_hash()
    return digest
