"""What the machine is and has, what builds may see of the environment, and what is missing of the system."""

from __future__ import annotations

import os
import platform
import stat
import sys
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reckless.build import system_packages
from reckless.build.environment import build_environment, clean, is_allowed
from reckless.build.interpreters import _interpreters, interpreters, own
from reckless.build.machine import parse_version, this_machine
from reckless.build.python_index import for_uv, pip_settings
from reckless.build.system_packages import install_command, missing_system, missing_toolchain
from reckless.model.manifest import Build


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_this_machine_is_named_as_manifests_name_it():
    machine = this_machine(languages=[])
    assert machine.os in {"linux", "macos"}
    assert machine.arch in {"x86_64", "aarch64", "armv7", "armv6", "i686", "riscv64", "ppc64le"}
    assert machine.libc in ({"gnu", "musl"} if machine.os == "linux" else {""})
    assert machine.toolchains == {}


def test_our_own_python_is_found_even_with_an_empty_path(tmp_path):
    machine = this_machine(str(tmp_path), languages=["python"])
    assert Version(platform.python_version()) in machine.pythons
    assert machine.toolchains["python"] == max(machine.pythons)
    assert own() in {i.path for i in interpreters(str(tmp_path))}


def test_an_interpreter_is_named_so_that_it_lasts():
    assert all(i.path.is_absolute() and not i.path.is_symlink() for i in interpreters() if "Cellar" not in str(i.path))
    assert not os.path.realpath(own()).startswith(os.path.realpath(sys.prefix)) or sys.prefix == sys.base_prefix


def test_a_broken_interpreter_is_left_out(tmp_path):
    program(tmp_path / "bin", "python3", "exit 1")
    program(tmp_path / "bin", "python3.12", "echo rubbish")
    program(tmp_path / "bin", "python3.13", "echo '{\"path\": 1}'")
    assert {i.path for i in interpreters(str(tmp_path / "bin"))} == {i.path for i in interpreters(str(tmp_path))}


def test_the_interpreters_behind_pyenvs_shims_are_found_without_running_shims(tmp_path):
    program(tmp_path / "shims", "python3", f"touch {tmp_path}/ran")
    place = tmp_path / "versions" / "3.9.1" / "bin"
    place.mkdir(parents=True)
    said = '{"path": "%s", "markers": {"python_full_version": "3.9.1"}}' % (place / "python3")
    program(place, "python3", f"echo '{said}'")
    assert Version("3.9.1") in {i.version for i in interpreters(str(tmp_path / "shims"))}
    assert not (tmp_path / "ran").exists()


def counted(folder, version="3.9.1"):
    """An interpreter that writes down each time that it is started."""
    said = f'{{"path": "{folder / "python3"}", "markers": {{"python_full_version": "{version}"}}}}'
    program(folder, "python3", f"echo >> {folder}/starts\necho '{said}'")
    return folder / "python3"


def starts(folder):
    return len((folder / "starts").read_text().splitlines())


def versions(folder, cache):
    """What is found by a process that has not looked before."""
    _interpreters.cache_clear()
    return {str(i.version) for i in interpreters(str(folder), cache=cache)}


def test_an_interpreter_is_asked_once_and_again_when_it_has_changed(tmp_path):
    python = counted(tmp_path / "bin")
    for _ in range(2):
        assert "3.9.1" in versions(tmp_path / "bin", tmp_path / "cache")
    assert starts(tmp_path / "bin") == 1

    counted(tmp_path / "bin", "3.9.20")
    assert "3.9.20" in versions(tmp_path / "bin", tmp_path / "cache")
    assert starts(tmp_path / "bin") == 2

    python.unlink()
    assert not {"3.9.1", "3.9.20"} & versions(tmp_path / "bin", tmp_path / "cache")


def test_a_launcher_is_asked_again_when_what_it_starts_has_gone(tmp_path):
    """As /usr/bin/python3 of macOS: it stays the same while the Xcode behind it changes."""
    inner, launcher = tmp_path / "inner", tmp_path / "bin"
    for folder in (inner, tmp_path / "newer"):
        counted(folder, "3.9.1" if folder == inner else "3.9.20")
    program(launcher, "python3", f"for p in {inner} {tmp_path}/newer; do test ! -e $p/python3 || exec $p/python3; done")
    assert "3.9.1" in versions(launcher, tmp_path / "cache")

    (inner / "python3").unlink()

    assert "3.9.20" in versions(launcher, tmp_path / "cache")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"x": 1}', '{"x": ["a"]}', '{"%s": ["x", "rubbish"]}'])
def test_answers_that_cannot_be_read_are_asked_again(tmp_path, text):
    python = counted(tmp_path / "bin")
    (tmp_path / "interpreters.json").write_text(text.replace("%s", str(python)))
    for _ in range(2):
        assert "3.9.1" in versions(tmp_path / "bin", tmp_path)
    assert starts(tmp_path / "bin") == 1


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    counted(tmp_path / "bin")
    (tmp_path / "cache").touch()
    assert "3.9.1" in versions(tmp_path / "bin", tmp_path / "cache")


@pytest.mark.parametrize(
    ("language", "text", "version"),
    [
        ("rust", "rustc 1.85.0 (4d91de4e4 2025-02-17)", "1.85.0"),
        ("rust", "rustc 1.97.0-nightly (abc 2026-01-01)", "1.97.0"),
        ("go", "go version go1.26.8 linux/amd64", "1.26.8"),
        ("go", "go version go1.27rc1 linux/arm64", "1.27rc1"),
        ("node", "v20.20.2", "20.20.2"),
        ("java", 'openjdk version "17.0.15" 2025-04-15', "17.0.15"),
        ("java", 'java version "1.8.0_292"', "8.0"),
        ("make", "GNU Make 4.3\nBuilt for", "4.3"),
        ("rust", "error: rustup could not choose a version of rustc to run", None),
        ("go", "", None),
    ],
)
def test_what_toolchains_say_of_themselves(language, text, version):
    assert parse_version(language, text) == (version and Version(version))


def test_a_toolchain_that_is_there_but_does_not_work_counts_as_absent(tmp_path):
    program(tmp_path / "bin", "rustc", "echo 'error: no default toolchain' >&2; exit 1")
    program(tmp_path / "bin", "cargo", "exit 1")
    assert "rust" not in this_machine(str(tmp_path / "bin"), languages=["rust"]).toolchains


@pytest.mark.parametrize(
    "name",
    [
        "LIGHTNINGD_PLUGIN",
        "LIGHTNING_CLI",
        "SSH_AUTH_SOCK",
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "UV_PUBLISH_TOKEN",
        "UV_PUBLISH_PASSWORD",
        "CARGO_REGISTRY_TOKEN",
        "CARGO_REGISTRIES_MINE_TOKEN",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "PYTHONPATH",
        "PIP_TARGET",
        "PIP_USER",
        "UV_PROJECT_ENVIRONMENT",
        "UV_PYTHON",
        "CARGO_TARGET_DIR",
        "LD_PRELOAD",
        "BASH_ENV",
        "DBUS_SESSION_BUS_ADDRESS",
        "RUSTUP_TOOLCHAIN",
        "NPM_CONFIG__AUTH",
        "NPM_CONFIG__AUTHTOKEN",
        "GIT_ASKPASS",
    ],
)
def test_builds_never_see(name):
    assert not is_allowed(name)


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "HTTPS_PROXY",
        "https_proxy",
        "no_proxy",
        "SSL_CERT_FILE",
        "PIP_INDEX_URL",
        "PIP_CERT",
        "UV_INDEX_URL",
        "UV_DEFAULT_INDEX",
        "UV_INDEX_MINE_PASSWORD",
        "CARGO_HOME",
        "CARGO_NET_OFFLINE",
        "RUSTUP_HOME",
        "RUSTFLAGS",
        "GOPROXY",
        "GOFLAGS",
        "GOMODCACHE",
        "CC",
        "CFLAGS",
        "LC_ALL",
        "TMPDIR",
        "PKG_CONFIG_PATH",
        "SQLITE3_LIB_DIR",
        "CGO_ENABLED",
    ],
)
def test_builds_see(name):
    assert is_allowed(name)


def test_the_build_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTNING_CLI", "lightning-cli")
    env = build_environment(tmp_path / "home", tmp_path / "cache")
    assert env["HOME"] == str(tmp_path / "home")
    assert env["GOTOOLCHAIN"] == "local"
    assert env["UV_PYTHON_DOWNLOADS"] == "never"
    assert not [name for name in env if name.startswith("LIGHTNING")]
    own_temporary = clean({"PATH": "/bin"}, tmp_path, tmp_path / "cache")["TMPDIR"]
    assert own_temporary == str(tmp_path / "cache" / "tmp")
    assert stat.S_IMODE(Path(own_temporary).stat().st_mode) == 0o700
    assert clean({"TMPDIR": "/big"}, tmp_path, tmp_path / "cache")["TMPDIR"] == "/big"


def test_uv_is_given_pips_settings_where_it_has_none(tmp_path):
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").write_text(
        "[global]\nindex-url = https://me:secret@mirror.example/simple\ntimeout = 90\n"
        "[install]\nextra_index_url =\n  https://a.example\n  https://b.example\n"
    )
    env, flags = for_uv(
        {"HOME": str(tmp_path), "PIP_FIND_LINKS": "/one /two", "PIP_CERT": "/ca.pem", "PIP_NO_INDEX": "0"}
    )
    assert env["UV_INDEX_URL"] == "https://me:secret@mirror.example/simple"
    assert env["UV_EXTRA_INDEX_URL"] == "https://a.example https://b.example"
    assert env["UV_FIND_LINKS"] == "/one,/two"
    assert env["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert env["SSL_CERT_FILE"] == "/ca.pem"
    assert env["UV_HTTP_TIMEOUT"] == "90"
    assert flags == ()
    assert for_uv({"HOME": str(tmp_path), "PIP_NO_INDEX": "1"})[1] == ("--no-index",)


def test_uv_keeps_settings_of_its_own(tmp_path):
    pip = {"HOME": str(tmp_path), "PIP_INDEX_URL": "https://pip.example", "PIP_CERT": "/pip.pem"}
    env, _ = for_uv({**pip, "UV_DEFAULT_INDEX": "https://uv.example", "SSL_CERT_FILE": "/own.pem"})
    assert env == {}
    (tmp_path / ".config/uv").mkdir(parents=True)
    (tmp_path / ".config/uv/uv.toml").write_text('[[index]]\nurl = "https://uv.example"\n')
    assert "UV_INDEX_URL" not in for_uv(pip)[0]


def test_pips_files_are_read_in_pips_order_and_bad_ones_passed_over(tmp_path):
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip/pip.conf").write_text("[global]\nindex-url = https://old.example\n")
    own_file = tmp_path / "own.conf"
    own_file.write_text("[global]\nindex-url = https://own.example\n")
    home = {"HOME": str(tmp_path)}
    assert pip_settings(home)["index-url"] == "https://old.example"
    assert pip_settings({**home, "PIP_CONFIG_FILE": str(own_file)})["index-url"] == "https://own.example"
    assert pip_settings({**home, "PIP_INDEX_URL": "https://env.example"})["index-url"] == "https://env.example"
    assert "index-url" not in pip_settings({**home, "PIP_CONFIG_FILE": os.devnull})
    own_file.write_text("rubbish\n")
    assert pip_settings({**home, "PIP_CONFIG_FILE": str(own_file)})["index-url"] == "https://old.example"


@pytest.mark.parametrize(
    ("system", "name", "command"),
    [
        ({"ID": "debian"}, "protoc", "sudo apt-get install protobuf-compiler"),
        ({"ID": "raspbian", "ID_LIKE": "debian"}, "libpq", "sudo apt-get install libpq-dev"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "openssl", "sudo apt-get install libssl-dev"),
        ({"ID": "fedora"}, "libcurl", "sudo dnf install libcurl-devel"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "go", "sudo dnf install golang"),
        ({"ID": "arch"}, "cc", "sudo pacman -S base-devel"),
        ({"ID": "alpine"}, "sqlite3", "sudo apk add sqlite-dev"),
        ({"ID": "opensuse-leap", "ID_LIKE": "suse opensuse"}, "libev", "sudo zypper install libev-devel"),
        ({"ID": "debian"}, "something-new", "sudo apt-get install something-new"),
        ({"ID": "nixos"}, "protoc", "install protoc with your system's package manager"),
    ],
)
def test_the_command_that_installs_it_here(monkeypatch, system, name, command):
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: system)
    assert install_command(name) == command


def test_on_macos_it_is_brew(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert install_command("protoc") == "brew install protobuf"


def test_each_kind_of_system_need_is_looked_for(monkeypatch, tmp_path):
    program(tmp_path / "bin", "there", "exit 0")
    program(tmp_path / "bin", "pkg-config", 'test "$3" = "good >= 1.2"')
    (tmp_path / "include").mkdir()
    (tmp_path / "include/there.h").touch()
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/libthere.so.5").touch()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("CPATH", str(tmp_path / "include"))
    monkeypatch.setenv("LIBRARY_PATH", str(tmp_path / "lib"))
    there = ("bin:there", "pkg-config:good>=1.2", "header:there.h", "lib:there", "lib:libthere", "moon:full")
    assert missing_system(there) == ()
    gone = ("bin:gone", "pkg-config:libgone>=2", "header:gone.h", "lib:gone")
    assert [m.what for m in missing_system(gone)] == [
        "the program gone",
        "the library libgone",
        "the C header gone.h",
        "the library gone",
    ]
    (tmp_path / "bin/pkg-config").unlink()
    assert [m.what for m in missing_system(("pkg-config:a", "pkg-config:b"))] == ["pkg-config"]


def test_a_rust_that_is_too_old_is_updated_by_rustup_where_there_is_one(monkeypatch, tmp_path):
    machine = this_machine(languages=["rust"])
    build = Build(language="rust", entrypoint="x", toolchain=SpecifierSet(">=99"))
    program(tmp_path / "bin", "rustup", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert missing_toolchain(build, machine)[0].install.startswith("rustup ")
    monkeypatch.setattr(system_packages, "_is_program", lambda _: False)
    assert "rustup.rs" in missing_toolchain(build, machine)[0].install
