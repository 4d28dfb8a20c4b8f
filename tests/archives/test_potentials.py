"""Files of potentials in an archive: there by default, left out if asked, and never loaded by opening it."""

from __future__ import annotations

import pickle
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from aiida.common.links import LinkType

from aiida_ion import queries
from aiida_ion.archives.export import export, plan
from aiida_ion.archives.open import open_archive
from aiida_ion.archives.writing import LEFT_OUT
from aiida_ion.cli.export import size_text
from benchmarks.synthetic.training import FIT, store_potential, store_run

pytestmark = pytest.mark.usefixtures("back", "aiida_profile_clean")


class Marked:
    """What writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_files_of_trained_potentials_come_along(tmp_path: Path) -> None:
    job = store_potential()
    run, uuid = store_run(job), job.outputs.potential.uuid
    planned = plan([run.uuid])
    assert planned.choice.potentials == {job.outputs.potential.pk}
    assert planned.sizes.potentials == len(job.outputs.potential.get_content(mode="rb"))
    assert "of that files of potentials" in size_text(planned)
    export(planned, tmp_path / "with.aiida")
    content = job.outputs.potential.get_content(mode="rb")
    open_archive(tmp_path / "with.aiida")
    assert orm.load_node(uuid).get_content(mode="rb") == content


def test_they_can_stay_behind(tmp_path: Path) -> None:
    fit = store_potential(FIT)
    facts, uuid = fit.outputs.files.coeff.base.attributes.all, fit.outputs.files.coeff.uuid
    planned = plan([fit.uuid], potentials=False)
    assert planned.left_out == {fit.outputs.files.coeff.pk, fit.outputs.files.param.pk}
    assert "left out: files of potentials" in size_text(planned)
    beside = export(planned, tmp_path / "without.aiida")
    assert "Left out: the files of potentials." in beside.read_text()
    open_archive(tmp_path / "without.aiida")
    node = orm.load_node(uuid)
    assert node.base.attributes.all == facts
    assert node.base.extras.get(LEFT_OUT) == ["potential.bin"]
    assert node.base.repository.list_object_names() == []
    table = queries.trainings()
    assert list(table["potential_uuid"]) == [uuid]
    assert table["held_out_force_mae_eV_A"].notna().all()


def test_checkpoints_that_jobs_loaded_count(tmp_path: Path) -> None:
    checkpoint = orm.SinglefileData(BytesIO(b"weights"), filename="weights.pth").store()
    other = orm.SinglefileData(BytesIO(b"notes"), filename="notes.txt").store()
    job = orm.CalcJobNode(process_type="aiida.calculations:ion.mlip_md", computer=store_potential().computer)
    for label, node in (("checkpoint", checkpoint), ("notes", other)):
        job.base.links.add_incoming(node, LinkType.INPUT_CALC, label)
    job.store().seal()
    assert plan([job.uuid]).choice.potentials == {checkpoint.pk}


def test_opening_an_archive_runs_no_code_of_a_potential(tmp_path: Path) -> None:
    mark = tmp_path / "was-run"
    content = pickle.dumps(Marked(mark))
    job = orm.CalcJobNode(process_type="aiida.calculations:ion.train", computer=store_potential().computer)
    job.store()
    potential = orm.SinglefileData(BytesIO(content), filename="potential.pth")
    potential.base.links.add_incoming(job, LinkType.CREATE, "potential")
    potential.store()
    job.seal()
    export(plan([job.uuid]), tmp_path / "evil.aiida")
    uuid = potential.uuid
    open_archive(tmp_path / "evil.aiida")
    assert list(queries.trainings()["potential_uuid"]) == [uuid]
    assert not mark.exists()
    pickle.loads(content)
    assert mark.exists(), "the file would have run code"
