"""Java and Kotlin: which modules of a Maven or Gradle build are plugins."""

from __future__ import annotations

import posixpath
import re
from xml.parsers import expat

from packaging.specifiers import SpecifierSet

from reckless.build.detection.found import Finds, Found, Word, at_least
from reckless.build.detection.look import Look, above, join, one_line, relative

MAVEN = ("pom.xml",)
GRADLE = ("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts")
PROJECT = (*MAVEN, *GRADLE)
LOCKS = ("gradle.lockfile",)
MARKS = (*PROJECT, *LOCKS)

_SUFFIXES = (".java", ".kt", ".groovy", ".scala")
_USES = re.compile(r"\bjrpc\.clightning\.plugins?\b|\bCLightningPlugin\b|\"getmanifest\"")
_TESTS = r"(^|/)src/[a-z]{0,20}[tT]est[A-Za-z]{0,20}/"
_NAME = re.compile(r"rootProject\.name\s*=\s*[\"']([\w.-]+)[\"']")
_GRADLE_JAVA = re.compile(
    r"(?:sourceCompatibility|targetCompatibility)\s*=?\s*(?:JavaVersion\.VERSION_|[\"'])?(\d[\d._]*)"
    r"|JavaLanguageVersion\.of\(\s*(\d+)|jvmToolchain\(\s*(\d+)|jvmTarget\s*=\s*[\"'](\d[\d.]*)"
)
_RUNNABLE = re.compile(r"\bspringframework\.boot\b|\bapplication\b|[Ss]hadow|[Mm]ain-?[Cc]lass|\bfatJar\b")


def find(look: Look, folder: str, word: Word) -> Finds:  # noqa: ARG001 - authors name no program of such a build
    """Return the plugin of the folder's build."""
    there = look.names(folder)
    maven = not there.isdisjoint(MAVEN)
    if not maven and there.isdisjoint(GRADLE):
        return Finds()
    what = "pom.xml" if maven else next(name for name in GRADLE if name in there)
    uses, _ = look.search(folder, _SUFFIXES, _USES, depth=16, aside=_TESTS)
    if not uses:
        return Finds(seen=(f"{what}, with sources that neither use jrpclightning nor answer getmanifest",))
    pom = _pom(look.text(join(folder, "pom.xml"))) if maven else {}
    name = pom.get("artifactId", "") if maven else _gradle_name(look, folder)
    name = name or posixpath.basename(folder) or "plugin"  # any will do: the builder takes the one program there is
    how = []
    if "gradlew" in there and not maven:
        how.append("the Gradle that its gradlew asks for builds it, or a newer one; none is downloaded")
    modules = _modules(look, folder)
    if modules:
        how.append(f"its program is in the module {relative(modules[0], folder)}")
    java = _java(look, [*above(folder), *modules], pom)
    if java:
        how.append(f"it asks for Java {java} or newer")
    how.append("gradle.lockfile pins its packages" if "gradle.lockfile" in there else "no lock pins its packages")
    return Finds(
        found=(
            Found(
                language="java",
                system="maven" if maven else "gradle",
                folder=folder,
                path=uses,
                entrypoint=name,
                why_plugin=f"{what} builds it, and {relative(uses, folder)} is a plugin's code",
                how=tuple(how),
                names=(name,),
                executable=True,
                toolchain=at_least(java) if java else SpecifierSet(),
                summary=one_line(pom.get("description", "")),
            ),
        )
    )


def _modules(look: Look, folder: str) -> list[str]:
    """Return the folders of the build's modules that make a program."""
    inside = [at for at in look.walk(folder, depth=4) if at != folder and not look.names(at).isdisjoint(PROJECT)]
    return [at for at in inside if any(_RUNNABLE.search(look.text(join(at, name))) for name in PROJECT)]


def _gradle_name(look: Look, folder: str) -> str:
    texts = (look.text(join(folder, name)) for name in ("settings.gradle", "settings.gradle.kts"))
    return next((match[1] for text in texts if (match := _NAME.search(text))), "")


def _pom(text: str) -> dict[str, str]:
    """Return a pom.xml's own artifactId, version, description and Java release; what its parts say is left out.

    A pom.xml has no document type, so one with entities of its own is not read.
    """
    if "<!DOCTYPE" in text:
        return {}
    found: dict[str, str] = {}
    path: list[str] = []
    wanted = {
        ("project", "artifactId"): "artifactId",
        ("project", "description"): "description",
        ("project", "properties", "maven.compiler.release"): "java",
        ("project", "properties", "maven.compiler.source"): "java",
        ("project", "properties", "java.version"): "java",
    }

    def start(name: str, _: object) -> None:
        path.append(name.rpartition(":")[2])

    def end(_: str) -> None:
        path.pop()

    def characters(data: str) -> None:
        key = wanted.get(tuple(path)) if len(path) <= 3 else None
        if key and len(found.get(key, "")) < 1000:
            found[key] = found.get(key, "") + data

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, characters
    try:
        parser.Parse(text.encode(), True)  # noqa: FBT003 - takes no keywords
    except expat.ExpatError:
        return {}
    return {key: text.strip() for key, text in found.items()}


def _java(look: Look, folders: list[str], pom: dict[str, str]) -> str:
    """Return the Java that it asks for, as one number: 1.8 is 8."""
    texts = [look.text(join(at, name)) for at in folders for name in (*GRADLE, "gradle.properties")]
    matches = [match for text in texts for match in _GRADLE_JAVA.finditer(text)]
    asked = [pom["java"]] if pom.get("java") else [next(g for g in match.groups() if g) for match in matches]
    numbers = [int(m[1]) for one in asked if (m := re.match(r"(?:1[._])?(\d{1,2})\b", one))]
    return str(max(numbers)) if numbers else ""
