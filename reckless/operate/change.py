"""One plugin's change on one node: what is to become of it, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass

from reckless.model.state import Entry, State
from reckless.node.conf import Options, RecklessConf
from reckless.operate.session import Session
from reckless.store.journal import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One plugin from `before` to `after` (None: not installed), with the options that it is to have here.

    `methods` must be there once it runs. `offered` are the names of all options that the old version has, `offers`
    those of the new: none of the old ones may stay in the config once the plugin leaves. `disables` are the built-ins
    that may not run beside it.
    """

    verb: str
    name: str
    before: Entry | None
    after: Entry | None
    options: Options = ()
    methods: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    disables: tuple[str, ...] = ()
    restart_plugin: bool = False


@dataclass(kw_only=True, slots=True)
class Job:
    """One change being carried out: `conf` is our file as it was.

    `touched`: the node was told something; `started`: the new version was started, and is to be verified.
    """

    session: Session
    state: State
    change: Change
    conf: RecklessConf
    record: Record
    touched: bool = False
    started: bool = False

    @property
    def had(self) -> Options:
        """The plugin's options in the config before."""
        return self.conf.options(self.change.name)

    @property
    def stays(self) -> bool:
        """Whether the plugin is to be in this network's config."""
        return self.change.after is not None and self.session.network in self.change.after.enabled


def is_swap(session: Session, change: Change) -> bool:
    """Say whether `change` only has one running tree take another's place: no option, no line of the config changes.

    Such changes of plugins that do not need each other can be made together. Others cannot: they write to one file, and
    lightningd may not survive a start with options while another plugin is stopped (reckless.operate.starting).
    """
    before, after = change.before, change.after
    if before is None or after is None or session.info is None or change.options or change.disables:
        return False
    block = session.files.read_our_conf().find(change.name)
    as_it_was = block is not None and block.enabled and not block.options and not block.disables
    dynamic, entrypoint = before.dynamic and after.dynamic, before.entrypoint == after.entrypoint
    return as_it_was and dynamic and entrypoint and before.enabled == after.enabled
