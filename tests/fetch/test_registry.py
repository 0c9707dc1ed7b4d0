"""Packages come by their ecosystem's own client, count only by their checksum, and are unpacked like any archive."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reckless.errors import FetchError
from reckless.fetch.fetcher import fetch
from reckless.model.manifest import RegistrySource
from reckless.model.registries import REGISTRIES
from tests.fetch.conftest import tree
from tests.fetch.registries import CLIENTS, FILES, NAMES, VERSIONS, WRONG, Registries, package, tgz

Bring = Callable[..., Path]


def needs_client(registry: str) -> None:
    client = CLIENTS.get(registry)
    if client and not shutil.which(client):
        pytest.skip(f"no {client} on PATH")


@pytest.fixture(params=REGISTRIES)
def registry(request: pytest.FixtureRequest) -> str:
    needs_client(request.param)
    return request.param


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Registries]:
    with Registries(tmp_path / "home") as running:
        yield running


@pytest.fixture
def carry(bring: Bring, served: Registries) -> Bring:
    """Fetch with the clients sent to loopback."""
    return lambda source, **more: bring(source, env=more.pop("env", served.env), **more)


def source_of(registry: str, served: Registries, **changed: str) -> RegistrySource:
    checksum = served.go_sum() if registry == "go" and "checksum" not in changed else served.checksum[registry]
    source = RegistrySource(registry=registry, package=NAMES[registry], version=VERSIONS[registry], checksum=checksum)
    return replace(source, **changed)


def test_a_package_comes_by_its_client_from_the_users_mirror(carry, served, registry, notes):
    into = carry(source_of(registry, served))
    assert tree(into) == FILES[registry]
    assert [request for request in served.requests if f"/{registry}/" in request]
    assert notes.steps[0] == ("summary", "fetch", f"{registry}:{NAMES[registry]}@{VERSIONS[registry]}")


def test_what_was_fetched_once_needs_no_registry(carry, served, registry):
    source = source_of(registry, served)
    carry(source)
    served.requests.clear()
    assert tree(carry(source, env={"PATH": "/nonexistent"})) == FILES[registry]
    assert served.requests == []


def test_a_damaged_cache_is_fetched_again(carry, served, registry, tmp_path):
    source = source_of(registry, served)
    carry(source)
    for kept in (tmp_path / "cache" / "packages").glob("*/*"):
        kept.write_bytes(package(registry, {"evil": ""}))
    if registry == "go":  # only its unpacked files show what it is
        with pytest.raises(FetchError) as e:
            carry(source)
        assert e.value.code == "digest-mismatch"
    assert tree(carry(source)) == FILES[registry]


def test_another_checksum_than_the_manifests(carry, served, registry, tmp_path):
    source = source_of(registry, served, checksum=WRONG[registry])
    for _ in range(2):
        with pytest.raises(FetchError) as e:
            carry(source)
        assert e.value.code == "digest-mismatch"
        assert source.where in e.value.message
        assert "do not install it" in e.value.hint
        assert not list((tmp_path / "cache" / "packages").glob("[!.]*")), "nothing of it is kept"


def test_a_mirror_that_serves_other_bytes_than_it_promises(carry, served, registry):
    source = source_of(registry, served)
    served.serve(registry, package(registry, {"evil": ""}), promised=package(registry))
    for cache in (Path(served.env["CARGO_HOME"]) / "registry", Path(served.env["HOME"]) / "go"):
        shutil.rmtree(cache, ignore_errors=True)
    with pytest.raises(FetchError) as e:
        carry(source)
    assert e.value.code == "digest-mismatch"


def test_a_version_that_is_not_there(carry, served, registry):
    version = "v9.9.9" if registry == "go" else "9.9.9"
    with pytest.raises(FetchError) as e:
        carry(source_of(registry, served, version=version))
    assert e.value.code == "no-such-package"
    assert version in e.value.message
    assert e.value.hint
    assert e.value.detail, "the client's own words"


def test_a_package_that_is_not_there(carry, served, registry):
    name = "example.org/cln/none" if registry == "go" else "cln-none"
    with pytest.raises(FetchError) as e:
        carry(source_of(registry, served, package=name))
    assert e.value.code == "no-such-package"


def test_no_network(carry, served, registry):
    source = source_of(registry, served)
    shutil.rmtree(Path(served.env["HOME"]) / "go", ignore_errors=True)
    served.__exit__()
    with pytest.raises(FetchError) as e:
        carry(source)
    assert e.value.code == "network-down"
    assert e.value.hint == "check the network, then run it again"


def test_a_client_that_is_missing(carry, served, registry):
    if registry == "pypi":
        pytest.skip("pip comes with reckless")
    with pytest.raises(FetchError) as e:
        carry(source_of(registry, served), env={**served.env, "PATH": "/nonexistent"})
    assert e.value.code == "client-missing"
    assert CLIENTS[registry] in e.value.message


def test_a_client_that_hangs(carry, served, registry, tmp_path):
    if registry == "pypi":
        pytest.skip("pip comes with reckless")
    source = source_of(registry, served)
    shutil.rmtree(Path(served.env["HOME"]) / "go", ignore_errors=True)
    client = tmp_path / "bin" / CLIENTS[registry]
    client.parent.mkdir()
    client.write_text("#!/bin/sh\nexec sleep 60\n")
    client.chmod(0o755)
    with pytest.raises(FetchError) as e:
        carry(source, timeout=0.5, env={**served.env, "PATH": f"{client.parent}:/usr/bin:/bin"})
    assert e.value.code == "fetch-timeout"


def test_a_package_that_reaches_out_of_its_folder(carry, served, tmp_path):
    needs_client("npm")
    for name in ("../outside", "package/../outside", "other/file", "file"):
        served.serve("npm", tgz({"package/package.json": "{}", name: ""}))
        with pytest.raises(FetchError) as e:
            carry(source_of("npm", served))
        assert e.value.code == "unsafe-path"
        assert not list((tmp_path / "cache" / "packages").glob("[!.]*")), "nothing of it is kept"


def test_a_sub_folder_of_a_package(carry, served):
    needs_client("go")
    into = carry(source_of("go", served, subdir="b"))
    assert (into / "b" / "b.go").is_file()
    with pytest.raises(FetchError) as e:
        carry(source_of("go", served, subdir="c"))
    assert e.value.code == "no-such-folder"


def test_a_wheel_is_unpacked_as_it_would_be_installed(carry, served):
    digest = served.serve_wheel()
    into = carry(source_of("pypi", served, checksum=digest))
    assert (into / "tiny.py").is_file()
    assert (into / "cln_tiny-1.2.0.dist-info" / "METADATA").is_file()
    assert tree(carry(source_of("pypi", served))) == FILES["pypi"], "and the source distribution by its own"


def test_nothing_of_an_npm_package_is_run(carry, served):
    needs_client("npm")
    into = carry(source_of("npm", served))
    assert not list(into.rglob("ran"))


def test_a_cargo_that_has_no_info_gets_the_crate_as_a_dependency(carry, served, tmp_path):
    """As cargo before 1.82 is: Debian 12 has 1.63."""
    needs_client("crates")
    old = tmp_path / "old" / "cargo"
    old.parent.mkdir()
    refuses = "error: no such command: `info`"
    old.write_text(
        f'#!/bin/sh\n[ "$1" = info ] && {{ echo "{refuses}" >&2; exit 101; }}\nexec {shutil.which("cargo")} "$@"\n'
    )
    old.chmod(0o755)
    env = {**served.env, "PATH": f"{old.parent}:{served.env['PATH']}"}
    assert tree(carry(source_of("crates", served), env=env)) == FILES["crates"]


REAL = (
    (
        "crates",
        "c-lightning-http-plugin",
        "0.1.2",
        "3e4b514970a9c3372193d48a1c2b4e62e1026c27cad584d9664303bf8c0a7e6e",
        "Cargo.lock",
    ),
    ("pypi", "lnproxy", "0.3.6", "b102806a87f3bd225e324685977923f82a9c74d7839aa061dc99f9e6274c000f", "setup.py"),
    (
        "pypi",
        "lnproxy",
        "0.3.6",
        "296fc5c447019ffb049bff4059b48d7652d1b21b546a2f60b6a8b89418a119b1",
        "lnproxy/proxy.py",
    ),
    (
        "npm",
        "clightningjs",
        "0.2.2",
        "sha512-9fdWYNxe/IUe0uG0b1XdxWGlev1IPlWZpN6Hrsr3uTOZe1kSR+ySBMzdsgD73Rc3LeX7DfdKhT3uuT8B77HIqg==",
        "src/plugin.js",
    ),
    (
        "go",
        "github.com/fiatjaf/lightningd-gjson-rpc",
        "v1.6.0",
        "h1:GMahNjyK2G8bDh53DPVvJWEtDAhx5XWEzbiRUjKLsrY=",
        "go.sum",
    ),
)


@pytest.mark.slow
@pytest.mark.parametrize(("registry", "name", "version", "checksum", "file"), REAL)
def test_the_real_registries(registry, name, version, checksum, file, tmp_path, notes):
    """With the clients set up as on this machine."""
    needs_client(registry)
    source = RegistrySource(registry=registry, package=name, version=version, checksum=checksum)
    fetch(source, tmp_path / "src", cache=tmp_path / "cache", name=name, reporter=notes)
    assert (tmp_path / "src" / file).is_file()
