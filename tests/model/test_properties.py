"""What holds for every input: what reads, writes back the same; what does not, is a ManifestError."""

# ruff: noqa: PT017 - "this, or that error" is what a property says; pytest.raises can't

from __future__ import annotations

import datetime as dt
import json
import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reckless.errors import ManifestError, RecklessError
from reckless.model.catalog import Catalog, CatalogEntry
from reckless.model.dependency import parse_dependency
from reckless.model.hostile import control, license_expression
from reckless.model.manifest import (
    CATEGORIES,
    LANGUAGES,
    STATUSES,
    ArchiveSource,
    Binary,
    Build,
    Dependency,
    GitSource,
    Manifest,
    Plugin,
    RegistrySource,
    Release,
    Runtime,
    ShippedLock,
)
from reckless.model.names import is_name, normalize_name
from reckless.model.reader import catalog_bytes, check_manifest, parse_builtins, parse_catalog, parse_manifest
from reckless.model.registries import REGISTRIES
from reckless.model.versions import lightningd_fits, parse_lightningd, parse_specifier, parse_version
from reckless.model.writer import write_manifest

DIGITS = st.integers(0, 9999).map(str)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,5}){0,3}", fullmatch=True)
RELEASES = st.lists(DIGITS, min_size=1, max_size=4).map(".".join)
VERSIONS = st.builds(str.__add__, RELEASES, st.sampled_from(["", "a1", "b2", "rc3", ".dev4", ".post5", "+local.6"]))
CLAUSES = st.builds(str.__add__, st.sampled_from([">=", "<=", ">", "<", "==", "!="]), RELEASES)
SPECIFIERS = st.lists(CLAUSES | RELEASES.map("=={}.*".format), max_size=3).map(",".join)
BOUNDS = SPECIFIERS.map(parse_specifier)
LINE = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=30).filter(str.strip)
PROSE = st.lists(LINE | st.sampled_from(['"""', "\\", '"', "", "\t"]), min_size=1).map("\n".join).filter(str.strip)
PARTS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,8}[a-z]", fullmatch=True)
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
TOKENS = st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,8}", fullmatch=True), max_size=4, unique=True).map(tuple)
HEX = {n: st.text("0123456789abcdef", min_size=n, max_size=n) for n in (40, 64)}
URLS = PATHS.map(lambda path: "https://example.com/" + path.replace(" ", "%20"))
BASE64 = {n: st.text("ABCyz019+/", min_size=n, max_size=n) for n in (43, 86)}
NUMBERS = st.tuples(*[st.integers(0, 999)] * 3).map(lambda numbers: ".".join(map(str, numbers)))
CHECKSUMS = {
    "crates": HEX[64],
    "pypi": HEX[64],
    "npm": BASE64[86].map("sha512-{}==".format),
    "go": BASE64[43].map("h1:{}=".format),
}
PACKAGE_NAMES = {
    "crates": st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True),
    "pypi": st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,6}[A-Za-z0-9])?", fullmatch=True),
    "npm": st.from_regex(r"(?:@[a-z]{1,4}/)?[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True),
    "go": st.from_regex(r"[a-z]{1,5}\.[a-z]{2,3}(?:/[A-Za-z0-9][A-Za-z0-9_-]{0,5}){1,3}", fullmatch=True),
}
PACKAGES = st.sampled_from(REGISTRIES).map(
    lambda registry: {
        "registry": st.just(registry),
        "package": PACKAGE_NAMES[registry],
        "version": NUMBERS.map("v{}".format) if registry == "go" else NUMBERS,
        "checksum": CHECKSUMS[registry],
    }
)
SYSTEM = st.lists(
    st.sampled_from(["bin:protoc", "pkg-config:libpq>=14.1", "header:openssl/ssl.h", "lib:pq"]), unique=True
)


@st.composite
def builds(draw: st.DrawFn) -> Build:
    language = draw(st.sampled_from(LANGUAGES))
    entrypoints = {"python": PATHS | st.just("plugin.main:run"), "rust": st.just("plugin")}.get(language, PATHS)
    shipped = st.builds(ShippedLock, file=PATHS.map("locks/{}".format), sha256=HEX[64])
    return Build(
        language=language,
        entrypoint=draw(entrypoints),
        toolchain=SpecifierSet() if language in {"make", "script", "prebuilt"} else draw(BOUNDS),
        lock=draw(st.none() | PATHS | shipped),
        system=tuple(draw(SYSTEM)),
        target=draw(st.just("") | PATHS) if language == "make" else "",
    )


@st.composite
def runtimes(draw: st.DrawFn, base: Runtime = Runtime()) -> Runtime:  # noqa: B008 - frozen
    """Make what getmanifest answers; what `base` states is never left open."""

    def said(key: str, strategy: st.SearchStrategy[object]) -> object:
        return draw(strategy) if getattr(base, key) is not None else draw(st.none() | strategy)

    options = said("options", TOKENS)
    return Runtime(
        dynamic=said("dynamic", st.booleans()),
        rpcmethods=said("rpcmethods", TOKENS),
        hooks=said("hooks", TOKENS),
        subscriptions=said("subscriptions", TOKENS | st.just(("*",))),
        options=options,
        required_options=draw(TOKENS) if options is None else options[:1],
        disables=draw(TOKENS),
    )


@st.composite
def releases(draw: st.DrawFn, version: Version, base: Build | None, runtime: Runtime) -> Release:
    def others() -> tuple[Dependency, ...]:
        names = draw(st.lists(NAMES.map("x-{}".format), max_size=3, unique=True))
        return tuple(Dependency(name=name, specifier=draw(BOUNDS)) for name in names)

    subdir = draw(st.just("") | PATHS)
    git = st.builds(GitSource, git=URLS, rev=HEX[40] | HEX[64], subdir=st.just(subdir))
    archive = st.builds(ArchiveSource, archive=URLS, sha256=HEX[64], subdir=st.just(subdir))
    package = PACKAGES.flatmap(lambda p: st.builds(RegistrySource, **p, subdir=st.just(subdir)))
    targets = draw(st.lists(st.sampled_from(["x86_64-linux-gnu", "aarch64-macos", "armv7-linux-gnu"]), unique=True))
    path = st.just("") | PATHS
    return Release(
        version=version,
        source=draw(git | archive | package),
        build=draw(builds() if base is None else st.just(base) | builds()),
        runtime=draw(st.just(runtime) | runtimes(runtime)),
        date=draw(st.none() | st.dates()),
        cln=draw(BOUNDS),
        depends=others(),
        conflicts=others(),
        yanked=draw(st.none() | LINE),
        binary=tuple(Binary(target=t, url=draw(URLS), sha256=draw(HEX[64]), path=draw(path)) for t in targets),
    )


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    build, runtime = draw(st.none() | builds()), draw(runtimes())
    versions = draw(st.lists(VERSIONS.map(Version), max_size=3, unique=True))
    plugin = Plugin(
        name=draw(NAMES),
        summary=draw(LINE),
        repository=draw(URLS),
        license=draw(st.sampled_from(["MIT", "unknown", "Apache-2.0 OR (MIT AND BSD-3-Clause)"])),
        category=draw(st.sampled_from(CATEGORIES)),
        description=draw(st.just("") | PROSE),
        homepage=draw(st.just("") | URLS),
        documentation=draw(st.just("") | URLS),
        authors=tuple(draw(st.lists(LINE, max_size=3, unique=True))),
        keywords=tuple(draw(st.lists(LINE, max_size=8, unique=True))),
        status=draw(st.sampled_from(STATUSES)),
        replaced_by=draw(st.just("") | NAMES.map("x-{}".format)),
        donate=draw(st.sampled_from(["", "lno1qgsqvgnwgcg35z6ee2h3yczraddm72xrfua9uve2rlrm9deu7xyfzrc"])),
    )
    found = tuple(draw(releases(version, build, runtime)) for version in sorted(versions, reverse=True))
    return Manifest(plugin=plugin, build=build, runtime=runtime, releases=found)


@settings(max_examples=100, deadline=None)
@given(manifests())
def test_any_manifest_writes_and_reads_back_the_same(manifest: Manifest) -> None:
    text = write_manifest(manifest)
    again = parse_manifest(text, file="x.toml", strict=True)
    assert again == manifest
    assert write_manifest(again) == text
    assert [release.digest() for release in again.releases] == [release.digest() for release in manifest.releases]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.datetimes() | VERSIONS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | NAMES, inner, max_size=4),
    max_leaves=10,
)


def toml(value: object) -> str:
    """Write any value as TOML does, without care for whether it is a good idea."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, dt.date):
        return value.isoformat()
    return "0" if value is None else str(value) if isinstance(value, int | float) else json.dumps(str(value))


def only_manifest_errors(text: str) -> None:
    for read in (parse_manifest, parse_builtins):
        for strict in (False, True):
            try:
                read(text, file="x.toml", strict=strict)
            except ManifestError as e:
                assert e.message.isprintable()
                assert e.detail.replace("\n", "").isprintable()


@settings(deadline=None)
@given(st.text())
@example("schema = " + "9" * 5000)
@example("schema = 1\n[plugin]\nname = 2021-99-99")
@example("schema = 1\n\ud800 = 1")
@example('a = """' + "\\")
@example("[" * 100_000)
@example("a = " + "[" * 100_000)
@example("a" + ".a" * 100_000 + " = 1")
@example('a = "' + '\\"' * 100_000)
@example("schema = 1\nrelease = [{binary = [{}], source = {}, build = {}, runtime = {}}]")
@example("schema = 0x" + "f" * 10_000)
@example("schema = 1\n[builtin]\na = 0x" + "f" * 10_000)
def test_any_text_is_a_manifest_or_a_manifest_error(text: str) -> None:
    only_manifest_errors(text)


@settings(max_examples=100, deadline=None)
@given(manifests().map(write_manifest), st.data())
def test_any_damage_is_a_manifest_error(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(at, min(len(text), at + 20)))
    only_manifest_errors(text[:at] + data.draw(st.text(max_size=5) | st.sampled_from('"[]{}=,\n#.')) + text[end:])


KEYS = (
    "schema plugin build runtime release name summary license authors language entrypoint lock options version depends"
)
TABLES = st.dictionaries(st.sampled_from([*KEYS.split(), "source", "binary", "cln", "builtin", "date"]), JUNK)


@settings(max_examples=200, deadline=None)
@given(st.tuples(TABLES, TABLES, TABLES, TABLES))
def test_any_values_are_a_manifest_or_a_manifest_error(tables: tuple[dict[str, object], ...]) -> None:
    headers = ["", "[plugin]", "[build]", "[[release]]"]
    written = [
        header + "\n" + "\n".join(f"{k} = {toml(v)}" for k, v in t.items())
        for header, t in zip(headers, tables, strict=True)
    ]
    only_manifest_errors("\n".join(written))


@settings(deadline=None)
@given(st.binary() | TABLES.map(lambda table: json.dumps(table, default=str).encode()))
@example(b"[" * 100_000)
@example(b'{"schema":1,"plugins":' + b"[" * 100_000)
@example(b'{"schema":1e999}')
@example(b'{"schema":1,"builtin_size":' + b"9" * 5000 + b"}")
@example(b"\xff")
def test_any_bytes_are_a_catalog_or_a_manifest_error(data: bytes) -> None:
    try:
        parse_catalog(data, file="catalog.json")
    except ManifestError as e:
        assert e.code in {"invalid-catalog", "catalog-too-new"}
        assert e.message.isprintable()


ENTRIES = st.builds(
    CatalogEntry, name=NAMES, summary=LINE, sha256=HEX[64], size=st.integers(1, 1 << 20), version=VERSIONS,
    keywords=st.lists(LINE).map(tuple), rpcmethods=TOKENS, replaced_by=st.just("") | NAMES,
)  # fmt: skip


@given(st.lists(ENTRIES, unique_by=lambda entry: entry.name), st.randoms())
def test_a_catalog_is_the_same_bytes_whatever_the_order(entries: list[CatalogEntry], random: object) -> None:
    catalog = Catalog(plugins=tuple(sorted(entries, key=lambda entry: entry.name)))
    random.shuffle(entries)
    data = catalog_bytes(Catalog(plugins=tuple(entries)))
    assert data == catalog_bytes(catalog)
    assert data.endswith(b"\n")
    assert parse_catalog(data, file="x") == catalog


@given(st.text(st.sampled_from(string.printable) | st.characters(), max_size=70))
def test_a_name_is_safe_everywhere(text: str) -> None:
    try:
        name = normalize_name(text)
    except RecklessError as e:
        assert e.code == "invalid-name"
        return
    assert is_name(name)
    assert normalize_name(name) == name
    assert set(name) <= set(string.ascii_lowercase + string.digits + "-")
    assert not name.startswith("-")


@given(NAMES, st.sampled_from(["", ".py", ".go", ".rs", ".sh"]))
def test_people_may_shout_underline_and_add_endings(name: str, ending: str) -> None:
    assert normalize_name(f" {name.upper().replace('-', '_')}{ending} ") == name


@given(VERSIONS | st.text(max_size=70))
def test_versions_read_back_the_same(text: str) -> None:
    try:
        version = parse_version(text)
    except RecklessError as e:
        assert e.code == "invalid-version"
        return
    assert parse_version(str(version)) == version
    assert parse_version(f"v{version}") == version


@given(SPECIFIERS | st.text(max_size=30) | st.text("<>=!~v.*, 0123456789rc", max_size=20))
def test_specifiers_read_back_the_same(text: str) -> None:
    try:
        bounds = parse_specifier(text)
    except RecklessError as e:
        assert e.code == "invalid-specifier"
        return
    assert parse_specifier(str(bounds)) == bounds
    assert "v" not in str(bounds)


@given(NAMES, SPECIFIERS)
def test_dependencies_read_back_the_same(name: str, specifier: str) -> None:
    dependency = parse_dependency(f"{name.upper().replace('-', '_')} {specifier}")
    assert (
        parse_dependency(str(dependency)) == dependency == Dependency(name=name, specifier=parse_specifier(specifier))
    )


@given(st.text(max_size=40))
def test_any_text_is_a_dependency_or_our_error(text: str) -> None:
    try:
        assert is_name(parse_dependency(text).name)
    except RecklessError as e:
        assert e.code in {"invalid-dependency", "invalid-name", "invalid-specifier"}


TAILS = st.sampled_from(["", "-modded", "-12-gabc1234", "-12-gabc1234-modded", "-dirty", "+deb", ".post1", "-rhel-9"])


@given(RELEASES, st.sampled_from(["", "rc1", "-rc2", ".rc.3", "RC4"]), TAILS, st.sampled_from(["", "v", "V"]))
def test_what_lightningd_calls_itself_compares_as_its_release(release: str, rc: str, tail: str, v: str) -> None:
    version = parse_lightningd(f"{v}{release}{rc}{tail}\n")
    assert Version(version.base_version) == Version(release)
    assert version.is_prerelease == bool(rc)
    assert lightningd_fits(parse_specifier(f">={release}"), version)
    assert lightningd_fits(parse_specifier(f"=={release}"), version)
    assert lightningd_fits(parse_specifier(f"<={release}"), version)
    assert not lightningd_fits(parse_specifier(f"!={release}"), version)
    assert not lightningd_fits(parse_specifier(f"<{release}"), version)
    assert not lightningd_fits(parse_specifier(f">{release}"), version)


@given(st.text(max_size=150) | st.text("v0123456789.-rcg+١٢", max_size=20))
def test_any_text_is_a_lightningd_version_or_our_error(text: str) -> None:
    try:
        version = parse_lightningd(text)
    except RecklessError as e:
        assert e.code == "invalid-lightningd-version"
        return
    assert Version(str(version)) == version


@given(st.text("MIT AND OR WITH()+-.0123456789BSD", max_size=40))
@example("MIT (MIT)")
@example("()()")
def test_licenses_never_raise(text: str) -> None:
    assert license_expression(text, strict=True) is not None or license_expression(text, strict=False) is None


@given(st.text(max_size=5))
def test_what_passes_is_fit_for_a_terminal(text: str) -> None:
    if control(text) is None:
        assert not set(text) & {chr(n) for n in (*range(0x20), *range(0x7F, 0xA0))}


def test_a_megabyte_is_read_in_seconds() -> None:
    release = '[[release]]\nversion = "1.{}"\nsource = {{ git = "https://example.com/x", rev = "' + "a" * 40 + '" }}\n'
    head = 'schema = 1\n[plugin]\nname = "x"\nsummary = "x"\n'
    head += 'repository = "https://a/"\nlicense = "MIT"\ncategory = "other"\n'
    text = head + '[build]\nlanguage = "go"\nentrypoint = "x"\n' + "".join(map(release.format, range(2000)))
    assert len(parse_manifest(text, file="x").releases) == 2000


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", ["a.", "[[a]]\n", '"', "'''", '"""', "a = 1\n", "\\", "[a.b]\n", "x = [\n", "#", "= ", ",", "\u202e"]
)
def test_no_megabyte_stalls_the_reader(piece: str) -> None:
    text = piece * ((1 << 20) // len(piece.encode()))
    assert check_manifest(text, file="x", strict=True)[0] is None
    assert check_manifest('schema = 1\nx = "' + text[:500_000] + '"\n', file="x", strict=True)[0] is None
