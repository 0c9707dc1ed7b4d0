"""Our config file: what we own in it leaves with its plugin, what we don't own stays byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reckless.errors import ConfigError
from reckless.node.conf import HEADER, RecklessConf, check_option, parse
from reckless.node.lines import parse_line, split_lines

SUMMARY = "/home/me/.lightning/reckless/summary/current/bin/summary.py"
SLING = "/home/me/.lightning/reckless/sling/current/bin/sling"


def in_force(conf: RecklessConf) -> list[str]:
    """The lines that lightningd would act on."""
    return [line.text for line in map(parse_line, conf.lines) if line.kind in ("option", "include")]


def test_options_stand_under_their_plugin():
    conf = parse(HEADER).with_plugin("summary", SUMMARY, [("summary-currency", "EUR"), ("summary-loud", None)])
    assert conf.render() == (
        HEADER + "# reckless: summary\n"
        f"plugin={SUMMARY}\n"
        "summary-currency=EUR\n"
        "summary-loud\n"
        "# reckless: end of summary\n"
    )
    assert conf.options("summary") == (("summary-currency", "EUR"), ("summary-loud", None))


def test_a_plugin_leaves_with_its_options_and_nothing_else():
    before = parse(HEADER).with_plugin("sling", SLING)
    conf = before.with_plugin("summary", SUMMARY, [("summary-currency", "EUR")]).without("summary")
    assert conf == before


def test_a_disabled_plugin_keeps_its_options_and_none_is_in_force():
    on = parse(HEADER).with_plugin("summary", SUMMARY, [("summary-currency", "EUR"), ("summary-loud", None)])
    off = on.disabled("summary")
    assert in_force(off) == []
    assert off.options("summary") == on.options("summary")
    assert off.find("summary").enabled is False
    assert off.enabled("summary") == on
    assert off.disabled("summary") == off
    assert on.enabled("summary") == on


def test_a_value_is_kept_as_it_is():
    for value in ("", " leading", "a=b", "# no comment", 'say "hi" \\', "é", "-5"):
        conf = parse("").with_plugin("summary", SUMMARY, [("o", value)])
        assert parse(conf.render()).options("summary") == (("o", value),)


def test_an_option_is_set_in_its_place_and_unset():
    conf = parse("").with_plugin("summary", SUMMARY, [("a", "1"), ("b", "2"), ("c", "3")])
    assert conf.set_option("summary", "b", "x", "y").options("summary") == (
        ("a", "1"), ("b", "x"), ("b", "y"), ("c", "3"),
    )  # fmt: skip
    assert conf.set_option("summary", "d", None).options("summary")[-1] == ("d", None)
    assert conf.unset_option("summary", "b").options("summary") == (("a", "1"), ("c", "3"))
    assert conf.unset_option("summary", "nothing") == conf
    assert conf.set_option("summary", "b", "2") == conf


def test_an_option_of_a_disabled_plugin_is_set_and_it_stays_disabled():
    conf = parse("").with_plugin("summary", SUMMARY, [("a", "1")]).disabled("summary").set_option("summary", "a", "2")
    assert conf.options("summary") == (("a", "2"),)
    assert in_force(conf) == []


def test_an_option_of_a_plugin_that_is_not_there():
    with pytest.raises(ConfigError) as e:
        parse("").set_option("summary", "a", "1")
    assert e.value.code == "not-in-config"
    assert parse("").unset_option("summary", "a") == parse("")
    assert parse("").options("summary") == ()
    assert parse("").disabled("summary") == parse("")


@pytest.mark.parametrize(
    "value", ["two\nlines", "cr\rhere", "nul\0", "tab\there", "bell\x07", "del\x7f", "hunter2 ", "hunter2\n"]
)
def test_a_value_that_lightningd_would_not_read_back_is_refused_and_not_shown(value):
    with pytest.raises(ConfigError) as e:
        check_option("api-token", value)
    assert e.value.code == "invalid-option-value"
    assert value.strip() not in f"{e.value.message}{e.value.hint}"


@pytest.mark.parametrize(
    "key", ["", "UPPER", "two words", "include", "plugin", "a=b", "disable-plugin", "network", "é", "#x"]
)
def test_a_name_that_is_no_option_of_a_plugin_is_refused(key):
    with pytest.raises(ConfigError) as e:
        parse("").with_plugin("summary", SUMMARY, [(key, "1")])
    assert e.value.code == "invalid-option-name"


@pytest.mark.parametrize("path", ["relative/p.py", "/a\nplugin=/evil", "/ends in space ", ""])
def test_a_path_that_cannot_stand_in_a_config_is_refused(path):
    with pytest.raises(ConfigError) as e:
        parse("").with_plugin("summary", path)
    assert e.value.code == "invalid-plugin-path"


def test_upgrading_keeps_what_a_person_wrote_among_the_options():
    text = f"# reckless: summary\nplugin={SUMMARY}\n# euros, please\nsummary-currency=EUR\n# reckless: end of summary\n"
    assert parse(text).with_plugin("summary", SUMMARY, [("summary-currency", "EUR")]) == parse(text)
    conf = parse(text).with_plugin("summary", SUMMARY, [("summary-currency", "USD")])
    assert "# euros, please\n" in conf.lines
    assert conf.options("summary") == (("summary-currency", "USD"),)


def test_what_setconfig_commented_out_leaves_at_the_next_change():
    commented = "# setconfig commented out (see config.setconfig): summary-currency=EUR\n"
    text = f"# reckless: summary\nplugin={SUMMARY}\n{commented}# reckless: end of summary\n"
    assert parse(text).options("summary") == ()
    assert commented not in parse(text).with_plugin("summary", SUMMARY, [("a", "1")]).lines


def test_a_block_without_its_end_mark_ends_before_the_next_thing():
    for after in ("\nlog-level=debug\n", "# reckless: sling\nplugin=/s\n# reckless: end of sling\n", "plugin=/other\n"):
        text = f"# reckless: summary\nplugin={SUMMARY}\nsummary-currency=EUR\n{after}"
        assert parse(text).options("summary") == (("summary-currency", "EUR"),)
        assert parse(text).without("summary").render() == after


def test_the_same_block_twice_becomes_one():
    once = parse("").with_plugin("summary", SUMMARY)
    twice = parse(once.render() * 2)
    assert in_force(twice.with_plugin("summary", SUMMARY, [("a", "1")])) == [f"plugin={SUMMARY}", "a=1"]
    assert twice.without("summary").render() == ""


def test_a_block_can_be_put_back_as_it_was():
    before = parse("# mine\n").with_plugin("summary", SUMMARY, [("a", "1")]).disabled("summary")
    block = before.block("summary")
    assert before.without("summary").with_block("summary", block) == before
    assert before.enabled("summary").with_block("summary", block) == before
    assert before.with_block("summary", "") == before.without("summary")
    assert parse("").block("summary") == ""


def test_lines_of_lightningds_own_tool_are_seen_and_taken_over_in_one_edit():
    old = "/home/me/.lightning/reckless/summary/summary.py"
    text = f"{HEADER}plugin={old}\ndisable-plugin=/home/me/.lightning/reckless/sling/sling\nlog-level=debug"
    conf = parse(text)
    assert [(line.key, line.path) for line in conf.loose] == [
        ("plugin", old), ("disable-plugin", "/home/me/.lightning/reckless/sling/sling"),
    ]  # fmt: skip
    taken = conf.with_plugin("summary", SUMMARY, instead_of=[old])
    assert in_force(taken) == [
        "disable-plugin=/home/me/.lightning/reckless/sling/sling", "log-level=debug", f"plugin={SUMMARY}",
    ]  # fmt: skip


def test_a_file_with_no_last_newline_gets_one_before_our_block():
    assert parse("log-level=debug").with_plugin("summary", SUMMARY).lines[0] == "log-level=debug\n"


odd_lines = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "",
            "# a comment",
            "log-level=debug",
            "include other.conf",
            "plugin=/a/b.py",
            "disable-plugin=b.py",
            " leading=1",
            "# setconfig commented out (see config.setconfig): x=1",
            "#off plugin=/x",
            "\u2028",
            "\x0b",
            "\x85",
            "\udcff",
        ]
    ),
).map(lambda text: text.replace("\n", "").replace("\r", ""))
endings = st.sampled_from(["\n", "\r\n", "\r"])
person = st.lists(st.tuples(odd_lines, endings), max_size=8).map(lambda ls: "".join(a + b for a, b in ls))
names = st.sampled_from(["summary", "sling", "rebalance"])
keys = st.sampled_from(["a", "b-c", "d_e"])
values = st.one_of(st.none(), st.sampled_from(["", "1", " x", "a=b", "#", 'é "q" \\']))
edits = st.one_of(
    st.tuples(st.just("with_plugin"), names, st.just(SUMMARY), st.lists(st.tuples(keys, values), max_size=3)),
    st.tuples(st.sampled_from(["without", "enabled", "disabled"]), names),
    st.tuples(st.just("set_option"), names, keys, values),
    st.tuples(st.just("unset_option"), names, keys),
)


def is_mark(raw: str) -> bool:
    return raw.startswith("# reckless: ")


@given(st.text())
def test_any_text_reads_and_renders_as_it_was(text):
    conf = parse(text)
    assert conf.render() == text
    assert parse(conf.render()) == conf
    assert conf.blocks is not None


@given(person, st.lists(edits, max_size=8))
def test_whatever_we_edit_a_persons_lines_stay_byte_for_byte_and_in_order(text, steps):
    conf = parse(text)
    for verb, *arguments in steps:
        if verb == "set_option" and conf.find(arguments[0]) is None:
            continue
        conf = getattr(conf, verb)(*arguments)
        assert parse(conf.render()) == conf
    owned = {n for b in conf.blocks for n in range(b.start, b.stop)}
    theirs = "".join(raw for n, raw in enumerate(conf.lines) if n not in owned)
    assert theirs in (text, text + "\n")
    for name in ("summary", "sling", "rebalance"):
        conf = conf.without(name)
    assert conf.render() in (text, text + "\n")


@given(person, names, st.lists(st.tuples(keys, values), max_size=4))
def test_options_come_back_as_they_were_given(text, name, options):
    conf = parse(parse(text).with_plugin(name, SUMMARY, options).render())
    assert conf.options(name) == tuple(options)
    assert conf.disabled(name).options(name) == tuple(options)
    assert conf.disabled(name).enabled(name).options(name) == tuple(options)


@given(st.text())
def test_lines_end_only_where_lightningd_ends_them(text):
    lines = split_lines(text)
    assert "".join(lines) == text
    assert all("\n" not in raw[:-1].rstrip("\r") and "\r" not in raw.rstrip("\r\n") for raw in lines)


def test_options_outside_every_block_are_found_and_leave() -> None:
    text = (
        "plugin=/r/hello/hello.py\nhello-greeting=moin\nhello-greeting=servus\n# hello-greeting=remark\nother=1\n"
        "# reckless: inner\nplugin=/r/inner/current/inner.py\nhello-greeting=inner\n# reckless: end of inner\nflag"
    )
    conf = parse(text)
    names = {"hello-greeting", "flag"}
    assert conf.loose_options(names) == (("hello-greeting", "moin"), ("hello-greeting", "servus"), ("flag", None))
    left = conf.without_loose_options(names)
    assert left.loose_options(names) == ()
    assert left.options("inner") == (("hello-greeting", "inner"),)
    assert left.render() == text.replace("hello-greeting=moin\nhello-greeting=servus\n", "").removesuffix("flag")
