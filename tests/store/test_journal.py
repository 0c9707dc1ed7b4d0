"""The journal: what an interrupted command was about to do, or why we cannot tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reckless.errors import StoreError
from reckless.store import journal
from reckless.store.journal import Record
from reckless.store.store import Store
from tests.store.conftest import HELLO

RECORD = Record(
    verb="upgrade",
    name="hello",
    network="regtest",
    before=HELLO.on("regtest", enabled=False),
    after=HELLO,
    running=True,
    block="# reckless: hello\nplugin=/x\n",
)


def test_nothing_is_pending_where_nothing_was_begun(store: Store) -> None:
    assert journal.pending(store.layout) == ()


@pytest.mark.parametrize(
    "record",
    [RECORD, Record(verb="install", name="hello", network="bitcoin", before=None, after=HELLO)],
    ids=["upgrade", "install"],
)
def test_what_was_begun_is_pending_until_its_end(store: Store, record: Record) -> None:
    journal.begin(store.layout, [record])
    assert journal.pending(store.layout) == (record,)
    journal.end(store.layout)
    assert journal.pending(store.layout) == ()
    journal.end(store.layout)  # can be repeated


def test_only_its_user_can_read_it(store: Store) -> None:
    journal.begin(store.layout, [RECORD])  # a block may hold a secret option
    assert store.layout.journal.stat().st_mode & 0o777 == 0o600


def test_cut_short_at_any_byte_it_is_damaged(store: Store) -> None:
    journal.begin(store.layout, [RECORD])
    whole = store.layout.journal.read_bytes()
    for length in range(len(whole.rstrip())):
        store.layout.journal.write_bytes(whole[:length])
        with pytest.raises(StoreError) as caught:
            journal.pending(store.layout)
        assert caught.value.code == "state-damaged", length
        assert store.layout.journal.read_bytes() == whole[:length]


@pytest.mark.parametrize(
    "text",
    ["null", "[]", "{}", '{"schema": true}', '{"schema": 1, "verb": 1}', '{"schema": 1, "changes": []}',
     '{"schema": 1, "changes": [7]}', '{"schema": 1, "changes": [{"verb": 1}]}'],
)  # fmt: skip
def test_what_we_do_not_write_is_damage(store: Store, text: str) -> None:
    store.layout.journal.write_text(text)
    with pytest.raises(StoreError) as caught:
        journal.pending(store.layout)
    assert caught.value.code == "state-damaged"


def test_one_of_a_newer_reckless_is_left_to_that_one(store: Store) -> None:
    store.layout.journal.write_text('{"schema": 2}')
    with pytest.raises(StoreError) as caught:
        journal.pending(store.layout)
    assert caught.value.code == "state-too-new"


def test_several_changes_under_way_come_back_in_their_order(store: Store) -> None:
    other = replace(RECORD, name="other", booted=("an-option",))
    journal.begin(store.layout, [RECORD, other])
    assert journal.pending(store.layout) == (RECORD, other)
    journal.begin(store.layout, [other])  # the first is done
    assert journal.pending(store.layout) == (other,)
