"""Java and Kotlin: a jar or start script made by Maven or Gradle, and a launcher that names Java."""

from __future__ import annotations

import os
import re
import shutil

from reckless.build import gradle, maven
from reckless.build.base import BuildJob, Built, Missing
from reckless.build.java_home import find_compiler, find_jdk
from reckless.build.java_program import find_program, java_launcher
from reckless.build.java_wrapper import any_kept
from reckless.build.steps import Steps, guarded, tail, within
from reckless.build.system_packages import install_command, missing_system, missing_toolchain
from reckless.errors import BuildError, ToolchainMissingError
from reckless.model.machine import Machine
from reckless.model.manifest import Build, Language

_GRADLE = ("settings.gradle", "settings.gradle.kts", "build.gradle", "build.gradle.kts")
# Builds end before the second compiler and the parallel collector have paid for themselves: half the CPU time without.
_FAST = "-XX:+IgnoreUnrecognizedVMOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
# What javac, Maven's enforcer and Gradle say where another Java is wanted; a class file's version is Java's plus 44.
_TOO_OLD = re.compile(
    r"release version (\d+) not supported|invalid (?:source|target) release: (?:1\.)?(\d+)"
    r"|requires (?:at least )?(?:Java|JVM runtime version) (\d+)|languageVersion=(\d+)"
)
_CLASS_FILE = re.compile(r"class file version (\d+)\.\d+\), this version")
_TOO_NEW = re.compile(r"Unsupported class file major version|Could not initialize class org\.codehaus\.groovy")


class JavaBackend:
    """Builds with the JDK that JAVA_HOME names, else the one on PATH, and the Maven or Gradle that is here."""

    languages: tuple[Language, ...] = ("java",)

    def missing(self, build: Build, machine: Machine) -> tuple[Missing, ...]:
        """Return what is lacking: a JDK, one new enough, Maven or Gradle, system libraries."""
        jdk = missing_toolchain(build, machine)
        if not jdk and not find_compiler(os.environ):
            jdk = (Missing(what="a Java development kit (javac)", install=install_command("java")),)
        return (*jdk, *_missing_tools(build), *missing_system(build.system))

    def build(self, job: BuildJob) -> Built:
        """Build what the entrypoint names, where the project's own build puts it, and write the launcher.

        The launcher is called as the plugin is: a jar's name mostly has its version in it. Raises BuildError.
        """
        with guarded(job):
            jdk = find_jdk(job)
            tools = {name: f"{_FAST} {job.env.get(name, '')}".strip() for name in ("MAVEN_OPTS", "GRADLE_OPTS")}
            steps = Steps.of(job, JAVA_HOME=str(jdk.home), **tools)
            try:
                _build(steps)
            except BuildError as e:
                raise _explained(job, e) from e
            launcher = java_launcher(find_program(job), jdk)
            (job.tree / "bin" / job.name).write_text(launcher, encoding="utf-8")
            return steps.built(job.name, interpreter=str(jdk.java))


def _missing_tools(build: Build) -> tuple[Missing, ...]:
    """Say whether the build tool is missing, as far as it can be told from where the entrypoint will lie."""
    parts = build.entrypoint.split("/")[:-1]
    tools = [tool for part, tool in (("target", "mvn"), ("build", "gradle")) if part in parts] or ["mvn", "gradle"]
    if any(shutil.which(tool) or any_kept(os.environ, tool) for tool in tools):
        return ()
    names = {"mvn": "Maven", "gradle": "Gradle"}
    return (Missing(what=" or ".join(names[t] for t in tools), install=install_command(names[tools[0]].lower())),)


def _build(steps: Steps) -> None:
    """Run the build of the nearest project; a source without one may hold what is started already."""
    job = steps.job
    top, folder = within(job, job.tree / "src"), within(job, job.src)
    for at in [folder, *folder.parents]:
        if not at.is_relative_to(top):
            break
        there = [name for name in _GRADLE if (at / name).is_file()]
        if (at / "pom.xml").is_file() and not (there and "build" in job.build.entrypoint.split("/")[:-1]):
            return maven.package(steps, at, top)
        if there:
            return gradle.assemble(steps, at, top)
    if not (job.src / job.build.entrypoint).is_file():
        message = f"{job.name}: its source has neither a pom.xml nor a build.gradle"
        raise BuildError("build-failed", message, f"`subdir` in its manifest may be wrong: {job.src}")
    return None


def _explained(job: BuildJob, error: BuildError) -> BuildError:
    """Say what is the matter where the words of Maven, Gradle and javac are known."""
    if error.code != "build-failed":
        return error
    said = tail(job.log, lines=400)
    hit, class_file = _TOO_OLD.search(said), _CLASS_FILE.search(said)
    if hit or class_file:
        wanted = next(g for g in hit.groups() if g) if hit else str(int(class_file[1]) - 44) if class_file else ""
        hint = f"install that Java and name its folder in JAVA_HOME; {error.hint}"
        return ToolchainMissingError("toolchain-too-old", f"{job.name} needs Java {wanted}", hint, detail=error.detail)
    if _TOO_NEW.search(said):
        message = f"{job.name}: its build does not work with the Java that is here: it needs an older one"
        hint = f"install an older Java and name its folder in JAVA_HOME; {error.hint}"
        return ToolchainMissingError("toolchain-missing", message, hint, detail=error.detail)
    return error
