"""A small world of plugins: git repositories made out of tests/plugins, and the manifests that list their releases.

    world = World(tmp_path)                                            # or World(tmp_path, git_base=server.url)
    world.add_plugin("python-hello", versions=("1.0.0", "1.1.0"))
    world.add_plugin("go-hello", depends=("python-hello>=1",))
    world.add_release("python-hello", "1.2.0", edits=BREAKS_IN_INIT)   # passes every check, dies when it is started
    open_source(str(world.index_dir), ...)                             # or world.built_index(out), to serve over HTTP

Nothing depends on the clock: the same calls make the same commits.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PLUGINS = Path(__file__).parent / "plugins"
BUILTIN = Path(__file__).parent.parent / "manifests" / "builtin.toml"
BREAKS_IN_INIT = (
    ("BROKEN = False", "BROKEN = True"),
    ("BROKEN: bool = false", "BROKEN: bool = true"),
    ("BROKEN = false", "BROKEN = true"),
    ("BROKEN=false", "BROKEN=true"),
)
DOES_NOT_COMPILE = (("fn main() {", "fn main() { this is no Rust"), ("func main() {", "func main() { this is no Go"))
_VERSION_LINE = re.compile(r'(\bVERSION\b[^"\n=]*= *")[^"\n]*(")')  # where it is set, not where it is used
_SOURCES = (".py", ".rs", ".go", ".js", ".java", ".c", ".sh")

Edits = Iterable[tuple[str, str]]
Table = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Project:
    """What the manifest of one folder of tests/plugins says, where it tells the truth."""

    entrypoint: str
    language: str = "python"
    build: Table | None = None
    methods: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    dynamic: bool = True


PROJECTS = {
    "python-hello": Project(entrypoint="hello.py", methods=("hello",), options=("hello-greeting",)),
    "python-locked": Project(
        entrypoint="locked.py", build={"lock": "uv.lock"}, methods=("locked",), options=("locked-count",)
    ),
    "rust-hello": Project(
        language="rust", entrypoint="rust-hello", methods=("rust-hello",), options=("rust-greeting",)
    ),
    "go-hello": Project(language="go", entrypoint="go-hello", methods=("go-hello",), options=("go-greeting",)),
    "node-hello": Project(language="node", entrypoint="hello.js", methods=("node-hello",), options=("node-greeting",)),
    "java-hello": Project(
        language="java",
        entrypoint="target/*-jar-with-dependencies.jar",
        methods=("java-hello",),
        options=("java-greeting",),
    ),
    "make-hello": Project(
        language="make",
        entrypoint="out/make-hello",
        build={"target": "plugin"},
        methods=("make-hello",),
        options=("make-greeting",),
    ),
    "script-hello": Project(
        language="script", entrypoint="hello.sh", methods=("script-hello",), options=("script-greeting",)
    ),
    "crashes": Project(entrypoint="crashes.py"),
    "hangs": Project(entrypoint="hangs.py"),
    "rubbish": Project(entrypoint="rubbish.py", methods=("rubbish",)),
    "slow": Project(entrypoint="slow.py", methods=("slow",)),
    "static": Project(entrypoint="static.py", methods=("static",), options=("static-word",), dynamic=False),
    "disables-itself": Project(entrypoint="disables-itself.py"),
    "fails-init": Project(entrypoint="fails-init.py", methods=("fails-init",)),
    "takes-method": Project(entrypoint="takes-method.py", methods=("getinfo",)),
    "takes-other": Project(entrypoint="takes-other.py", methods=("hello",)),
    "needs-option": Project(
        entrypoint="needs-option.py", methods=("needy",), options=("needy-token",), required=("needy-token",)
    ),
}


class World:
    """Repositories in `git` (bare, NAME.git), manifests in `manifests` (text by name) and `index_dir` (files)."""

    def __init__(self, folder: Path, *, git_base: str = "") -> None:
        self.git = folder / "git"
        self.index_dir = folder / "manifests"
        self.git_base = git_base or str(self.git)
        self.manifests: dict[str, str] = {}
        self._work = folder / "work"
        self._heads: dict[str, str] = {}
        self._releases: dict[str, list[str]] = {}
        self._revs: dict[tuple[str, str], str] = {}
        self._projects: dict[str, tuple[Project, str]] = {}
        for made in (self.git, self.index_dir, self._work):
            made.mkdir(parents=True)
        if BUILTIN.is_file():
            shutil.copy(BUILTIN, self.index_dir / "builtin.toml")

    def add_plugin(
        self,
        folder: str,
        *,
        name: str = "",
        versions: Iterable[str] = ("1.0.0",),
        depends: Iterable[str] = (),
        subdir: str = "",
        overrides: Mapping[str, Table] | None = None,
    ) -> str:
        """Make a repository out of tests/plugins/`folder`, with a release a version; return the plugin's name.

        `overrides` lays keys over the manifest's tables: {"runtime": {"rpcmethods": ["a-lie"]}, "build": {...},
        "plugin": {...}, "release": {"cln": ">=99"}}; None as a value takes the key out.
        """
        name = name or folder
        project, laid = PROJECTS[folder], overrides or {}
        self._git(name, "init", "--quiet", "--bare", "--initial-branch=main")
        self._git(name, "config", "uploadpack.allowAnySHA1InWant", "true")
        unwanted = shutil.ignore_patterns("__pycache__", "target", "node_modules", "out")
        shutil.copytree(PLUGINS / folder, self._tree(name) / subdir, ignore=unwanted, dirs_exist_ok=True)
        self._projects[name] = (project, subdir)
        self._heads[name] = _head(name, project, laid)
        self._releases[name] = []
        for version in versions:
            self.add_release(name, version, depends=depends, overrides=laid.get("release"))
        return name

    def add_release(
        self, name: str, version: str, *, depends: Iterable[str] = (), edits: Edits = (), overrides: Table | None = None
    ) -> str:
        """Commit the next release, with `edits` (text, replacement) made for good; return its revision."""
        _, subdir = self._projects[name]
        for file in sorted((self._tree(name) / subdir).rglob("*")):
            if file.suffix in _SOURCES:
                text = _VERSION_LINE.sub(rf"\g<1>{version}\g<2>", file.read_text())
                for old, new in edits:
                    text = text.replace(old, new)
                file.write_text(text)
        self._git(name, "add", "--all")
        self._git(name, "commit", "--quiet", "--allow-empty", f"--message=Release {version}")
        self._git(name, "tag", f"v{version}")
        rev = self._git(name, "rev-parse", "HEAD").strip()
        self._revs[name, version] = rev
        source = {"git": f"{self.git_base}/{name}.git", "rev": rev} | ({"subdir": subdir} if subdir else {})
        release = {"version": version, "depends": list(depends) or None, "source": source, **(overrides or {})}
        self._releases[name].insert(0, f"[[release]]\n{_keys(release)}")
        self._write(name)
        return rev

    def rev(self, name: str, version: str) -> str:
        """The commit of a release (40 hex digits)."""
        return self._revs[name, version]

    def built_index(self, out: Path) -> Path:
        """Build the index into `out`, ready to be served; what `reckless index build` does."""
        from reckless.publish.builder import build_index

        build_index(self.index_dir, out, local=True)
        return out

    def _write(self, name: str) -> None:
        self.manifests[name] = "\n".join([self._heads[name], *self._releases[name]])
        (self.index_dir / f"{name}.toml").write_text(self.manifests[name])

    def _tree(self, name: str) -> Path:
        return self._work / name

    def _git(self, name: str, *args: str) -> str:
        tree = self._tree(name)
        tree.mkdir(exist_ok=True)
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._work),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_DIR": str(self.git / f"{name}.git"),
            **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _PERSON.items()},
        }
        if args[0] != "init":
            env["GIT_WORK_TREE"] = str(tree)
        return subprocess.run(["git", *args], cwd=tree, env=env, check=True, capture_output=True, text=True).stdout


_PERSON = {"NAME": "A Tester", "EMAIL": "tester@example.com", "DATE": "2026-01-02T03:04:05Z"}


def _head(name: str, project: Project, overrides: Mapping[str, Table]) -> str:
    plugin = {
        "name": name,
        "summary": f"The test plugin {name}",
        "repository": f"https://example.com/{name}",
        "license": "MIT",
        "category": "development",
    }
    build = {"language": project.language, "entrypoint": project.entrypoint, **(project.build or {})}
    runtime = {
        "dynamic": project.dynamic,
        "rpcmethods": list(project.methods),
        "options": list(project.options),
        "required-options": list(project.required),
    }
    tables = {"plugin": plugin, "build": build, "runtime": runtime}
    parts = [f"[{table}]\n{_keys({**keys, **overrides.get(table, {})})}" for table, keys in tables.items()]
    return "\n".join(["schema = 1\n", *parts])


def _keys(table: Table) -> str:
    return "".join(f"{key} = {_toml(value)}\n" for key, value in table.items() if value is not None)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)
