"""What `Lightning` makes of every way in which lightning-cli answers, fails or lies."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from reckless.errors import NodeDownError, NodeError
from reckless.node.rpc import Lightning, LightningCliMissingError, RunningPlugin, TimeLimits

GETINFO = {"id": "02" + "ab" * 32, "version": "v26.06.6", "network": "regtest", "lightning-dir": "/home/me/l/regtest"}
PLUGINS = {"plugins": [{"name": "/p/good.py", "active": True, "dynamic": True}]}


@pytest.fixture
def answering(script, tmp_path):
    """A node whose lightning-cli prints this and exits so; its arguments are kept in `args.json`."""

    def make(stdout: str = "", *, status: int = 0, stderr: str = "", limits: TimeLimits | None = None) -> Lightning:
        keep = f"json.dump(sys.argv[1:], open({str(tmp_path / 'args.json')!r}, 'w'))"
        say = f"sys.stdout.write({stdout!r}); sys.stderr.write({stderr!r}); sys.exit({status})"
        return Lightning(argv=[str(script("lightning-cli", f"{keep}\n{say}"))], limits=limits)

    return make


@pytest.fixture
def arguments(tmp_path):
    return lambda: json.loads((tmp_path / "args.json").read_text())


def test_getinfo_tells_who_the_node_is(answering):
    info = answering(json.dumps(GETINFO)).info()
    assert (info.version, info.network, info.id) == ("v26.06.6", "regtest", GETINFO["id"])
    assert info.network_dir == Path("/home/me/l/regtest")
    assert info.lightning_dir == Path("/home/me/l")


def test_what_is_known_of_the_node_is_passed_on(script, tmp_path):
    cli = script("cli", f"json.dump(sys.argv[1:], open({str(tmp_path / 'a')!r}, 'w')); print({json.dumps(GETINFO)!r})")
    Lightning(lightning_dir=Path("/d"), network="regtest", conf=Path("/c"), argv=[str(cli)]).info()
    assert json.loads((tmp_path / "a").read_text()) == [
        "--lightning-dir=/d", "--network=regtest", "--conf=/c", "-k", "getinfo",
    ]  # fmt: skip


def test_lightning_cli_names_another_and_may_be_several_words(script, monkeypatch):
    cli = script("other cli", f"assert sys.argv[1] == 'exec'; print({json.dumps(GETINFO)!r})")
    monkeypatch.setenv("LIGHTNING_CLI", f"'{sys.executable}' '{cli}' exec")
    assert Lightning().info().network == "regtest"


def test_a_lightning_cli_that_is_missing_is_no_node_that_is_down(monkeypatch):
    monkeypatch.setenv("LIGHTNING_CLI", "/nowhere/lightning-cli")
    with pytest.raises(LightningCliMissingError) as e:
        Lightning().info()
    assert e.value.code == "lightning-cli-missing"
    assert "LIGHTNING_CLI" in e.value.hint
    assert not isinstance(e.value, NodeDownError)


def test_a_lightning_cli_that_cannot_be_read_says_so(monkeypatch):
    monkeypatch.setenv("LIGHTNING_CLI", "docker 'exec")
    with pytest.raises(LightningCliMissingError):
        Lightning()


def test_a_wrapper_that_finds_no_lightning_cli_inside(answering):
    with pytest.raises(LightningCliMissingError):
        answering(status=127, stderr="sh: lightning-cli: not found").info()


@pytest.mark.parametrize(
    "stderr",
    [
        "lightning-cli: Moving into '/absent/regtest': No such file or directory\n",
        "lightning-cli: Connecting to 'lightning-rpc': Connection refused\n",
        "lightning-cli: Connecting to 'lightning-rpc': No such file or directory\n",
        "",
    ],
)
def test_no_contact_means_that_the_node_is_down(answering, stderr):
    with pytest.raises(NodeDownError) as e:
        answering(status=2, stderr=stderr).info()
    assert e.value.code == "node-down"


def test_a_socket_that_closes_while_reading_means_that_the_node_died(answering):
    with pytest.raises(NodeError) as e:
        answering(status=2, stderr="lightning-cli: reading response: socket closed\n").start(Path("/p"))
    assert e.value.code == "node-died"
    assert not isinstance(e.value, NodeDownError)


def test_a_socket_that_we_may_not_open_is_no_node_that_is_down(answering):
    with pytest.raises(NodeError) as e:
        answering(status=2, stderr="lightning-cli: Connecting to 'lightning-rpc': Permission denied").info()
    assert e.value.code == "node-permission"
    assert "sudo -u" in e.value.hint
    assert not isinstance(e.value, NodeDownError)


@pytest.mark.parametrize(
    "said", ["Malformed response 'x'", "Non-object response '3'", "Incorrect 'id' (1) in response: {}"]
)
def test_a_response_that_lightning_cli_itself_cannot_read(answering, said):
    with pytest.raises(NodeError) as e:
        answering(status=2, stderr=f"lightning-cli: {said}").info()
    assert e.value.code == "node-answer"


def test_wrong_usage_shows_the_line_to_run_by_hand(answering):
    with pytest.raises(NodeError) as e:
        answering(status=3, stderr="Expected key=value in 'x'").call("getinfo")
    assert e.value.code == "lightning-cli-usage"
    assert "-k getinfo" in e.value.hint


@pytest.mark.parametrize(("status", "stderr"), [(1, "Error: No such container: cln"), (125, "docker: no daemon")])
def test_a_wrapper_that_fails_is_named(answering, status, stderr):
    with pytest.raises(NodeError) as e:
        answering(status=status, stderr=stderr).info()
    assert e.value.code == "lightning-cli-failed"
    assert stderr in e.value.message


def test_a_lightning_cli_that_is_killed(script):
    cli = script("cli", "os.kill(os.getpid(), 9)")
    with pytest.raises(NodeError, match="signal 9") as e:
        Lightning(argv=[str(cli)]).info()
    assert e.value.code == "lightning-cli-failed"


@pytest.mark.parametrize(
    "said",
    ["", "   \n", "rubbish", "{", "[1]", "3", "null", '"text"', "{}", '{"version": 3}', "\x00\xff", "[" * 100_000],
)
def test_an_answer_that_is_rubbish_is_refused_and_quoted(answering, said):
    with pytest.raises(NodeError) as e:
        answering(said).info()
    assert e.value.code == "node-answer"
    assert len(e.value.detail) < 300


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", 26), ("version", None), ("network", ["regtest"]), ("network", "../etc"), ("network", ""),
        ("lightning-dir", "relative/regtest"), ("lightning-dir", {}), ("id", 3), ("lightning-dir", "/a\0b"),
    ],
)  # fmt: skip
def test_getinfo_with_a_lie_in_it_is_refused(answering, key, value):
    with pytest.raises(NodeError) as e:
        answering(json.dumps({**GETINFO, key: value})).info()
    assert e.value.code == "node-answer"


@pytest.mark.parametrize(
    "answer",
    [
        [], {}, {"plugins": {}}, {"plugins": [3]}, {"plugins": [{}]}, {"plugins": [{"name": 1, "active": True}]},
        {"plugins": [{"name": "/p", "active": "yes"}]}, {"plugins": [{"name": "/p", "active": True, "dynamic": 1}]},
    ],
)  # fmt: skip
def test_a_plugin_list_with_a_lie_in_it_is_refused(answering, answer):
    with pytest.raises(NodeError) as e:
        answering(json.dumps(answer)).plugins()
    assert e.value.code == "node-answer"


def test_a_huge_answer_is_cut_off(script, monkeypatch):
    monkeypatch.setattr("reckless.node.rpc.MAX_ANSWER", 1 << 20)
    cli = script("cli", "while True: sys.stdout.write('x' * 65536)")
    with pytest.raises(NodeError, match="longer than 1 MiB") as e:
        Lightning(argv=[str(cli)]).info()
    assert e.value.code == "node-answer"


def test_a_lightning_cli_that_hangs_is_ended_with_all_it_started(script, tmp_path):
    pids = tmp_path / "pids"
    tell = f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child}}')"
    cli = script("cli", f"child = os.fork()\nif child: {tell}\ntime.sleep(600)")
    began = time.monotonic()
    with pytest.raises(NodeError) as e:
        Lightning(argv=[str(cli)], limits=TimeLimits(quick=0.5)).info()
    assert e.value.code == "node-timeout"
    assert time.monotonic() - began < 10
    for pid in pids.read_text().split():
        wait_until(lambda pid=pid: is_gone(int(pid)))


def test_what_it_leaves_running_does_not_hold_us_up(script):
    cli = script("cli", f"print({json.dumps(GETINFO)!r}, flush=True)\nif os.fork() == 0: time.sleep(600)")
    began = time.monotonic()
    assert Lightning(argv=[str(cli)]).info().network == "regtest"
    assert time.monotonic() - began < 10


def test_lines_that_lightning_cli_puts_before_the_answer_are_dropped(answering):
    assert answering("# still syncing\n# 50%\n" + json.dumps(GETINFO)).info().network == "regtest"


def test_unknown_command_and_a_plugin_that_died_while_answering(answering):
    refused = json.dumps({"code": -32601, "message": "Unknown command 'nonesuch'"})
    with pytest.raises(NodeError) as e:
        answering(refused, status=1).call("nonesuch")
    assert (e.value.code, e.value.rpc_code) == ("unknown-command", -32601)
    died = json.dumps({"code": -4, "message": "Plugin terminated before replying to RPC call."})
    with pytest.raises(NodeError) as e:
        answering(died, status=1).call("die")
    assert (e.value.code, e.value.rpc_code) == ("plugin-died", -4)


@pytest.mark.parametrize(
    ("rpc_code", "message", "code"),
    [
        (-32602, "/p/good.py: Invalid argument", "plugin-already-running"),
        (-32602, "/p/good.py: already registered", "plugin-already-running"),
        (-3, "/p/static.py: Not a dynamic plugin", "plugin-not-dynamic"),
        (-3, "/p/exits.py: exited before replying to getmanifest", "plugin-start-failed"),
        (-3, "/p/good.py: unknown parameter nonsense", "plugin-start-failed"),
        (-32602, "/p/missing.py is not executable: No such file or directory", "plugin-start-failed"),
    ],
)
def test_why_a_plugin_was_not_started(answering, rpc_code, message, code):
    with pytest.raises(NodeError) as e:
        answering(json.dumps({"code": rpc_code, "message": message}), status=1).start(Path("/p/good.py"))
    assert (e.value.code, e.value.rpc_code) == (code, rpc_code)
    assert message in e.value.message


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Could not find plugin /p/good.py", "plugin-not-running"),
        ("/p/static.py cannot be managed when lightningd is up", "plugin-not-dynamic"),
        ("something new", "plugin-stop-failed"),
    ],
)
def test_why_a_plugin_was_not_stopped(answering, message, code):
    with pytest.raises(NodeError) as e:
        answering(json.dumps({"code": -32602, "message": message}), status=1).stop(Path("/p/good.py"))
    assert e.value.code == code


def test_options_go_by_keyword_and_several_values_as_several(answering, arguments):
    node = answering(json.dumps(PLUGINS))
    options = [("colour", "blue"), ("count", "7"), ("peer", "a"), ("peer", "b"), ("loud", None), ("empty", "")]
    assert node.start(Path("/p/good.py"), options) == (RunningPlugin(name="/p/good.py", active=True, dynamic=True),)
    assert arguments() == [
        "-k", "plugin", "subcommand=start", "plugin=/p/good.py",
        "colour=blue", "count=7", "peer=a", "peer=b", "loud=true", "empty=",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("007", 'o="007"'), ("127.0.0.1", 'o="127.0.0.1"'), ("null", 'o="null"'), ("{not json}", 'o="{not json}"'),
        ("a b = c", "o=a b = c"), ('["a", "b"]', 'o=["a", "b"]'), ("-5", "o=-5"), ("é", "o=é"),
    ],
)  # fmt: skip
def test_a_value_is_written_so_that_the_plugin_gets_exactly_it(answering, arguments, value, word):
    answering(json.dumps(PLUGINS)).start(Path("/p"), [("o", value)])
    assert arguments()[-1] == word


@pytest.mark.parametrize("value", ['say "hi"', "C:\\x", '{"broken": "}'])
def test_a_value_that_plugin_start_would_change_is_not_sent(answering, tmp_path, value):
    with pytest.raises(NodeError) as e:
        answering(json.dumps(PLUGINS)).start(Path("/p"), [("o", value)])
    assert e.value.code == "option-needs-restart"
    assert value not in e.value.message + e.value.hint
    assert not (tmp_path / "args.json").exists()


def test_the_name_of_an_option_cannot_smuggle_in_another(answering):
    with pytest.raises(NodeError) as e:
        answering(json.dumps(PLUGINS)).start(Path("/p"), [('x" : 1, "plugin', "y")])
    assert e.value.code == "invalid-option-name"


@pytest.mark.parametrize("name", ["api-token", "db-password", "rune", "node-key", "macaroon-hex", "seed", "my-secret"])
def test_a_secret_value_is_in_no_error(answering, name):
    message = "/p/good.py: 'hunter2hunter2' is not a number"
    node = answering(json.dumps({"code": -3, "message": message}), status=1, stderr="hunter2hunter2")
    with pytest.raises(NodeError) as e:
        node.start(Path("/p/good.py"), [(name, "hunter2hunter2")])
    shown = f"{e.value} {e.value.message} {e.value.hint} {e.value.detail}"
    assert "hunter2" not in shown
    assert "'***' is not a number" in shown


def test_no_option_value_at_all_is_in_the_line_to_run_by_hand(script):
    cli = script("cli", "time.sleep(600)")
    node = Lightning(argv=[str(cli)], limits=TimeLimits(start=0.3))
    with pytest.raises(NodeError) as e:
        node.start(Path("/p/good.py"), [("colour", "chartreuse")])
    assert "colour=..." in e.value.hint
    assert "chartreuse" not in e.value.hint + e.value.message


def test_a_broken_listconfigs_is_never_quoted_for_it_holds_values(answering):
    for said in (
        '{"configs": {"x": {"value_str": "hunter2", "dynamic": 3}}}',
        '{"configs": {"x": "hunter2"',
        '"hunter2"',
    ):
        with pytest.raises(NodeError) as e:
            answering(said).options()
        assert "hunter2" not in e.value.message + e.value.detail


def test_methods_are_the_first_words_of_help(answering, arguments):
    answer = {"help": [{"command": "getinfo "}, {"command": "pay bolt11 [amount]", "plugin": "/p/pay"}]}
    assert answering(json.dumps(answer)).methods() == {"getinfo": "", "pay": "/p/pay"}
    assert "-J" in arguments()  # without it, help is prose


@pytest.mark.parametrize("answer", [{}, {"help": [{}]}, {"help": [{"command": " "}]}, {"help": "x"}])
def test_help_with_a_lie_in_it_is_refused(answering, answer):
    with pytest.raises(NodeError) as e:
        answering(json.dumps(answer)).methods()
    assert e.value.code == "node-answer"


def test_options_with_their_owners_and_sources(answering):
    configs = {
        "network": {"value_str": "regtest", "source": "cmdline"},
        "good-color": {"value_str": "red", "source": "/d/regtest/config:2", "plugin": "/p/good.py", "dynamic": True},
        "plugin": {"values_str": ["/p/good.py"], "sources": ["/d/config:1"]},
    }
    node = answering(json.dumps({"configs": configs}))
    assert node.options() == {"network": "", "good-color": "/p/good.py", "plugin": ""}
    told = node.configured()["good-color"]
    assert (told.plugin, told.sources, told.dynamic) == ("/p/good.py", ("/d/regtest/config:2",), True)
    assert node.configured()["plugin"].sources == ("/d/config:1",)


def test_options_as_an_old_lightningd_lists_them(answering):
    old = {
        "# version": "v0.11.2", "network": "regtest", "log-level": "DEBUG",
        "plugins": [{"path": "/p/good.py", "name": "good.py", "options": {"good-color": "red"}}],
    }  # fmt: skip
    assert answering(json.dumps(old)).options() == {
        "network": "", "log-level": "", "plugins": "", "good-color": "/p/good.py",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "conf"),
    [
        ({"configs": {}}, None),
        ({"configs": {"conf": {"value_str": "/etc/cln.conf", "source": "cmdline"}}}, "/etc/cln.conf"),
        ({"conf": "/etc/cln.conf"}, "/etc/cln.conf"),
        ({}, None),
    ],
)
def test_the_config_file_that_the_node_was_given(answering, answer, conf):
    assert answering(json.dumps(answer)).conf() == (Path(conf) if conf else None)


def test_an_old_node_that_knows_no_conf_option_has_none(answering):
    assert answering(json.dumps({"code": -32602, "message": "Unknown config option"}), status=1).conf() is None


def test_a_plugin_list_that_does_not_say_what_is_dynamic(answering):
    old = {"plugins": [{"name": "/p/good.py", "active": True}]}
    assert answering(json.dumps(old)).plugins() == (RunningPlugin(name="/p/good.py", active=True, dynamic=True),)


def wait_until(what, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    import os

    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"
