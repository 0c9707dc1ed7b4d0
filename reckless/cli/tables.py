"""Answers of the verbs that look, as text."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from reckless.cli.render import ago, say
from reckless.cli.style import clean, columns, dim, hanging, one_line, paint, terminal_width, version_text
from reckless.model.state import OLD_TOOL

if TYPE_CHECKING:
    from reckless.cli.context import Context
    from reckless.errors import RecklessError
    from reckless.model.manifest import Manifest
    from reckless.operate.doctor import Diagnosis
    from reckless.operate.listing import Listing, Places, Row
    from reckless.operate.lookup import Hit, Info, Outdated
    from reckless.operate.sources import SourceRow
    from reckless.publish.builder import BuiltIndex

_HEALTH = {
    "running": "running", "stopped": "not running", "restart-due": "waits for a restart of lightningd",
    "disabled": "disabled",
    "node-down": "lightningd is down", "unknown": "?", "broken": "broken: its files are gone",
}  # fmt: skip


def answer_list(context: Context) -> int:
    """Answer `reckless list`; returns its exit status."""
    asked = context.ask_ahead()  # before the rest is imported: lightning-cli runs meanwhile
    from reckless.operate.listing import list_installed

    try:
        return context.answer("list", list_installed, show_listing, rows=lambda found: found.rows, asked=asked)
    finally:
        if asked is not None:
            asked.end()


def show_listing(listing: Listing) -> None:
    """Print what is installed."""
    if not listing.rows:
        say("no plugins are installed")
    else:
        say(
            columns(
                [(r.name, version_text(r.version), _health(r), _remarks(r)) for r in listing.rows],
                ("name", "version", "state", ""),
            )
        )
    for note in listing.notes:
        print(dim(clean(note), sys.stderr), file=sys.stderr)


def _health(row: Row) -> str:
    return _HEALTH[row.health]


def _remarks(row: Row) -> str:
    words = ["pinned"] if row.pinned else []
    if row.followed:
        words.append(f"from {row.followed}")
    if not row.requested:
        words.append("dependency")
    if row.origin == OLD_TOOL:
        words.append(f"installed by {OLD_TOOL}")
    return ", ".join(words)


def show_places(places: Places) -> None:
    """Print where things are."""
    say(f"config of lightningd: {clean(places.lightning_conf)}")
    say(f"folder of lightningd: {clean(places.lightning_dir)}")
    say(f"folder of plugins: {clean(places.reckless_dir)}")
    say(f"network: {places.network}")
    say(f"reckless: {places.version}")


def show_outdated(rows: tuple[Outdated, ...]) -> None:
    """Print what has a newer release."""
    if not rows:
        say("everything is up to date")
        return
    say(
        columns(
            [
                (r.name, version_text(r.version), r.newest, " ".join((r.available or r.why, r.followed)).strip())
                for r in rows
            ],
            ("name", "installed", "newest", "upgrade"),
        )
    )


def show_hits(hits: tuple[Hit, ...]) -> None:
    """Print what a search found."""
    if not hits:
        say("nothing found")
        return
    table = [
        (
            h.entry.name,
            h.entry.version,
            _standing(h),
            h.entry.summary,
        )
        for h in hits
    ]
    say(columns(table, ("name", "newest", "", "summary")))


def _standing(hit: Hit) -> str:
    if hit.builtin:
        return "built in"
    if hit.installed:
        return "installed" if hit.installed == hit.entry.version else f"has {version_text(hit.installed)}"
    return "" if hit.entry.status == "active" else hit.entry.status


def show_info(info: Info) -> None:
    """Print all that is known of a plugin."""
    rows: list[tuple[str, str]] = []
    name, room = clean(info.name), terminal_width()
    title = hanging(f"{name}: ", one_line(info.manifest.plugin.summary), width=room) if info.manifest else name
    say(paint(name, "bold") + title.removeprefix(name))
    if info.builtin and info.builtin_here:
        rows.append(("built in", f"this lightningd ships it, since v{info.builtin.since}"))
    elif info.builtin:
        rows.append(("built in", f"in lightningd from v{info.builtin.since} on"))
    if info.installed:
        marks = ["pinned"] * info.installed.pinned + ["ready-made"] * bool(info.installed_target)
        marked = f" ({', '.join(marks)})" if marks else ""
        by = f", by {OLD_TOOL}" if info.installed.is_old else ""
        followed = f", from {info.installed.followed}" if info.installed.followed else ""
        rows.append(("installed", f"{version_text(info.installed.version)}{by}{marked}{followed}"))
    if info.manifest:
        rows += _manifest_rows(info.manifest, info.fits)
        rows.append(("ready-made", _ready_made(info)))
    rows.append(("source", info.source))
    rows += [("found" if n == 0 else "", reason) for n, reason in enumerate(info.reasons)]
    rows.append(("also in", ", ".join(info.elsewhere)))
    shown = [(head, one_line(text)) for head, text in rows if text.strip()]
    width = max(len(head) for head, _ in shown)
    for head, text in shown:
        say(hanging(f"  {head.ljust(width)}  ", text, width=room).replace(head, dim(head), 1))


def _ready_made(info: Info) -> str:
    """Say for which machines the newest fitting release comes ready-made, and whether that is taken here."""
    releases = info.manifest.releases if info.manifest else ()
    release = next((r for r in releases if str(r.version) in info.fits), None)
    if release is None or not release.binary:
        return ""
    targets = ", ".join(f"{b.target} (this machine)" if b.target == info.target else b.target for b in release.binary)
    if info.target:
        return targets
    asked = info.installed is not None and info.installed.from_source
    return f"{targets}; it is built here{', as you asked (--from-source)' if asked else ': none fits this machine'}"


def _manifest_rows(manifest: Manifest, fits: tuple[str, ...]) -> list[tuple[str, str]]:
    plugin = manifest.plugin
    rows = [("status", plugin.status + (f", replaced by {plugin.replaced_by}" if plugin.replaced_by else ""))]
    rows += [("category", plugin.category), ("license", plugin.license), ("repository", plugin.repository)]
    if not manifest.releases:
        return rows
    newest = manifest.releases[0]
    marks = [
        str(r.version) + (" (yanked)" if r.yanked else "" if str(r.version) in fits else f" (lightningd {r.cln})")
        for r in manifest.releases
    ]
    return [
        *rows,
        ("releases", ", ".join(marks)),
        ("lightningd", str(newest.cln) or "any"),
        ("language", newest.build.language),
        ("depends on", ", ".join(str(d) for d in newest.depends)),
        ("conflicts", ", ".join(str(c) for c in newest.conflicts)),
        ("methods", ", ".join(newest.runtime.rpcmethods or ())),
        ("hooks", ", ".join(newest.runtime.hooks or ())),
        ("options", ", ".join(newest.runtime.options or ())),
        ("needs", ", ".join(newest.build.system)),
    ]


def show_log(found: tuple[str, str]) -> None:
    """Print a build log; where it is goes to stderr."""
    print(dim(found[0], sys.stderr), file=sys.stderr)
    say(clean(found[1]))


def show_sources(rows: tuple[SourceRow, ...]) -> None:
    """Print the sources."""
    say(columns([(r.location, "-" if r.error else str(r.plugins), _freshness(r)) for r in rows], _SOURCE_HEADS))
    for row in rows:
        _warn(row.location, row.error)
        for name, problem in sorted(row.problems.items()):
            _warn(name, problem)


_SOURCE_HEADS = ("source", "plugins", "")


def _freshness(row: SourceRow) -> str:
    if row.error:
        return "cannot be used"
    when = ago(row.fetched_at)
    text = f"cannot be reached; as of {when}" if row.offline else f"as of {when}" if when else ""
    left_out = f"{len(row.problems)} left out" if row.problems else ""
    return "; ".join(part for part in (text, left_out) if part)


def _warn(what: str, error: RecklessError | None) -> None:
    """Say on stderr why something is left out, every finding of it."""
    if error is None:
        return
    sys.stdout.flush()
    print(f"{paint('warning:', 'yellow', sys.stderr)} {clean(what)}: {clean(error.message)}", file=sys.stderr)
    if "\n" in error.detail:  # several findings; one alone is in the message
        print("\n".join(f"  {line}" for line in clean(error.detail).splitlines()), file=sys.stderr)


def show_diagnosis(found: Diagnosis) -> None:
    """Print what the doctor found."""
    for a in found.ailments:
        mark = paint("✗", "red") if a.severity == "grave" else paint("·", "yellow")
        say(f"{mark} {clean(a.message)}" + (f"\n    {clean(a.hint)}" if a.hint else ""))
    if found.ok:
        say("nothing grave was found; looked at: " + ", ".join(found.checked))


def show_built_index(built: BuiltIndex) -> None:
    """Print what was written; remarks go to stderr."""
    for finding in built.findings:
        print(f"{paint('warning:', 'yellow', sys.stderr)} {clean(str(finding))}", file=sys.stderr)
    counts = (
        (built.plugins, "plugin"),
        (built.releases, "release"),
        (built.builtins, "built-in"),
        (built.locks, "lock"),
    )
    text = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
    say(text if built.changed else f"{text}; nothing changed")
