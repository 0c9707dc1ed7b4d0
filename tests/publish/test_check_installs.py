"""`reckless index check`: how far each release comes on a throw-away node, and what is written of it."""

from __future__ import annotations

import json
import os
import re
import stat

import psutil
import pytest

from reckless.errors import IndexSourceError, NodeError, RecklessError
from reckless.model.reporter import SilentReporter
from reckless.operate.session import Settings
from reckless.publish.check_installs import CheckWishes, check_installs
from reckless.publish.outcome import Record, Trial, table
from reckless.publish.trial_node import TrialNode, find_lightningd
from tests.build.workshop import without
from tests.nodes import real_lightningd, stand_in
from tests.servers import git
from tests.world import BREAKS_IN_INIT, World


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """One cache for all of these tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "world")


@pytest.fixture
def lightningd(monkeypatch):
    """The stand-in's lightningd, and its lightning-cli beside it, on PATH."""
    software = stand_in(timeout=10)
    for name, value in {**software.env, "STANDIN_PARENT": str(os.getpid())}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{software.bin}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def check(tmp_path, world, cache, monkeypatch):
    """Check releases of the world; returns the trials by name, or by name and version where there are several."""
    temporary = tmp_path / "t"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", str(temporary))

    def run(*names: str, **wishes) -> dict[str, Trial]:
        settings = Settings(cache=cache, jobs=2, probe_timeout=10)
        found = check_installs(
            world.index_dir, CheckWishes(names=names, local=True, **wishes), settings, SilentReporter()
        )
        assert list(temporary.iterdir()) == []
        several = len({t.name for t in found}) < len(found)
        return {f"{t.name}=={t.version}" if several else t.name: t for t in found}

    yield run
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(temporary) in " ".join(p.info["cmdline"] or [])]


def test_a_good_release_is_started_and_nothing_of_it_stays(check, world, lightningd):
    world.add_plugin("python-hello")
    trial = check()["python-hello"]
    assert (trial.reached, trial.ok, trial.why) == ("started", True, "")
    assert trial.lightningd == "v26.06.6"
    assert trial.size > 1000
    assert trial.build > 0
    assert re.fullmatch(r"[0-9a-f]{64}", trial.digest)


@pytest.mark.lightningd
def test_on_a_real_lightningd(check, world):
    if real_lightningd() is None:
        pytest.skip("no lightningd on PATH")
    world.add_plugin("python-hello")
    world.add_plugin("static")
    assert {name: trial.reached for name, trial in check().items()} == {"python-hello": "started", "static": "started"}


def test_one_that_is_not_dynamic_is_started_by_a_restart(check, world, lightningd):
    world.add_plugin("static")
    assert check()["static"].reached == "started"


def test_with_its_dependencies(check, world, lightningd):
    world.add_plugin("static")
    world.add_plugin("python-hello", depends=("static", "commando"))
    assert check("python-hello")["python-hello"].reached == "started"


def test_how_far_bad_ones_come_and_why(check, world, lightningd):
    world.add_plugin("fails-init")
    world.add_plugin("crashes")
    world.add_plugin("takes-method")
    world.add_plugin("python-hello", name="gone", overrides={"build": {"entrypoint": "gone.py"}})
    world.add_plugin("python-hello", name="liar", overrides={"runtime": {"options": ["other"]}})
    world.add_plugin("python-hello", name="mute", overrides={"runtime": {"subscriptions": ["connect"]}})
    found = check()
    assert {name: (t.reached, t.ok, t.code) for name, t in found.items()} == {
        "fails-init": ("probed", False, "plugin-start-failed"),
        "crashes": ("built", False, "probe-exited"),
        "takes-method": ("probed", False, "method-taken"),
        "gone": ("nothing", False, "entrypoint-missing"),
        "liar": ("probed", False, "manifest-mismatch"),
        "mute": ("probed", False, "manifest-mismatch"),
    }
    assert "has the options hello-greeting" in found["liar"].why
    assert "declares the subscriptions connect" in found["mute"].why
    assert not [t.why for t in found.values() if "/t/" in t.why or "://" in t.why]


def test_what_cannot_start_here_through_no_fault_of_its_own_passes_and_says_why(check, world, lightningd):
    world.add_plugin("needs-option")
    world.add_plugin("python-hello", name="old", overrides={"release": {"cln": "<23.05"}})
    world.add_plugin("static", name="backend", overrides={"runtime": {"disables": ["bcli"]}})
    world.add_plugin("fails-init", name="commando", overrides={"release": {"cln": "<0.12"}})
    found = check()
    assert {name: (t.reached, t.ok) for name, t in found.items()} == dict.fromkeys(found, ("probed", True))
    assert "needy-token" in found["needs-option"].why
    assert (found["old"].lightningd, found["old"].why) == ("v23.02", "for lightningd <23.05")
    assert "takes the place of bcli" in found["backend"].why
    assert found["commando"].why == "lightningd v26.06.6 has it built in"


def test_one_that_kills_the_node_does_not_spoil_the_next(check, world, lightningd):
    world.add_plugin("python-hello", name="a-killer", versions=())
    kills = ('sys.exit("this release is broken")', "__import__('os').kill(__import__('os').getppid(), 9)")
    world.add_release("a-killer", "2.0.0", edits=[*BREAKS_IN_INIT, kills])
    world.add_plugin("python-hello", name="b-good")
    found = check()
    assert not found["a-killer"].ok
    assert found["b-good"].reached == "started"


def test_without_a_lightningd_it_is_built_and_probed(check, world, monkeypatch):
    monkeypatch.setenv("PATH", without("lightningd"))
    world.add_plugin("python-hello")
    trial = check()["python-hello"]
    assert (trial.reached, trial.ok, trial.why) == ("probed", True, "there is no lightningd here")


def test_a_toolchain_that_is_missing_fails_the_check(check, world, monkeypatch):
    monkeypatch.setenv("PATH", without("lightningd"))
    world.add_plugin("python-hello", overrides={"build": {"python": ">=4"}})
    trial = check()["python-hello"]
    assert (trial.reached, trial.ok, trial.code) == ("nothing", False, "toolchain-missing")


def test_a_node_that_does_not_come_up_is_said_with_its_log(tmp_path):
    (tmp_path / "lightningd").write_text("#!/bin/sh\necho out of luck\nexit 1\n")
    (tmp_path / "lightning-cli").write_text("#!/bin/sh\nexit 2\n")
    for name in ("lightningd", "lightning-cli"):
        (tmp_path / name).chmod(0o755)
    node = TrialNode(tmp_path / "l", tmp_path / "lightningd")
    with pytest.raises(NodeError, match="did not come up") as told:
        node.start()
    assert (told.value.code, told.value.detail) == ("trial-node-failed", "out of luck")
    assert not node.up


def test_a_lightningd_without_its_cli_is_none(tmp_path, monkeypatch):
    (tmp_path / "lightningd").write_text("#!/bin/sh\n")
    (tmp_path / "lightningd").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{without('lightningd')}")
    assert find_lightningd() is None


def test_the_chain_is_run_by_our_own_python(tmp_path, lightningd):
    found = find_lightningd()
    assert found is not None
    node = TrialNode(tmp_path / "l", found)
    assert node.start().network == "regtest"
    chain = node.lightning_dir / "chain.py"
    assert chain.stat().st_mode & stat.S_IXUSR
    assert any(p.name == str(chain) and p.active for p in node.lightning.plugins())
    node.stop()
    assert not node.up


# Which releases


def committed(world: World) -> None:
    git("init", "-q", ".", cwd=world.index_dir)
    git("add", "-A", cwd=world.index_dir)
    git("commit", "-q", "-m", "manifests", cwd=world.index_dir)


def test_only_what_changed_since_a_revision(check, world, monkeypatch):
    monkeypatch.setenv("PATH", without("lightningd"))
    world.add_plugin("python-hello", versions=("1.0.0", "1.1.0"))
    world.add_plugin("static")
    committed(world)
    assert check(changed_since="HEAD") == {}
    world.add_release("python-hello", "1.2.0")
    assert [t.version for t in check(changed_since="HEAD").values()] == ["1.2.0"]
    world.add_plugin("python-hello", name="quite-new")
    assert sorted(check(changed_since="HEAD")) == ["python-hello", "quite-new"]
    assert sorted(check("quite-new", changed_since="HEAD")) == ["quite-new"]
    file = world.index_dir / "static.toml"
    file.write_text("# a remark\n" + file.read_text().replace("The test plugin static", "Another summary"))
    assert "static" not in check(changed_since="HEAD")
    file.write_text(file.read_text().replace('options = ["static-word"]', "options = []"))
    assert "static" in check("static", changed_since="HEAD")


def test_a_revision_that_is_none_is_refused(check, world):
    world.add_plugin("python-hello")
    committed(world)
    for rev in ("no-such", "--output=x", "HEAD~7"):
        with pytest.raises(RecklessError, match="git cannot say") as told:
            check(changed_since=rev)
        assert told.value.code == "no-such-revision"
    assert not (world.index_dir / "x").exists()


def test_names_and_versions_that_are_not_there_are_refused_before_anything_is_done(check, world):
    world.add_plugin("python-hello")
    for name, code in (
        ("python-helo", "no-such-plugin"),
        ("python-hello==9", "no-such-version"),
        ("../x", "invalid-name"),
    ):
        with pytest.raises(RecklessError) as told:
            check("python-hello", name)
        assert told.value.code == code


# The record


def trial(name: str, version: str = "1.0", **more) -> Trial:
    return Trial(
        **{
            "name": name,
            "version": version,
            "language": "python",
            "digest": "d",
            "reached": "started",
            "ok": True,
            **more,
        }
    )


def test_the_record_keeps_what_was_not_checked_again_and_drops_what_is_gone(tmp_path):
    record = Record(tmp_path / "docs")
    record.update([trial("a"), trial("b", "1.0"), trial("b", "2.0")], [("a", "1.0"), ("b", "2.0"), ("b", "1.0")])
    record.update(
        [trial("b", "2.0", reached="probed", why="no\nluck | <b>")], [("b", "2.0"), ("b", "1.0"), ("c", "1.0")]
    )
    assert [(t.name, t.version, t.reached) for t in record.load()] == [("b", "2.0", "probed"), ("b", "1.0", "started")]
    rows = (tmp_path / "docs" / "catalogue.md").read_text().splitlines()
    assert "| b | 2.0 | python | built, probed |  |  |  |  | no luck \\| &lt;b> |" in rows
    assert "|  | 1.0 | python | started |  |  |  |  |  |" in rows
    before = {f.name: f.read_bytes() for f in (tmp_path / "docs").iterdir()}
    record.update((), [("b", "2.0"), ("b", "1.0")])
    assert {f.name: f.read_bytes() for f in (tmp_path / "docs").iterdir()} == before


def test_what_stands_around_the_table_stays(tmp_path):
    record = Record(tmp_path)
    record.update([trial("a")], [("a", "1.0")])
    page = tmp_path / "catalogue.md"
    page.write_text(f"# Ours\n\nBefore.\n\n{page.read_text().partition(chr(10))[2].strip()}\n\nAfter.\n")
    record.update([trial("a", reached="built", ok=False)], [("a", "1.0")])
    assert [(t.reached, t.ok) for t in record.load()] == [("built", False)]
    text = page.read_text()
    assert text.startswith("# Ours\n\nBefore.\n\n<!--")
    assert text.endswith("-->\n\nAfter.\n")
    assert "| built (fails) |" in text


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("catalogue.json", "{"),
        ("catalogue.json", '{"schema": 2, "trials": []}'),
        ("catalogue.json", '{"schema": 1, "trials": [{"name": 1}]}'),
        ("catalogue.md", "# A page with no place for it\n"),
    ],
)
def test_a_record_that_is_not_ours_is_refused_before_any_work(check, world, tmp_path, file, text):
    world.add_plugin("python-hello")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / file).write_text(text)
    with pytest.raises(IndexSourceError) as told:
        check(out=tmp_path / "docs")
    assert told.value.code == "unreadable"
    assert (tmp_path / "docs" / file).read_text() == text


def test_each_trial_is_recorded_as_soon_as_it_is_made(check, world, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", without("lightningd"))
    world.add_plugin("python-hello")
    world.add_plugin("static")
    monkeypatch.setattr("reckless.publish.workshop.Workshop.check", _second_fails())
    with pytest.raises(KeyboardInterrupt):
        check(out=tmp_path / "docs")
    assert [t.name for t in Record(tmp_path / "docs").load()] == ["python-hello"]


def _second_fails():
    made: list[Trial] = []

    def check(_self, name, release):
        if made:
            raise KeyboardInterrupt
        made.append(trial(name, str(release.version)))
        return made[0]

    return check


def test_the_record_is_json_with_only_what_there_is_to_say(tmp_path):
    Record(tmp_path).update([trial("a", size=5)], [("a", "1.0")])
    data = json.loads((tmp_path / "catalogue.json").read_text())
    said = {"name": "a", "version": "1.0", "language": "python", "digest": "d", "reached": "started", "ok": True}
    assert data == {"schema": 1, "trials": [{**said, "size": 5}]}


def test_a_table_of_nothing_has_its_head():
    assert len(table([]).splitlines()) == 2
