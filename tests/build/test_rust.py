"""Rust plugins: workspaces, names, toolchains, and what the next release compiles."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from reckless.build.rust import RustBackend
from reckless.errors import BuildError
from tests.build.workshop import RUST, ask

pytestmark = pytest.mark.slow
CARGO = '[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n'
LOCK = 'version = 3\n\n[[package]]\nname = "{name}"\nversion = "0.1.0"\n'


def crate(name: str, *, more: str = "", folder: str = "", source: str = RUST) -> dict[str, str]:
    return {f"{folder}Cargo.toml": CARGO.format(name=name) + more, f"{folder}src/main.rs": source}


def test_no_cargo_lock_is_said(workshop):
    shop = workshop("rust")
    built = shop.build(shop.job(crate("tiny"), entrypoint="tiny"))
    assert ask(shop.root / "tree" / built.entrypoint)["dynamic"] is True
    assert "no Cargo.lock" in built.notes[0]


def test_a_lock_is_kept_to_and_nothing_said(workshop):
    shop = workshop("rust")
    built = shop.build(shop.job({**crate("tiny"), "Cargo.lock": LOCK.format(name="tiny")}, entrypoint="tiny"))
    assert built.notes == ()


def test_a_lock_that_does_not_fit_is_refused(workshop):
    shop = workshop("rust")
    with pytest.raises(BuildError) as e:
        shop.build(shop.job({**crate("tiny"), "Cargo.lock": LOCK.format(name="other")}, entrypoint="tiny"))
    assert e.value.code == "lock-outdated"


def test_a_binary_named_unlike_its_package_in_a_member_of_a_workspace(workshop):
    shop = workshop("rust")
    files = {
        "Cargo.toml": '[workspace]\nmembers = ["a", "b"]\ndefault-members = ["a"]\nresolver = "2"\n',
        **crate("first", folder="a/"),
        **crate("second", folder="b/", more='[[bin]]\nname = "the-plugin"\npath = "src/main.rs"\n'),
    }
    built = shop.build(shop.job(files, entrypoint="the-plugin"))
    assert built.entrypoint == "bin/the-plugin"
    ask(shop.root / "tree" / built.entrypoint)
    built = shop.build(shop.job({}, entrypoint="first", subdir="a"))  # the member's folder as subdir
    ask(shop.root / "tree" / built.entrypoint)


def test_a_binary_that_needs_a_feature_gets_it(workshop):
    shop = workshop("rust")
    more = '[features]\nplugin = []\n[[bin]]\nname = "tiny"\npath = "src/main.rs"\nrequired-features = ["plugin"]\n'
    ask(shop.root / "tree" / shop.build(shop.job(crate("tiny", more=more), entrypoint="tiny")).entrypoint)


def test_an_unknown_binary_is_answered_with_those_there_are(workshop):
    shop = workshop("rust")
    with pytest.raises(BuildError) as e:
        shop.build(shop.job(crate("tiny"), entrypoint="small"))
    assert e.value.code == "entrypoint-missing"
    assert "tiny" in e.value.hint


def test_no_cargo_toml(workshop):
    shop = workshop("rust")
    with pytest.raises(BuildError, match=r"no Cargo\.toml"):
        shop.build(shop.job({"README": ""}, entrypoint="tiny"))


@pytest.mark.parametrize("name", ["rust-toolchain.toml", "rust-toolchain"])
def test_a_toolchain_that_is_not_installed_is_an_error_not_a_download(workshop, name):
    shop = workshop("rust")
    text = '[toolchain]\nchannel = "1.41.0"\ncomponents = ["clippy"]\n' if name.endswith("toml") else "1.41.0\n"
    with pytest.raises(BuildError) as e:
        shop.build(shop.job({**crate("tiny", folder="sub/"), name: text}, entrypoint="tiny", subdir="sub"))
    assert e.value.code == "toolchain-missing"
    assert "rustup toolchain install 1.41.0" in e.value.hint


def test_a_toolchain_file_that_names_what_is_there(workshop):
    shop = workshop("rust")
    toolchain = '[toolchain]\nchannel = "stable"\ncomponents = ["rust-analyzer", "llvm-tools"]\n'
    ask(
        shop.root
        / "tree"
        / shop.build(shop.job({**crate("t"), "rust-toolchain.toml": toolchain}, entrypoint="t")).entrypoint
    )


def test_a_rust_version_newer_than_ours(workshop):
    shop = workshop("rust")
    files = crate("tiny")
    files["Cargo.toml"] += 'rust-version = "1.999"\n'
    with pytest.raises(BuildError) as e:
        shop.build(shop.job(files, entrypoint="tiny"))
    assert e.value.code == "toolchain-too-old"
    assert "1.999" in e.value.message


def old(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        for name in files:
            os.utime(Path(place) / name, (1_000_000_000, 1_000_000_000))


def test_the_next_release_is_compiled_anew_though_its_files_are_older(workshop):
    """An archive's files carry the times of their commits: cargo must not take the next release for the last."""
    shop = workshop("rust")
    library = {"lib/Cargo.toml": CARGO.format(name="part"), "lib/src/lib.rs": 'pub fn word() -> &\'static str { "%s" }'}
    for release in ("one", "two"):
        files = {
            **crate(
                "tiny",
                more='[dependencies]\npart = { path = "lib" }\n',
                source='fn main() { println!("{}", part::word()) }',
            ),
            **{name: text.replace("%s", release) for name, text in library.items()},
        }
        job = shop.job(files, entrypoint="tiny", tree=release)
        old(job.src)
        built = shop.build(job)
        assert subprocess.check_output([job.tree / built.entrypoint], text=True) == f"{release}\n"


def test_dependencies_are_compiled_once_for_all_releases(workshop):
    shop = workshop("rust")
    dependency = '[dependencies]\nitoa = "=1.0.9"\n'
    jobs = [shop.job(crate("tiny", more=dependency), entrypoint="tiny", tree=tree) for tree in ("one", "two")]
    for job in jobs:
        shop.build(job)
    assert "Compiling itoa" in jobs[0].log.read_text()
    assert "Compiling itoa" not in jobs[1].log.read_text()
    assert "Compiling tiny" in jobs[1].log.read_text()


def test_cargo_is_named_when_missing():
    from reckless.model.machine import Machine
    from reckless.model.manifest import Build

    missing = RustBackend().missing(Build(language="rust", entrypoint="x"), Machine(os="linux", arch="x86_64"))
    assert "Rust" in missing[0].what
    assert missing[0].install


def test_two_builds_of_one_plugin_do_not_meet(workshop):
    """They share a target folder: the second waits, and says so where that takes longer than it may."""
    from reckless.build.steps import exclusive

    shop = workshop("rust")
    job = shop.job({**crate("tiny"), "Cargo.lock": LOCK.format(name="tiny")}, entrypoint="tiny", timeout=1.5)
    with exclusive(job.cache / "cargo-target" / "plugin.lock", 5), pytest.raises(BuildError) as e:
        shop.build(job)
    assert e.value.code == "build-locked"
