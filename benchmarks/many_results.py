"""A synthetic database: results, the runs behind them, failures and comparisons, without any molecular dynamics.

    python benchmarks/many_results.py --profile scratch --results 100000

Nodes, links, labels and attributes are those of the real work chains. The first materials have arrays too. Left out is
what no table reads: retrieved folders, thermo, states of restarts.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiida import load_profile, orm

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.synthetic.chain import Chain, structure_attributes
from benchmarks.synthetic.graph import Graph
from benchmarks.synthetic.levels import LEVELS, store_codes
from benchmarks.synthetic.numbers import Numbers

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
METALS = ("Al", "B", "Ga", "Ge", "Hf", "In", "La", "Mg", "Nb", "P", "Sb", "Sc", "Si", "Sn", "Ta", "Ti", "Y", "Zn", "Zr")
ANIONS = ("Br", "Cl", "F", "I", "N", "O", "S", "Se")
MOBILE = ("Li", "Na", "K")
#: Parts of all chains: those that found no conductivity, those still running. Materials that do not move.
FAILED, RUNNING, STILL = 0.04, 0.01, 0.15
#: Nodes that are inserted at once.
BATCH = 10_000
GROUP = "campaign"


def fill(n_results: int, seed: int = 0, n_with_arrays: int = 3) -> None:
    """Fill the loaded profile.

    Every fourth conductivity, a hundred at most, is in the group ``campaign``.

    :param n_results: diffusion, conductivity and comparison nodes together; the last material is finished.
    :param seed: of all that is drawn.
    :param n_with_arrays: materials, from the first on, whose nodes hold arrays: walks that were really analysed.
    """
    graph, numbers, codes = Graph(FIRST), Numbers(seed), store_codes()
    for index, formula in enumerate(formulas()):
        if graph.n_results >= n_results:
            break
        write_material(graph, numbers, codes, formula, with_arrays=index < n_with_arrays)
        graph.flush(at_least=BATCH)
    graph.flush()
    group, _ = orm.Group.collection.get_or_create(GROUP)
    pks = [graph.pk_of(chain) for chain in graph.chains[::4][:100]]
    group.add_nodes(orm.QueryBuilder().append(orm.WorkChainNode, filters={"id": {"in": pks}}).all(flat=True))


def formulas() -> Iterator[str]:
    """Formulas of synthetic crystals: three known ones, then all combinations."""
    yield from ("Li3N", "Li2O", "Li6PS5Cl")
    for i, j, k in itertools.product((3, 2, 4, 6, 8), (1, 2, 3), (4, 3, 5, 7)):
        for mobile, metal, anion in itertools.product(MOBILE, METALS, ANIONS):
            yield f"{mobile}{i}{metal}{j if j > 1 else ''}{anion}{k}"


def write_material(graph: Graph, numbers: Numbers, codes: dict[str, int], formula: str, with_arrays: bool) -> None:
    """Write a crystal at all levels of theory, and each beside the first."""
    mobile = next(name for name in MOBILE if formula.startswith(name))
    structure = graph.data("structure", structure_attributes(formula), label=formula)
    law = numbers.law(still=not with_arrays and numbers.chance() < STILL)
    chains = []
    for level in LEVELS:
        draw = 1.0 if with_arrays else numbers.chance()
        fate = "running" if draw < RUNNING else "failed" if draw < RUNNING + FAILED else "finished"
        given = (graph, numbers, codes, formula, mobile, level, numbers.shifted(law), fate, with_arrays)
        chains.append(Chain(*given).write(structure))
        graph.time += timedelta(minutes=2)
    done = [chain for chain in chains if chain.fate == "finished"]
    if len(done) > 1 and done[0] is chains[0]:
        compare(graph, numbers, formula, done[0], done[1:])


def compare(graph: Graph, numbers: Numbers, formula: str, reference: Chain, others: list[Chain]) -> None:
    """Write the comparison of each level with the reference."""
    caller = graph.process("workchain", "aiida.workflows:ion.comparison", "ComparisonWorkChain", {})
    for chain in others:
        inputs = {chain.conductivity: "conductivity", reference.conductivity: "reference_conductivity"}
        for prefix, side in (("", chain), ("reference_", reference)):
            inputs |= {node: f"{prefix}diffusion_{label}" for label, node in side.fits.items()}
        process_type, key = (
            "aiida.calculations:ion.compare_levels",
            f"{formula}__{chain.level.engine}",
        )
        function = graph.process("calcfunction", process_type, "compare_levels", inputs, caller, f"compare_{key}")
        names = (chain.level.name, reference.level.name)
        attributes = numbers.comparison(formula, names, (chain.attributes, reference.attributes))
        label = f"{formula} {names[0]} / {names[1]}"
        result = graph.output(function, "array", attributes, "result", result=True, node_label=label)
        graph.link(caller, result, "return", f"comparisons__{key}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--profile", required=True, help="the profile to fill; made, with SQLite, if it is not there")
    parser.add_argument("--results", type=int, default=10_000, help="results (default 10000)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn (default 0)")
    arguments = parser.parse_args()
    make_profile(arguments.profile)
    fill(arguments.results, arguments.seed)


def make_profile(name: str) -> None:
    """Load a profile, which is made with SQLite and without a broker if it is not there."""
    from aiida.manage.configuration import create_profile, get_config

    config = get_config(create=True)
    if name not in config.profile_names:
        create_profile(
            config, name=name, email="scratch@localhost", storage_backend="core.sqlite_dos", storage_config={}
        )
        config.store()
    load_profile(name, allow_switch=True)


if __name__ == "__main__":
    main()
