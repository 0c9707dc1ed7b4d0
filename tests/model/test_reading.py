"""What a manifest, the list of built-ins and a catalog mean once they are read."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reckless.errors import ManifestError
from reckless.model.catalog import Catalog, CatalogEntry
from reckless.model.manifest import Build, Dependency, GitSource, Runtime, ShippedLock
from reckless.model.reader import catalog_bytes, parse_builtins, parse_catalog, parse_manifest
from reckless.model.versions import lightningd_fits, parse_lightningd, parse_specifier
from reckless.model.writer import write_manifest

REV = "0123456789abcdef0123456789abcdef01234567"
DIGEST = "ab" * 32
PLUGIN = """\
schema = 1

[plugin]
name = "summary"
summary = "One-screen report of the node"
repository = "https://github.com/lightningd/plugins"
license = "BSD-3-Clause"
category = "monitoring"
"""
BUILD = """
[build]
language = "python"
entrypoint = "summary.py"
python = ">=3.9"
lock = "uv.lock"
system = ["bin:protoc"]

[runtime]
dynamic = true
rpcmethods = ["summary"]
options = ["summary-currency"]
"""


def release(version: str, *more: str) -> str:
    source = f'source = {{ git = "https://github.com/lightningd/plugins", rev = "{REV}", subdir = "summary" }}'
    return "\n".join(["", "[[release]]", f'version = "{version}"', source, *more, ""])


def test_releases_come_newest_first_whatever_the_files_order() -> None:
    text = PLUGIN + BUILD + release("1.2") + release("v1.10") + release("1.10rc1") + release("2024.1.31")
    found = parse_manifest(text, file="x").releases
    assert [str(item.version) for item in found] == ["2024.1.31", "1.10", "1.10rc1", "1.2"]
    assert found[0].source == GitSource(git="https://github.com/lightningd/plugins", rev=REV, subdir="summary")


def test_release_overrides_are_laid_over_the_tables_for_all() -> None:
    text = (
        PLUGIN
        + BUILD
        + release("1.0", "[release.build]", 'python = ">=3.10"', 'lock = ""', "[release.runtime]", "options = []")
    )
    manifest = parse_manifest(text, file="x", strict=True)
    (only,) = manifest.releases
    assert manifest.build == Build(
        language="python",
        entrypoint="summary.py",
        toolchain=SpecifierSet(">=3.9"),
        lock="uv.lock",
        system=("bin:protoc",),
    )
    assert only.build == replace(manifest.build, toolchain=SpecifierSet(">=3.10"), lock=None)
    assert only.runtime == Runtime(dynamic=True, rpcmethods=("summary",), options=())
    assert 'lock = ""' in write_manifest(manifest)


def test_another_language_drops_the_bounds_of_the_first() -> None:
    text = (
        PLUGIN
        + BUILD
        + release("2.0", "[release.build]", 'language = "rust"', 'entrypoint = "summary"', 'lock = "Cargo.lock"')
    )
    (only,) = parse_manifest(text, file="x", strict=True).releases
    assert only.build.toolchain == SpecifierSet()
    assert only.build.language == "rust"


def test_a_repositorys_own_manifest_has_no_releases() -> None:
    assert parse_manifest(PLUGIN + BUILD, file="reckless.toml", strict=True).releases == ()
    assert parse_manifest(PLUGIN, file="reckless.toml", strict=True).build is None


def test_dependencies_and_bounds_are_normalized() -> None:
    text = PLUGIN + BUILD + release("1", 'depends = ["Commando_X.py >= 0.2, <1"]', 'cln = ">=v23.08, <V25.02rc1"')
    (only,) = parse_manifest(text, file="x").releases
    assert only.depends == (Dependency(name="commando-x", specifier=SpecifierSet(">=0.2,<1")),)
    assert only.cln == SpecifierSet(">=23.08,<25.02rc1")


def test_what_is_not_said_is_none_and_what_is_empty_is_empty() -> None:
    text = PLUGIN + BUILD.replace('rpcmethods = ["summary"]', "rpcmethods = []") + release("1")
    runtime = parse_manifest(text, file="x").releases[0].runtime
    assert runtime.rpcmethods == ()
    assert runtime.hooks is None
    assert runtime.subscriptions is None


def test_a_shipped_lock_is_a_file_and_its_digest() -> None:
    lock = f'lock = {{ file = "locks/summary-1.txt", sha256 = "{DIGEST}" }}'
    text = PLUGIN + BUILD + release("1", "[release.build]", lock)
    assert parse_manifest(text, file="x").releases[0].build.lock == ShippedLock(
        file="locks/summary-1.txt", sha256=DIGEST
    )


def test_windows_line_ends_and_a_byte_order_mark_are_forgiven() -> None:
    text = PLUGIN + BUILD + release("1")
    assert parse_manifest("\ufeff" + text.replace("\n", "\r\n"), file="x") == parse_manifest(text, file="x")


def test_a_release_that_takes_a_key_back_cannot_be_written() -> None:
    manifest = parse_manifest(PLUGIN + BUILD + release("1"), file="x")
    (only,) = manifest.releases
    with pytest.raises(ManifestError) as caught:
        write_manifest(replace(manifest, releases=(replace(only, runtime=Runtime()),)))
    assert caught.value.code == "unwritable-manifest"


BUILTINS = """\
schema = 1

[builtin.commando]
since = "v0.12.0"
rpcmethods = ["commando"]
note = "a rewrite of the plugin"

[builtin.gone]
since = "0.9"
until = "22.11"
replacement = "sql"
"""


def test_builtins_say_from_and_until_which_lightningd() -> None:
    found = parse_builtins(BUILTINS, file="builtin.toml", strict=True)
    commando, gone = found["commando"], found["gone"]
    assert commando.rpcmethods == ("commando",)
    for version, there in (
        ("v0.11.2", False),
        ("v0.12.0rc1", True),
        ("v26.06.6", True),
        ("v0.12.0-3-gabc1234-modded", True),
    ):
        assert commando.provided_by(parse_lightningd(version)) is there
    assert gone.provided_by(parse_lightningd("v22.11")) is False
    assert gone.replacement == "sql"


@pytest.mark.parametrize(
    ("old", "new", "code", "path"),
    [
        ('since = "v0.12.0"', 'since = "soon"', "invalid-version", "builtin.commando.since"),
        ('since = "v0.12.0"\n', "", "missing-key", "builtin.commando.since"),
        ("[builtin.commando]", "[builtin.Commando]", "invalid-name", "builtin.Commando"),
        ('until = "22.11"', 'until = "0.9"', "invalid-choice", "builtin.gone.until"),
        ("schema = 1", "schema = 2", "manifest-too-new", "schema"),
        ("schema = 1", "builtin = 1\nschema = 1\n[x]", "toml-syntax", ""),
        ("note =", "nota =", "unknown-key", "builtin.commando.nota"),
    ],
)
def test_builtins_that_cannot_be_read(old: str, new: str, code: str, path: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse_builtins(BUILTINS.replace(old, new), file="builtin.toml", strict=True)
    assert f"[{code}]" in caught.value.detail
    assert f"{path}: " in caught.value.detail or not path
    assert caught.value.code == ("manifest-too-new" if code == "manifest-too-new" else "invalid-manifest")


ENTRY = CatalogEntry(name="summary", summary="One screen", sha256=DIGEST, size=100, version="1.0", keywords=("a",))


def test_unknown_keys_of_a_catalog_are_ignored() -> None:
    data = catalog_bytes(Catalog(plugins=(ENTRY,))).replace(b'"schema":1', b'"schema":1,"mirrors":[{}]')
    assert parse_catalog(data.replace(b'"size":100', b'"size":100,"logo":"x"'), file="x") == Catalog(plugins=(ENTRY,))


def test_a_newer_catalog_is_refused_whatever_its_shape() -> None:
    with pytest.raises(ManifestError) as caught:
        parse_catalog(b'{"schema": 2, "plugins": {}}', file="catalog.json")
    assert caught.value.code == "catalog-too-new"


@pytest.mark.parametrize(
    "entry",
    [
        replace(ENTRY, name="../x"),
        replace(ENTRY, sha256="AB" * 32),
        replace(ENTRY, size=0),
        replace(ENTRY, size=(1 << 20) + 1),
        replace(ENTRY, summary="\x1b[2J"),
        replace(ENTRY, keywords=("a", "\u202e")),
        replace(ENTRY, replaced_by="-x"),
    ],
)
def test_hostile_catalog_entries_are_refused(entry: CatalogEntry) -> None:
    with pytest.raises(ManifestError) as caught:
        parse_catalog(catalog_bytes(Catalog(plugins=(entry,))), file="catalog.json")
    assert caught.value.code == "invalid-catalog"
    assert "plugins[0]." in caught.value.detail


def test_a_plugin_is_in_a_catalog_once() -> None:
    with pytest.raises(ManifestError, match="twice"):
        parse_catalog(catalog_bytes(Catalog(plugins=(ENTRY, ENTRY))), file="x")


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"null", b"[]", b'{"schema":"1"}', b'{"schema":1,"plugins":[{}]}', b'{"schema":0}']
)
def test_what_is_no_catalog_is_refused(data: bytes) -> None:
    with pytest.raises(ManifestError) as caught:
        parse_catalog(data, file="catalog.json")
    assert caught.value.code == "invalid-catalog"
    assert "catalog.json" in caught.value.message


def test_a_catalogs_list_of_builtins_needs_its_digest() -> None:
    good = Catalog(builtin_sha256=DIGEST, builtin_size=10)
    assert parse_catalog(catalog_bytes(good), file="x") == good
    with pytest.raises(ManifestError, match="builtin_size"):
        parse_catalog(catalog_bytes(replace(good, builtin_size=0)), file="x")


@pytest.mark.parametrize(
    ("bounds", "version", "fits"),
    [
        (">=26.06", "v26.06rc1", True),
        (">=26.06rc2", "v26.06rc1", False),
        (">=26.06rc2", "v26.06rc2-4-gabc", True),
        (">=26.06rc2", "v26.06", True),
        ("<0.12", "v0.12.0rc1", False),
        ("<0.12", "v0.11.2", True),
        ("<=25.09", "v25.09-12-gabc1234-modded", True),
        ("!=25.09", "v25.09-modded", False),
        ("==26.6.*", "v26.06.6", True),
        ("", "v0.7.0", True),
    ],
)
def test_lightningd_within_bounds(bounds: str, version: str, fits: bool) -> None:
    assert lightningd_fits(parse_specifier(bounds), parse_lightningd(version)) is fits


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v26.06.6", "26.6.6"),
        ("v0.12.1", "0.12.1"),
        ("24.11rc2", "24.11rc2"),
        ("v0.10.2-rc1", "0.10.2rc1"),
        ("v25.09-12-gabc1234-modded", "25.9+12.gabc1234.modded"),
        ("v22.11.1-modded\n", "22.11.1+modded"),
    ],
)
def test_what_lightningd_calls_itself(text: str, version: str) -> None:
    assert parse_lightningd(text) == Version(version)


def test_importing_the_reader_loads_nothing_heavy() -> None:
    code = "import sys, reckless.model.reader, reckless.model.writer; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    heavy = {
        "packaging.requirements",
        "packaging.licenses",
        "tomllib",
        "tomli",
        "tomlkit",
        "msgspec",
        "requests",
        "difflib",
    }
    assert heavy.isdisjoint(loaded)
