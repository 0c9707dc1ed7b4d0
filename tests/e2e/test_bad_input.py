"""Whatever is wrong, there is a clear error with an exit status, and the node is as it was."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reckless.cli.main import run
from reckless.node import rpc
from tests.e2e.scene import RECKLESS, Reckless, Snapshot, finish
from tests.nodes import Node

NOBODY = 65534
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be two users")


@pytest.fixture
def unharmed(stocked, reckless, node) -> Iterator[Reckless]:
    """An operator with python-hello 1.0.0 installed, which whatever the test does must leave as it is."""
    reckless("install", "python-hello==1.0.0", "--option", "hello-greeting=moin")
    before, rows = Snapshot.of(node), reckless.rows()
    yield reckless
    assert Snapshot.of(node) == before
    assert reckless.rows() == rows
    assert node.cli("hello", "you")["say"] == "moin you"
    assert not (node.dir / "reckless" / "journal.json").exists()
    trees = [p for p in (node.dir / "reckless").glob("*/*+*") if p.is_dir()]
    assert len(trees) == 1, "nothing half made is left"


# What is asked for


REFUSED = (
    (["install", "python-helo"], "no-such-plugin", 1, "did you mean python-hello?"),
    (["install", "xyzzy"], "no-such-plugin", 1, "reckless search"),
    (["install", "../../no-such-folder"], "no-such-folder", 1, "a plugin is a folder or a file"),
    (["install", "what?"], "invalid-name", 1, "lower-case letters"),
    (["install", "python-hello@deadbeef"], "no-such-version", 1, "1.1.0, 1.0.0"),
    (["install", "python-hello==one"], "invalid-specifier", 1, ""),
    (["install", "python-hello", "-o", "hello-greetin=x"], "option-unknown", 1, "hello-greeting"),
    (["install", "python-hello==1.1.0", "-o", "hello-greetin=x"], "option-unknown", 1, "hello-greeting"),
    (["install", "python-hello", "-o", "nonsense"], "usage", 2, "summary-currency=EUR"),
    (["set", "python-hello", "hello-greetin=x"], "option-unknown", 1, "hello-greeting"),
    (["unset", "python-hello", "hello-greetin"], "option-unknown", 1, "hello-greeting"),
    (["set", "python-hello"], "usage", 2, "--help"),
    (["uninstall", "python-helo"], "not-installed", 1, "did you mean python-hello?"),
    (["upgrade", "xyzzy"], "not-installed", 1, "reckless list"),
    (["rollback", "python-hello"], "nothing-to-roll-back-to", 1, "reckless install python-hello==VERSION"),
    (["log", "xyzzy"], "no-log", 1, "build"),
    (["info", "xyzzy"], "no-such-plugin", 1, "reckless search"),
    (["source", "add", "http://example.com/"], "invalid-source", 1, "https://"),
    (["source", "add", "no/such/folder"], "invalid-source", 1, "folder"),
    (["source", "remove", "https://example.com"], "no-such-source", 1, "reckless source list"),
    (["frobnicate"], "usage", 2, "--help"),
    (["list", "--frobnicate"], "usage", 2, "--help"),
    (["--network"], "usage", 2, "--help"),
)


def test_what_cannot_be_done_is_refused(unharmed):
    for argv, code, status, hint in REFUSED:
        error = unharmed.refused(*argv, status=status)

        assert (error["code"], hint in error["hint"]) == (code, True), (argv, error)


def test_a_version_that_is_not_there_is_explained(unharmed):
    error = unharmed.refused("install", "python-hello==9.9")

    assert "9.9" in error["message"] + error.get("detail", "")
    assert "1.1.0" in json.dumps(error)


# What the index and the sources give


def test_a_manifest_unlike_the_catalogs_digest_is_not_used(unharmed, stocked):
    manifest = stocked.folder / "site" / "v1" / "manifests" / "python-hello.toml"
    manifest.write_text(manifest.read_text().replace("The test plugin", "The best plugin"))

    env = {"RECKLESS_CACHE": str(stocked.folder / "empty-cache")}

    error = unharmed.refused("upgrade", "--all", env=env)

    assert error["code"] == "digest-mismatch"
    assert "python-hello" in error["message"]
    assert unharmed.refused("install", "python-hello==1.1.0", env=env)["code"] == "digest-mismatch"
    assert "what is newest of python-hello is not known" in unharmed("outdated", env=env).stderr


@pytest.fixture
def packed(stocked) -> bytes:
    """The index offers python-hello 1.2.0 as an archive; these are its bytes, not yet served."""
    archive = stocked.folder / "python-hello-1.2.0.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(stocked.folder / "work" / "python-hello" / "hello.py", "python-hello/hello.py")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    where = {"archive": f"{stocked.url}/python-hello.tar.gz", "sha256": digest, "subdir": "python-hello"}
    stocked.world.add_release("python-hello", "1.2.0", overrides={"source": where})
    stocked.publish()
    return archive.read_bytes()


def test_an_archive_of_the_right_digest_is_installed(packed, stocked, reckless, node):
    (stocked.folder / "site" / "python-hello.tar.gz").write_bytes(packed)

    assert "python-hello 1.2.0: installed; running" in reckless("install", "python-hello").stdout


def test_an_archive_of_another_digest_is_not_built(unharmed, packed, stocked):
    (stocked.folder / "site" / "python-hello.tar.gz").write_bytes(packed + b"\0")

    answer = unharmed("-j", "upgrade", "--all", status=1).json

    assert "sha256" in answer["error"]["message"] or "digest" in answer["error"]["message"]
    assert not [line for line in answer["log"] if line.endswith(": building")]


def test_a_git_server_that_fails(unharmed, stocked):
    stocked.git.status = 503

    error = unharmed.refused("upgrade", "--all")

    assert stocked.git.base.removeprefix("http://") in error["message"]


def test_a_git_server_that_is_down(unharmed, stocked):
    stocked.world.add_plugin("slow")
    stocked.publish()
    stocked.git.__exit__()

    error = unharmed.refused("install", "slow")

    assert stocked.git.base.removeprefix("http://") in error["message"]


def test_an_index_that_is_down_is_worked_without(unharmed, stocked):
    stocked.site.__exit__()

    said = unharmed("search", "python-hello")

    assert "python-hello" in said.stdout
    assert "cannot be reached" in unharmed("source", "list").text
    assert "cannot be reached; worked from what was fetched before" in unharmed("install", "python-hello").text


# The machine


def bin_without(folder: Path, *programs: str) -> str:
    """Make a PATH that has all but these."""
    folder.mkdir()
    for place in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in Path(place).glob("*"):
            if program.name.split("-")[0] not in programs:
                link = folder / program.name
                link.unlink(missing_ok=True)
                link.symlink_to(program)
    return str(folder)


def test_a_compiler_that_is_missing_is_said_before_anything_is_fetched(unharmed, stocked, node, tmp_path):
    stocked.world.add_plugin("rust-hello")
    stocked.publish()
    requests = list(stocked.git.requests)
    path = f"{node.software.bin}{os.pathsep}{bin_without(tmp_path / 'bin', 'cargo', 'rustc', 'rustup')}"

    error = unharmed.refused("install", "rust-hello", env={"PATH": path})

    assert error["code"] == "toolchain-missing"
    assert "cargo" in error["message"].lower() + error["hint"].lower()
    assert "rust" in error["hint"]
    assert stocked.git.requests == requests


@pytest.fixture
def tiny_disk(tmp_path) -> Iterator[Path]:
    """A folder on a disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("cannot mount a small disk here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_while_building(tiny_disk, stocked, reckless, node):
    reckless.flags += ["--reckless-dir", str(tiny_disk)]
    reckless("source", "add", stocked.url)
    before, state = Snapshot.of(node), (tiny_disk / "state.json").read_bytes()
    ballast = tiny_disk / "ballast"
    codes = []
    for free in (4_000, 16_000, 40_000):
        ballast.write_bytes(b"")
        ballast.write_bytes(bytes(shutil.disk_usage(tiny_disk).free - free))

        error = reckless.refused("install", "python-hello")

        codes.append(error["code"])
        assert "full" in error["message"] + error["hint"]
        assert (tiny_disk / "state.json").read_bytes() == state
        assert Snapshot.of(node) == before
        assert not list(tiny_disk.glob("*/*+*")), "what was half made is gone"
    assert codes[0] == "disk-full"
    assert node.restart().up
    ballast.unlink()
    reckless("install", "python-hello")
    assert node.restart().up
    assert node.cli("hello")["version"] == "1.1.0"


def test_a_file_that_may_not_grow_while_building(unharmed, stocked):
    stocked.world.add_plugin("slow", versions=())
    (stocked.folder / "work" / "slow" / "data.bin").write_bytes(os.urandom(3_000_000))
    stocked.world.add_release("slow", "1.0.0")
    stocked.publish()

    process = subprocess.Popen(
        ["sh", "-c", 'ulimit -f 2048; exec "$@"', "sh", str(RECKLESS), *unharmed.flags, "-j", "install", "slow"],
        env={**unharmed.env, "RECKLESS_CACHE": str(stocked.folder / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    said = finish(process)
    assert said.status == 1, said.text
    assert said.error["hint"], said.error


# The node


def script(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_no_lightning_cli(unharmed, tmp_path):
    env = {"LIGHTNING_CLI": str(tmp_path / "no-such-program")}

    error = unharmed.refused("upgrade", "--all", env=env)

    assert error["code"] == "lightning-cli-missing"
    assert "LIGHTNING_CLI" in error["hint"]
    assert "cannot ask lightningd what runs" in unharmed("list", env=env).text


def test_a_lightning_cli_that_answers_rubbish(unharmed, tmp_path):
    for body in ("echo Hello there", "echo '{\"id\": 1'", "echo '[]'", "head -c 100000 /dev/zero"):
        error = unharmed.refused("upgrade", "--all", env={"LIGHTNING_CLI": script(tmp_path / "cli", body)})

        assert error["code"] == "node-answer"


def test_a_lightning_cli_that_fails(unharmed, tmp_path):
    env = {"LIGHTNING_CLI": script(tmp_path / "cli", "echo out of memory >&2; exit 9")}

    error = unharmed.refused("upgrade", "--all", env=env)

    assert "out of memory" in error["message"]


def test_a_lightning_cli_that_hangs_is_given_up(unharmed, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LIGHTNING_CLI", script(tmp_path / "cli", "sleep 600"))
    monkeypatch.setattr(rpc, "TimeLimits", lambda limits=rpc.TimeLimits: limits(quick=1))

    status = run([*unharmed.flags, "-j", "upgrade", "--all"])

    error = json.loads(capsys.readouterr().out)["error"]
    assert (status, error["code"]) == (1, "node-timeout")
    assert "within 1 s" in error["message"]


def test_a_lightning_dir_that_is_not_there(unharmed, tmp_path):
    error = unharmed.refused("install", "python-hello", "--lightning-dir", str(tmp_path / "nowhere"))

    assert error["code"] == "lightning-dir-missing"
    assert not (tmp_path / "nowhere").exists()


def test_a_lightning_dir_that_cannot_be_read(tmp_path):
    folder = tmp_path / "secret"
    (folder / "lightning").mkdir(parents=True)
    folder.chmod(0)
    # Root may read all: it becomes nobody, once all is imported that only root may read here.
    program = f"""
import os, sys
from reckless.cli.main import run
sys.stdout = open(os.devnull, "w")
run(["-j", "-l", "/nonexistent", "install", "x"])
sys.stdout = sys.__stdout__
if os.geteuid() == 0:
    os.setgroups([]), os.setgid({NOBODY}), os.setuid({NOBODY})
sys.exit(run(["-j", "-l", {str(folder / "lightning")!r}, "install", "python-hello"]))
"""
    argv = [sys.executable, "-W", "ignore", "-c", program]
    env = {**os.environ, "LIGHTNING_CLI": "sh -c 'exit 2'", "RECKLESS_CACHE": "/nonexistent"}

    done = subprocess.run(argv, env=env, cwd="/", capture_output=True, text=True, check=False)

    folder.chmod(0o700)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (1, "lightning-dir-unreadable")
    assert "the user who runs lightningd" in error["hint"]


@AS_ROOT
def test_a_lightning_dir_of_another_user(stocked, reckless, node):
    before = Snapshot.of(node)
    shutil.chown(node.dir, NOBODY)

    error = reckless.refused("install", "python-hello")

    assert error["code"] == "wrong-user"
    assert "sudo -u nobody" in error["hint"]
    assert "python-hello" in reckless("search", "python-hello").stdout, "looking is allowed"
    shutil.chown(node.dir, 0)
    assert Snapshot.of(node) == before


# What is kept on disk


UNUSABLE = (
    (lambda text: text[: len(text) // 2], "state-damaged"),
    (lambda _: "", "state-damaged"),
    (lambda _: "[]", "state-damaged"),
    (lambda text: json.dumps(json.loads(text) | {"schema": 99}), "state-too-new"),
)


def test_a_state_that_cannot_be_used_is_left_alone(unharmed, node):
    state = node.dir / "reckless" / "state.json"
    good = state.read_text()
    for damage, code in UNUSABLE:
        state.write_text(damage(good))
        bad = Snapshot.of(node)

        for verb in (["install", "python-hello"], ["upgrade", "--all"], ["uninstall", "python-hello"], ["list"]):
            assert unharmed.refused(*verb)["code"] == code
        assert code in unharmed("-j", "doctor", status=1).stdout
        assert Snapshot.of(node) == bad
    state.write_text(good)


def test_a_state_that_is_gone_is_not_taken_for_a_fresh_start(unharmed, node):
    state = node.dir / "reckless" / "state.json"
    good = state.read_text()
    state.unlink()

    assert unharmed.refused("install", "python-hello")["code"] == "state-missing"

    assert not state.exists()
    state.write_text(good)


# Two at once, and the end before the end


@pytest.fixture
def busy(stocked, reckless) -> Iterator[subprocess.Popen[str]]:
    """An install that is under way: it probes a plugin that takes its time."""
    stocked.world.add_plugin("slow")
    stocked.publish()
    process = reckless.start("install", "slow")
    for line in process.stderr:
        if line.startswith("slow: probing"):
            break
    yield process
    process.kill()
    process.wait()
    process.stdout.close()
    process.stderr.close()


def test_of_two_at_once_the_second_waits_and_both_are_done(busy, reckless, node):
    second = reckless("install", "python-hello")

    first = finish(busy)
    assert "slow 1.0.0: installed; running" in first.stdout
    assert "python-hello 1.1.0: installed; running" in second.stdout
    assert f"waiting for another reckless (process {busy.pid}: reckless" in second.stderr
    assert reckless.health() == {"python-hello": "running", "slow": "running"}


def as_if_never_asked(reckless: Reckless, node: Node) -> None:
    assert reckless("install", "python-hello").status == 0
    assert set(reckless.rows()) == {"python-hello"}
    assert len(node.plugins()) == 1
    assert not list((node.dir / "reckless").glob("slow/*")), "what was half made is gone"
    assert node.restart().up


def test_an_interrupted_install_leaves_nothing(busy, reckless, node):
    busy.send_signal(signal.SIGINT)

    said = finish(busy)

    assert said.status == 130
    assert "interrupted; what was under way was put back as it was" in said.stderr
    assert node.plugins() == {}
    as_if_never_asked(reckless, node)


def test_a_killed_install_leaves_nothing_once_the_next_command_has_run(busy, reckless, node):
    busy.kill()
    busy.wait()

    assert node.plugins() == {}
    assert reckless.rows() == {}
    as_if_never_asked(reckless, node)
