"""Which ready-made programs a machine takes, and in which order."""

from __future__ import annotations

import pytest
from packaging.version import Version

from reckless.model.machine import Machine
from reckless.model.manifest import Binary, Build, GitSource, Release
from reckless.model.targets import KNOWN, fitting_binary, targets


def machine(target: str) -> Machine:
    arch, system, *libc = target.split("-")
    return Machine(os=system, arch=arch, libc="".join(libc))


@pytest.mark.parametrize(
    ("here", "takes"),
    [
        ("x86_64-linux-gnu", "x86_64-linux-gnu x86_64-linux x86_64-linux-musl"),
        ("x86_64-linux-musl", "x86_64-linux-musl x86_64-linux"),
        ("aarch64-linux-gnu", "aarch64-linux-gnu aarch64-linux aarch64-linux-musl"),
        (
            "armv7-linux-gnu",
            "armv7-linux-gnu armv7-linux armv7-linux-musl armv6-linux-gnu armv6-linux armv6-linux-musl",
        ),
        ("armv6-linux-gnu", "armv6-linux-gnu armv6-linux armv6-linux-musl"),
        ("aarch64-macos", "aarch64-macos universal-macos"),
        ("x86_64-freebsd", "x86_64-freebsd"),
    ],
)
def test_what_a_machine_takes_the_best_first(here, takes):
    assert targets(machine(here)) == tuple(takes.split())


def release(*names: str) -> Release:
    return Release(
        version=Version("1"),
        source=GitSource(git="https://example.org/x", rev="0" * 40),
        build=Build(language="rust", entrypoint="x"),
        binary=tuple(Binary(target=name, url=f"https://example.org/{name}", sha256="0" * 64) for name in names),
    )


@pytest.mark.parametrize(
    ("here", "there", "taken"),
    [
        ("x86_64-linux-gnu", "x86_64-linux-musl aarch64-linux-gnu x86_64-linux-gnu", "x86_64-linux-gnu"),
        ("x86_64-linux-gnu", "x86_64-linux-musl aarch64-linux-gnu", "x86_64-linux-musl"),
        ("x86_64-linux-musl", "x86_64-linux-gnu aarch64-linux-musl", None),
        ("aarch64-linux-gnu", "armv7-linux-gnu x86_64-linux-gnu", None),
        ("aarch64-macos", "universal-macos", "universal-macos"),
        ("x86_64-linux-gnu", "", None),
    ],
)
def test_which_of_those_that_there_are_is_taken(here, there, taken):
    found = fitting_binary(release(*there.split()), machine(here))
    assert (found.target if found else None) == taken


def test_a_ready_made_tree_is_another_than_a_built_one():
    one = release("x86_64-linux-gnu", "x86_64-linux-musl")
    digests = {one.digest(), *(one.digest(binary) for binary in one.binary)}
    assert len(digests) == 2, "the program's bytes decide, not what its target is called"
    other = Binary(target="x86_64-linux-gnu", url="https://elsewhere.example.org/x", sha256="0" * 64)
    assert one.digest(other) == one.digest(one.binary[0]), "nor where it comes from"


def test_every_target_that_a_machine_can_have_is_one_that_manifests_may_name():
    for name in ("x86_64-linux-gnu", "armv7-linux-gnu", "aarch64-linux-musl", "riscv64-linux-gnu", "aarch64-macos"):
        assert all(KNOWN.fullmatch(target) for target in targets(machine(name)))
    for name in ("x86_64-unknown-linux-gnu", "amd64-linux-gnu", "armv7-linux-gnueabihf", "x86_64-apple-darwin"):
        assert not KNOWN.fullmatch(name)
