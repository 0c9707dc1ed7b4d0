"""The shapes of the real plugins: small trees with the same file names, and contents that tell what theirs tell.

A shape is `files` (a file that starts with `#!` is executable; a folder ends with `/`) and `links`, and what detection
must answer for the folder or file `at` in the tree of the repository `repo`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

UV = "#!/usr/bin/env -S uv run --script\n"
PYTHON = "#!/usr/bin/env python3\n"
COFFEE = "plugin:\n  name: {name}\n  version: 1.0.0\n  lang: {lang}\n  install: |\n    cargo build\n  main: {main}\n"


def pyln(shebang: str = PYTHON, *inline: str, python: str = ">=3.10") -> str:
    """A plugin with pyln-client, with inline metadata (PEP 723) where it starts with uv."""
    asked = "".join(f'#   "{one}",\n' for one in inline)
    block = f'\n# /// script\n# requires-python = "{python}"\n# dependencies = [\n{asked}# ]\n# ///\n' if inline else ""
    code = "from pyln.client import Plugin\n\nplugin = Plugin()\n\n\n@plugin.method('x')\ndef x(plugin):\n    pass\n"
    return f"{shebang}{block}\n{code}\n\nplugin.run()\n"


def project(name: str, *depends: str, python: str = ">=3.10", more: str = "") -> str:
    """A pyproject.toml."""
    listed = ", ".join(f'"{d}"' for d in depends)
    return f'[project]\nname = "{name}"\nrequires-python = "{python}"\ndependencies = [{listed}]\n{more}'


def uv(name: str, *, client: str = "pyln-client>=25.9.3", **files: str) -> dict[str, str]:
    """A folder of lightningd/plugins as it is today: a script that starts with uv, its project and lock, a test."""
    return {
        f"{name}.py": pyln(UV, client),
        "pyproject.toml": project(f"cln-{name}", client, more='[dependency-groups]\ndev = ["pyln-testing"]\n'),
        "uv.lock": "version = 1\n",
        f"test_{name}.py": "from pyln.testing.fixtures import *\n",
        "README.md": "",
        "manifest.json": f'{{"short_description": "What {name} does"}}',
        **{k.replace("__", "."): v for k, v in files.items()},
    }


def pip(name: str, requirements: str = "pyln-client>=0.7.3\n", **files: str) -> dict[str, str]:
    """A folder of lightningd/plugins as it was: a script and its requirements."""
    own = {f"{name}.py": pyln(), "requirements.txt": requirements, f"test_{name}.py": pyln()}
    return {**own, **{k.replace("__", "."): v for k, v in files.items()}}


def cargo(name: str, *, edition: str = "2024", rust: str = "", plugin: str = "0.7", more: str = "") -> str:
    """A Cargo.toml; `plugin` is the version of cln-plugin, empty for none."""
    version = f'rust-version = "{rust}"\n' if rust else ""
    library = f'cln-plugin = "{plugin}"\n' if plugin else ""
    package = f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "{edition}"\n{version}'
    return f'{package}{more}\n[dependencies]\n{library}tokio = "1"\n'


def crate(name: str, **more: str) -> dict[str, str]:
    """A repository of one Rust plugin."""
    return {
        "Cargo.toml": cargo(name, **more),
        "Cargo.lock": "version = 4\n",
        "src/main.rs": "use cln_plugin::Builder;\nfn main() {}\n",
        "src/util.rs": "",
        "tests/conftest.py": "import pytest\n",
        "tests/pyproject.toml": project("tests", "pyln-testing"),
    }


def gomod(module: str, version: str, *requires: str) -> str:
    """A go.mod."""
    lines = "".join(f"\t{one} v1.0.0\n" for one in requires)
    return f"module {module}\n\ngo {version}\n\nrequire (\n{lines})\n"


def main_go(*imports: str, body: str = "") -> str:
    """A Go file of a main package."""
    listed = "".join(f'\t"{one}"\n' for one in imports)
    return f"package main\n\nimport (\n{listed})\n\nfunc main() {{\n\t{body}\n}}\n"


def package(name: str, main: str, **more: object) -> str:
    """A package.json of a plugin with clightningjs."""
    return json.dumps({"name": name, "main": main, "dependencies": {"clightningjs": "^0.2.2"}, **more})


GJSON = "github.com/fiatjaf/lightningd-gjson-rpc"
GJSON_MAIN = main_go(f"{GJSON}/plugin", body='p := plugin.Plugin{Name: "x"}')
GLIGHT = "github.com/elementsproject/glightning"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One plugin's tree and what detection must say of it; `because` are pieces of its reasons."""

    files: dict[str, str]
    language: str = "python"
    system: str = "pip"
    entrypoint: str = ""
    lock: str | None = None
    at: str = ""
    repo: str = ""
    name: str = ""
    subdir: str | None = None
    toolchain: str = ""
    because: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    status: str = "active"
    why_not: str = ""
    error: str = ""
    links: dict[str, str] = field(default_factory=dict)


def in_plugins(name: str, files: dict[str, str], **more) -> Shape:
    """A folder of lightningd/plugins, which has a pyproject.toml of its own at the top, and neighbours."""
    at = more.pop("at", name)
    around = {
        "pyproject.toml": project("plugins", "pytest"),
        "uv.lock": "version = 1\n",
        "conftest.py": "",
        "neighbour/neighbour.py": pyln(),
        "neighbour/requirements.txt": "pyln-client\n",
    }
    files = {**around, **{f"{at}/{file}": text for file, text in files.items()}}
    return Shape(files=files, at=at, repo="plugins", entrypoint=more.pop("entrypoint", f"{name}.py"), **more)


def modern(name: str, **more) -> Shape:
    """A live folder of lightningd/plugins."""
    because = ("uv.lock pins", "Python >=3.10", "starts itself with uv", *more.pop("because", ()))
    files = more.pop("files", None) or uv(name)
    return in_plugins(name, files, system="uv", lock="uv.lock", toolchain=">=3.10", because=because, **more)


def archived(name: str, **more) -> Shape:
    """An archived folder of lightningd/plugins."""
    files = more.pop("files", None) or pip(name)
    because = more.pop("because", ("requirements.txt names its packages; nothing pins them",))
    return in_plugins(name, files, at=f"archived/{name}", status="archived", because=because, **more)


def rust(name: str, *, coffee: bool = False, **more) -> Shape:
    """A repository of one Rust plugin, with the other plugin manager's manifest if `coffee`."""
    rustc = {"rust": "1.85.0", "edition": "2024"} if coffee else {"edition": "2021"}
    files = crate(more.pop("crate", name), **more.pop("how", rustc))
    if coffee:
        files["coffee.yml"] = COFFEE.format(name=name, lang="rust", main=name)
    return Shape(
        files={**files, **more.pop("files", {})},
        language="rust",
        system="cargo",
        entrypoint=more.pop("entrypoint", name),
        lock="Cargo.lock",
        repo=name,
        because=("cln-plugin", "Cargo.lock pins", *more.pop("because", ())),
        toolchain=more.pop("toolchain", ">=1.85.0" if coffee else ">=1.56"),
        **more,
    )


def conscott(name: str) -> Shape:
    """One of nine plugins in one folder, which share their requirements: told by its file."""
    names = ("balance", "channelstats", "closeall", "getnetworkinfo", "invoicestats", "paymentstats", "quickfund")
    return Shape(
        files={
            **{f"{one}.py": pyln() for one in names},
            "lib/__init__.py": "",
            "lib/amount.py": "def amount(): pass\n",
            "requirements.txt": "pyln-client\n",
        },
        at=f"{name}.py",
        repo="c-lightning-plugins",
        subdir="",
        name=name,
        entrypoint=f"{name}.py",
        because=("requirements.txt",),
    )


def kristapsk(name: str) -> Shape:
    """A repository of one old script, which is named unlike the repository."""
    code = "from lightning import LightningRpc, Plugin\nplugin = Plugin()\n\nif True:\n    plugin.run()\n"
    return Shape(
        files={f"{name}.py": PYTHON + code, "requirements.txt": "pylightning>=0.0.7\n"},
        repo=f"lightning-{name}",
        entrypoint=f"{name}.py",
        because=("requirements.txt",),
    )


def plant(root: Path, files: dict[str, str], links: dict[str, str] | None = None) -> Path:
    """Write a tree; a file that starts with `#!` is executable."""
    for name, text in files.items():
        file = root / name
        if name.endswith("/"):
            file.mkdir(parents=True, exist_ok=True)
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755 if text.startswith("#!") else 0o644)
    for name, target in (links or {}).items():
        (root / name).symlink_to(target)
    return root
