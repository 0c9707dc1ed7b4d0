"""Plugins from folders and repositories: installed by where they are, followed, kept apart from what an index has."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.e2e.scene import BOTH, Reckless, Shop, Snapshot
from tests.nodes import Node
from tests.servers import GitRepository, git
from tests.world import BREAKS_IN_INIT, PLUGINS

HELLO = PLUGINS / "python-hello" / "hello.py"


def hello(version: str = "1.0.0", name: str = "hello") -> str:
    """The text of python-hello, with another version and method."""
    text = re.sub(r'VERSION = "[^"]*"', f'VERSION = "{version}"', HELLO.read_text())
    return text.replace('"hello"', f'"{name}"').replace("hello-greeting", f"{name}-greeting")


@pytest.fixture
def repository(shop: Shop) -> GitRepository:
    """A repository with two plugins, served; its branch is main."""
    made = GitRepository(shop.folder / "git" / "many.git")
    made.commit({"README.md": "many", "one/one.py": hello("1.0.0", "one"), "two/two.py": hello("1.0.0", "two")})
    return made


@pytest.fixture
def single(shop: Shop) -> GitRepository:
    """A repository that is one plugin."""
    made = GitRepository(shop.folder / "git" / "single.git")
    made.commit({"single.py": hello("1.0.0", "single")})
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of one's own with a plugin in it, as its author has it: not committed anywhere."""
    made = tmp_path / "mine" / "my-plugin"
    made.mkdir(parents=True)
    (made / "my_plugin.py").write_text(hello("1.0.0", "mine"))
    return made


def tag(repository: GitRepository, name: str, *, force: bool = False) -> None:
    git("tag", *(("-f",) if force else ()), name, cwd=repository.work)
    git("push", "-q", "-f", "origin", name, cwd=repository.work)


def version(node: Node, method: str) -> str:
    return str(node.cli(method)["version"])


# A folder


@BOTH
def test_a_folder_is_installed_as_it_is_and_again_after_each_edit(kind, folder, node, operate):
    reckless = operate(node)
    plan = reckless("install", str(folder), "--dry-run").stdout
    assert "my_plugin.py answers getmanifest itself" in plan
    assert f"fetch {folder}" in plan
    assert reckless.rows() == {}

    said = reckless("install", str(folder))
    assert "my-plugin" in said.stdout
    assert f"from {folder}" in said.stdout
    assert "no index vouches for it" in said.stderr
    assert version(node, "mine") == "1.0.0"
    assert "up to date" in reckless("install", str(folder)).stdout

    (folder / "my_plugin.py").write_text(hello("1.1.0", "mine"))
    assert "running" in reckless("install", str(folder)).stdout
    assert version(node, "mine") == "1.1.0"
    row = reckless.rows()["my-plugin"]
    assert row["followed"]["kind"] == "path"
    assert row["followed"]["place"] == str(folder)
    assert f"from {folder}" in reckless("list").stdout

    assert reckless("outdated").stdout == "everything is up to date\n"
    (folder / "my_plugin.py").write_text(hello("1.2.0", "mine"))
    assert f"`reckless install {folder}` builds it again" in reckless("upgrade", "--all").stdout
    assert version(node, "mine") == "1.1.0", "an upgrade of all does not take what somebody is just writing"
    assert node.restart().up
    assert version(node, "mine") == "1.1.0"


def test_an_edit_that_does_not_run_leaves_the_last_one_running(folder, node, reckless):
    reckless("install", str(folder), "--option", "mine-greeting=moin")
    before = Snapshot.of(node)
    for broken in ("def", hello("2.0.0", "mine").replace(*BREAKS_IN_INIT[0]), hello("2.0.0", "getinfo")):
        (folder / "my_plugin.py").write_text(broken)
        refused = reckless("-j", "install", str(folder), status=1)
        assert refused.error["hint"] or refused.error["detail"]
        assert Snapshot.of(node) == before
        assert node.cli("mine")["say"] == "moin world"
    (folder / "my_plugin.py").write_text(hello("2.0.0", "mine"))
    reckless("install", str(folder))
    assert version(node, "mine") == "2.0.0"
    assert node.cli("mine")["say"] == "moin world"
    reckless("rollback", "my-plugin")
    assert version(node, "mine") == "1.0.0"


def test_what_an_edit_does_not_change_is_shared_and_goes_with_the_last_that_has_it(folder, node, reckless):
    home = node.dir / "reckless" / "my-plugin"
    for n in range(4):
        (folder / "my_plugin.py").write_text(hello(f"1.0.{n}", "mine"))
        reckless("install", str(folder))
        assert len(list(home.glob("env.*"))) == 1
    assert len(list(home.glob("*+*"))) == 2, "the one that runs, and the one to go back to"
    (environment,) = home.glob("env.*")
    environment.rename(environment.with_name("lost"))
    assert reckless.health() == {"my-plugin": "running"}
    assert node.restart().up, "lightningd comes up without it"
    reckless("install", str(folder))
    assert version(node, "mine") == "1.0.3"
    shutil.rmtree(home / "lost")
    reckless("uninstall", "my-plugin")
    assert not home.exists()


def test_the_loop_asks_no_server_and_what_others_need_still_counts(folder, stocked, node, reckless):
    (folder / "manifest.json").write_text(
        json.dumps({"dependencies": ["python-hello>=1"], "entrypoint": "my_plugin.py"})
    )
    reckless("install", str(folder))
    asked = len(stocked.site.requests)
    (folder / "my_plugin.py").write_text(hello("1.1.0", "mine"))
    reckless("install", str(folder))
    assert version(node, "mine") == "1.1.0"
    assert len(stocked.site.requests) == asked
    (folder / "manifest.json").write_text(
        json.dumps({"dependencies": ["python-hello<1"], "entrypoint": "my_plugin.py"})
    )
    assert "python-hello<1" in reckless.refused("install", str(folder))["message"]
    reckless("pin", "my-plugin")
    (folder / "manifest.json").write_text(
        json.dumps({"dependencies": ["python-hello>=1"], "entrypoint": "my_plugin.py"})
    )
    (folder / "my_plugin.py").write_text(hello("1.2.0", "mine"))
    assert reckless.refused("install", str(folder))["code"] == "pinned"
    assert version(node, "mine") == "1.1.0"


def test_one_file_is_enough(tmp_path, node, reckless):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "lonely.py").write_text(hello("1.0.0", "lonely"))
    (tmp_path / "here" / "other.py").write_text(hello("1.0.0", "other"))
    refused = reckless.refused("install", str(tmp_path / "here"))
    assert refused["code"] == "several-plugins"
    assert f"reckless install {tmp_path}/here/lonely.py" in refused["hint"]
    reckless("install", str(tmp_path / "here" / "lonely.py"))
    assert version(node, "lonely") == "1.0.0"
    taken = (node.dir / "reckless" / "lonely" / "current" / "src").iterdir()
    assert {file.name for file in taken} - {"__pycache__"} == {"lonely.py"}


@pytest.mark.parametrize("what", ["nothing", "a folder without a plugin", "a file that is none"])
def test_what_is_no_plugin_is_said_and_nothing_changes(what, tmp_path, node, reckless):
    place = tmp_path / "place"
    if what != "nothing":
        place.mkdir()
        (place / "notes.txt").write_text("not a plugin")
    if what == "a file that is none":
        place = place / "notes.txt"
    before = Snapshot.of(node)
    refused = reckless.refused("install", f"{place}/" if what == "a folder without a plugin" else str(place))
    assert refused["code"] == ("no-such-folder" if what == "nothing" else "not-a-plugin")
    assert Snapshot.of(node) == before


def test_a_name_that_is_a_folder_here_is_taken_for_a_name_with_a_hint(folder, node, reckless, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert "`reckless install ./my-plugin`" in reckless.refused("install", "my-plugin")["hint"]
    reckless("install", "./my-plugin")
    assert version(node, "mine") == "1.0.0"


# A repository


@BOTH
def test_what_comes_from_a_repository_follows_its_branch(kind, single, shop, node, operate):
    reckless = operate(node)
    url = shop.git.url("single.git")
    assert "installed; running; from the default branch at" in reckless("install", url).stdout
    first = git("rev-parse", "HEAD", cwd=single.work)
    assert reckless.rows()["single"]["followed"]["commit"] == first
    assert f"default branch at {first[:7]}" in reckless("list").stdout
    assert "up to date" in reckless("upgrade", "--all").stdout
    assert reckless("outdated").stdout == "everything is up to date\n"

    second = single.commit({"single.py": hello("1.1.0", "single")})
    assert second[:7] in reckless("outdated").stdout
    assert version(node, "single") == "1.0.0"
    said = reckless("upgrade", "--all").stdout
    assert f"the default branch at {second[:7]} (was at {first[:7]})" in said
    assert version(node, "single") == "1.1.0"
    reckless("rollback", "single")
    assert version(node, "single") == "1.0.0"
    assert reckless.rows()["single"]["followed"]["commit"] == first
    assert node.restart().up
    reckless("upgrade", "single")
    assert version(node, "single") == "1.1.0"


def test_a_commit_that_does_not_touch_a_plugin_does_not_build_it_again(repository, shop, node, reckless):
    reckless("install", f"{shop.git.url('many.git')}#:one")
    tree = reckless.rows()["one"]["path"]
    second = repository.commit({"two/two.py": hello("1.1.0", "two"), "README.md": "more"})
    assert f"the default branch at {second[:7]}, which did not change it" in reckless("upgrade").stdout
    assert reckless("outdated").stdout == "everything is up to date\n"
    assert reckless.rows()["one"]["path"] == tree


def test_a_branch_with_slashes_is_told_from_the_folder_behind_it(repository, shop, node, reckless):
    repository.commit({"one/one.py": hello("3.0.0", "one")}, branch="try/with/slashes")
    url = shop.git.url("many.git")
    reckless("install", f"{url}/tree/try/with/slashes/one")
    assert version(node, "one") == "3.0.0"
    followed = reckless.rows()["one"]["followed"]
    assert (followed["kind"], followed["ref"], followed["path"]) == ("branch", "try/with/slashes", "one")
    repository.commit({"one/one.py": hello("3.1.0", "one")}, branch="try/with/slashes")
    reckless("upgrade")
    assert version(node, "one") == "3.1.0"
    refused = reckless.refused("install", f"{url}/tree/try/with/out/one")
    assert refused["code"] == "no-such-revision"
    assert "try/with/slashes" in refused["hint"]


@BOTH
def test_what_was_asked_for_at_a_tag_stays_there_and_a_tag_that_moved_is_said(kind, single, shop, node, operate):
    reckless = operate(node)
    url = shop.git.url("single.git")
    tag(single, "v1.0.0")
    first = git("rev-parse", "HEAD", cwd=single.work)
    second = single.commit({"single.py": hello("1.1.0", "single")})
    reckless("install", f"{url}@v1.0.0")
    assert reckless.rows()["single"]["version"] == "1.0.0", "the tag is a version"
    assert "stays at tag v1.0.0" in reckless("upgrade", "--all").stdout
    assert reckless("outdated").stdout == "everything is up to date\n"
    tag(single, "v1.0.0", force=True)

    moved = f"has moved the tag v1.0.0 from {first[:7]} to {second[:7]}"
    assert moved in reckless("upgrade", "--all").stdout
    assert moved in reckless("outdated").stderr
    assert version(node, "single") == "1.0.0"
    reckless("install", f"{url}@v1.0.0")
    assert version(node, "single") == "1.1.0"
    assert "stays at tag v1.0.0" in reckless("upgrade").stdout

    reckless("install", f"single@{first}")
    assert version(node, "single") == "1.0.0"
    assert f"stays at commit {first[:7]}" in reckless("upgrade").stdout
    reckless("install", url)
    assert reckless.rows()["single"]["followed"]["kind"] == "branch"


def test_a_source_that_vanished_is_said_and_the_plugin_runs_on(single, stocked, node, reckless):
    reckless("install", stocked.git.url("single.git"))
    reckless("install", "python-hello==1.0.0")
    shutil.move(single.path, single.path.with_name("gone.git"))
    upgrade = reckless("-j", "upgrade", "--all", status=1).json
    outcomes = {o["name"]: o for o in upgrade["result"]}
    assert outcomes["single"]["error"]["code"] == "repository-not-found"
    assert outcomes["single"]["status"] == "failed"
    assert outcomes["python-hello"]["version"] == "1.1.0"
    assert version(node, "single") == "1.0.0"
    assert "what is newest of single is not known" in reckless("outdated").stderr
    assert reckless.health() == {"python-hello": "running", "single": "running"}
    assert reckless.refused("install", stocked.git.url("single.git"))["code"] == "repository-not-found"


def test_a_branch_that_went_away_and_a_plugin_that_was_renamed_are_said(single, shop, node, reckless):
    url = shop.git.url("single.git")
    git("push", "-q", "origin", "HEAD:refs/heads/dev", cwd=single.work)
    reckless("install", f"{url}#dev")
    single.commit({"manifest.json": json.dumps({"installable": False})}, branch="dev")
    assert reckless.refused("upgrade")["code"] == "not-installable"
    single.commit({"coffee.yml": "plugin:\n  name: another\n  lang: python\n  main: single.py\n"}, branch="dev")
    (single.work / "manifest.json").unlink()
    single.commit(branch="dev")
    assert reckless.refused("upgrade")["code"] == "plugin-renamed"
    git("push", "-q", "origin", "--delete", "dev", cwd=single.work)
    assert reckless.refused("upgrade")["code"] == "no-such-revision"
    assert version(node, "single") == "1.0.0"


def test_a_repository_may_hold_what_is_not_to_be_installed(shop, node, reckless, tmp_path):
    before = Snapshot.of(node)
    linked = GitRepository(shop.folder / "git" / "linked.git")
    (linked.work / "out.py").symlink_to("../../../../etc/passwd")
    linked.commit({"linked.py": hello()})
    secret = GitRepository(shop.folder / "git" / "secret.git")
    secret.submodule("lib", "ssh://git@example.com/lib.git", "1" * 40)
    secret.commit({"secret.py": hello()})
    huge = GitRepository(shop.folder / "git" / "huge.git")
    blob = git("hash-object", "-w", "--stdin", cwd=huge.work, stdin=hello())
    lines = [f"100755 {blob}\thuge.py", *(f"100644 {blob}\tdata/{n // 1000}/{n}" for n in range(100_000))]
    git("update-index", "--index-info", cwd=huge.work, stdin="\n".join(lines) + "\n")
    git("commit", "-q", "-m", "x", cwd=huge.work)
    git("push", "-q", "origin", "HEAD:refs/heads/main", cwd=huge.work)
    for name, code in (("linked", "unsafe-link"), ("secret", "submodule-refused"), ("huge", "tree-too-large")):
        assert reckless.refused("install", shop.git.url(f"{name}.git"))["code"] == code, name
        assert Snapshot.of(node) == before
    assert reckless.rows() == {}


@pytest.mark.parametrize(
    ("address", "code", "status"),
    [
        ("git@example.com:a/b.git", "insecure-url", 2),
        ("http://example.com/a/b", "insecure-url", 2),
        ("https://me:secret@example.com/a/b.git", "insecure-url", 2),
        ("https://github.com/a", "invalid-url", 2),
        ("https://github.com/a/b#-x", "invalid-revision", 1),
        ("https://github.com/a/b#main:../x", "invalid-path", 1),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_before_anything_is_asked(address, code, status, node, reckless):
    refused = reckless.refused("install", address, status=status)
    assert refused["code"] == code
    assert "secret" not in json.dumps(refused)


# What an index has, and what it has not


def test_a_plugin_s_dependencies_come_from_the_index(stocked, node, reckless, tmp_path):
    folder = tmp_path / "needs"
    folder.mkdir()
    (folder / "needs.py").write_text(hello("1.0.0", "needs"))
    (folder / "manifest.json").write_text(json.dumps({"dependencies": ["python-hello>=1"], "entrypoint": "needs.py"}))
    said = reckless("install", str(folder))
    assert "python-hello 1.1.0: installed" in said.stdout
    assert {n: r["requested"] for n, r in reckless.rows().items()} == {"needs": True, "python-hello": False}
    assert reckless.refused("uninstall", "python-hello")["code"] == "still-needed"
    (folder / "manifest.json").write_text(json.dumps({"dependencies": ["python-hello>=9"], "entrypoint": "needs.py"}))
    assert "python-hello>=9" in reckless.refused("install", str(folder))["message"]
    assert "removed" in reckless("uninstall", "needs").stdout
    assert reckless.rows() == {}


def test_an_author_s_own_word_on_a_folder_counts(stocked, folder, node, reckless):
    own = """schema = 1
[plugin]
name = "called-so"
summary = "Mine"
repository = "https://example.com/mine"
license = "MIT"
category = "other"
[build]
language = "python"
entrypoint = "my_plugin.py"
[runtime]
rpcmethods = ["mine"]
[release]
version = "2.5"
cln = ">=99"
depends = ["python-hello>=1"]
"""
    (folder / "reckless.toml").write_text(own)
    assert reckless.refused("install", str(folder))["code"] == "not-for-this-lightningd"
    (folder / "reckless.toml").write_text(own.replace(">=99", ">=23.08"))
    said = reckless("install", str(folder)).stdout
    assert "called-so 2.5: installed" in said
    assert "python-hello 1.1.0: installed" in said
    (folder / "reckless.toml").write_text(own.replace(">=99", ">=23.08").replace('["mine"]', '["other"]'))
    assert reckless.refused("install", str(folder))["code"] == "manifest-mismatch"
    (folder / "reckless.toml").write_text("schema = 1\n")
    assert reckless.refused("install", str(folder))["code"] == "invalid-manifest"
    assert version(node, "mine") == "1.0.0"


@pytest.fixture
def confusing(stocked: Shop, reckless: Reckless) -> str:
    """A repository, preferred to the index, with a plugin whose name the index has; the address of that plugin."""
    repository = GitRepository(stocked.folder / "git" / "theirs.git")
    repository.commit({"python-hello/hello.py": hello("6.6.6"), "new/new.py": hello("1.0.0", "new")})
    url = stocked.git.url("theirs.git")
    reckless("source", "remove", stocked.url)
    reckless("source", "add", url)
    reckless("source", "add", stocked.url)
    return f"{url}#:python-hello"


def test_a_name_that_an_index_has_is_not_taken_from_elsewhere_unless_asked_for(confusing, stocked, node, reckless):
    order = [row["location"] for row in reckless("-j", "source", "list").json["result"]]
    assert order == ["embedded", f"git+{confusing.partition('#')[0]}", stocked.url]
    said = reckless("install", "python-hello")
    assert version(node, "hello") == "1.1.0"
    assert f"python-hello is taken from {stocked.url}; there is one in git+" in said.stderr
    assert f"git+{confusing.partition('#')[0]}" in reckless("info", "python-hello").stdout

    said = reckless("install", confusing)
    assert version(node, "hello") == "6.6.6"
    assert f"python-hello is also in the index {stocked.url}; this is the one of {confusing}, as asked" in said.stderr
    assert "up to date" in reckless("upgrade", "--all").stdout
    assert version(node, "hello") == "6.6.6", "no upgrade moves it back"
    assert "up to date" in reckless("install", "python-hello").stdout

    reckless("install", "python-hello==1.1.0")
    assert version(node, "hello") == "1.1.0"
    assert reckless.rows()["python-hello"]["followed"] is None
    assert reckless.rows()["python-hello"]["origin"] == stocked.url


def test_what_only_a_repository_has_is_found_by_its_name_and_installed_with_a_word_on_that(confusing, node, reckless):
    hits = {h["entry"]["name"]: h["source"] for h in reckless("-j", "search", "new").json["result"]}
    assert hits["new"].startswith("git+http")
    said = reckless("install", "new")
    assert "no index vouches for it" in said.stderr
    assert version(node, "new") == "1.0.0"
    assert reckless.rows()["new"]["followed"]["path"] == "new"


def test_a_release_that_the_index_has_not_is_named_as_its_repository_has_it(stocked, node, reckless):
    git("tag", "v9", cwd=stocked.world.git / "python-hello.git")
    hint = reckless.refused("install", "python-hello@v9")["hint"]
    (command,) = re.findall(r"`reckless install (\S+)`", hint)
    reckless("install", command)
    assert reckless.rows()["python-hello"]["followed"]["ref"] == "v9"


# Sources


def test_sources_of_every_kind_are_searched_together(repository, stocked, folder, node, reckless):
    url = stocked.git.url("many.git")
    assert "added, 2 plugins" in reckless("source", "add", url).stdout
    assert "added, 1 plugin" in reckless("source", "add", str(folder.parent)).stdout
    assert f"git+{url}: already there" in reckless("source", "add", f"git+{url}").stdout
    hits = {h["entry"]["name"]: h["source"] for h in reckless("-j", "search").json["result"]}
    assert hits["python-hello"] == stocked.url
    assert hits["one"] == f"git+{url}"
    assert hits["my-plugin"] == str(folder.parent)
    reckless("install", "my-plugin", "two")
    assert (version(node, "mine"), version(node, "two")) == ("1.0.0", "1.0.0")
    assert "answers getmanifest itself" in reckless("info", "two").stdout
    said = reckless("source", "remove", url, str(folder.parent)).stdout
    assert "what came from it stays installed: two" in said
    repository.commit({"two/two.py": hello("1.1.0", "two")})
    reckless("upgrade")
    assert version(node, "two") == "1.1.0", "it follows its branch, be it among the sources or not"


def test_a_folder_that_went_away_stops_nothing_that_an_index_has(stocked, folder, node, reckless):
    reckless("source", "add", str(folder.parent))
    folder.parent.rename(folder.parent.with_name("elsewhere"))
    said = reckless("install", "python-hello")
    assert version(node, "hello") == "1.1.0"
    assert f"{folder.parent} was left out: there is no folder" in said.stderr
    assert "could not be asked" in reckless.refused("install", "my-plugin")["hint"]
    assert "was left out" in reckless("search", "hello").stderr
    assert "cannot be used" in reckless("source", "list").stdout
    reckless("source", "remove", str(folder.parent))


def test_an_address_without_an_index_may_be_a_repository_s(stocked, node, reckless):
    GitRepository(stocked.folder / "git" / "plain").commit({"plain.py": hello("1.0.0", "plain")})
    url = stocked.git.url("plain")
    assert f"git+{url}: added, 1 plugin" in reckless("source", "add", url).stdout
    refused = reckless.refused("source", "add", stocked.git.url("nothing"))
    assert refused["code"] == "not-an-index"
    assert "no git repository, either" in refused["hint"]


def test_a_branch_and_a_folder_of_a_repository_can_be_a_source(repository, stocked, node, reckless):
    repository.commit({"deep/down/three/three.py": hello("1.0.0", "three")}, branch="a/b")
    url = stocked.git.url("many.git")
    reckless("source", "add", f"{url}/tree/a/b/deep")
    assert f"git+{url}#a/b:deep" in reckless("source", "list").stdout
    reckless("install", "three")
    assert version(node, "three") == "1.0.0"
    assert reckless.refused("source", "add", f"{url}#none")["code"] == "no-such-revision"
    reckless("source", "remove", f"git+{url}#a/b:deep")
