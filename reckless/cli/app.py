"""The commands: thin callbacks that import their verb when called, so that --help and list start fast."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reckless.cli.complete import complete_installed, complete_known
from reckless.cli.context import Context
from reckless.cli.help import Command, Group

if TYPE_CHECKING:
    from reckless.operate.session import Session

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
app = typer.Typer(
    name="reckless",
    cls=Group,
    help="The plugin manager for Core Lightning: install, upgrade and remove plugins; the node never breaks.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=_SETTINGS,
)
source_app = typer.Typer(cls=Group, help="Where plugins come from: list, add, remove.", rich_markup_mode=None)
index_app = typer.Typer(cls=Group, help="For who keeps an index: lock, check, build it.", rich_markup_mode=None)

FromSource = Annotated[
    bool | None,
    typer.Option(
        "--from-source/--prebuilt",
        help="Build it here even where a ready-made program fits, now and at upgrades; or take that again.",
        show_default=False,
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan and touch nothing.")]
Installed = Annotated[
    list[str], typer.Argument(metavar="NAME...", autocompletion=complete_installed, help="Installed plugins.")
]
OneInstalled = Annotated[
    str, typer.Argument(metavar="NAME", autocompletion=complete_installed, help="An installed plugin.")
]
_PLUGINS, _LOOK, _MORE = "Plugins", "Looking (changes nothing)", "Sources and indexes"
_operator = partial(app.command, cls=Command, rich_help_panel=_PLUGINS)
_look = partial(app.command, cls=Command, rich_help_panel=_LOOK)


@app.callback()
def _main(
    version: Annotated[bool, typer.Option("--version", "-V", help="Print the version and exit.")] = False,
) -> None:
    """Answer --version where other arguments stand beside it."""
    if version:
        from reckless import __version__

        print(f"reckless {__version__}")
        raise typer.Exit


@_operator()
def install(
    ctx: typer.Context,
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME[==VERSION|@REV]|PATH|URL...",
            autocompletion=complete_known,
            help="Plugins: names, with a version or revision or not; folders; addresses of git repositories.",
        ),
    ],
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option", "-o", metavar="KEY=VALUE", help="Set an option of the plugin; may be given several times."
        ),
    ] = None,
    from_source: FromSource = None,
    dry_run: DryRun = False,
) -> int:
    """Install plugins, with all that they depend on, and start them.

    A folder is named with a slash (./my-plugin), a repository as https://host/user/repo, with @TAG or #REV:FOLDER
    behind it or not; the address of a folder as a browser shows it will do, too.
    """
    from reckless.operate.install import install as verb

    return _context(ctx).change(
        "install", lambda s: verb(s, targets, option or (), from_source=from_source, dry_run=dry_run)
    )


def _upgrade(ctx: typer.Context, names: list[str] | None, every: bool, from_source: bool | None, dry_run: bool) -> int:
    from reckless.errors import UsageError
    from reckless.operate.install import upgrade as verb

    if names and every:
        raise UsageError("usage", "--all means every plugin; leave the names out", "reckless upgrade --help")
    return _context(ctx).change("upgrade", lambda s: verb(s, names or (), from_source=from_source, dry_run=dry_run))


Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME...]", autocompletion=complete_installed, help="Installed plugins.")
]
All = Annotated[bool, typer.Option("--all", "-a", help="Every installed plugin (also when no name is given).")]


@_operator()
def upgrade(
    ctx: typer.Context, names: Names = None, every: All = False, from_source: FromSource = None, dry_run: DryRun = False
) -> int:
    """Bring plugins to their newest fitting release.

    All are built and tried first, with the old ones running; where a new one does not run, the old one comes back.
    """
    return _upgrade(ctx, names, every, from_source, dry_run)


@_operator(hidden=True)
def update(
    ctx: typer.Context, names: Names = None, every: All = False, from_source: FromSource = None, dry_run: DryRun = False
) -> int:
    """Do what upgrade does: the name that lightningd's own tool has for it."""
    return _upgrade(ctx, names, every, from_source, dry_run)


@_operator()
def uninstall(ctx: typer.Context, names: Installed, dry_run: DryRun = False) -> int:
    """Remove plugins, and dependencies that nothing else needs."""
    from reckless.operate.remove import uninstall as verb

    return _context(ctx).change("uninstall", lambda s: verb(s, names, dry_run=dry_run))


@_operator()
def enable(ctx: typer.Context, names: Installed, dry_run: DryRun = False) -> int:
    """Switch plugins on, now and at every start of lightningd."""
    from reckless.operate.switch import enable as verb

    return _context(ctx).change("enable", lambda s: verb(s, names, dry_run=dry_run))


@_operator()
def disable(ctx: typer.Context, names: Installed, dry_run: DryRun = False) -> int:
    """Switch plugins off; they stay installed, with their options."""
    from reckless.operate.switch import disable as verb

    return _context(ctx).change("disable", lambda s: verb(s, names, dry_run=dry_run))


@_operator()
def rollback(ctx: typer.Context, name: OneInstalled, dry_run: DryRun = False) -> int:
    """Return to the release that was there before, without building."""
    from reckless.operate.switch import rollback as verb

    return _context(ctx).change("rollback", lambda s: verb(s, name, dry_run=dry_run))


@_operator()
def pin(ctx: typer.Context, names: Installed, dry_run: DryRun = False) -> int:
    """Hold plugins at their version."""
    from reckless.operate.switch import pin as verb

    return _context(ctx).change("pin", lambda s: verb(s, names, dry_run=dry_run))


@_operator()
def unpin(ctx: typer.Context, names: Installed, dry_run: DryRun = False) -> int:
    """Let plugins be upgraded again."""
    from reckless.operate.switch import pin as verb

    return _context(ctx).change("unpin", lambda s: verb(s, names, on=False, dry_run=dry_run))


@_operator("set")
def set_(
    ctx: typer.Context,
    name: OneInstalled,
    values: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...", help="Options and their values.")],
    dry_run: DryRun = False,
) -> int:
    """Set options of a plugin, in the config and in the running plugin."""
    from reckless.operate.switch import set_options as verb

    return _context(ctx).change("set", lambda s: verb(s, name, values, dry_run=dry_run))


@_operator()
def unset(
    ctx: typer.Context,
    name: OneInstalled,
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="Options.")],
    dry_run: DryRun = False,
) -> int:
    """Take options of a plugin back to their defaults."""
    from reckless.operate.switch import unset_options as verb

    return _context(ctx).change("unset", lambda s: verb(s, name, keys, dry_run=dry_run))


@_look("list")
def list_(ctx: typer.Context) -> int:
    """Show what is installed, and whether it runs."""
    from reckless.cli.tables import answer_list

    return answer_list(_context(ctx))


@_look("listinstalled", hidden=True)
def list_installed(ctx: typer.Context) -> int:
    """Do what list does: the name that newer versions of lightningd's own tool have for it."""
    return list_(ctx)


@_look("listavailable", hidden=True)
def list_available(ctx: typer.Context) -> int:
    """Do what search does without a word."""
    return search(ctx)


@_look("listconfig", hidden=True)
def list_config(ctx: typer.Context) -> int:
    """Show which node, which folders and which config file are meant."""
    from reckless.cli.tables import show_places
    from reckless.operate.listing import places

    return _context(ctx).answer("listconfig", places, show_places)


@_look()
def outdated(ctx: typer.Context) -> int:
    """Show installed plugins that have a newer release."""
    from reckless.cli.tables import show_outdated
    from reckless.operate.lookup import outdated as verb

    return _context(ctx).answer("outdated", verb, show_outdated)


@_look()
def search(
    ctx: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORD...]", help="What must all occur.")] = None,
) -> int:
    """Find plugins by name, summary, keyword or RPC method.

    Without a word, all plugins are shown.
    """
    from reckless.cli.tables import show_hits
    from reckless.operate.lookup import search as verb

    return _context(ctx).answer("search", lambda s: verb(s, words or ()), show_hits)


@_look()
def info(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="NAME|PATH|URL", autocompletion=complete_known, help="A plugin, or where one is."),
    ],
) -> int:
    """Show all that is known of a plugin, or of what is in a folder or repository."""
    from reckless.cli.tables import show_info
    from reckless.operate.lookup import info as verb

    return _context(ctx).answer("info", lambda s: verb(s, name), show_info)


@_look()
def log(ctx: typer.Context, name: OneInstalled) -> int:
    """Show the log of a plugin's newest build."""
    from reckless.cli.tables import show_log
    from reckless.operate.listing import build_log

    return _context(ctx).answer("log", lambda s: build_log(s, name), show_log)


@_look()
def doctor(
    ctx: typer.Context,
    fix: Annotated[
        bool, typer.Option("--fix", help="Make a state.json that is gone or damaged again, from the installed plugins.")
    ] = False,
) -> int:
    """Look for what is wrong, or would keep lightningd from starting."""
    from reckless.cli.tables import show_diagnosis
    from reckless.operate.doctor import Diagnosis, diagnose

    def work(session: Session) -> Diagnosis:
        if fix:
            from reckless.operate.rebuild import rebuild

            rebuild(session)
        return diagnose(session)

    return _context(ctx).answer(
        "doctor", work, show_diagnosis, rows=lambda found: found.ailments, ok=lambda found: found.ok
    )


@source_app.command("list", cls=Command)
def source_list(ctx: typer.Context) -> int:
    """Show the sources in order of preference."""
    from reckless.cli.tables import show_sources
    from reckless.operate.sources import list_sources

    return _context(ctx).answer("source list", list_sources, show_sources)


Locations = Annotated[
    list[str],
    typer.Argument(
        metavar="URL|DIR...",
        help="The address of an index or git repository, or a folder with an index, manifests or plugins.",
    ),
]


@source_app.command("add", cls=Command)
def source_add(ctx: typer.Context, locations: Locations, dry_run: DryRun = False) -> int:
    """Add an index, a git repository or a folder."""
    from reckless.operate.sources import add_sources

    return _context(ctx).change("source add", lambda s: add_sources(s, locations, dry_run=dry_run))


def _source_remove(ctx: typer.Context, locations: Locations, dry_run: DryRun = False) -> int:
    """Remove a source; plugins that came from it stay."""
    from reckless.operate.sources import remove_sources

    return _context(ctx).change("source remove", lambda s: remove_sources(s, locations, dry_run=dry_run))


source_app.command("remove", cls=Command)(_source_remove)
source_app.command("rem", cls=Command, hidden=True)(_source_remove)
source_app.command("rm", cls=Command, hidden=True)(_source_remove)


Manifests = Annotated[Path, typer.Argument(metavar="MANIFESTS", help="The folder with one TOML file a plugin.")]
Local = Annotated[
    bool, typer.Option("--local", help="For trials: allow sources on this machine (paths, http on loopback).")
]
Listed = Annotated[list[str] | None, typer.Argument(metavar="[NAME...]", help="Plugins in that folder; else all.")]


@index_app.command("lock", cls=Command)
def index_lock(
    ctx: typer.Context,
    manifests: Manifests,
    names: Listed = None,
    upgrade: Annotated[bool, typer.Option("--upgrade", help="Make those again that are there.")] = False,
    newest: Annotated[
        bool, typer.Option("--newest", help="Take the packages of today, not those of the release's day.")
    ] = False,
    local: Local = False,
) -> int:
    """Make hashed locks for Python releases that pin nothing, and name them in their manifests."""
    from reckless.cli.index_tables import show_locks
    from reckless.publish.lock import LockWishes, lock_releases

    wishes = LockWishes(names=names or (), upgrade=upgrade, newest=newest, local=local)
    return _context(ctx).answer(
        "index lock",
        lambda s: lock_releases(manifests, wishes, cache=s.settings.cache, reporter=s.reporter),
        show_locks,
        ok=lambda rows: all(row.standing != "failed" for row in rows),
        long=True,
    )


@index_app.command("check", cls=Command)
def index_check(
    ctx: typer.Context,
    manifests: Manifests,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME[==VERSION]...]", help="Plugins in that folder; else all.")
    ] = None,
    changed_since: Annotated[
        str,
        typer.Option("--changed-since", metavar="REV", help="Only releases that are new or other than in git's REV."),
    ] = "",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Record it in DIR/catalogue.json and DIR/catalogue.md.")
    ] = None,
    local: Local = False,
) -> int:
    """Install each release for real, on a throw-away node where there is a lightningd, and say how far it came."""
    from reckless.cli.index_tables import show_trials
    from reckless.publish.check_installs import CheckWishes, check_installs

    wishes = CheckWishes(names=names or (), changed_since=changed_since, out=out, local=local)
    return _context(ctx).answer(
        "index check",
        lambda s: check_installs(manifests, wishes, s.settings, s.reporter),
        show_trials,
        ok=lambda trials: all(trial.ok for trial in trials),
        long=True,
    )


@index_app.command("build", cls=Command)
def index_build(
    ctx: typer.Context,
    manifests: Manifests,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the static files go.")],
    local: Local = False,
) -> int:
    """Check every manifest and write the static index that any web server can serve."""
    from reckless.cli.tables import show_built_index
    from reckless.publish.builder import build_index

    return _context(ctx).answer("index build", lambda _: build_index(manifests, out, local=local), show_built_index)


app.add_typer(source_app, name="source", rich_help_panel=_MORE)
app.add_typer(index_app, name="index", rich_help_panel=_MORE)


def _context(ctx: typer.Context) -> Context:
    found = ctx.obj
    assert isinstance(found, Context)  # noqa: S101 - main puts it there
    return found
