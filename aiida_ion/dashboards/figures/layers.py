"""Layout of a provenance graph: nodes in layers, with few crossings."""

from __future__ import annotations

from collections.abc import Sequence

Edge = tuple[int, int]

#: Number of sweeps over the layers, each of which moves nodes to the mean of their neighbours.
SWEEPS = 8


def layered(nodes: Sequence[int], edges: Sequence[Edge]) -> dict[int, tuple[float, float]]:
    """Return the position (x, y) of each node: x counts links to the last node, y separates nodes of a layer by one.

    After Sugiyama, Tagawa and Toda, IEEE Trans. Syst. Man Cybern. 11, 109 (1981): layers by the longest path, then
    sweeps of barycentres. Cycles, which a provenance graph cannot have, are cut.

    :param nodes: the first is the last in time; other nodes without outputs are placed right after their creator.
    :param edges: pairs of source and target, in the direction of the data flow.
    """
    known = set(nodes)
    inside = sorted({(a, b) for a, b in edges if a in known and b in known and a != b})
    sources: dict[int, list[int]] = {node: [] for node in nodes}
    targets: dict[int, list[int]] = {node: [] for node in nodes}
    for source, target in inside:
        sources[target].append(source)
        targets[source].append(target)
    depth = _depths(nodes, sources, targets)
    layers: dict[int, list[int]] = {}
    for node in nodes:
        layers.setdefault(depth[node], []).append(node)
    height = {node: place - (len(layer) - 1) / 2.0 for layer in layers.values() for place, node in enumerate(layer)}
    for sweep in range(SWEEPS):
        rightwards = sweep % 2 == 1
        for number in sorted(layers, reverse=rightwards):
            _order(layers[number], sources if rightwards else targets, height)
    return {node: (-float(depth[node]), height[node]) for node in nodes}


def _depths(nodes: Sequence[int], sources: dict[int, list[int]], targets: dict[int, list[int]]) -> dict[int, int]:
    """Return the length of the longest path from each node to one without outputs."""
    waiting = {node: len(targets[node]) for node in nodes}
    depth = dict.fromkeys(nodes, 0)
    ready = [node for node in nodes if not waiting[node]]
    while ready:
        node = ready.pop()
        for source in sources[node]:
            depth[source] = max(depth[source], depth[node] + 1)
            waiting[source] -= 1
            if not waiting[source]:
                ready.append(source)
    for node in nodes[1:]:
        if not targets[node] and sources[node]:
            depth[node] = max(min(depth[source] for source in sources[node]) - 1, 0)
    return depth


def _order(layer: list[int], beside: dict[int, list[int]], height: dict[int, float]) -> None:
    """Sort a layer by the mean positions of its nodes' neighbours, and number it from its middle."""
    wish = {node: _mean([height[other] for other in beside[node]], height[node]) for node in layer}
    layer.sort(key=lambda node: (wish[node], node))
    for place, node in enumerate(layer):
        height[node] = place - (len(layer) - 1) / 2.0


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
