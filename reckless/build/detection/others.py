"""Builds that can be told but that reckless has no builder for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reckless.build.detection.look import Look, relative

# What the build's file is called, whose it is, and what its sources end with.
_BUILDS = (
    (re.compile(r"build\.sbt"), "Scala (sbt)", (".scala",)),
    (re.compile(r".*\.(fsproj|csproj|sln)"), ".NET", (".fs", ".cs")),
    (re.compile(r".*\.nimble"), "Nim (nimble)", (".nim",)),
    (re.compile(r".*\.cabal|stack\.yaml"), "Haskell", (".hs",)),
    (re.compile(r"mix\.exs"), "Elixir", (".ex", ".exs")),
    (re.compile(r"dune-project"), "OCaml (dune)", (".ml",)),
    (re.compile(r"build\.zig"), "Zig", (".zig",)),
    (re.compile(r"pubspec\.yaml"), "Dart", (".dart",)),
    (re.compile(r"Package\.swift"), "Swift", (".swift",)),
    (re.compile(r"shard\.yml"), "Crystal", (".cr",)),
    (re.compile(r"composer\.json"), "PHP (composer)", (".php",)),
    (re.compile(r"deno\.jsonc?"), "Deno", (".ts", ".js")),
    (re.compile(r"meson\.build"), "Meson", (".c", ".cc", ".cpp", ".vala")),
)
_USES = re.compile(r"getmanifest|DotNetLightning\.ClnRpc\.Plugin|PluginServerBase|cln_plugin_api|\bControl\.Plugin\b")


@dataclass(frozen=True, slots=True)
class Other:
    """A build that reckless cannot carry out: its file, whose it is, and which source shows a plugin (or empty)."""

    file: str
    language: str
    source: str


def find(look: Look, folder: str) -> Other | None:
    """Return the build of the folder that reckless has no builder for, if there is one."""
    for name in sorted(look.names(folder)):
        for pattern, language, suffixes in _BUILDS:
            if pattern.fullmatch(name):
                source, _ = look.search(folder, suffixes, _USES, depth=6)
                return Other(name, language, relative(source, folder) if source else "")
    return None
