"""Runs that are extended: what a person sees while they run and afterwards."""

from __future__ import annotations

import pytest
from aiida import orm
from aiida.common.links import LinkType

from aiida_ion.cli.text.convergence import convergence_lines
from aiida_ion.cli.text.live import current, render

DECISION = {
    "round": 2,
    "target_quantity": "tracer_diffusivity",
    "target_relative_error": 0.2,
    "relative_error": 0.31,
    "reason": "budget",
    "n_steps": 120000,
    "total_time_ps": 240.0,
    "temperatures": [
        {"temperature_K": 800.0, "time_ps": 120.0, "relative_error": 0.31, "reason": "budget", "message": "Used up."},
        {"temperature_K": 600.0, "time_ps": 120.0, "relative_error": None, "reason": "melted", "message": "It flows."},
    ],
}


def test_the_end_of_each_temperature_is_told() -> None:
    assert convergence_lines(None) == []
    first, *rest = convergence_lines(DECISION)
    assert first == (
        "runs went on until: tracer diffusivity to 0.2; budget after 2 rounds, 120,000 steps, 240 ps in all"
    )
    assert rest == ["  800 K, 120 ps, D known to 0.31: budget. Used up.", "  600 K, 120 ps: melted. It flows."]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_the_last_decision_stands_beside_a_work_chain_that_runs() -> None:
    chain = orm.WorkChainNode(process_type="aiida.workflows:ion.conductivity", label="Li3N")
    chain.set_process_state("waiting")
    chain.store()
    assert render(current()).splitlines()[0] == f"{chain.pk}  ion.conductivity  Li3N: waits"
    function = orm.CalcFunctionNode()
    function.base.attributes.set("function_name", "decide_extensions")
    function.base.links.add_incoming(chain, LinkType.CALL_CALC, "decide")
    function.store()
    text = orm.Dict({"round": 1, "summary": "Round 1: error 0.31, target 0.2; continues with 800 K to 60 ps."})
    text.base.links.add_incoming(function, LinkType.CREATE, "result")
    text.store()
    assert (
        render(current())
        .splitlines()[0]
        .endswith(": waits, Round 1: error 0.31, target 0.2; continues with 800 K to 60 ps.")
    )
