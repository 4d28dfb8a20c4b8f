"""Export a real fit and its origin, open and import it again."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import calcfunction
from aiida.manage import get_manager

from aiida_ion.archives.export import ExportPlan, export, plan
from aiida_ion.archives.importing import import_archive
from aiida_ion.archives.open import ArchiveError, check_archive, open_archive
from aiida_ion.archives.selection import choose
from aiida_ion.archives.writing import LEFT_OUT
from tests.archives.real_fit import fitted


@calcfunction
def sibling(trajectory: orm.TrajectoryData) -> orm.Dict:
    """Another use of an input of the fit, which is none of its provenance."""
    return orm.Dict({"n": trajectory.numsteps})


@pytest.fixture(scope="module")
def fit_uuid(aiida_profile: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make a real fit of two walks, in a group, beside things that do not belong to it; return its uuid."""
    aiida_profile.reset_storage()
    node = fitted(tmp_path_factory.mktemp("jobs"))
    sibling(node.inputs.trajectories.replica_00_segment_000)
    orm.Dict({"not": "chosen"}).store()
    group = orm.Group(label="results").store()
    group.add_nodes([node.outputs.diffusion])
    return str(node.uuid)


@pytest.fixture
def fit(fit_uuid: str) -> orm.CalcJobNode:
    """Return the fit."""
    return orm.load_node(fit_uuid)


@pytest.fixture
def other_profile(aiida_config_factory: Any, aiida_profile_factory: Any, tmp_path: Path) -> Iterator[None]:
    """Load an empty profile of someone else, and return to the first afterwards."""
    profile = get_manager().get_profile()
    with aiida_config_factory(tmp_path / "colleague") as config, aiida_profile_factory(config):
        yield
    get_manager().load_profile(profile, allow_switch=True)


def written(planned: ExportPlan, folder: Path, **more: Any) -> Path:
    path = folder / "out.aiida"
    export(planned, path, **more)
    check_archive(path)
    return path


def test_what_a_fit_came_from_and_no_more(fit: orm.CalcJobNode) -> None:
    choice = choose(["results"])
    assert {fit.pk, fit.inputs.code.pk, fit.inputs.program.pk, fit.outputs.retrieved.pk} <= choice.pks
    assert choice.trajectories == {node.pk for node in fit.inputs.trajectories.values()}
    assert choice.retrieved == {fit.outputs.retrieved.pk}
    kinds = (
        orm.QueryBuilder().append(orm.Node, filters={"id": {"in": choice.pks}}, project="process_type").all(flat=True)
    )
    assert [kind for kind in kinds if kind] == ["aiida.calculations:ion.diffusion"]
    assert len(choice.pks) < orm.QueryBuilder().append(orm.Node).count()
    # The same by PK, by UUID and through the group.
    for name in (str(fit.outputs.diffusion.pk), fit.outputs.diffusion.uuid):
        assert choose([name]).pks == choice.pks


def test_names_that_are_none_are_refused(fit: orm.CalcJobNode) -> None:
    for name in ("nobody", "999999", "ffffffff-0000-4000-8000-000000000000"):
        with pytest.raises(ValueError, match="there is no group"):
            choose([name])
    orm.Group.collection.get_or_create("empty")
    with pytest.raises(ValueError, match="there is nothing in empty"):
        choose(["empty"])


def test_what_still_runs_is_refused(fit: orm.CalcJobNode) -> None:
    running = orm.WorkChainNode()
    running.store()
    with pytest.raises(ValueError, match=f"process {running.pk} has not ended"):
        choose([str(running.pk)])


def test_sizes_are_those_of_the_files(fit: orm.CalcJobNode, tmp_path: Path) -> None:
    planned = plan(["results"])
    trajectories = list(fit.inputs.trajectories.values())
    # Both replicas have the same cells and times: a file that is in two nodes is there once.
    arrays = [array for _, array in trajectories[0].get_iterarrays()] + [trajectories[1].get_array("positions")]
    n_bytes = sum(array.nbytes for array in arrays)
    assert n_bytes < planned.sizes.trajectories < 1.05 * n_bytes
    path = written(planned, tmp_path)
    with zipfile.ZipFile(path) as archive:
        files = [member for member in archive.infolist() if member.filename.startswith("repo/")]
    assert len(files) == planned.sizes.n_files
    assert sum(member.file_size for member in files) == planned.sizes.kept


@pytest.mark.usefixtures("back")
def test_every_number_and_frame_comes_back(fit: orm.CalcJobNode, tmp_path: Path) -> None:
    path = written(plan(["results"]), tmp_path)
    expected, uuid = fit.outputs.diffusion.base.attributes.all, fit.outputs.diffusion.uuid
    positions = fit.inputs.trajectories.replica_01_segment_000.get_array("positions")
    open_archive(path)
    node = orm.load_node(uuid)
    assert node.base.attributes.all == expected
    creator = node.creator
    np.testing.assert_array_equal(creator.inputs.trajectories.replica_01_segment_000.get_array("positions"), positions)
    assert creator.outputs.retrieved.base.repository.list_object_names()
    assert orm.load_group("results").count() == 1


@pytest.mark.usefixtures("back")
def test_frames_and_files_can_stay_behind(fit: orm.CalcJobNode, tmp_path: Path) -> None:
    planned = plan(["results"], trajectories=False, retrieved=False)
    whole = plan(["results"])
    assert planned.sizes.kept == whole.sizes.kept - whole.sizes.trajectories - whole.sizes.retrieved
    path = written(planned, tmp_path)
    full, uuid = fit.outputs.diffusion.base.attributes.all, fit.outputs.diffusion.uuid
    attributes = fit.inputs.trajectories.replica_00_segment_000.base.attributes.all
    assert path.stat().st_size < written(whole, tmp_path, overwrite=True).stat().st_size / 2
    path = written(planned, tmp_path, overwrite=True)
    open_archive(path)
    node = orm.load_node(uuid)
    assert node.base.attributes.all == full
    assert node.get_array("msd_A2").size
    trajectory = node.creator.inputs.trajectories.replica_00_segment_000
    assert trajectory.base.attributes.all == attributes
    assert "positions.npy" in trajectory.base.extras.get(LEFT_OUT)
    assert node.creator.outputs.retrieved.base.repository.list_object_names() == []
    with pytest.raises(KeyError, match="`positions` not found"):
        trajectory.get_array("positions")


@pytest.mark.parametrize("trajectories", [True, False])
def test_a_colleague_imports_it(fit: orm.CalcJobNode, tmp_path: Path, trajectories: bool, request: Any) -> None:
    path = written(plan(["results"], trajectories=trajectories), tmp_path)
    expected, uuid = fit.outputs.diffusion.base.attributes.all, fit.outputs.diffusion.uuid
    request.getfixturevalue("other_profile")
    assert import_archive(path, dry_run=True) is None
    assert orm.QueryBuilder().append(orm.Node).count() == 0
    group = import_archive(path, group="from a colleague")
    assert group is not None
    assert group.count() == orm.QueryBuilder().append(orm.Node).count() > 5
    assert orm.load_node(uuid).base.attributes.all == expected
    assert not orm.load_computer("here").is_configured
    # Nothing in the database names a file that the repository lacks.
    get_manager().get_profile_storage().maintain(dry_run=True)


def test_a_file_that_was_exchanged_is_not_imported(fit: orm.CalcJobNode, tmp_path: Path, request: Any) -> None:
    path, changed = written(plan(["results"]), tmp_path), tmp_path / "changed.aiida"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for member in old.infolist():
            content = old.read(member)
            exchanged = member.filename.startswith("repo/") and not content.startswith(b"\x93NUMPY")
            new.writestr(member.filename, content[::-1] if exchanged else content)
    request.getfixturevalue("other_profile")
    with pytest.raises(ArchiveError, match="was not imported"):
        import_archive(changed)
    assert orm.QueryBuilder().append(orm.Node).count() == 0


def test_the_readme_says_what_is_in_it(fit: orm.CalcJobNode, tmp_path: Path) -> None:
    path = written(plan(["results"], trajectories=False), tmp_path, licence="CC-BY-4.0")
    text = (tmp_path / "out.README.md").read_text()
    with zipfile.ZipFile(path) as archive:
        assert archive.read("README.md").decode() == text
    low, high = fit.outputs.diffusion.base.attributes.get("tracer_diffusivity_ci95_cm2_s")
    row = next(line for line in text.splitlines() if fit.outputs.diffusion.uuid in line)
    assert f"({low:.3g} to {high:.3g}) cm2/s" in row
    # The name of the level of theory is text, neither a cell of the table nor HTML.
    assert r"a \| &lt;b&gt;walk&lt;/b&gt;" in row
    assert "<b>" not in text
    for entry in ("kinisi: 2.1", "10.1021/acs.jctc.4c01249", "10.1038/s41597-020-00638-4", "The data: CC-BY-4.0."):
        assert entry in text
    assert "Left out: the frames of trajectories." in text
    assert "LAMMPS" not in text


def test_a_file_is_not_replaced_unasked(fit: orm.CalcJobNode, tmp_path: Path) -> None:
    planned = plan(["results"])
    written(planned, tmp_path)
    with pytest.raises(ValueError, match="exists"):
        written(planned, tmp_path)
