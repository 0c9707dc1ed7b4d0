"""Help pages: commands by what they are for, nothing cut off, the options of every command said once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typer.core import TyperCommand, TyperGroup

from reckless.cli.globals import HELP

if TYPE_CHECKING:
    # typer carries its own copy of click, and exports these two by these names only
    from typer._click.core import Command as ClickCommand
    from typer._click.core import Context
    from typer._click.formatting import HelpFormatter

EPILOG = "-l, -d, -c, --network, -r, -v and -j go with every command: reckless --help"


class Command(TyperCommand):
    """A command whose usage line reads as its documentation does: NAME..., without braces."""

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """Return what stands behind the command's name."""
        return [piece.removeprefix("{").removesuffix("}") for piece in super().collect_usage_pieces(ctx)]

    def format_epilog(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Point at the options that are on another page."""
        super().format_epilog(ctx, formatter)
        _point(formatter)


class Group(TyperGroup):
    """Commands under the headings that `rich_help_panel` gives them."""

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write each heading with its commands; a summary that is too long is wrapped and not cut."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                panel = str(getattr(command, "rich_help_panel", None) or "Commands")
                panels.setdefault(panel, []).append((name, _summary(command)))
        width = max(len(name) for rows in panels.values() for name, _ in rows)
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl([(name.ljust(width), text) for name, text in rows])

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the commands first; then, on the first page, the options of every command."""
        self.format_commands(ctx, formatter)
        own = [record for param in self.get_params(ctx) if (record := param.get_help_record(ctx)) is not None]
        if ctx.parent is None:
            with formatter.section("Options, before or after any command"):
                formatter.write_dl([*HELP, *own])
        else:
            with formatter.section("Options"):
                formatter.write_dl(own)

    def format_epilog(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Say where more is to be had."""
        super().format_epilog(ctx, formatter)
        if ctx.parent is not None:
            _point(formatter)
            return
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text("`reckless COMMAND --help` says more of one command.")


def _point(formatter: HelpFormatter) -> None:
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(EPILOG)


def _summary(command: ClickCommand) -> str:
    return " ".join((command.help or "").split("\n\n", maxsplit=1)[0].split())
