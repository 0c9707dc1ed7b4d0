"""Every finding code: what brings it up, where it points."""

from __future__ import annotations

import pytest

from reckless.errors import ManifestError
from reckless.model.finding import MAX_FINDINGS
from reckless.model.reader import check_manifest, parse_manifest

REV = "0123456789abcdef0123456789abcdef01234567"
DIGEST = "ab" * 32
GOOD = f"""\
schema = 1

[plugin]
name = "summary"
summary = "One-screen report of the node"
repository = "https://github.com/lightningd/plugins"
license = "BSD-3-Clause"
category = "monitoring"

[build]
language = "python"
entrypoint = "summary.py"

[runtime]
options = ["summary-currency"]

[[release]]
version = "1.2.0"
source = {{ git = "https://github.com/lightningd/plugins", rev = "{REV}", subdir = "summary" }}
"""


def findings(text: str, *, strict: bool = True) -> list[tuple[str, str, int]]:
    manifest, found = check_manifest(text, file="summary.toml", strict=strict)
    assert (manifest is None) == bool(found)
    for finding in found:
        assert finding.file == "summary.toml"
        assert finding.message
        assert str(finding).isprintable()
    return [(finding.path, finding.code, finding.line) for finding in found]


def swapped(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def released(*lines: str) -> str:
    return GOOD + "\n".join(lines) + "\n"


def test_good_manifest_has_no_findings() -> None:
    assert findings(GOOD) == []


def sourced(inside: str) -> str:
    """The release's source is what stands in these braces."""
    start = GOOD.index("source = {")
    return f"{GOOD[:start]}source = {{ {inside} }}\n"


SHA256 = f'sha256 = "{DIGEST}"'
INTEGRITY, SUM = f'integrity = "sha512-{"A" * 86}=="', f'sum = "h1:{"A" * 43}="'
# What a client could take for something else: an option, a path, an address, a range, a tag.
PACKAGES = (
    ("crates", "1.2.0", SHA256, ("-x", "a/b", "a@1", "1a", "a.b", "a" * 65)),
    ("pypi", "1.2.0", SHA256, ("-r", "a==1", "a[b]", "a @ https://x.y", "./a", "a;b")),
    ("npm", "1.2.0", INTEGRITY, ("-x", "a/b", "@a", "@a/b/c", "../a", "git+https://a/b", "a@1", "@A/b")),
    ("go", "v1.2.0", SUM, ("-x", "a/b", "a.b/../c", "a.b/-c", "a.b//c", "/a.b/c", "a.b/c@v1.2.0", "https://a.b/c")),
)
RELEASED = (
    ("crates", "a", SHA256, ("1", "^1.2.0", "1.2.*", ">=1", "latest", "1.2.0 ", "v1.2.0")),
    ("pypi", "a", SHA256, (">=1", "1.*", "latest", "1 --pre", "v1.0")),
    ("npm", "a", INTEGRITY, ("latest", "^1.2.0", "1.x", "1.2", "file:../a")),
    ("go", "a.b/c", SUM, ("1.2.0", "latest", "master", "v1", "v1.2", "v1.2.0@x")),
)
SOURCE = 'source = { git = "https://github.com/lightningd/plugins"'
CASES = [
    # the file as a whole
    ("toml-syntax", "", 3, swapped("[plugin]", "[plugin")),
    ("toml-syntax", "", 4, swapped("schema = 1\n", "").replace("summary =", 'name = "twice"\nsummary =')),
    ("too-large", "", 0, GOOD + "#" * (1 << 20)),
    ("too-deep", "", 0, GOOD + "x = " + "[" * 5000 + "]" * 5000),
    ("too-deep", "", 0, GOOD + "x" + ".x" * 5000 + " = 1"),
    ("manifest-too-new", "schema", 1, swapped("schema = 1", "schema = 2")),
    ("invalid-choice", "schema", 1, swapped("schema = 1", "schema = 0")),
    ("missing-key", "schema", 0, swapped("schema = 1\n", "")),
    ("missing-key", "plugin", 0, "schema = 1\n"),
    # any value
    ("wrong-type", "schema", 1, swapped("schema = 1", 'schema = "1"')),
    ("wrong-type", "schema", 1, swapped("schema = 1", "schema = true")),
    ("wrong-type", "plugin", 3, 'schema = 1\n\nplugin = "x"\n'),
    ("wrong-type", "plugin.summary", 5, swapped('summary = "One-screen report of the node"', "summary = 1")),
    ("wrong-type", "plugin.keywords", 9, swapped('"monitoring"', '"monitoring"\nkeywords = "report"')),
    ("wrong-type", "plugin.keywords[1]", 9, swapped('"monitoring"', '"monitoring"\nkeywords = ["report", 1]')),
    ("wrong-type", "runtime.dynamic", 15, swapped("[runtime]", '[runtime]\ndynamic = "yes"')),
    ("wrong-type", "release[0].date", 20, released('date = "2026-08-06"')),
    ("wrong-type", "release[0].date", 20, released("date = 2026-08-06T10:00:00Z")),
    ("wrong-type", "release[0].yanked", 20, released("yanked = true")),
    ("wrong-type", "release[1]", 0, "release = [{}, 1]\n" + GOOD.split("[[release]]", maxsplit=1)[0]),
    ("empty-text", "plugin.summary", 5, swapped("One-screen report of the node", " ")),
    ("too-long", "plugin.summary", 5, swapped("One-screen", "One" * 40)),
    ("not-one-line", "plugin.summary", 5, swapped("One-screen", "One\\nscreen")),
    ("control-character", "plugin.summary", 5, swapped("One-screen", "One\\u001b[2Jscreen")),
    ("control-character", "plugin.summary", 5, swapped("One-screen", "One\\u009bscreen")),
    ("control-character", "plugin.summary", 5, swapped("One-screen", "One\\u202escreen")),
    ("control-character", "plugin.description", 9, swapped('"monitoring"', '"monitoring"\ndescription = "a\\u0007"')),
    ("unknown-key", "plugin.keywrds", 9, swapped('"monitoring"', '"monitoring"\nkeywrds = []')),
    ("unknown-key", 'plugin."a b"'.replace('"', "'"), 9, swapped('"monitoring"', '"monitoring"\n"a b" = 1')),
    ("unknown-key", "relase", 20, released("[[relase]]")),
    ("unknown-key", "release[0].source.branch", 19, swapped('subdir = "summary"', 'branch = "main"')),
    # the table plugin
    ("missing-key", "plugin.name", 3, swapped('name = "summary"\n', "")),
    ("missing-key", "plugin.summary", 3, swapped('summary = "One-screen report of the node"\n', "")),
    ("missing-key", "plugin.repository", 3, swapped('repository = "https://github.com/lightningd/plugins"\n', "")),
    ("missing-key", "plugin.license", 3, swapped('license = "BSD-3-Clause"\n', "")),
    ("missing-key", "plugin.category", 3, swapped('category = "monitoring"\n', "")),
    ("invalid-name", "plugin.name", 4, swapped('name = "summary"', 'name = "Summary"')),
    ("invalid-name", "plugin.name", 4, swapped('name = "summary"', f'name = "{"a" * 65}"')),
    ("invalid-name", "plugin.replaced-by", 9, swapped('"monitoring"', '"monitoring"\nreplaced-by = "../x"')),
    ("names-itself", "plugin.replaced-by", 9, swapped('"monitoring"', '"monitoring"\nreplaced-by = "summary"')),
    ("invalid-url", "plugin.repository", 6, swapped('repository = "https:', 'repository = "http:')),
    ("invalid-license", "plugin.license", 7, swapped("BSD-3-Clause", "see LICENSE")),
    ("invalid-license", "plugin.license", 7, swapped("BSD-3-Clause", "MIT OR")),
    ("invalid-license", "plugin.license", 7, swapped("BSD-3-Clause", "NoSuchLicense-1.0")),
    ("invalid-license", "plugin.license", 7, swapped("BSD-3-Clause", "mit")),
    ("invalid-license", "plugin.license", 7, swapped("BSD-3-Clause", "(" * 190 + ")")),
    ("invalid-choice", "plugin.category", 8, swapped('"monitoring"', '"monitring"')),
    ("invalid-choice", "plugin.status", 9, swapped('"monitoring"', '"monitoring"\nstatus = "dead"')),
    ("invalid-offer", "plugin.donate", 9, swapped('"monitoring"', '"monitoring"\ndonate = "lnbc1qq"')),
    ("too-many", "plugin.keywords", 9, swapped('"monitoring"', f'"monitoring"\nkeywords = {[*map(str, range(9))]}')),
    ("duplicate-item", "plugin.keywords[1]", 9, swapped('"monitoring"', '"monitoring"\nkeywords = ["a", "a"]')),
    # the table build
    ("missing-key", "build.language", 10, swapped('language = "python"\n', "")),
    ("missing-key", "build.entrypoint", 10, swapped('entrypoint = "summary.py"\n', "")),
    ("invalid-choice", "build.language", 11, swapped('"python"', '"pyton"')),
    ("invalid-entrypoint", "build.entrypoint", 12, swapped('"summary.py"', '"../summary.py"')),
    ("invalid-entrypoint", "build.entrypoint", 12, swapped('"summary.py"', '"summary:main()"')),
    ("invalid-entrypoint", "build.entrypoint", 12, swapped('"python"', '"go"').replace("summary.py", "a:b")),
    ("invalid-entrypoint", "build.entrypoint", 12, swapped('"python"', '"rust"').replace("summary.py", "a/b")),
    ("invalid-entrypoint", "release[0].build.language", 21, released("[release.build]", 'language = "rust"').replace(
        '"summary.py"', '"dir/summary.py"')),
    ("wrong-toolchain", "build.rust", 13, swapped('"summary.py"', '"summary.py"\nrust = ">=1.85"')),
    ("invalid-specifier", "build.python", 13, swapped('"summary.py"', '"summary.py"\npython = "3.9"')),
    ("invalid-specifier", "build.python", 13, swapped('"summary.py"', '"summary.py"\npython = "===3.9"')),
    ("invalid-path", "build.lock", 13, swapped('"summary.py"', '"summary.py"\nlock = "/etc/passwd"')),
    ("invalid-path", "build.lock.file", 13,
     swapped('"summary.py"', f'"summary.py"\nlock = {{ file = "x", sha256 = "{DIGEST}" }}')),
    ("missing-key", "build.lock.sha256", 13, swapped('"summary.py"', '"summary.py"\nlock = { file = "locks/a.txt" }')),
    ("invalid-system", "build.system[0]", 13, swapped('"summary.py"', '"summary.py"\nsystem = ["libpq-dev"]')),
    ("invalid-system", "build.system[0]", 13, swapped('"summary.py"', '"summary.py"\nsystem = ["bin:../sh"]')),
    ("invalid-system", "build.system[0]", 13, swapped('"summary.py"', '"summary.py"\nsystem = ["header:../../x.h"]')),
    # the table runtime
    ("invalid-item", "runtime.rpcmethods[0]", 15, swapped("[runtime]", '[runtime]\nrpcmethods = ["-x"]')),
    ("invalid-item", "runtime.hooks[0]", 15, swapped("[runtime]", '[runtime]\nhooks = ["a b"]')),
    ("invalid-item", "runtime.subscriptions[0]", 15, swapped("[runtime]", '[runtime]\nsubscriptions = ["**"]')),
    ("unlisted-option", "runtime.required-options", 15, swapped("[runtime]", '[runtime]\nrequired-options = ["x"]')),
    # the table release
    ("missing-key", "release[0].version", 17, swapped('version = "1.2.0"\n', "")),
    ("missing-key", "release[0].source", 17, GOOD[: GOOD.index("source =")]),
    ("invalid-version", "release[0].version", 18, swapped('"1.2.0"', '"latest"')),
    ("invalid-version", "release[0].version", 18, swapped('"1.2.0"', f'"{"9" * 70}"')),
    ("invalid-specifier", "release[0].cln", 20, released('cln = "23.08"')),
    ("duplicate-release", "release[1].version", 21,
     GOOD + GOOD[GOOD.index("[[release]]") :].replace('"1.2.0"', '"v1.2"')),
    ("missing-build", "release[0]", 14, GOOD.replace('[build]\nlanguage = "python"\nentrypoint = "summary.py"\n', "")),
    ("invalid-dependency", "release[0].depends[0]", 20, released('depends = ["commando[x]"]')),
    ("invalid-dependency", "release[0].depends[0]", 20, released('depends = ["commando; python_version>\'3\'"]')),
    ("invalid-dependency", "release[0].depends[0]", 20, released('depends = ["commando @ https://example.com/x"]')),
    ("invalid-dependency", "release[0].depends[0]", 20, released('depends = ["commando 1"]')),
    ("invalid-name", "release[0].depends[0]", 20, released('depends = ["9lives"]')),
    ("invalid-specifier", "release[0].depends[0]", 20, released('depends = ["commando===1"]')),
    ("names-itself", "release[0].depends", 20, released('depends = ["summary.py>=1"]')),
    ("names-itself", "release[0].conflicts", 20, released('conflicts = ["Summary"]')),
    ("duplicate-item", "release[0].depends", 20, released('depends = ["commando>=1", "Commando<2"]')),
    ("invalid-source", "release[0].source", 19, swapped("source = {", 'source = { archive = "https://example.com/x.tgz",')),
    ("invalid-source", "release[0].source", 19, swapped('git = "https://github.com/lightningd/plugins", ', "")),
    ("missing-key", "release[0].source.rev", 19, swapped(f', rev = "{REV}"', "")),
    ("invalid-source", "release[0].source", 19, swapped("source = {", 'source = { registry = "npm",')),
    ("invalid-choice", "release[0].source.registry", 19, sourced('registry = "cargo", package = "a", version = "1"')),
    ("wrong-type", "release[0].source.registry", 19, sourced("registry = 1")),
    ("missing-key", "release[0].source.package", 19, sourced(f'registry = "crates", version = "1.2.0", {SHA256}')),
    ("missing-key", "release[0].source.version", 19, sourced(f'registry = "crates", package = "a", {SHA256}')),
    ("missing-key", "release[0].source.integrity", 19, sourced('registry = "npm", package = "a", version = "1.2.0"')),
    ("missing-key", "release[0].source.sum", 19, sourced('registry = "go", package = "a.b/c", version = "v1.2.0"')),
    ("unknown-key", "release[0].source.sha256", 19,
     sourced(f'registry = "go", package = "a.b/c", version = "v1.2.0", sum = "h1:{"A" * 43}=", {SHA256}')),
    *(("invalid-package", "release[0].source.package", 19,
       sourced(f'registry = "{registry}", package = "{name}", version = "{version}", {checksum}'))
      for registry, version, checksum, names in PACKAGES for name in names),
    *(("invalid-version", "release[0].source.version", 19,
       sourced(f'registry = "{registry}", package = "{name}", version = "{version}", {checksum}'))
      for registry, name, checksum, versions in RELEASED for version in versions),
    ("invalid-sha256", "release[0].source.sha256", 19,
     sourced(f'registry = "pypi", package = "a", version = "1", sha256 = "{DIGEST[1:]}"')),
    ("invalid-checksum", "release[0].source.integrity", 19,
     sourced('registry = "npm", package = "a", version = "1.2.0", integrity = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="')),
    ("invalid-checksum", "release[0].source.sum", 19,
     sourced(f'registry = "go", package = "a.b/c", version = "v1.2.0", sum = "{DIGEST}"')),
    ("wrong-toolchain", "build.target", 13, swapped('"summary.py"', '"summary.py"\ntarget = "all"')),
    ("invalid-path", "build.target", 13, swapped('"python"', '"make"').replace('"summary.py"', '"a"\ntarget = "-f"')),
    ("invalid-rev", "release[0].source.rev", 19, swapped(REV, "master")),
    ("invalid-rev", "release[0].source.rev", 19, swapped(REV, REV[:7])),
    ("invalid-rev", "release[0].source.rev", 19, swapped(REV, REV.upper())),
    ("invalid-sha256", "release[0].source.sha256", 19, swapped("git =", "archive =").replace("rev =", "sha256 =")),
    ("invalid-target", "release[0].binary[0].target", 20,
     released(f'binary = [{{ target = "linux", url = "https://example.com/x", sha256 = "{DIGEST}" }}]')),
    ("invalid-target", "release[0].binary[0].target", 20, released(
        f'binary = [{{ target = "x86_64-unknown-linux-gnu", url = "https://example.com/x", sha256 = "{DIGEST}" }}]')),
    ("duplicate-item", "release[0].binary[1].target", 20, released("binary = [" + 2 * (
        f'{{ target = "x86_64-linux-gnu", url = "https://example.com/x", sha256 = "{DIGEST}" }}, ') + "]")),
    ("missing-key", "release[0].binary[0].sha256", 20,
     released('binary = [{ target = "x86_64-linux-gnu", url = "https://example.com/x" }]')),
]  # fmt: skip


@pytest.mark.parametrize(("code", "path", "line", "text"), CASES, ids=[f"{c}-{p}" for c, p, _, _ in CASES])
def test_finding_names_code_path_and_line(code: str, path: str, line: int, text: str) -> None:
    found = findings(text)
    assert (path, code) in [(at, what) for at, what, _ in found], found
    if line:
        assert (path, code, line) in found


def test_one_mistake_brings_one_finding() -> None:
    doubled = {"toml-syntax", "too-deep", "missing-build", "wrong-type", "invalid-entrypoint"}
    several = [(code, path) for code, path, _, text in CASES if code not in doubled and len(findings(text)) > 1]
    assert several == []


def test_every_finding_comes_at_once_in_file_order() -> None:
    text = (
        swapped('name = "summary"', 'name = "Summary"')
        .replace(REV, "HEAD")
        .replace("python", "pyton")
        .replace("1.2.0", "x")
    )
    assert [code for _, code, _ in findings(text)] == [
        "invalid-name",
        "invalid-choice",
        "invalid-version",
        "invalid-rev",
    ]


def test_error_lists_every_finding_with_place_code_and_hint() -> None:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(swapped(REV, "HEAD").replace("1.2.0", "x"), file="summary.toml")
    error = caught.value
    assert error.code == "invalid-manifest"
    assert "summary.toml" in error.message
    assert "and 1 more" in error.message
    assert error.hint
    lines = error.detail.splitlines()
    assert lines[0].startswith("summary.toml:18: release[0].version: ")
    assert lines[1].startswith("summary.toml:19: release[0].source.rev: ")
    assert "[invalid-rev]" in lines[1]


def test_newer_schema_is_refused_whatever_else_it_holds() -> None:
    with pytest.raises(ManifestError) as caught:
        parse_manifest("schema = 0x" + "f" * 9000 + "\nplugin = 7\n", file="x.toml")
    assert caught.value.code == "manifest-too-new"
    assert "upgrade reckless" in caught.value.hint
    assert len(caught.value.detail.splitlines()) == 1


def test_unknown_keys_are_for_strict_readers_only() -> None:
    text = swapped('category = "monitoring"', 'category = "monitoring"\nlogo = "x.png"') + "signed = true\n"
    assert [path for path, _, _ in findings(text)] == ["plugin.logo", "release[0].signed"]
    assert findings(text, strict=False) == []


def test_a_license_newer_than_our_list_is_fine_for_clients() -> None:
    assert findings(swapped("BSD-3-Clause", "Newfangled-2.0 OR (MIT AND Apache-2.0+)"), strict=False) == []
    assert findings(swapped("BSD-3-Clause", "MIT MIT"), strict=False) != []


def test_unknown_key_hints_at_what_was_meant() -> None:
    _, found = check_manifest(swapped("entrypoint", "entripoint"), file="x", strict=True)
    assert "did you mean 'entrypoint'?" in [finding.hint for finding in found]


def test_passwords_in_urls_are_not_repeated() -> None:
    text = GOOD.replace("https://github.com", "https://alice:hunter2@github.com")
    with pytest.raises(ManifestError) as caught:
        parse_manifest(text, file="x.toml")
    assert "hunter2" not in caught.value.message + caught.value.detail


BAD_URLS = [
    "http://example.com/x", "git://example.com/x", "ssh://git@example.com/x", "git@example.com:x", "ext::sh -c id",
    "https://user@example.com/x", "https://user:pass@example.com/", "https://", "https:///x", "https://-oProxy/x",
    "https://exa mple.com/", "https://example.com/a b", "https://example.com/\\", "https://example.com/\u2024",
    "https://example.com:port/", "file:///etc/passwd", "/srv/repo", "-u", "--upload-pack=x", "https://example.com/#x",
    "https://example.com/" + "a" * 2048, "http://127.0.0.1:8080/x", "HTTPS://example.com/", "https://a..b/",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD_URLS)
def test_only_plain_https_is_a_source(url: str) -> None:
    escaped = url.replace("\\", "\\\\")
    as_git = swapped(SOURCE, f'source = {{ git = "{escaped}"')
    as_archive = as_git.replace("{ git =", "{ archive =").replace(f'rev = "{REV}"', f'sha256 = "{DIGEST}"')
    for text in (as_git, as_archive):
        assert {code for _, code, _ in findings(text)} <= {"invalid-url", "too-long"}
        assert findings(text) != []


GOOD_URLS = ["https://example.com/x.tar.gz?a=b&c=d", "https://[::1]:8443/x", "https://example.com:8443/~u/x@v1/%20"]


@pytest.mark.parametrize("url", GOOD_URLS)
def test_plain_https_is_a_source(url: str) -> None:
    assert findings(swapped(SOURCE, f'source = {{ git = "{url}"')) == []


LOCAL = ["http://127.0.0.1:8080/x.git", "http://localhost/x", "http://[::1]:80/x", "/srv/repo", "file:///srv/repo"]


@pytest.mark.parametrize("url", LOCAL)
def test_sources_on_this_machine_need_the_callers_word(url: str) -> None:
    text = GOOD.replace("https://github.com/lightningd/plugins", url)
    assert {code for _, code, _ in findings(text)} == {"invalid-url"}
    assert parse_manifest(text, file="x", local=True).releases[0].source.git == url


@pytest.mark.parametrize(
    "url", ["http://example.com/x", "../repo", "ext::sh", "//host/x", "/a/../b", "/-x", "http://127.evil.com/"]
)
def test_callers_word_does_not_cover_other_machines(url: str) -> None:
    assert check_manifest(swapped(SOURCE, f'source = {{ git = "{url}"'), file="x", local=True)[1]


BAD_PATHS = [
    "/etc",
    "..",
    "a/..",
    "a/../b",
    "./a",
    "a//b",
    "a/",
    "-rf",
    "a/-b",
    "a\\\\b",
    "a\\u0000b",
    "~/x",
    "C:/x",
    ".git/hooks",
    "a" * 257,
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_no_path_leaves_the_tree(path: str) -> None:
    for text in (
        swapped('subdir = "summary"', f'subdir = "{path}"'),
        swapped('"summary.py"', f'"{path}"'),
        swapped('"summary.py"', f'"summary.py"\nlock = "{path}"'),
        swapped('"summary.py"', f'"summary.py"\nlock = {{ file = "locks/{path}", sha256 = "{DIGEST}" }}')
        if path not in {"~/x", "C:/x"}
        else swapped('"summary.py"', '"-"'),
        released(
            f'binary = [{{ target = "x86_64-linux-gnu", url = "https://a/", sha256 = "{DIGEST}", path = "{path}" }}]'
        ),
    ):
        codes = {code for _, code, _ in findings(text)}
        assert codes
        assert codes <= {"invalid-path", "invalid-entrypoint", "control-character", "too-long"}


def test_a_flood_of_findings_is_cut() -> None:
    text = GOOD + "".join(f"key{i} = 1\n" for i in range(3 * MAX_FINDINGS))
    assert len(findings(text)) == MAX_FINDINGS


def test_too_many_releases_are_refused() -> None:
    release = GOOD[GOOD.index("[[release]]") :]
    text = GOOD + "".join(release.replace("1.2.0", str(i)) for i in range(10, 2011))
    assert [code for _, code, _ in findings(text)] == ["too-many"]


def test_lines_are_found_around_strings_comments_and_arrays() -> None:
    text = swapped(
        "[runtime]",
        '[runtime]\nhooks = [\n  "a]", # ]\n  "b",\n]\nsubscriptions = ["connect"]\n# [plugin]\nrpcmethods = ["x y"]',
    ).replace('category = "monitoring"', 'category = "monitoring"\ndescription = """\n[build]\nname = "x\\""\n"""')
    found = findings(text)
    lines = text.splitlines()
    assert {lines[line - 1].split(" ")[0] for _, _, line in found} == {"hooks", "rpcmethods"}
