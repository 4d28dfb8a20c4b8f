"""Trust in files of weights that run code when they are loaded: only on the user's request."""

from __future__ import annotations

from dataclasses import replace

from aiida_ion.engines.engine import Engine


def trust(engine: Engine, sha256: str) -> Engine:
    """Note that the user trusts the file of that hash, and no other, with an engine."""
    trusted = sorted({*engine.potential.get("trusted_sha256", []), sha256})
    after = replace(engine, potential=engine.potential | {"trusted_sha256": trusted})
    after.save()
    return after
