"""Trust in files of weights that a job found, where loading them runs code: only where the user says so."""

from __future__ import annotations

from dataclasses import replace

from aiida_ion.engines.codes import Engine


def trust(engine: Engine, sha256: str) -> Engine:
    """Note that the user trusts the file of that hash, and no other, with an engine."""
    trusted = sorted({*engine.potential.get("trusted_sha256", []), sha256})
    after = replace(engine, potential=engine.potential | {"trusted_sha256": trusted})
    after.save()
    return after
