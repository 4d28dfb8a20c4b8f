"""The extras in which AiiDA keeps what caching needs, for queries; of a node `node.base.caching` gives them."""

#: Hash of a node's content, as it is filtered and projected.
HASH = "extras._aiida_hash"
#: The extra that has the uuid of the process from which the outputs were copied.
CACHED_FROM = "_aiida_cached_from"
