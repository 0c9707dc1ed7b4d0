"""The commands: thin callbacks that import their verb when called, so that --help and list start fast."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reckless.cli.complete import complete_installed, complete_known
from reckless.cli.context import Context
from reckless.cli.globals import HELP

app = typer.Typer(
    name="reckless",
    help="The plugin manager for Core Lightning: install, upgrade and trust plugins; the node never breaks.\n\n" + HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
source_app = typer.Typer(
    help="Where plugins come from: list, add, remove.", no_args_is_help=True, rich_markup_mode=None
)
index_app = typer.Typer(
    help="For index maintainers: build the static index.", no_args_is_help=True, rich_markup_mode=None
)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan and touch nothing.")]
Installed = Annotated[list[str], typer.Argument(metavar="NAME...", autocompletion=complete_installed)]
OneInstalled = Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete_installed)]
_OPERATOR, _LOOK, _MORE = "Plugins", "Looking", "More"


@app.callback()
def _main(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Answer --version where other arguments stand beside it."""
    if version:
        from reckless import __version__

        print(f"reckless {__version__}")
        raise typer.Exit


@app.command(rich_help_panel=_OPERATOR)
def install(
    ctx: typer.Context,
    targets: Annotated[
        list[str], typer.Argument(metavar="NAME[==VERSION|@REV]...", autocompletion=complete_known, help="Plugins.")
    ],
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", metavar="KEY=VALUE", help="An option of the plugin; repeatable."),
    ] = None,
    dry_run: DryRun = False,
) -> int:
    """Install plugins, with all that they depend on, and start them."""
    from reckless.operate.install import install as verb

    return _context(ctx).change("install", lambda s: verb(s, targets, option or (), dry_run=dry_run))


def _upgrade(ctx: typer.Context, names: list[str] | None, every: bool, dry_run: bool) -> int:
    from reckless.errors import UsageError
    from reckless.operate.install import upgrade as verb

    if names and every:
        raise UsageError("usage", "--all means every plugin; leave the names out", "reckless upgrade --help")
    return _context(ctx).change("upgrade", lambda s: verb(s, names or (), dry_run=dry_run))


Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME...]", autocompletion=complete_installed)]
All = Annotated[bool, typer.Option("--all", "-a", help="Every installed plugin (also when no name is given).")]


@app.command(rich_help_panel=_OPERATOR)
def upgrade(ctx: typer.Context, names: Names = None, every: All = False, dry_run: DryRun = False) -> int:
    """Bring plugins to their newest fitting release; the old one comes back if the new one does not run."""
    return _upgrade(ctx, names, every, dry_run)


@app.command(rich_help_panel=_OPERATOR, hidden=True)
def update(ctx: typer.Context, names: Names = None, every: All = False, dry_run: DryRun = False) -> int:
    """Do what upgrade does: the name that lightningd's own tool has for it."""
    return _upgrade(ctx, names, every, dry_run)


@app.command(rich_help_panel=_OPERATOR)
def uninstall(ctx: typer.Context, names: Installed, dry_run: DryRun = False) -> int:
    """Remove plugins, and dependencies that nothing else needs."""
    from reckless.operate.remove import uninstall as verb

    return _context(ctx).change("uninstall", lambda s: verb(s, names, dry_run=dry_run))


@app.command(rich_help_panel=_OPERATOR)
def enable(ctx: typer.Context, names: Installed, dry_run: DryRun = False) -> int:
    """Switch plugins on, now and at every start of lightningd."""
    from reckless.operate.switch import enable as verb

    return _context(ctx).change("enable", lambda s: verb(s, names, dry_run=dry_run))


@app.command(rich_help_panel=_OPERATOR)
def disable(ctx: typer.Context, names: Installed, dry_run: DryRun = False) -> int:
    """Switch plugins off; they stay installed, with their options."""
    from reckless.operate.switch import disable as verb

    return _context(ctx).change("disable", lambda s: verb(s, names, dry_run=dry_run))


@app.command(rich_help_panel=_OPERATOR)
def rollback(ctx: typer.Context, name: OneInstalled, dry_run: DryRun = False) -> int:
    """Return to the release that was there before, without building."""
    from reckless.operate.switch import rollback as verb

    return _context(ctx).change("rollback", lambda s: verb(s, name, dry_run=dry_run))


@app.command(rich_help_panel=_OPERATOR)
def pin(ctx: typer.Context, names: Installed, dry_run: DryRun = False) -> int:
    """Hold plugins at their version."""
    from reckless.operate.switch import pin as verb

    return _context(ctx).change("pin", lambda s: verb(s, names, dry_run=dry_run))


@app.command(rich_help_panel=_OPERATOR)
def unpin(ctx: typer.Context, names: Installed, dry_run: DryRun = False) -> int:
    """Let plugins be upgraded again."""
    from reckless.operate.switch import pin as verb

    return _context(ctx).change("unpin", lambda s: verb(s, names, on=False, dry_run=dry_run))


@app.command("set", rich_help_panel=_OPERATOR)
def set_(
    ctx: typer.Context,
    name: OneInstalled,
    values: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...")],
    dry_run: DryRun = False,
) -> int:
    """Set options of a plugin: in the config, and in the running plugin."""
    from reckless.operate.switch import set_options as verb

    return _context(ctx).change("set", lambda s: verb(s, name, values, dry_run=dry_run))


@app.command(rich_help_panel=_OPERATOR)
def unset(
    ctx: typer.Context,
    name: OneInstalled,
    keys: Annotated[list[str], typer.Argument(metavar="KEY...")],
    dry_run: DryRun = False,
) -> int:
    """Take options of a plugin back to their defaults."""
    from reckless.operate.switch import unset_options as verb

    return _context(ctx).change("unset", lambda s: verb(s, name, keys, dry_run=dry_run))


@app.command("list", rich_help_panel=_LOOK)
def list_(ctx: typer.Context) -> int:
    """Show what is installed, and whether it runs."""
    from reckless.cli.tables import show_listing
    from reckless.operate.listing import list_installed

    return _context(ctx).answer("list", list_installed, show_listing, rows=lambda found: found.rows)


@app.command(rich_help_panel=_LOOK)
def outdated(ctx: typer.Context) -> int:
    """Show installed plugins that have a newer release."""
    from reckless.cli.tables import show_outdated
    from reckless.operate.lookup import outdated as verb

    return _context(ctx).answer("outdated", verb, show_outdated)


@app.command(rich_help_panel=_LOOK)
def search(ctx: typer.Context, words: Annotated[list[str] | None, typer.Argument(metavar="[WORD...]")] = None) -> int:
    """Find plugins by name, summary, keyword or RPC method; all of them without a word."""
    from reckless.cli.tables import show_hits
    from reckless.operate.lookup import search as verb

    return _context(ctx).answer("search", lambda s: verb(s, words or ()), show_hits)


@app.command(rich_help_panel=_LOOK)
def info(
    ctx: typer.Context, name: Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete_known)]
) -> int:
    """Show all that is known of a plugin."""
    from reckless.cli.tables import show_info
    from reckless.operate.lookup import info as verb

    return _context(ctx).answer("info", lambda s: verb(s, name), show_info)


@app.command(rich_help_panel=_LOOK)
def log(ctx: typer.Context, name: OneInstalled) -> int:
    """Show the log of a plugin's newest build."""
    from reckless.cli.tables import show_log
    from reckless.operate.listing import build_log

    return _context(ctx).answer("log", lambda s: build_log(s, name), show_log)


@app.command(rich_help_panel=_LOOK)
def doctor(ctx: typer.Context) -> int:
    """Look for what is wrong, or would keep lightningd from starting; changes nothing."""
    from reckless.cli.tables import show_diagnosis
    from reckless.operate.doctor import diagnose

    return _context(ctx).answer(
        "doctor", diagnose, show_diagnosis, rows=lambda found: found.ailments, ok=lambda found: found.ok
    )


@source_app.command("list")
def source_list(ctx: typer.Context) -> int:
    """Show the sources in order of preference."""
    from reckless.cli.tables import show_sources
    from reckless.operate.sources import list_sources

    return _context(ctx).answer("source list", list_sources, show_sources)


Locations = Annotated[list[str], typer.Argument(metavar="URL|DIR...")]


@source_app.command("add")
def source_add(ctx: typer.Context, locations: Locations, dry_run: DryRun = False) -> int:
    """Add an index (https://...), or a folder of manifests."""
    from reckless.operate.sources import add_sources

    return _context(ctx).change("source add", lambda s: add_sources(s, locations, dry_run=dry_run))


def _source_remove(ctx: typer.Context, locations: Locations, dry_run: DryRun = False) -> int:
    """Remove a source; plugins that came from it stay."""
    from reckless.operate.sources import remove_sources

    return _context(ctx).change("source remove", lambda s: remove_sources(s, locations, dry_run=dry_run))


source_app.command("remove")(_source_remove)
source_app.command("rem", hidden=True)(_source_remove)
source_app.command("rm", hidden=True)(_source_remove)


@index_app.command("build")
def index_build(
    ctx: typer.Context,
    manifests: Annotated[Path, typer.Argument(metavar="MANIFESTS", help="The folder with one TOML file a plugin.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the static files go.")],
) -> int:
    """Check every manifest and write the static index that any web server can serve."""
    from reckless.cli.tables import show_built_index
    from reckless.publish.builder import build_index

    return _context(ctx).answer("index build", lambda _: build_index(manifests, out), show_built_index)


app.add_typer(source_app, name="source", rich_help_panel=_MORE)
app.add_typer(index_app, name="index", rich_help_panel=_MORE)


def _context(ctx: typer.Context) -> Context:
    found = ctx.obj
    assert isinstance(found, Context)  # noqa: S101 - main puts it there
    return found
