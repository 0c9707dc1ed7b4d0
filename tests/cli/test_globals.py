"""The options of every command: in any place, in every usual form."""

from __future__ import annotations

import pytest

from reckless.cli.globals import Globals, command_of, secrets_in, spread, take_globals, wants_json, without_secrets
from reckless.errors import UsageError


@pytest.mark.parametrize(
    ("argv", "given", "rest"),
    [
        ("list", {}, "list"),
        ("-l /n list", {"lightning_dir": "/n"}, "list"),
        ("list -l /n", {"lightning_dir": "/n"}, "list"),
        ("list --lightning-dir=/n", {"lightning_dir": "/n"}, "list"),
        ("list --lightning /n", {"lightning_dir": "/n"}, "list"),
        ("-l/n list", {"lightning_dir": "/n"}, "list"),
        ("-l=n list", {"lightning_dir": "n"}, "list"),
        ("-l~/n list", {"lightning_dir": "~/n"}, "list"),
        ("-d /r -c /c --network signet info x", {"reckless_dir": "/r", "conf": "/c", "network": "signet"}, "info x"),
        ("--conf=/a=b list", {"conf": "/a=b"}, "list"),
        ("-r list", {"network": "regtest"}, "list"),
        ("-r --network regtest list", {"network": "regtest"}, "list"),
        ("-vj list", {"verbose": True, "json": True}, "list"),
        ("list -jvr", {"verbose": True, "json": True, "network": "regtest"}, "list"),
        ("-vl /n list", {"verbose": True, "lightning_dir": "/n"}, "list"),
        ("-l /a list -l /b", {"lightning_dir": "/b"}, "list"),
        ("install -o a=b x -j", {"json": True}, "install -o a=b x"),
        ("install -ojv=1 x", {}, "install -ojv=1 x"),
        ("install -- -j x", {}, "install -- -j x"),
        ("-j install -- x", {"json": True}, "install -- x"),
        ("-dry-run", {}, "-dry-run"),
        ("upgrade -a", {}, "upgrade -a"),
        ("", {}, ""),
    ],
)
def test_they_may_stand_anywhere(argv: str, given: dict[str, object], rest: str) -> None:
    assert take_globals(argv.split()) == (Globals(**given), rest.split())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "argv", ["-l", "list --network", "--network= list", "--conf -j", "-r --network signet list", "-l -v list"]
)
def test_what_cannot_be_read_is_wrong_usage(argv: str) -> None:
    with pytest.raises(UsageError):
        take_globals(argv.split())


@pytest.mark.parametrize(
    ("argv", "wanted"),
    [
        ("-j x", True),
        ("-vj", True),
        ("--json", True),
        ("x -- -j", False),
        ("x", False),
        ("--jv", False),
        ("-o j", False),
    ],
)
def test_json_is_answered_in_json_also_where_nothing_else_can_be_read(argv: str, wanted: bool) -> None:
    assert wants_json(argv.split()) == wanted


@pytest.mark.parametrize(
    ("rest", "name"),
    [
        ("install a b", "install"),
        ("source add /x", "source add"),
        ("source rm /x", "source remove"),
        ("source", "source"),
        ("index build a --out b", "index build"),
        ("update", "upgrade"),
        ("--dry-run pin x", "pin"),
        ("", ""),
    ],
)
def test_the_commands_name(rest: str, name: str) -> None:
    assert command_of(rest.split()) == name


def test_a_json_array_names_several() -> None:
    assert spread(["install", '["one", "two"]', "three"]) == ["install", "one", "two", "three"]


@pytest.mark.parametrize("text", ["[", "[]x", "[1]", '[""]', "[" * 5000 + "]" * 5000, "[one]"])
def test_what_is_no_array_of_texts_is_left_as_it_is(text: str) -> None:
    assert spread([text]) == [text]


def test_secrets_are_masked() -> None:
    argv = ["set", "x", "rpc-password=hunter2", "-otoken=t0ken", "--option=a-key=k3y", "-o", "seed=s33d", "name=me"]
    assert without_secrets(argv) == [
        "set", "x", "rpc-password=***", "-otoken=***", "--option=a-key=***", "-o", "seed=***", "name=me",
    ]  # fmt: skip
    assert secrets_in(argv) == ["hunter2", "t0ken", "k3y", "s33d"]


def test_a_version_is_no_secret() -> None:
    assert without_secrets(["install", "keysend==1.0"]) == ["install", "keysend==1.0"]
