"""A small honest archive, and the means to spoil a copy of it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import calcfunction
from aiida.manage import get_manager
from aiida.tools.archive import create_archive
from ase.build import bulk


@calcfunction
def measure(structure: orm.StructureData) -> orm.ArrayData:
    """Return what stands for a diffusion node: scalars as attributes, an array beside them."""
    node = orm.ArrayData(np.arange(5.0, dtype=float))
    node.base.attributes.set_many({"formula": "Ar", "tracer_diffusivity_cm2_s": 1e-5})
    return node


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory, aiida_profile: Any) -> Path:
    """Return an archive with one result, its structure, and the calculation between them."""
    result = measure(orm.StructureData(ase=bulk("Ar", "fcc", a=5.6)))
    return create_archive([result], filename=tmp_path_factory.mktemp("honest") / "honest.aiida")


@pytest.fixture
def archive(honest: Path, tmp_path: Path) -> Path:
    """Return a copy of the honest archive."""
    return Path(shutil.copy(honest, tmp_path / "honest.aiida"))


@pytest.fixture
def back(aiida_profile: Any) -> Iterator[None]:
    """Return to the test's own profile afterwards."""
    profile = get_manager().get_profile()
    yield
    get_manager().load_profile(profile, allow_switch=True)


@pytest.fixture
def spoil(archive: Path, tmp_path: Path) -> Callable[..., Path]:
    """Return a factory of archives that differ from the honest one in one point."""

    def make(
        sql: str | None = None,
        metadata: dict[str, Any] | bytes | None = None,
        leave_out: str | None = None,
        add: dict[str | zipfile.ZipInfo, bytes] | None = None,
    ) -> Path:
        target = tmp_path / "spoiled.aiida"
        database = tmp_path / "database"
        with zipfile.ZipFile(archive) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
            for member in old.infolist():
                content = old.read(member)
                if member.filename == leave_out:
                    continue
                if member.filename == "metadata.json" and metadata is not None:
                    changed = json.loads(content) | metadata if isinstance(metadata, dict) else None
                    content = json.dumps(changed).encode() if isinstance(metadata, dict) else metadata
                if member.filename == "db.sqlite3" and sql is not None:
                    database.write_bytes(content)
                    with closing(sqlite3.connect(database)) as connection:
                        connection.executescript(sql)
                    content = database.read_bytes()
                new.writestr(member.filename, content)
            for name, content in (add or {}).items():
                new.writestr(name, content)
        return target

    return make


@pytest.fixture
def changed_bytes(archive: Path, tmp_path: Path) -> Callable[[Callable[[bytearray], Any]], Path]:
    """Return a factory of copies of the honest archive whose bytes were changed."""

    def make(change: Callable[[bytearray], Any]) -> Path:
        target = tmp_path / "changed.aiida"
        shutil.copy(archive, target)
        content = bytearray(target.read_bytes())
        target.write_bytes(bytes(change(content) or content))
        return target

    return make


@pytest.fixture(scope="session")
def fit_archive(
    aiida_profile: Any,
    aiida_config_factory: Any,
    aiida_profile_factory: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return the archive of a real fit of two walks, made in a profile of its own."""
    from aiida_ion.archives.export import export, plan
    from tests.archives.real_fit import fitted

    profile = get_manager().get_profile()
    folder = tmp_path_factory.mktemp("fit")
    with aiida_config_factory(folder / "config") as config, aiida_profile_factory(config):
        node = fitted(folder)
        export(plan([node.outputs.diffusion.uuid]), folder / "fit.aiida")
    get_manager().load_profile(profile, allow_switch=True)
    return folder / "fit.aiida"
