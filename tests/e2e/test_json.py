"""`-j`: exactly one JSON object on stdout, whatever the verb and however it ends (docs/reference/json.md)."""

from __future__ import annotations

import json

KEYS = {"schema", "ok", "command", "result", "log", "error"}
OUTCOME = {"name", "action", "status", "version", "before", "message", "because", "steps", "restart", "error"}
CHANGES = (
    ["install", "python-hello==1.0.0"],
    ["set", "python-hello", "hello-greeting=x"],
    ["unset", "python-hello", "hello-greeting"],
    ["disable", "python-hello"],
    ["enable", "python-hello"],
    ["upgrade", "python-hello"],
    ["update", "--all"],
    ["rollback", "python-hello"],
    ["pin", "python-hello"],
    ["unpin", "python-hello"],
    ["install", "commando"],
    ["uninstall", "python-hello"],
)
LOOKS = (
    ["list"],
    ["outdated"],
    ["search"],
    ["search", "hello"],
    ["info", "python-hello"],
    ["log", "python-hello"],
    ["doctor"],
    ["source", "list"],
    ["--version"],
    ["--help"],
    ["install", "--help"],
)


FAILURES = (
    (["install", "xyzzy"], 1),
    (["upgrade", "xyzzy"], 1),
    (["uninstall", "xyzzy"], 1),
    (["rollback", "xyzzy"], 1),
    (["info", "xyzzy"], 1),
    (["log", "xyzzy"], 1),
    (["install"], 2),
    (["frobnicate"], 2),
    (["list", "--frobnicate"], 2),
    (["list", "--lightning-dir"], 2),
    (["source", "add", "/no/such/folder"], 1),
    (["index", "build", "/no/such/folder", "--out", "/tmp/x"], 1),
)


def one_object(said, *, ok: bool = True) -> dict:
    assert said.stderr == ""
    envelope = json.loads(said.stdout)
    assert said.stdout.count("\n") == 1
    assert set(envelope) == KEYS
    assert envelope["schema"] == 1
    assert envelope["ok"] is ok
    assert isinstance(envelope["result"], list)
    assert all(isinstance(line, str) for line in envelope["log"])
    assert (envelope["error"] is None) == ok
    return envelope


def test_every_verb_that_changes_something(stocked, reckless):
    for argv in CHANGES:
        dry = ["--dry-run"] if argv[0] in ("install", "upgrade", "uninstall") else None
        for extra in filter(None, (dry, ["--verbose"])):
            envelope = one_object(reckless("-j", *argv, *extra))
            assert envelope["command"] == argv[0].replace("update", "upgrade")
            assert envelope["result"]
            assert all(set(item) == OUTCOME for item in envelope["result"])
            expected = {"unchanged"} if argv[-1] in ("commando", "--all") else {"planned"} if extra == dry else {"done"}
            assert {item["status"] for item in envelope["result"]} == expected, argv


def test_every_verb_that_looks(stocked, reckless):
    reckless("install", "python-hello==1.0.0")
    for argv in LOOKS:
        envelope = one_object(reckless("-j", *argv))
        assert envelope["result"] or argv == ["doctor"]
    assert one_object(reckless("list", "--json")) == one_object(reckless("--json", "list"))


def test_sources_and_indexes(stocked, reckless, tmp_path):
    assert one_object(reckless("-j", "source", "remove", stocked.url))["command"] == "source remove"
    assert one_object(reckless("-j", "source", "add", stocked.url))["command"] == "source add"
    (tmp_path / "manifests").mkdir()
    built = one_object(reckless("-j", "index", "build", str(tmp_path / "manifests"), "--out", str(tmp_path / "out")))
    assert built["command"] == "index build"


def test_every_way_to_fail(stocked, reckless):
    for argv, status in FAILURES:
        error = one_object(reckless("-j", *argv, status=status), ok=False)["error"]

        assert {"code", "message", "hint"} <= set(error)
        assert error["code"] == error["code"].lower()
        assert error["message"]
