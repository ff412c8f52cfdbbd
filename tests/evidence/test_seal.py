"""Sealing: what is in the bag, that it depends on the case alone, and that nothing half-made stays."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import zipfile
from hashlib import sha256

import bagit
import pytest

from forensics.evidence import seal as sealing
from forensics.evidence.seal import plan, seal
from forensics.evidence.structure import FIXED, ROOT_FILES
from forensics.model.errors import CaseFault, UnreadableEvidence, UsageFault, VerificationFault
from forensics.store.case_folder import CaseFolder
from tests.evidence.sealing import Ticking, digest_of, make_case
from tests.paths import need_program


def names(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def acts(case):
    return [json.loads(line)["act"] for line in case.custody.path.read_bytes().splitlines()]


def changeable(made, folder):
    """A copy of the sealed case."""
    shutil.copytree(made.case.root, folder / "case")
    return CaseFolder(folder / "case", Ticking())


def test_holds_what_the_layout_says_and_nothing_else(made):
    found = names(made.sealed.path)
    facts = json.loads((made.sealed.path / "data/package.json").read_bytes())
    queries = {q["id"]: q["rows"] for q in facts["queries"]}
    sources = {s["file"] for s in facts["sources"] if s["file"]}
    assert len(sources) == 8  # all but the link, which was not opened
    wanted = {*ROOT_FILES, *FIXED, *sources}
    wanted |= {f"data/queries/{i}.sql" for i in queries}
    wanted |= {f"data/results/{i}.jsonl" for i, rows in queries.items() if rows is not None}
    assert found == sorted(wanted)
    assert len(found) == made.sealed.files
    assert sum((made.sealed.path / n).stat().st_size for n in found) == made.sealed.bytes
    assert made.sealed.digest == digest_of(made.sealed.path)


def test_other_tools_accept_the_bag(made):
    bag = bagit.Bag(str(made.sealed.path))
    bag.validate()
    assert bag.version_info == (1, 0)
    assert bag.info["Source-Organization"] == "Heron Works"


def test_checks_with_sha256sum_alone(made):
    program = need_program("sha256sum", shutil.which("sha256sum"))
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        done = subprocess.run([program, "-c", "--strict", "--quiet", manifest], cwd=made.sealed.path, check=False)
        assert done.returncode == 0


def test_originals_are_the_received_bytes(made):
    facts = json.loads((made.sealed.path / "data/package.json").read_bytes())
    logs = made.case.root.parent / "logs"
    for source in facts["sources"]:
        if source["file"]:
            packed = (made.sealed.path / source["file"]).read_bytes()
            assert packed == (logs / source["original_name"]).read_bytes()
            assert sha256(packed).hexdigest() == source["sha256"]


def test_unread_files_are_listed_with_their_reason(made):
    lines = (made.sealed.path / "data/inventory/sources.jsonl").read_bytes().splitlines()
    sources = {s["name"]: s for s in map(json.loads, lines)}
    assert sources["link.json"]["reason"] == "a link: not followed"
    assert not sources["link.json"]["embedded"]
    assert sources["notes <b>.txt"]["state"] == "skipped"
    assert "unknown format" in sources["notes <b>.txt"]["reason"]
    assert sources["broken.json"]["state"] == "defective"
    assert sources["again.json"]["owner"] == "Heron Works"


def test_packing_again_gives_the_same_bytes_whatever_happened_after(made, tmp_path):
    made.case.custody.append("reported", file="out/report-001.html")
    made.case.custody.append("verified")
    again = seal(made.case, tmp_path / "again", Ticking(), zip_too=True)
    assert again.digest == made.sealed.digest
    assert again.zip_path.read_bytes() == made.sealed.zip_path.read_bytes()
    assert [acts(made.case)[n] for n in (-1, -2, -3)] == ["packaged", "verified", "reported"]


def test_an_act_on_the_evidence_gives_another_package(made, tmp_path):
    case = changeable(made, tmp_path)
    case.work_path.write_bytes(b'{"act":"note","text":"seen by counsel"}\n')
    assert seal(case, tmp_path / "two", Ticking()).digest != made.sealed.digest


def test_the_zip_is_stored_sorted_and_without_time(made):
    with zipfile.ZipFile(made.sealed.zip_path) as archive:
        members = archive.infolist()
    assert [m.filename for m in members] == sorted(m.filename for m in members)
    assert {m.compress_type for m in members} == {zipfile.ZIP_STORED}
    assert {m.date_time for m in members} == {(1980, 1, 1, 0, 0, 0)}
    assert {m.external_attr >> 16 for m in members} == {0o100644}
    assert {m.filename.partition("/")[0] for m in members} == {f"keytrail-package-{made.sealed.digest[:12]}"}


def test_names_neither_this_machine_nor_its_folders(made):
    places = [str(made.case.root.parent).encode(), str(made.case.root.parent.parent).encode()]
    places += [platform.node().encode()] if len(platform.node()) > 5 else []
    for name in names(made.sealed.path):
        content = (made.sealed.path / name).read_bytes()
        assert not [place for place in places if place in content], name


def test_first_page_shows_hostile_text_as_text(made):
    page = (made.sealed.path / "data/START-HERE.html").read_text()
    assert "A &lt;b&gt;small&lt;/b&gt; case" in page
    assert "<b>" not in page
    assert "<script" not in page


def test_plan_lists_the_payload_and_writes_nothing(made):
    before = names(made.case.root)
    sizes = plan(made.case)
    assert sizes == {n: (made.sealed.path / n).stat().st_size for n in names(made.sealed.path) if n.startswith("data/")}
    assert names(made.case.root) == before


def test_plan_of_a_case_never_hunted_says_so(tmp_path):
    with pytest.raises(CaseFault, match="out of date"):
        plan(make_case(tmp_path))


def test_nothing_is_overwritten(made, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "b.zip").write_bytes(b"mine")
    (tmp_path / "c.part").mkdir()
    with pytest.raises(UsageFault, match="something already"):
        seal(made.case, tmp_path / "there", Ticking())
    with pytest.raises(UsageFault, match="something already"):
        seal(made.case, tmp_path / "b", Ticking(), zip_too=True)
    with pytest.raises(UsageFault, match="unfinished"):
        seal(made.case, tmp_path / "c", Ticking())
    assert names(tmp_path) == ["b.zip"]
    assert (tmp_path / "b.zip").read_bytes() == b"mine"


def test_originals_that_were_not_copied_are_fetched_by_hash(made, tmp_path):
    case = make_case(tmp_path, copy=False)
    sealed = seal(case, tmp_path / "package", Ticking())
    here, there = tmp_path / "package/data/sources", made.sealed.path / "data/sources"
    assert names(here) == names(there)
    assert all((here / n).read_bytes() == (there / n).read_bytes() for n in names(here))
    assert sealed.digest == digest_of(sealed.path)


def test_originals_that_are_gone_or_changed_stop_the_sealing(tmp_path):
    case = make_case(tmp_path, copy=False)
    (tmp_path / "logs/again.json").unlink()
    (tmp_path / "logs/usage/a.json").write_bytes(b"other")
    with pytest.raises(UnreadableEvidence) as caught:
        seal(case, tmp_path / "package", Ticking(), zip_too=True)
    said = str(caught.value)
    assert "no longer at its place" in said
    assert "no longer the file that was received" in said
    assert sorted(p.name for p in tmp_path.iterdir()) == ["case", "logs"]
    assert acts(case)[-1] == "package failed"


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_what_is_interrupted_leaves_nothing(made, tmp_path, monkeypatch, error):
    def stop(*_):
        raise error

    monkeypatch.setattr(sealing, "write_zip", stop)
    with pytest.raises((KeyboardInterrupt, UsageFault)):
        seal(made.case, tmp_path / "package", Ticking(), zip_too=True)
    assert list(tmp_path.iterdir()) == []
    assert acts(made.case)[-1] == "package failed"


def test_a_broken_custody_log_is_not_sealed(made, tmp_path):
    case = changeable(made, tmp_path)
    content = case.custody.path.read_bytes()
    case.custody.path.write_bytes(content.replace(b'"received"', b'"forgotten"', 1))
    with pytest.raises(VerificationFault, match="does not hold together"):
        seal(case, tmp_path / "second", Ticking())
    assert not (tmp_path / "second").exists()
