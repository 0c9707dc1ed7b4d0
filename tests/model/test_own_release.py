"""What a tree's own reckless.toml says of the tree as a release."""

from __future__ import annotations

import pytest

from reckless.errors import ManifestError
from reckless.model.manifest import OwnRelease
from reckless.model.reader import check_manifest, parse_manifest

HEAD = """
schema = 1
[plugin]
name = "a"
summary = "a"
repository = "https://example.com/a"
license = "MIT"
category = "other"
[build]
language = "python"
entrypoint = "a.py"
"""


def own(text: str) -> OwnRelease | None:
    return parse_manifest(HEAD + text, file="reckless.toml", own=True).own


def test_all_of_it_is_optional():
    assert own("") is None
    assert own("[release]") == OwnRelease()
    said = own('[release]\nversion = "v1.2"\ncln = ">=23.08"\ndepends = ["b>=1", "c"]\nconflicts = ["d"]')
    assert said is not None
    assert (str(said.version), str(said.cln)) == ("1.2", ">=23.08")
    assert [str(d) for d in said.depends] == ["b>=1", "c"]
    assert [str(d) for d in said.conflicts] == ["d"]


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        ('version = "next"', "invalid-version", "release.version"),
        ('depends = ["a"]', "names-itself", "release.depends"),
        ('depends = ["b[x]"]', "invalid-dependency", "release.depends[0]"),
        ('cln = "new"', "invalid-specifier", "release.cln"),
        ("cln = 23", "wrong-type", "release.cln"),
        ('source = "x"', "unknown-key", "release.source"),
    ],
)
def test_every_mistake_is_found_where_it_is(text, code, path):
    found = check_manifest(f"{HEAD}[release]\n{text}", file="reckless.toml", own=True, strict=True)[1]
    assert [(f.code, f.path) for f in found] == [(code, path)]


def test_only_a_tree_s_own_file_has_it():
    with pytest.raises(ManifestError):
        parse_manifest(HEAD + '[release]\nversion = "1"', file="a.toml")


def test_a_file_with_releases_is_read_as_ever():
    release = '[[release]]\nversion = "1"\nsource = { git = "https://example.com/a", rev = "' + "1" * 40 + '" }'
    manifest = parse_manifest(HEAD + release, file="reckless.toml", own=True)
    assert manifest.own is None
    assert len(manifest.releases) == 1
