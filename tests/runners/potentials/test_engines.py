"""The real potentials, each in the environment of its engine: what is loaded, and what a user is told when it is not.

All runs of an engine share one process, whose start costs more than they do.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from tests.runners.conftest import Folder, engine_python, md_settings

THREE_STEPS = md_settings(n_steps=3, timestep_fs=1.0, sample_every=1, keep=["forces"])
MakeRuns = Callable[..., dict[str, Folder]]


def lithium_fluoride(symbol: str = "Li") -> Atoms:
    atoms = bulk("LiF", "rocksalt", a=4.0)
    atoms.rattle(0.03, seed=2)
    atoms.symbols[0] = symbol
    return atoms


def copper(symbol: str = "Cu") -> Atoms:
    atoms = bulk("Cu", cubic=True).repeat(2)
    atoms.symbols[0], atoms.symbols[3] = "Ag", symbol
    atoms.rattle(0.02, seed=1)
    return atoms


def refused(folder: Folder) -> dict[str, Any]:
    """Return the results of a run that was refused; nothing but them may be left behind."""
    assert not list(folder.path.glob("*.np[yz]"))
    return folder.results()


@pytest.fixture(scope="module")
def make_runs(tmp_path_factory: pytest.TempPathFactory) -> MakeRuns:
    """Return a runner of potentials by name, each in its folder: atoms, potential and files to copy there."""

    def make(
        engine: str, given: dict[str, tuple[Atoms, dict[str, Any], list[tuple[Path, str]]]], **environment: str
    ) -> dict[str, Folder]:
        python, root = engine_python(engine), tmp_path_factory.mktemp(engine)
        folders = {name: Folder(root / name) for name in given}
        for name, (atoms, potential, files) in given.items():
            folders[name].write(atoms, md=THREE_STEPS, potential={"name": engine} | potential)
            for source, target in files:
                shutil.copy(source, folders[name].path / target)
        first, *others = folders.values()
        first.run_with(others, python, **environment)
        return folders

    return make


def published(engine: str, pattern: str) -> Path:
    """Return the weights that come with an engine's package."""
    return min(Path(engine_python(engine)).parents[1].rglob(pattern))


@pytest.fixture(scope="module")
def sevenn(make_runs: MakeRuns) -> dict[str, Folder]:
    file = [(published("sevenn", "*_0.pth"), "own.pth")]
    return make_runs(
        "sevenn",
        {
            "finished": (lithium_fluoride(), {"model": "7net-0", "dtype": "float64"}, []),
            "own_file": (lithium_fluoride(), {"checkpoint_file": "own.pth"}, file),
            "checksum": (lithium_fluoride(), {"checkpoint_sha256": "0" * 64}, []),
            "element": (lithium_fluoride("Og"), {}, []),
            "model": (lithium_fluoride(), {"model": "8net"}, []),
            "gpu": (lithium_fluoride(), {"device": "cuda:99"}, []),
        },
    )


def test_sevennet(sevenn: dict[str, Folder]) -> None:
    results = sevenn["finished"].results()
    assert results["status"] == "finished"
    assert results["versions"]["sevenn"] and results["versions"]["torch"]
    assert results["versions"]["checkpoint"]["name"] == "7net-0"
    assert len(results["versions"]["checkpoint"]["sha256"]) == 64
    assert results["engine"]["dtype"] == "float32"
    assert "float64" in results["warnings"][0]
    assert np.abs(sevenn["finished"].array("forces")).max() > 0.01


def test_published_weights_of_sevennet_in_a_file_need_no_trust(sevenn: dict[str, Folder]) -> None:
    results = sevenn["own_file"].results()
    assert results["status"] == "finished", results
    assert results["versions"]["checkpoint"]["loaded_as"] == "weights only"
    forces = [sevenn[name].array("forces") for name in ("finished", "own_file")]
    np.testing.assert_allclose(*forces, atol=1e-5)


def test_wrong_checksum_names_both_hashes(sevenn: dict[str, Folder]) -> None:
    results = refused(sevenn["checksum"])
    assert results["status"] == "checkpoint_mismatch"
    assert "0" * 64 in results["message"] and results["message"].count("sha256") == 1


@pytest.mark.parametrize(
    ("name", "status", "word"),
    [
        ("element", "element_unknown", "Og"),
        ("model", "checkpoint_missing", "8net"),
        ("gpu", "invalid_input", "cuda:99"),
    ],
)
def test_what_sevennet_does_not_have(sevenn: dict[str, Folder], name: str, status: str, word: str) -> None:
    results = refused(sevenn[name])
    assert results["status"] == status and word in results["message"]


def test_chgnet(make_runs: MakeRuns) -> None:
    file = [(published("chgnet", "*.pth.tar"), "own.pth")]
    runs = make_runs(
        "chgnet",
        {
            "finished": (lithium_fluoride(), {}, []),
            "own_file": (lithium_fluoride(), {"checkpoint_file": "own.pth"}, file),
        },
    )
    results = runs["finished"].results()
    assert results["status"] == "finished" and results["n_frames"] == 4
    assert results["versions"]["checkpoint"]["name"] == "0.3.0"
    assert results["versions"]["chgnet"] and len(results["versions"]["checkpoint"]["sha256"]) == 64
    own = runs["own_file"].results()
    assert own["status"] == "finished", own
    assert own["versions"]["checkpoint"]["loaded_as"] == "weights only"


@pytest.fixture(scope="module")
def mace(make_runs: MakeRuns, tiny_mace: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Folder]:
    sha256 = hashlib.sha256(tiny_mace.read_bytes()).hexdigest()
    by_file = {"checkpoint_file": "tiny.model", "checkpoint_sha256": sha256, "trusted_sha256": [sha256]}
    file = [(tiny_mace, "tiny.model")]
    return make_runs(
        "mace",
        {
            "float64": (copper(), by_file | {"dtype": "float64"}, file),
            "float32": (copper(), by_file | {"dtype": "float32"}, file),
            "element": (copper("Li"), {"model": str(tiny_mace), "trusted_sha256": [sha256]}, []),
            "trust": (copper(), {"model": str(tiny_mace), "trusted_sha256": ["0" * 64]}, []),
            "published": (copper(), {"model": "medium-mpa-0"}, []),
            "huge": (copper(), {"model": "huge"}, []),
        },
        # No cached file, and a network that leads nowhere.
        XDG_CACHE_HOME=str(tmp_path_factory.mktemp("cache")),
        https_proxy="http://127.0.0.1:9",
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_mace_by_file(mace: dict[str, Folder], tiny_mace: Path, dtype: str) -> None:
    results = mace[dtype].results()
    assert results["status"] == "finished" and results["engine"]["dtype"] == dtype
    assert results["versions"]["checkpoint"] == {
        "name": "tiny.model",
        "sha256": hashlib.sha256(tiny_mace.read_bytes()).hexdigest(),
        "loaded_as": "code trusted by the user",
    }
    assert results["versions"]["mace-torch"] and results["warnings"] == []
    assert np.abs(mace[dtype].array("forces")).max() > 0


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("element", "element_unknown", [" Li"]),
        ("trust", "checkpoint_untrusted", ["e3nn.nn"]),
        ("published", "checkpoint_missing", ["mace-mpa-0-medium.model", "checkpoint_file"]),
        ("huge", "checkpoint_missing", ["medium-mpa-0"]),
    ],
)
def test_what_mace_is_not_given(mace: dict[str, Folder], name: str, status: str, words: list[str]) -> None:
    results = refused(mace[name])
    assert results["status"] == status
    assert all(word in results["message"] for word in words)
