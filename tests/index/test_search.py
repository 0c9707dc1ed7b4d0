"""Finding plugins by words, and misspelt names."""

from __future__ import annotations

import pytest

from reckless.index.search import search, suggestions
from reckless.model.catalog import CatalogEntry


def entry(name, summary="", keywords=(), rpcmethods=(), status="active"):
    return CatalogEntry(
        name=name,
        summary=summary,
        sha256="0" * 64,
        size=1,
        keywords=keywords,
        rpcmethods=rpcmethods,
        status=status,
    )


PLUGINS = (
    entry(
        "circular", "Rebalances the channels of a node by circular payments", ("rebalance", "liquidity"), ("circular",)
    ),
    entry("clboss", "Automatic node manager", ("autopilot",)),
    entry("rebalance", "Moves liquidity between your channels", (), ("rebalance", "rebalanceall", "rebalancestop")),
    entry("sling", "Automatically rebalance multiple channels", (), ("sling-job", "sling-stats")),
    entry("summary", "One-screen report of the node's channels", ("report",), ("summary",)),
    entry("old-report", "Report", status="archived"),
)


def names(*words):
    return [e.name for e in search(PLUGINS, words)]


def test_the_exact_name_comes_first_then_keywords_then_summaries():
    assert names("rebalance") == ["rebalance", "circular", "sling"]


def test_all_words_must_match():
    assert names("rebalance", "liquidity") == ["rebalance", "circular"]
    assert names("rebalance liquidity") == ["rebalance", "circular"]
    assert names("rebalance", "nonsense") == []


@pytest.mark.parametrize("word", ["SLING", "sling-job", "sling_job", "Sling_Stats"])
def test_case_and_underscores_make_no_difference(word):
    assert names(word)[0] == "sling"


def test_methods_are_looked_through():
    assert names("rebalancestop") == ["rebalance"]


def test_archived_plugins_come_last_unless_asked_for_by_name():
    assert names("report") == ["summary", "old-report"]
    assert names("old-report") == ["old-report"]
    assert names("old", "report") == ["old-report"]


def test_no_words_list_everything_active_first():
    assert names() == ["circular", "clboss", "rebalance", "sling", "summary", "old-report"]


def test_the_order_does_not_depend_on_the_order_of_what_is_searched():
    assert search(PLUGINS, ["node"]) == search(tuple(reversed(PLUGINS)), ["node"])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sumary", "summary"),
        ("Summery", "summary"),
        ("rebalnce", "rebalance"),
        ("clbos", "clboss"),
        ("old_report", "old-report"),
    ],
)
def test_misspelt_names_are_guessed(typed, meant):
    assert suggestions(typed, [e.name for e in PLUGINS])[0] == meant


def test_a_part_of_a_name_is_guessed_too():
    assert suggestions("report", ["old-report", "summary"]) == ("old-report",)


def test_nothing_like_it_suggests_nothing():
    assert suggestions("xyzzy", ["summary", "sling"]) == ()
    assert suggestions("", ["summary"]) == ()
    assert suggestions("anything", []) == ()


def test_at_most_three_are_suggested():
    assert len(suggestions("plugin", [f"plugin-{i}" for i in range(9)])) == 3
