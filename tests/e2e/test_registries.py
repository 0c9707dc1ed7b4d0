"""Releases that are packages of a registry: fetched by its client from the user's mirror, built, run, upgraded."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.scene import BOTH, Snapshot
from tests.fetch.registries import CLIENTS, FILES, NAMES, TOP, VERSIONS, WHEEL_METADATA, WRONG, Registries, packed, tgz
from tests.world import PLUGINS

pytestmark = pytest.mark.slow
CARGO = """[package]
name = "cln-tiny"
version = "1.2.0"
edition = "2021"

[[bin]]
name = "rust-hello"
path = "src/main.rs"
"""
LOCK = 'version = 3\n\n[[package]]\nname = "cln-tiny"\nversion = "1.2.0"\n'
# The plugin whose files the package holds, and those that make it this package.
PACKAGES = {
    "crates": ("rust-hello", {"Cargo.toml": CARGO, "Cargo.lock": LOCK}),
    "pypi": ("python-hello", {name: FILES["pypi"][name] for name in ("pyproject.toml", "own.py")}),
    "npm": ("node-hello", {"package.json": '{"name": "@cln/tiny", "version": "1.2.0"}'}),
    "go": ("go-hello", {"go.mod": "module example.org/cln/tiny\n\ngo 1.20\n"}),
}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Registries]:
    with Registries(tmp_path / "registries") as running:
        yield running


def files_of(plugin: str) -> dict[str, str]:
    folder = PLUGINS / plugin
    found = [f for f in sorted(folder.rglob("*")) if f.is_file() and not {"target", "__pycache__"} & {*f.parts}]
    return {f.relative_to(folder).as_posix(): f.read_text() for f in found}


@BOTH
@pytest.mark.parametrize("registry", PACKAGES)
def test_a_package_is_installed_and_runs(kind, registry, served, shop, node, operate):
    client = CLIENTS.get(registry)
    if client and not shutil.which(client):
        pytest.skip(f"no {client} on PATH")
    plugin, changed = PACKAGES[registry]
    inside = {f"{TOP[registry]}/{name}": text for name, text in {**files_of(plugin), **changed}.items()}
    if registry == "npm":  # what it depends on is in another registry than this one
        del inside["package/package-lock.json"]
        inside["package/hello.js"] = inside["package/hello.js"].replace('require("ms")', "String")
    served.serve(registry, packed(inside) if registry == "go" else tgz(inside))
    key = {"npm": "integrity", "go": "sum"}.get(registry, "sha256")
    checksum = served.go_sum() if registry == "go" else served.checksum[registry]
    source = {"registry": registry, "package": NAMES[registry], "version": VERSIONS[registry], key: checksum}
    shop.world.add_plugin(plugin, versions=())
    shop.world.add_release(plugin, "1.2.0", overrides={"source": source})
    shop.publish()
    reckless = operate(node)
    reckless.env |= served.env
    reckless("source", "add", shop.url)

    plan = reckless("install", plugin, "--dry-run").stdout
    assert f"fetch {registry}:{NAMES[registry]}@{VERSIONS[registry]}" in plan
    reckless("install", plugin)

    assert reckless.health() == {plugin: "running"}
    assert node.cli("hello" if plugin == "python-hello" else plugin)["version"] == "1.0.0"
    before = Snapshot.of(node)
    wrong = {**source, key: WRONG[registry]}
    shop.world.add_release(plugin, "1.3.0", overrides={"source": wrong})
    shop.publish()
    assert reckless.refused("upgrade", plugin)["code"] == "digest-mismatch"
    assert Snapshot.of(node) == before


def test_a_wheel_is_a_plugin_too(served, shop, node, reckless):
    code = (PLUGINS / "python-hello" / "hello.py").read_text().replace("\nmain()\n", "\n")
    digest = served.serve_wheel(packed({"tiny.py": code, **WHEEL_METADATA}))
    source = {"registry": "pypi", "package": "cln-tiny", "version": "1.2.0", "sha256": digest}
    build = {"language": "python", "entrypoint": "tiny:main"}
    shop.world.add_plugin("python-hello", versions=())
    shop.world.add_release("python-hello", "1.2.0", overrides={"source": source, "build": build})
    shop.publish()
    reckless.env |= served.env
    reckless("source", "add", shop.url)

    reckless("install", "python-hello")

    assert node.cli("hello", "you")["say"] == "hello you"
    assert node.restart().up
    assert node.cli("hello", "you")["say"] == "hello you"
