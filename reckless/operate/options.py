"""A plugin's options: those in the config, those given now, and whether the plugin takes them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from reckless.errors import ConfigError, RecklessError, UsageError
from reckless.model.state import Entry
from reckless.node.check import check_options
from reckless.node.conf import Options
from reckless.node.files import NodeFiles
from reckless.node.probe import probe
from reckless.operate.session import Session


def parse_options(texts: Sequence[str]) -> Options:
    """Read `KEY=VALUE` items. Raises UsageError `usage`."""
    options: list[tuple[str, str | None]] = []
    for text in texts:
        key, equals, value = text.partition("=")
        key = key.strip().removeprefix("--")
        if not key or not equals:
            raise UsageError("usage", f"{text!r} is not KEY=VALUE", "for example summary-currency=EUR")
        options.append((key, value))
    return tuple(options)


def kept_options(session: Session, name: str, given: Options) -> Options:
    """Return the plugin's options in the config that `given` does not replace."""
    replaced = {key for key, _ in given}
    return tuple(pair for pair in session.files.read_our_conf().options(name) if pair[0] not in replaced)


def checked_options(session: Session, entry: Entry, options: Options) -> Options:
    """Ask the installed plugin itself whether it takes `options`; returns them as lightningd wants them written.

    Raises ProbeError `option-unknown`, `option-invalid`.
    """
    path = session.store.layout.tree(entry.name, entry.tree) / entry.entrypoint
    limit = session.settings.probe_timeout
    answer = probe(path, cwd=session.files.network_dir, lightningd=session.lightningd, timeout=limit)
    return check_options(answer.manifest.options, options)


def refuse_required(name: str, keys: Collection[str], required: Sequence[str]) -> None:
    """Raise RecklessError `option-required` where one of the options to go is one that the plugin cannot do without."""
    for key in required:
        if key in keys:
            raise RecklessError(
                "option-required",
                f"{name} cannot start without its option {key}; nothing was changed",
                f"`reckless set {name} {key}=VALUE` gives it another value; `reckless disable {name}` switches it off",
            )


def refuse_unknown(name: str, keys: Collection[str], offered: Sequence[str]) -> None:
    """Raise RecklessError `option-unknown` where the plugin has no such option, with what was perhaps meant."""
    from reckless.index.search import suggestions

    for key in sorted(keys):
        if key not in offered:
            near = suggestions(key, sorted(offered))
            known = f"did you mean {' or '.join(near)}?" if near else f"its options are: {', '.join(offered) or 'none'}"
            raise RecklessError("option-unknown", f"{name} has no option {key}; nothing was changed", known)


def refuse_orphans(files: NodeFiles, name: str, leaving: Sequence[str], *, release: str = "") -> None:
    """Refuse to take options out of lightningd's reach while a person's own config sets them: it would not start.

    They leave with the plugin, or with its new `release`. Raises ConfigError `option-in-config`.
    """
    lines = files.orphaned_by(leaving)
    if not lines:
        return
    first = lines[0]
    why = f"without {name}," if not release else f"{release} no longer has it, and"
    raise ConfigError(
        "option-in-config",
        f"{first.file} line {first.line} sets {first.key}, an option of {name}: {why} lightningd would "
        "refuse to start; nothing was changed",
        f"take that line out, then run this again (`reckless set {name} KEY=VALUE` keeps settings with the plugin)",
    )
