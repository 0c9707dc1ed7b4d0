"""A commit comes whole, exact, once, and from any kind of server."""

from __future__ import annotations

import os
import stat
import threading

import pytest

from reckless.errors import FetchError
from reckless.model.manifest import GitSource
from tests.fetch.conftest import tree
from tests.servers import GitRepository, GitServer, WebServer, git

SUMMARY = {
    "README.md": "plugins",
    "LICENSE": "MIT",
    "summary/summary.py": "#!/usr/bin/env python3\nprint(1)\n",
    "summary/lib/tables.py": "WIDTH = 80\n",
}
ALL = SUMMARY | {"rebalance/rebalance.py": "#!/usr/bin/env python3\nprint(2)\n"}
KINDS = {
    "modern": {},
    "no-filters": {"filters": False},
    "tips-only": {"allow_any_sha1": False},
    "tips-only-no-filters": {"allow_any_sha1": False, "filters": False},
    "dumb": {"dumb": True},
}


def head(repository: GitRepository) -> str:
    return git("rev-parse", "HEAD", cwd=repository.work)


def refusal(bring, source, **options) -> FetchError:
    with pytest.raises(FetchError) as caught:
        bring(source, **options)
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
def test_the_whole_tree_comes_from_any_kind_of_server(kind, root, plugins, bring):
    with GitServer(root, **KINDS[kind]) as server:
        got = bring(GitSource(git=server.url("plugins.git"), rev=head(plugins)))
    assert tree(got) == ALL


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_comes_with_the_files_above_it_and_nothing_else(kind, root, plugins, bring):
    with GitServer(root, **KINDS[kind]) as server:
        got = bring(GitSource(git=server.url("plugins.git"), rev=head(plugins), subdir="summary"))
    assert tree(got) == SUMMARY


@pytest.mark.parametrize("kind", KINDS)
def test_a_commit_far_behind_every_branch_and_tag_is_found(kind, root, plugins, bring):
    old = head(plugins)
    history = "".join(
        f"commit refs/heads/main\ncommitter A <a@b> 1700000000 +0000\ndata 1\nx\n{f'from {old}' if n == 0 else ''}\n"
        for n in range(130)
    )
    git("fast-import", "--quiet", cwd=plugins.work, stdin=history)
    plugins.commit({"summary/summary.py": "new"})
    with GitServer(root, **KINDS[kind]) as server:
        got = bring(GitSource(git=server.url("plugins.git"), rev=old, subdir="summary"))
    assert tree(got) == SUMMARY


@pytest.mark.parametrize("kind", KINDS)
def test_a_commit_that_only_a_tag_reaches_is_found(kind, root, plugins, bring):
    git("checkout", "-q", "--detach", cwd=plugins.work)
    plugins.write({"summary/summary.py": "tagged"})
    git("commit", "-q", "-a", "-m", "off every branch", cwd=plugins.work)
    git("tag", "-a", "v1", "-m", "v1", cwd=plugins.work)
    git("push", "-q", "origin", "v1", cwd=plugins.work)
    with GitServer(root, **KINDS[kind]) as server:
        got = bring(GitSource(git=server.url("plugins.git"), rev=head(plugins), subdir="summary"))
    assert (got / "summary/summary.py").read_text() == "tagged"


@pytest.mark.parametrize("kind", KINDS)
def test_a_commit_that_is_nowhere_is_no_such_revision(kind, root, plugins, bring):
    with GitServer(root, **KINDS[kind]) as server:
        error = refusal(bring, GitSource(git=server.url("plugins.git"), rev="ab" * 20, subdir="summary"))
    assert error.code == "no-such-revision"
    assert "ab" * 20 in error.message
    assert error.hint


@pytest.mark.parametrize("kind", KINDS)
def test_an_upgrade_transfers_only_what_is_new(kind, root, plugins, bring):
    ballast = os.urandom(300_000)
    first = plugins.commit({"summary/ballast": ballast, "rebalance/ballast": ballast[::-1]})
    with GitServer(root, **KINDS[kind]) as server:
        bring(GitSource(git=server.url("plugins.git"), rev=first, subdir="summary"))
        before = server.sent
        second = plugins.commit({"summary/summary.py": "better"})
        got = bring(GitSource(git=server.url("plugins.git"), rev=second, subdir="summary"))
        upgrade = server.sent - before
    assert before > 300_000
    if kind == "modern":
        assert before < 600_000, "the other plugin's files stay where they are"
    assert upgrade < 10_000
    assert (got / "summary/summary.py").read_text() == "better"
    assert (got / "summary/ballast").read_bytes() == ballast


def test_a_commit_that_is_here_is_not_asked_for_again(server, plugins, bring):
    source = GitSource(git=server.url("plugins.git"), rev=head(plugins), subdir="summary")
    bring(source)
    before = len(server.requests)
    assert tree(bring(source)) == SUMMARY
    assert len(server.requests) == before


def test_two_plugins_of_one_repository_share_it(server, plugins, bring, tmp_path):
    rev = head(plugins)
    bring(GitSource(git=server.url("plugins.git"), rev=rev, subdir="summary"))
    got = bring(GitSource(git=server.url("plugins.git"), rev=rev, subdir="rebalance"))
    assert "rebalance/rebalance.py" in tree(got)
    assert tree(bring(GitSource(git=server.url("plugins.git"), rev=rev))) == ALL
    assert len([p for p in (tmp_path / "cache/git").iterdir() if p.is_dir()]) == 1


def test_a_repository_that_has_all_files_serves_a_folder_too(server, plugins, bring):
    rev = head(plugins)
    bring(GitSource(git=server.url("plugins.git"), rev=rev))
    before = len(server.requests)
    assert tree(bring(GitSource(git=server.url("plugins.git"), rev=rev, subdir="summary"))) == SUMMARY
    assert len(server.requests) == before


def test_a_local_repository_works_by_path_and_by_file_url(plugins, bring):
    for url in (str(plugins.path), plugins.path.as_uri()):
        assert tree(bring(GitSource(git=url, rev=head(plugins), subdir="summary"))) == SUMMARY


def test_files_have_sane_modes_whatever_the_umask(server, plugins, bring):
    old = os.umask(0o077)
    try:
        got = bring(GitSource(git=server.url("plugins.git"), rev=head(plugins)))
    finally:
        os.umask(old)
    modes = {p.relative_to(got).as_posix(): stat.S_IMODE(p.stat().st_mode) for p in got.rglob("*")}
    assert modes["summary"] == modes["summary/summary.py"] == 0o755
    assert modes["README.md"] == 0o644
    assert stat.S_IMODE(got.stat().st_mode) == 0o755


def test_the_files_are_the_commits_bytes_whatever_attributes_filters_and_hooks_say(
    server, plugins, bring, tmp_path, monkeypatch
):
    rev = plugins.commit({".gitattributes": "* text eol=crlf\n*.py filter=evil ident\n", "summary/a.py": "# $Id$\nx\n"})
    config = tmp_path / "gitconfig"
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / hook).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (hooks / hook).chmod(0o755)
    config.write_text(
        f"[core]\n\tautocrlf = true\n\thooksPath = {hooks}\n\tfsmonitor = touch {tmp_path}/ran\n"
        f'[filter "evil"]\n\tsmudge = touch {tmp_path}/ran\n\trequired = true\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    got = bring(GitSource(git=server.url("plugins.git"), rev=rev))
    assert (got / "summary/a.py").read_bytes() == b"# $Id$\nx\n"
    assert not (tmp_path / "ran").exists()


def test_no_git_folder_is_left_in_the_tree(server, plugins, bring):
    got = bring(GitSource(git=server.url("plugins.git"), rev=head(plugins)))
    assert not list(got.rglob(".git"))


def test_links_within_the_tree_stay(server, plugins, bring):
    (plugins.work / "summary/alias.py").symlink_to("summary.py")
    rev = plugins.commit()
    assert tree(bring(GitSource(git=server.url("plugins.git"), rev=rev)))["summary/alias.py"] == "-> summary.py"


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", "lib/../../../outside"])
def test_links_out_of_the_tree_are_refused(target, server, plugins, bring):
    (plugins.work / "summary/alias.py").symlink_to(target)
    rev = plugins.commit()
    assert refusal(bring, GitSource(git=server.url("plugins.git"), rev=rev)).code == "unsafe-link"
    assert refusal(bring, GitSource(git=server.url("plugins.git"), rev=rev, subdir="summary")).code == "unsafe-link"


def test_two_links_that_lead_out_only_together_are_refused(server, plugins, bring):
    # By its text `up/../x` stays in summary; through the link `up` it is outside.
    (plugins.work / "summary/up").symlink_to("../rebalance/..")
    (plugins.work / "summary/out").symlink_to("up/../outside")
    rev = plugins.commit()
    assert refusal(bring, GitSource(git=server.url("plugins.git"), rev=rev)).code == "unsafe-link"


@pytest.mark.parametrize(
    ("above", "inside"),
    [
        ({"Cargo.toml": '[workspace]\nmembers = ["*"]\n'}, {"Cargo.toml": "[package]\n"}),
        ({"go.mod": "module x\n"}, {"main.go": "package main\n"}),
        ({"pyproject.toml": "[tool.uv.workspace]\nmembers = ['*']\n"}, {"pyproject.toml": "[project]\n"}),
        ({}, {"Cargo.toml": '[dependencies]\nc = { path = "../rebalance" }\n'}),
        ({}, {"lib/pyproject.toml": 'x = "../../rebalance"\n'}),
    ],
)
def test_a_folder_that_builds_only_with_its_siblings_gets_them(above, inside, server, plugins, bring):
    rev = plugins.commit(above | {f"summary/{name}": text for name, text in inside.items()})
    got = bring(GitSource(git=server.url("plugins.git"), rev=rev, subdir="summary"))
    assert "rebalance/rebalance.py" in tree(got)


@pytest.mark.parametrize(
    ("above", "inside"),
    [
        ({"pyproject.toml": "[project]\nname = 'all'\n"}, {"pyproject.toml": "[project]\n"}),
        ({"Cargo.toml": "[workspace]\n", "go.mod": "module x\n"}, {}),
        ({}, {"lib/setup.py": "open('../summary.py')"}),
    ],
)
def test_a_folder_that_builds_by_itself_comes_by_itself(above, inside, server, plugins, bring):
    rev = plugins.commit(above | {f"summary/{name}": text for name, text in inside.items()})
    got = bring(GitSource(git=server.url("plugins.git"), rev=rev, subdir="summary"))
    assert "rebalance/rebalance.py" not in tree(got)


def test_a_link_to_a_sibling_brings_it(server, plugins, bring):
    (plugins.work / "summary/other.py").symlink_to("../rebalance/rebalance.py")
    rev = plugins.commit()
    got = bring(GitSource(git=server.url("plugins.git"), rev=rev, subdir="summary"))
    assert (got / "summary/other.py").read_text() == ALL["rebalance/rebalance.py"]


def test_a_folder_that_is_not_there_says_which_are(server, plugins, bring):
    error = refusal(bring, GitSource(git=server.url("plugins.git"), rev=head(plugins), subdir="sumary"))
    assert error.code == "no-such-folder"
    assert "rebalance, summary" in error.hint
    error = refusal(bring, GitSource(git=server.url("plugins.git"), rev=head(plugins), subdir="summary/libs"))
    assert "in 'summary' there are: lib" in error.hint


def test_a_file_is_not_a_folder(server, plugins, bring):
    error = refusal(bring, GitSource(git=server.url("plugins.git"), rev=head(plugins), subdir="README.md"))
    assert error.code == "no-such-folder"


def test_a_tag_objects_hash_is_not_a_commit(server, plugins, bring):
    git("tag", "-a", "v1", "-m", "v1", cwd=plugins.work)
    git("push", "-q", "origin", "v1", cwd=plugins.work)
    error = refusal(bring, GitSource(git=server.url("plugins.git"), rev=git("rev-parse", "v1", cwd=plugins.work)))
    assert error.code == "no-such-revision"
    assert "a tag" in error.message


def test_lfs_pointers_are_said_to_be_pointers(server, plugins, bring, notes):
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 5\n"
    rev = plugins.commit({"summary/model.bin": pointer})
    got = bring(GitSource(git=server.url("plugins.git"), rev=rev))
    assert (got / "summary/model.bin").read_text() == pointer
    assert any("Git LFS" in note for note in notes.notes)


def test_a_name_that_is_not_utf8_survives(server, plugins, bring):
    name = b"summary/caf\xe9"
    (plugins.work / os.fsdecode(name)).write_text("x")
    rev = plugins.commit()
    got = bring(GitSource(git=server.url("plugins.git"), rev=rev))
    assert (got / os.fsdecode(name)).exists()


@pytest.mark.parametrize("where", ["pack", "refs", "config", "index"])
def test_a_damaged_cache_is_thrown_away_and_fetched_anew(where, server, plugins, bring, tmp_path):
    rev = head(plugins)
    for subdir in ("summary", ""):
        source = GitSource(git=server.url("plugins.git"), rev=rev, subdir=subdir)
        bring(source)
        (repository,) = (p for p in (tmp_path / "cache/git").iterdir() if p.is_dir())
        if where == "pack":
            for pack in repository.glob("objects/pack/*.pack"):
                pack.chmod(0o644)
                data = bytearray(pack.read_bytes())
                data[20:-20] = bytes(len(data) - 40)
                pack.write_bytes(data)
        elif where == "index":
            for index in repository.glob("objects/pack/*.idx"):
                index.unlink()
        elif where == "refs":
            (repository / "refs/reckless" / rev).write_text("")
        else:
            (repository / "config").write_text("[core\n")
        assert tree(bring(source)) == (SUMMARY if subdir else ALL)


def test_what_a_killed_git_leaves_behind_stops_nobody(server, plugins, bring, tmp_path):
    bring(GitSource(git=server.url("plugins.git"), rev=head(plugins)))
    (repository,) = (p for p in (tmp_path / "cache/git").iterdir() if p.is_dir())
    rev = plugins.commit({"summary/new": "1"})
    for debris in ("shallow.lock", "config.lock", f"refs/reckless/{rev}.lock", "objects/pack/tmp_pack_x"):
        (repository / debris).write_text("")
    assert "summary/new" in tree(bring(GitSource(git=server.url("plugins.git"), rev=rev)))
    assert not list(repository.glob("objects/pack/tmp_*"))


def test_many_at_once_all_get_it(server, plugins, bring):
    rev = head(plugins)
    results: list[object] = []

    def work(subdir: str) -> None:
        try:
            results.append(tree(bring(GitSource(git=server.url("plugins.git"), rev=rev, subdir=subdir))))
        except BaseException as e:  # noqa: BLE001
            results.append(e)

    threads = [threading.Thread(target=work, args=(subdir,)) for subdir in ("summary", "") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results, key=str) == sorted([SUMMARY, ALL] * 3, key=str)


def test_old_objects_with_harmless_faults_are_taken(server, plugins, bring):
    raw = git("cat-file", "commit", "HEAD", cwd=plugins.work)
    raw = raw.replace("+0000", "+051800") + "\n"
    odd = git("hash-object", "-t", "commit", "--literally", "-w", "--stdin", cwd=plugins.work, stdin=raw)
    git("push", "-q", "-f", "origin", f"{odd}:refs/heads/odd", cwd=plugins.work)
    assert tree(bring(GitSource(git=server.url("plugins.git"), rev=odd))) == ALL


@pytest.mark.parametrize("name", [".git", ".GIT", "..", "git~1", ".g\u200cit"])
@pytest.mark.parametrize("kind", ["modern", "dumb"])
def test_trees_with_names_that_reach_into_git_or_out_are_refused(kind, name, root, plugins, bring):
    blob = git("hash-object", "-w", "--stdin", cwd=plugins.work, stdin="evil")
    data = b"40000 %s\0%s" % (
        name.encode(),
        bytes.fromhex(git("mktree", cwd=plugins.work, stdin=f"100644 blob {blob}\thooks\n")),
    )
    file = plugins.work.parent / "raw"
    file.write_bytes(data)
    bad = git("hash-object", "-t", "tree", "--literally", "-w", file, cwd=plugins.work)
    commit = git("commit-tree", bad, "-m", "evil", cwd=plugins.work)
    git("push", "-q", "-f", "origin", f"{commit}:refs/heads/evil", cwd=plugins.work)
    with GitServer(root, **KINDS[kind]) as server:
        error = refusal(bring, GitSource(git=server.url("plugins.git"), rev=commit))
    assert error.code in {"git-objects-refused", "unsafe-path"}


def test_a_tree_that_names_itself_over_and_over_is_too_large(server, plugins, bring):
    line = f"100644 blob {git('hash-object', '-w', '--stdin', cwd=plugins.work, stdin='x')}\t%d\n"
    for _ in range(7):
        bomb = git("mktree", cwd=plugins.work, stdin="".join(line % n for n in range(10)))
        line = f"040000 tree {bomb}\t%d\n"
    commit = git("commit-tree", bomb, "-m", "bomb", cwd=plugins.work)
    git("push", "-q", "-f", "origin", f"{commit}:refs/heads/bomb", cwd=plugins.work)
    assert refusal(bring, GitSource(git=server.url("plugins.git"), rev=commit)).code == "tree-too-large"


# What goes wrong on the way.


def test_nothing_listening_is_network_down(plugins, bring):
    with WebServer() as gone:
        url = gone.url("plugins.git")
    error = refusal(bring, GitSource(git=url, rev=head(plugins)))
    assert error.code == "network-down"
    assert error.hint


def test_an_unknown_host_is_network_down_and_named(bring, monkeypatch):
    for key in [k for k in os.environ if k.lower().endswith("_proxy")]:
        monkeypatch.delenv(key)
    error = refusal(bring, GitSource(git="https://no-such-host.invalid/x", rev="ab" * 20))
    assert error.code == "network-down"
    assert "no-such-host.invalid" in error.message


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_repository_that_is_not_there_or_private_is_not_asked_a_password_for(status, root, bring):
    with GitServer(root, status=status) as server:
        error = refusal(bring, GitSource(git=server.url("plugins.git"), rev="ab" * 20))
    assert error.code == "repository-not-found"
    assert "private" in error.message


def test_a_path_without_a_repository_is_repository_not_found(tmp_path, bring):
    assert refusal(bring, GitSource(git=str(tmp_path), rev="ab" * 20)).code == "repository-not-found"


def test_a_damaged_repository_at_the_server_is_named_as_such(server, plugins, bring):
    rev = head(plugins)
    gone = git("rev-parse", "HEAD:README.md", cwd=plugins.work)
    (plugins.path / "objects" / gone[:2] / gone[2:]).unlink()
    assert refusal(bring, GitSource(git=server.url("plugins.git"), rev=rev)).code == "repository-damaged"


def test_a_server_in_trouble_is_network_down(root, bring):
    with GitServer(root, status=503) as server:
        assert refusal(bring, GitSource(git=server.url("plugins.git"), rev="ab" * 20)).code == "network-down"


def test_a_server_that_breaks_off_is_network_down(root, plugins, bring):
    class Cutting(GitServer):
        def reply(self, handler, status, body, **headers):
            if "upload-pack-result" in headers.get("Content-Type", "") and b"PACK" in body:
                handler.send_response(status)
                for name, value in headers.items():
                    handler.send_header(name, value)
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body[: len(body) - 30])
                handler.close_connection = True
                return
            super().reply(handler, status, body, **headers)

    with Cutting(root) as server:
        assert refusal(bring, GitSource(git=server.url("plugins.git"), rev=head(plugins))).code == "network-down"


def test_a_server_that_stalls_is_given_up_on_in_time(bring):
    release = threading.Event()
    with WebServer(lambda handler: release.wait(60) and None) as server:
        error = refusal(bring, GitSource(git=server.url("plugins.git"), rev="ab" * 20), timeout=1)
        release.set()
    assert error.code == "fetch-timeout"
    assert "summary" in error.message


def test_without_git_the_hint_says_how_to_get_it(bring, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    error = refusal(bring, GitSource(git="https://example.com/x", rev="ab" * 20))
    assert error.code == "git-missing"
    assert "install" in error.hint


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% /tmp/ran",
        "--upload-pack=touch /tmp/ran",
        "-u",
        "http://example.com/x.git",
        "git://example.com/x.git",
        "ssh://-oProxyCommand=touch/x",
        "git@example.com:x.git",
        "https://user:secret@example.com/x.git",
        "https://example.com/x\n.git",
        "plugins.git",
        "",
    ],
)
def test_urls_that_run_commands_or_leave_https_are_refused(url, bring):
    error = refusal(bring, GitSource(git=url, rev="ab" * 20))
    assert error.code == "insecure-url"
    assert "secret" not in error.message


@pytest.mark.parametrize("rev", ["main", "-x", "ab" * 19, "AB" * 20, "ab" * 20 + "\n", "HEAD~1", ""])
def test_only_a_full_hash_is_a_revision(rev, bring):
    assert refusal(bring, GitSource(git="https://example.com/x", rev=rev)).code == "no-such-revision"


def test_the_users_insteadof_is_honoured(server, plugins, bring, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{server.base}/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://git.example/")
    assert tree(bring(GitSource(git="https://git.example/plugins.git", rev=head(plugins)))) == ALL


def test_an_insteadof_that_runs_a_command_is_refused(bring, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "url.ext::sh -c .insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://git.example/")
    assert refusal(bring, GitSource(git="https://git.example/x", rev="ab" * 20)).code == "insecure-url"


def test_the_repository_that_we_run_in_does_not_matter(server, plugins, bring, monkeypatch, tmp_path):
    monkeypatch.setenv("GIT_DIR", str(plugins.path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "nowhere"))
    assert tree(bring(GitSource(git=server.url("plugins.git"), rev=head(plugins)))) == ALL


def test_a_place_that_is_taken_is_left_alone(server, plugins, tmp_path, notes):
    from reckless.fetch.fetcher import fetch

    into = tmp_path / "src"
    into.mkdir()
    (into / "mine").write_text("x")
    with pytest.raises(FetchError) as caught:
        fetch(
            GitSource(git=server.url("plugins.git"), rev=head(plugins)),
            into, cache=tmp_path / "cache", name="summary", reporter=notes,
        )  # fmt: skip
    assert caught.value.code == "already-there"
    assert tree(into) == {"mine": "x"}
