"""Addresses of repositories, as people copy them from browsers and type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reckless.errors import RecklessError
from reckless.model.place import Place, is_repository, parse_place, repository_name

COMMIT = "0123456789abcdef0123456789abcdef01234567"
GITHUB = "https://github.com/lightningd/plugins"

READ = [
    (GITHUB, Place(url=GITHUB)),
    (f"{GITHUB}/", Place(url=GITHUB)),
    (f"{GITHUB}.git", Place(url=GITHUB)),
    ("https://GitHub.com/lightningd/plugins", Place(url=GITHUB)),
    (f"git+{GITHUB}", Place(url=GITHUB)),
    (f"{GITHUB}@v1.2", Place(url=GITHUB, rev="v1.2")),
    (f"{GITHUB}@feature/x", Place(url=GITHUB, rev="feature/x")),
    (f"{GITHUB}#v1.2", Place(url=GITHUB, rev="v1.2")),
    (f"{GITHUB}#v1.2:summary", Place(url=GITHUB, rev="v1.2", path="summary")),
    (f"{GITHUB}#:archived/summary", Place(url=GITHUB, path="archived/summary")),
    (f"{GITHUB}/tree/master/summary", Place(url=GITHUB, tail="master/summary", kind="branch")),
    (f"{GITHUB}/tree/with/slashes/summary/", Place(url=GITHUB, tail="with/slashes/summary", kind="branch")),
    (f"{GITHUB}/blob/master/summary/summary.py", Place(url=GITHUB, tail="master/summary/summary.py", kind="branch")),
    (f"{GITHUB}/tree/{COMMIT}/summary", Place(url=GITHUB, rev=COMMIT, path="summary", kind="commit")),
    (f"{GITHUB}/commit/{COMMIT}", Place(url=GITHUB, rev=COMMIT, kind="commit")),
    (f"{GITHUB}/releases/tag/v1.2", Place(url=GITHUB, rev="v1.2", kind="tag")),
    (f"{GITHUB}/tree/master/a%20b", Place(url=GITHUB, tail="master/a b", kind="branch")),
    (
        "https://gitlab.com/group/sub/project/-/tree/main/plugin?ref_type=heads",
        Place(url="https://gitlab.com/group/sub/project", tail="main/plugin", kind="branch"),
    ),
    (
        "https://gitlab.com/group/project/-/tags/v1.2",
        Place(url="https://gitlab.com/group/project", rev="v1.2", kind="tag"),
    ),
    (
        "https://codeberg.org/user/project/src/branch/main/plugin",
        Place(url="https://codeberg.org/user/project", tail="main/plugin", kind="branch"),
    ),
    (
        "https://codeberg.org/user/project/src/tag/v1.2/plugin",
        Place(url="https://codeberg.org/user/project", tail="v1.2/plugin", kind="tag"),
    ),
    (
        f"https://codeberg.org/user/project/src/commit/{COMMIT}/plugin",
        Place(url="https://codeberg.org/user/project", rev=COMMIT, path="plugin", kind="commit"),
    ),
    (
        "https://bitbucket.org/user/project/src/main/plugin/",
        Place(url="https://bitbucket.org/user/project", tail="main/plugin", kind="branch"),
    ),
    ("https://git.example.com/some/where.git", Place(url="https://git.example.com/some/where.git")),
    ("https://git.example.com/~user/where", Place(url="https://git.example.com/~user/where")),
    ("https://example.com/@user/where@v1", Place(url="https://example.com/@user/where", rev="v1")),
    ("http://127.0.0.1:8080/x.git#main", Place(url="http://127.0.0.1:8080/x.git", rev="main")),
    ("http://127.0.0.1:8080/x.git/tree/main/a", Place(url="http://127.0.0.1:8080/x.git", tail="main/a", kind="branch")),
    ("git+/home/me/plugins.git#main:one", Place(url="/home/me/plugins.git", rev="main", path="one")),
    ("git+file:///home/me/plugins.git", Place(url="/home/me/plugins.git")),
]


@pytest.mark.parametrize(("text", "place"), READ)
def test_addresses_are_read(text, place):
    assert parse_place(text) == place


@pytest.mark.parametrize(("text", "place"), READ)
def test_what_is_written_is_read_again(text, place):
    again = parse_place(f"git+{place}")
    assert again is not None
    assert (again.url, again.rev, again.path, again.tail) == (place.url, place.rev, place.path, place.tail)


@pytest.mark.parametrize("text", ["summary", "summary@v1", "summary==1.0", "./summary", "a/b", "file:///home/me/x", ""])
def test_what_is_no_address_is_none(text):
    assert parse_place(text) is None


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("git@github.com:lightningd/plugins.git", "insecure-url", "https://github.com/lightningd/plugins.git"),
        ("ssh://git@github.com/lightningd/plugins", "insecure-url", "https://github.com/lightningd/plugins"),
        ("git://github.com/lightningd/plugins", "insecure-url", "https://github.com/lightningd/plugins"),
        ("http://github.com/lightningd/plugins", "insecure-url", "https://github.com/lightningd/plugins"),
        ("https://me:secret@github.com/lightningd/plugins", "insecure-url", "password"),
        ("git+ext::sh -c touch% /tmp/x", "insecure-url", "https"),
        ("https://exa mple.com/x", "insecure-url", "https"),
        ("https://[::1/x", "insecure-url", "https"),
        ("https://github.com/lightningd", "invalid-url", "USER/REPOSITORY"),
        (f"{GITHUB}/summary", "invalid-url", f"{GITHUB}#:summary"),
        (f"{GITHUB}/tree/master/x#main", "invalid-url", "leave out"),
        (f"{GITHUB}#-x", "invalid-revision", "40 digits"),
        (f"{GITHUB}#a..b", "invalid-revision", "40 digits"),
        (f"{GITHUB}@--upload-pack=x", "invalid-revision", "40 digits"),
        (f"{GITHUB}#main:../x", "invalid-path", "inside"),
        (f"{GITHUB}#main:-x", "invalid-path", "inside"),
        (f"{GITHUB}/tree/main/%2e%2e/x", "invalid-path", "inside"),
        (f"{GITHUB}/tree/main/.git/x", "invalid-path", "inside"),
        (f"{GITHUB}#{'x' * 3000}", "insecure-url", "https"),
    ],
)
def test_what_cannot_be_used_is_refused_and_the_hint_helps(text, code, says):
    with pytest.raises(RecklessError) as e:
        parse_place(text)
    assert e.value.code == code
    assert says in e.value.hint
    assert "secret" not in e.value.message


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (GITHUB, True),
        (f"{GITHUB}/tree/master/summary", True),
        ("https://example.com/x.git", True),
        ("git+https://example.com/x", True),
        ("https://example.com/x#main", True),
        ("https://example.com/index", False),
        ("https://plugins.github.io/index", False),
        ("https://gitlab.com/me/index/-/raw/main/public", False),
        ("/home/me/plugins", False),
        ("embedded", False),
    ],
)
def test_repositories_are_told_from_indexes_by_their_form(text, is_one):
    assert is_repository(text) is is_one


def test_a_repository_is_called_by_the_end_of_its_address():
    assert repository_name("https://example.com/a/plugin.git") == "plugin"
    assert repository_name("/home/me/plugin/") == "plugin"


@given(st.text(max_size=80) | st.from_regex(r"https://[a-z.@:]{1,12}/[^\n]{0,40}", fullmatch=True))
def test_nothing_but_our_own_errors_leaves_and_what_passes_is_harmless(text):
    try:
        place = parse_place(text)
    except RecklessError:
        return
    if place is not None:
        for part in (place.rev, place.path, place.tail):
            assert not part.startswith(("-", "/"))
            assert ".." not in part.split("/")
            assert part.isprintable()
