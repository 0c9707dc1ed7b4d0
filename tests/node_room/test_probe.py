"""A built plugin is asked by itself what lightningd would ask it; whatever it does, the probe ends and says so."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reckless.errors import ProbeError
from reckless.model.manifest import Runtime
from reckless.node.getmanifest import Getmanifest, PluginMethod, PluginOption, parse_getmanifest
from reckless.node.probe import ProbeResult, check_options, check_probe, probe

METHOD = {"name": "tiny", "usage": "", "description": "d"}
GOOD = {"dynamic": True, "options": [], "rpcmethods": [METHOD]}


def ask(path: Path, **kwargs) -> ProbeResult:
    return probe(path, **{"cwd": None, "lightningd": "v26.06.6", "timeout": 20, **kwargs})


def failure(path: Path, **kwargs) -> ProbeError:
    with pytest.raises(ProbeError) as e:
        ask(path, **kwargs)
    return e.value


# What a good plugin is told, and tells


def test_a_good_plugin_is_read_whole(plugin):
    manifest = {
        "dynamic": True,
        "options": [
            {"name": "t-colour", "type": "string", "default": "red", "description": "d", "dynamic": True},
            {"name": "t-count", "type": "int", "default": 3, "description": "d", "multi": True},
            {"name": "t-on", "type": "bool", "default": False, "description": "d", "deprecated": ["v25.02"]},
            {"name": "t-flag", "type": "flag", "default": False, "description": "d"},
            {"name": "t-pin", "type": "string-conceal", "default": None, "description": "d"},
        ],
        "rpcmethods": [METHOD, {"name": "old", "usage": "a [b]", "deprecated": True}],
        "hooks": ["htlc_accepted", {"name": "peer_connected", "before": ["other"]}],
        "subscriptions": ["connect"],
        "notifications": [{"method": "tiny_news"}],
        "custommessages": [11008],
        "nonnumericids": True,
        "cancheck": True,
        "unheard-of": {"is": "ignored"},
    }
    path = plugin(f"answer(json.loads({json.dumps(manifest)!r})); sys.stderr.write('hello\\n')")
    result = ask(path)
    told = result.manifest
    assert told.dynamic
    assert told.rpcmethods == (PluginMethod(name="tiny"), PluginMethod(name="old", usage="a [b]", deprecated=True))
    assert [(o.name, o.type, o.default, o.multi, o.dynamic, o.deprecated) for o in told.options] == [
        ("t-colour", "string", "red", False, True, False),
        ("t-count", "int", "3", True, False, False),
        ("t-on", "bool", "false", False, False, True),
        ("t-flag", "flag", None, False, False, False),
        ("t-pin", "string-conceal", None, False, False, False),
    ]
    assert (told.hooks, told.subscriptions) == (("htlc_accepted", "peer_connected"), ("connect",))
    assert (told.notifications, told.custommessages, told.cancheck) == (("tiny_news",), (11008,), True)
    assert 0 < result.seconds < 20


def test_it_is_asked_as_lightningd_asks(plugin, tmp_path, monkeypatch):
    monkeypatch.setenv("API_TOKEN", "hunter2")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    told = tmp_path / "told"
    tell = f"json.dump([line, sys.stdin.readline(), dict(os.environ), os.getcwd()], open({str(told)!r}, 'w'))"
    ask(plugin(f"{tell}\nanswer(GOOD)"), cwd=tmp_path)
    line, then, environment, cwd = json.loads(told.read_text())
    assert (line + then).endswith("}\n\n")
    assert json.loads(line) == {
        "jsonrpc": "2.0",
        "id": "cln:getmanifest#1",
        "method": "getmanifest",
        "params": {"allow-deprecated-apis": True},
    }
    assert cwd == str(tmp_path)
    assert environment["LIGHTNINGD_PLUGIN"] == "1"
    assert environment["LIGHTNINGD_VERSION"] == "v26.06.6"
    assert environment["LC_ALL"] == "C"
    assert environment["PATH"] == "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert set(environment) <= {
        "LIGHTNINGD_PLUGIN", "LIGHTNINGD_VERSION", "LC_ALL", "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LC_CTYPE",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("version", "request_id"),
    [("v0.11.2", 1), ("v24.11", 1), ("v25.05", "cln:getmanifest#1"), ("strange", "cln:getmanifest#1")],
)
def test_older_nodes_number_their_requests(plugin, version, request_id):
    body = f"assert request['id'] == {request_id!r}, request\nanswer({{**GOOD, 'nonnumericids': {request_id != 1}}})"
    assert ask(plugin(body), lightningd=version).manifest.dynamic


def test_a_folder_that_is_not_there_yet_is_stood_in_for(plugin, tmp_path):
    body = f"assert os.getcwd() != {str(tmp_path)!r}; open('left-behind', 'w').close(); answer(GOOD)"
    assert ask(plugin(body), cwd=tmp_path / "never-run").manifest.dynamic
    assert not (tmp_path / "never-run").exists()


def test_a_slow_plugin_is_waited_for(plugin):
    assert ask(plugin("time.sleep(0.3); answer(GOOD)")).seconds >= 0.3


@pytest.mark.parametrize(
    "body",
    [
        "[print(c, end='', flush=True) for c in json.dumps({'jsonrpc': '2.0', 'id': request['id'], 'result': GOOD})]",
        "print(json.dumps({'id': request['id'], 'result': GOOD}, indent=1), end='', flush=True); time.sleep(60)",
        "say({'jsonrpc': '2.0', 'method': 'log', 'params': {'level': 'info', 'message': 'hi'}}); answer(GOOD)",
        "[say({'method': 'log', 'params': {'message': 'x' * 1000}}) for _ in range(500)]; answer(GOOD)",
        "sys.stdout.write(json.dumps({'method': 'log', 'params': {'message': 'a } b'}}) * 2); answer(GOOD)",
        "say({'jsonrpc': '2.0', 'id': 'mine', 'method': 'getinfo', 'params': {}}); answer(GOOD)",
        "answer(GOOD); say({'method': 'log', 'params': {'message': 'after'}})",
        "answer({**GOOD, 'x': 'a' * 3000000})",
        "os.close(2); answer(GOOD)",
        "print(json.dumps({'id': request['id'], 'result': {**GOOD, 'x': '\u00e9'}}, ensure_ascii=False))",
    ],
)
def test_an_answer_is_found_in_whatever_way_it_comes(plugin, body):
    assert ask(plugin(body)).manifest.rpcmethods[0].name == "tiny"


@given(st.lists(st.integers(1, 60), max_size=12))
def test_where_the_pipe_cuts_makes_no_difference(cuts):
    from reckless.node.probe import _Ear

    said = (
        json.dumps({"method": "log", "params": {"message": 'é } " \\ {'}}, ensure_ascii=False)
        + "\n\n"
        + json.dumps({"id": 1, "result": GOOD}, indent=2)
    ).encode()
    ear, at = _Ear(1), 0
    for cut in (*cuts, len(said)):
        at = min(len(said), at + cut)
        done = ear.hear(said[:at])
        assert done == (at == len(said))
        if done:
            break
    assert ear.answer == {"id": 1, "result": GOOD}


def test_it_is_ended_with_all_that_it_started(plugin, tmp_path):
    pids = tmp_path / "pids"
    body = (
        "child = os.fork()\n"
        f"if child: open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child}}'); answer(GOOD)\n"
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "time.sleep(600)"
    )
    began = time.monotonic()
    ask(plugin(body))
    assert time.monotonic() - began < 10
    for pid in map(int, pids.read_text().split()):
        deadline = time.monotonic() + 10
        while not _is_gone(pid):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_one_that_ends_when_asked_gets_to_do_so(plugin, tmp_path):
    bye = tmp_path / "bye"
    body = (
        "import signal\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (open({str(bye)!r}, 'w').close(), sys.exit(0)))\n"
        "answer(GOOD)\nwhile True: time.sleep(1)"
    )
    ask(plugin(body))
    assert bye.exists()


# What a bad plugin does


def test_one_that_crashes_says_so_with_its_last_words(plugin):
    error = failure(plugin("[sys.stderr.write(f'line {n}\\n') for n in range(100)]; import pyln_is_not_here"))
    assert error.code == "probe-exited"
    assert "tiny.py: it exited with status 1" in error.message
    assert "pyln_is_not_here" in error.detail
    assert len(error.detail.splitlines()) == 25
    assert "LIGHTNINGD_PLUGIN=1" in error.hint


def test_one_that_is_killed_names_the_signal(plugin):
    error = failure(plugin("os.kill(os.getpid(), 11)"))
    assert error.code == "probe-exited"
    assert "signal 11" in error.message


def test_one_that_exits_without_a_word(plugin):
    assert "status 0" in failure(plugin("")).message


def test_one_that_closes_its_output_and_stays(plugin):
    error = failure(plugin("os.close(1); time.sleep(600)"))
    assert error.code == "probe-exited"
    assert "closed its output" in error.message


def test_one_that_hangs_is_ended_and_shows_the_line_to_run_by_hand(plugin):
    path = plugin("sys.stderr.write('waiting for bitcoind\\n'); sys.stderr.flush(); time.sleep(600)")
    began = time.monotonic()
    error = failure(path, timeout=0.5)
    assert time.monotonic() - began < 10
    assert error.code == "probe-timeout"
    assert str(path) in error.hint
    assert error.detail == "waiting for bitcoind"


def test_one_that_stops_half_way_is_quoted(plugin):
    error = failure(plugin("sys.stdout.write('{\"jsonrpc\": '); sys.stdout.flush(); time.sleep(600)"), timeout=0.5)
    assert error.code == "probe-timeout"
    assert '{"jsonrpc":' in error.message


@pytest.mark.parametrize(
    "body",
    [
        "print('Starting up...', flush=True); time.sleep(600)",
        "print('[1, 2]', flush=True); time.sleep(600)",
        'print(\'{"jsonrpc": oops, "and": "so on and so forth"}\', flush=True); time.sleep(600)',
        "say({'jsonrpc': '2.0'}); time.sleep(600)",
        "sys.stdout.buffer.write(b'\\xff\\xfe\\n'); sys.stdout.flush(); time.sleep(600)",
        'sys.stdout.buffer.write(b\'{"a": "\\xff"}\'); sys.stdout.flush(); time.sleep(600)',
        "print('{\"a\":' * 100000 + '}' * 100000, flush=True); time.sleep(600)",
        "while True: sys.stdout.write('{' * 65536)",
        "while True: sys.stdout.write('x' * 65536)",
    ],
)
def test_rubbish_is_told_at_once_and_quoted(plugin, body):
    error = failure(plugin(body))
    assert error.code == "probe-rubbish"
    assert len(error.message) < 500
    assert "stderr" in error.hint


def test_a_flood_of_stderr_neither_blocks_it_nor_fills_memory(plugin):
    result = ask(plugin("[sys.stderr.write('x' * 99 + '\\n') for _ in range(100000)]; answer(GOOD)"))
    assert len(result.stderr) < 25 * 101


def test_one_that_disables_itself_gives_its_reason(plugin):
    error = failure(plugin("answer({'disable': 'wrong moon phase'})"))
    assert error.code == "probe-disabled"
    assert "wrong moon phase" in error.message


def test_an_error_for_an_answer(plugin):
    error = failure(plugin("say({'id': request['id'], 'error': {'code': -1, 'message': 'not today'}})"))
    assert error.code == "probe-invalid"
    assert "not today" in error.message


@pytest.mark.parametrize("wrong", ["1", "'other'", "None", "True"])
def test_an_answer_to_another_request(plugin, wrong):
    error = failure(plugin(f"say({{'id': {wrong}, 'result': GOOD}}); time.sleep(600)"))
    assert error.code == "probe-invalid"


def test_what_cannot_be_run_at_all(tmp_path):
    for name, code in (("missing", None), ("plain", 0o644), ("gone.py", 0o755), ("binary", 0o755)):
        path = tmp_path / name
        if code is not None:
            path.write_text({"gone.py": "#!/nowhere/python\n", "binary": "\x7fELF rubbish"}.get(name, ""))
            path.chmod(code)
        assert failure(path).code == "probe-not-executable", name
    assert failure(tmp_path).code == "probe-not-executable"
    assert "/nowhere/python" in failure(tmp_path / "gone.py").message


# What lightningd would refuse


@pytest.mark.parametrize(
    "change",
    [
        {"options": None}, {"rpcmethods": None}, {"options": {}}, {"rpcmethods": "tiny"}, {"dynamic": "yes"},
        {"options": [{"name": "x", "type": "string"}]}, {"options": [{"type": "string", "description": "d"}]},
        {"options": [{"name": "x", "description": "d"}]},
        {"options": [{"name": "Up", "type": "int", "description": ""}]},
        {"options": [{"name": "a b", "type": "string", "description": ""}]}, {"options": [3]},
        {"options": [{"name": "x", "type": "float", "description": ""}]},
        {"options": [{"name": "x", "type": "int", "description": "", "default": "three"}]},
        {"options": [{"name": "x", "type": "bool", "description": "", "default": "1"}]},
        {"options": [{"name": "x", "type": "flag", "description": "", "default": True}]},
        {"options": [{"name": "x", "type": "flag", "description": "", "multi": True}]},
        {"options": [{"name": "x", "type": "bool", "description": "", "multi": True}]},
        {"options": [{"name": "x", "type": "string", "description": ""}] * 2},
        {"options": [{"name": "x", "type": "string", "description": "", "dynamic": 1}]},
        {"options": [{"name": "x", "type": "string", "description": "", "deprecated": "v25"}]},
        {"rpcmethods": [{"usage": ""}]}, {"rpcmethods": [{"name": "x"}]}, {"rpcmethods": [{"name": 3, "usage": ""}]},
        {"rpcmethods": [METHOD, METHOD]}, {"rpcmethods": [{"name": "x", "usage": 3}]}, {"rpcmethods": ["tiny"]},
        {"hooks": [{}]}, {"hooks": [3]}, {"subscriptions": [3]}, {"subscriptions": "connect"}, {"notifications": [{}]},
        {"custommessages": [70000]}, {"custommessages": ["1"]}, {"nonnumericids": False}, {"nonnumericids": "no"},
        {"featurebits": {"node": "xyz"}}, {"featurebits": {"node": "8000"}}, {"cancheck": 1},
    ],
)  # fmt: skip
def test_a_manifest_that_lightningd_refuses_is_refused(change):
    manifest = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(ProbeError) as e:
        parse_getmanifest(manifest)
    assert e.value.code == "probe-invalid"


@pytest.mark.parametrize("result", [None, [], "x", 3])
def test_a_result_that_is_no_object(result):
    with pytest.raises(ProbeError):
        parse_getmanifest(result)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "type", "description", "default", "multi", "usage", "options", "rpcmethods", "hooks"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_whatever_a_plugin_answers_it_is_a_manifest_or_a_probe_error(result):
    with contextlib.suppress(ProbeError):
        assert isinstance(parse_getmanifest(result), Getmanifest)


# What fits onto the node


def result(**kwargs) -> ProbeResult:
    methods = tuple(PluginMethod(name=n) for n in kwargs.pop("methods", ("tiny",)))
    return ProbeResult(manifest=Getmanifest(**{"dynamic": True, "rpcmethods": methods, **kwargs}))


def refusal(probed: ProbeResult, runtime: Runtime | None = None, **kwargs) -> ProbeError:
    with pytest.raises(ProbeError) as e:
        check_probe(probed, runtime or Runtime(), **{"taken_methods": {}, "taken_options": {}, **kwargs})
    assert e.value.hint
    return e.value


def test_a_method_that_lightningd_itself_has_is_never_shown_to_it():
    error = refusal(result(methods=("tiny", "getinfo")), taken_methods={"getinfo": "", "pay": ""})
    assert error.code == "method-taken"
    assert "getinfo" in error.message
    error = refusal(result(), taken_methods={"tiny": "/p/other.py"})
    assert "/p/other.py" in error.message


def test_an_option_that_another_plugin_has():
    options = (PluginOption(name="good-color", type="string"),)
    error = refusal(result(options=options), taken_options={"good-color": "/p/good.py"})
    assert error.code == "option-taken"
    assert "/p/good.py" in error.message


@pytest.mark.parametrize(
    ("runtime", "said"),
    [
        (Runtime(rpcmethods=("tiny", "huge")), "huge"),
        (Runtime(rpcmethods=()), "tiny"),
        (Runtime(hooks=("rpc_command",)), "rpc_command"),
        (Runtime(hooks=()), "htlc_accepted"),
        (Runtime(dynamic=False), "dynamic"),
    ],
)
def test_a_manifest_that_lies_about_its_plugin(runtime, said):
    error = refusal(result(hooks=("htlc_accepted",)), runtime)
    assert error.code == "manifest-mismatch"
    assert said in error.message


def test_a_manifest_that_says_nothing_cannot_lie():
    notes = check_probe(result(hooks=("htlc_accepted",)), Runtime(), taken_methods={}, taken_options={})
    assert notes.notes == ()
    assert not notes.needs_restart


def test_a_plugin_that_is_not_dynamic_needs_a_restart():
    notes = check_probe(result(dynamic=False), Runtime(dynamic=False), taken_methods={}, taken_options={})
    assert notes.needs_restart
    assert "restart lightningd" in notes.notes[0]


OPTIONS = (
    PluginOption(name="colour", type="string", default="red"),
    PluginOption(name="count", type="int"),
    PluginOption(name="on", type="bool"),
    PluginOption(name="loud", type="flag"),
    PluginOption(name="peer", type="string", multi=True),
)


def test_an_option_that_the_plugin_does_not_have_gets_a_suggestion():
    error = refusal(result(options=OPTIONS), given_options=[("color", "hunter2")])
    assert error.code == "option-unknown"
    assert "colour" in error.hint
    assert "hunter2" not in error.message + error.hint
    assert "no options" in refusal(result(), given_options=[("x", "1")]).hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", "seven"),
        ("count", ""),
        ("count", "0x10"),
        ("count", "010"),
        ("count", "+1"),
        ("count", " 1"),
        ("count", "1.5"),
        ("count", "9223372036854775808"),
        ("count", "9" * 5000),
        ("count", None),
        ("count", "\u0661"),
        ("on", "1"),
        ("on", "maybe"),
        ("on", None),
        ("loud", "very"),
        ("loud", "1"),
    ],
)
def test_a_value_that_lightningd_or_the_plugin_would_choke_on(name, value):
    error = refusal(result(options=OPTIONS), given_options=[(name, value)])
    assert error.code == "option-invalid"
    if value:
        assert f"'{value}'" not in error.message


def test_one_value_too_many():
    assert refusal(result(options=OPTIONS), given_options=[("count", "1"), ("count", "2")]).code == "option-invalid"


def test_a_required_option_that_is_not_given():
    runtime = Runtime(required_options=("count",))
    assert refusal(result(options=OPTIONS), runtime).code == "option-required"
    assert check_options(OPTIONS, [("count", "1")], required=["count"]) == (("count", "1"),)
    assert check_options(OPTIONS, [], required=["colour"]) == ()


def test_an_empty_default_is_no_value_for_a_required_option():
    """Seen at cln-ntfy: ntfy-url has the default "", and with it the plugin ends."""
    options = (PluginOption(name="url", type="string", default=""),)
    assert refusal(result(options=options), Runtime(required_options=("url",))).code == "option-required"
    assert check_options(options, [], required=[]) == ()


def test_options_are_handed_back_as_the_config_needs_them():
    given_options = [("loud", "true"), ("peer", "a"), ("peer", "b"), ("colour", ""), ("on", "Yes"), ("count", "-5")]
    assert check_options(OPTIONS, given_options) == (
        ("loud", None), ("peer", "a"), ("peer", "b"), ("colour", ""), ("on", "Yes"), ("count", "-5"),
    )  # fmt: skip
    assert check_options(OPTIONS, [("loud", "false")]) == ()
    assert check_options(OPTIONS, [("loud", None)]) == (("loud", None),)


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"
