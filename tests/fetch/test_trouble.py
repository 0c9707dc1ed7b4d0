"""What git says when something is wrong, and what this machine does, becomes a code that a person can act on."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reckless.errors import FetchError
from reckless.fetch.command import Git
from reckless.fetch.giterrors import GitFailedError, translate
from reckless.fetch.limits import Deadline
from reckless.fetch.objects import Objects
from reckless.fetch.tree import TreeWriter
from reckless.model.manifest import GitSource
from reckless.system.process import Completed
from tests.fetch.conftest import tree
from tests.servers import git


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("fatal: write error: No space left on device\nfatal: index-pack failed", "disk-full"),
        ("error: index-pack died of signal 25", "tree-too-large"),
        ("fatal: unable to access 'URL': Could not resolve host: x", "network-down"),
        ("fatal: unable to access 'URL': Failed to connect to x port 443", "network-down"),
        ("fatal: unable to access 'URL': The requested URL returned error: 502", "network-down"),
        ("fatal: unable to access 'URL': SSL certificate problem: certificate has expired", "network-down"),
        ("fatal: unable to access 'URL': The requested URL returned error: 403", "repository-not-found"),
        ("remote: Repository not found.\nfatal: repository 'URL' not found", "repository-not-found"),
        ("fatal: could not read Username for 'URL': terminal prompts disabled", "repository-not-found"),
        ("fatal: detected dubious ownership in repository at '/x'", "repository-not-found"),
        ("fatal: transport 'http' not allowed", "insecure-url"),
        ("fatal: remote error: upload-pack: not our ref abab", "no-such-revision"),
        ("error: Server does not allow request for unadvertised object abab", "no-such-revision"),
        (f"error: object {'ab' * 20}: hasDotgit: contains '.git'\nfatal: fsck error", "git-objects-refused"),
        ("error: RPC failed; curl 18 transfer closed\nfatal: early EOF", "network-down"),
        ("fatal: something that nobody has seen", "git-failed"),
    ],
)  # fmt: skip
def test_what_git_says_is_understood(said, code):
    error = translate(Completed(status=128, stderr=said), "https://example.com/x", "git fetch")
    assert error.code == code
    assert said.splitlines()[-1] in error.detail


def test_a_url_cannot_put_words_into_gits_mouth():
    url = "https://example.com/Repository not found"
    assert translate(Completed(status=128, stderr=f"fatal: {url}: odd"), url, "git fetch").code == "git-failed"


def test_a_full_disk_is_said_and_leaves_nothing(server, plugins, bring, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TreeWriter, "file", full)
    with pytest.raises(FetchError) as caught:
        bring(GitSource(git=server.url("plugins.git"), rev=git("rev-parse", "HEAD", cwd=plugins.work)))
    assert caught.value.code == "disk-full"


def test_an_object_that_is_not_what_its_hash_says_is_noticed(plugins):
    names = [git("rev-parse", f"HEAD:{name}", cwd=plugins.work) for name in ("README.md", "LICENSE")]
    wrong, right = (plugins.path / "objects" / name[:2] / name[2:] for name in names)
    wrong.chmod(0o644)
    shutil.copyfile(right, wrong)
    with Objects(Git(str(plugins.path), Deadline(60, "it")), plugins.path) as objects:
        assert objects.blob(names[1], limit=100) == b"MIT"
        with pytest.raises(GitFailedError):
            objects.blob(names[0], limit=100)


def test_two_processes_at_once_both_get_it(server, plugins, tmp_path):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from reckless.fetch.fetcher import fetch\n"
        "from reckless.model.manifest import GitSource\n"
        "from reckless.model.reporter import SilentReporter\n"
        "url, rev, subdir, into, cache = sys.argv[1:]\n"
        "source = GitSource(git=url, rev=rev, subdir=subdir)\n"
        "fetch(source, Path(into), cache=Path(cache), name='x', reporter=SilentReporter())"
    )
    rev = git("rev-parse", "HEAD", cwd=plugins.work)
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, server.url("plugins.git"), rev, subdir, tmp_path / f"{n}", tmp_path / "cache"],
            env=env,
        )
        for n, subdir in enumerate(("summary", "rebalance", ""))
    ]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    assert tree(tmp_path / "2") == {
        p: git("show", f"HEAD:{p}", cwd=plugins.work) + ("\n" if p.endswith(".py") else "")
        for p in tree(tmp_path / "2")
    }
    assert len(tree(tmp_path / "2")) == 5
