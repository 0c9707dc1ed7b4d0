"""Gradle: the project's own version where it is here, without daemon, with a home in the cache."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from packaging.version import InvalidVersion, Version

from reckless.build.java_wrapper import gradle_home, gradle_wrapper
from reckless.build.steps import Steps, exclusive
from reckless.build.system_packages import install_command
from reckless.errors import ToolchainMissingError
from reckless.system.files import swap_symlink

_SETTINGS = ("gradle.properties", "init.gradle", "init.gradle.kts", "init.d")
_TASK = re.compile(r"^(?:[\w.-]+:)*([A-Za-z][\w-]*)(?= - |$)", re.MULTILINE)
# What makes a jar that runs by itself: of the Shadow and Spring Boot plugins, and as people call their own.
_FAT = re.compile(r"(shadow|boot|fat|uber|all|standalone|executable|runnable)jar", re.IGNORECASE)
_NOT_WANTED = re.compile(r"\w*dist(zip|tar)|javadoc(jar)?|sources?jar", re.IGNORECASE)
_INSTALLED = re.compile(r"(?:.*/)?build/install/[^/]+?(-shadow|-boot)?/bin/[^/]+")
_VERSION = re.compile(r"^Gradle (\d\S*)", re.MULTILINE)


def assemble(steps: Steps, folder: Path, top: Path) -> None:
    """Run the tasks that make what the entrypoint names. Raises BuildError.

    Gradle's build cache is on: what did not change since the last release is not compiled again.
    """
    job, home = steps.job, steps.job.cache / "gradle"
    _take_settings(home, gradle_home(steps.env), steps.left)
    base: list[str | Path] = [_gradle(steps, folder, top), "--no-daemon", "--console=plain", "--build-cache"]
    base += [f"--max-workers={max(job.jobs, 1)}", "--gradle-user-home", home, "--project-dir", folder]
    # No other Java is downloaded; and Kotlin's compiler, which would stay as a daemon, runs within Gradle.
    base += ["-Porg.gradle.java.installations.auto-download=false", "-Pkotlin.compiler.execution.strategy=in-process"]
    base += ["-Dkotlin.compiler.execution.strategy=in-process"]
    installed = _INSTALLED.fullmatch(job.build.entrypoint)
    if installed:
        tasks = [{"-shadow": "installShadowDist", "-boot": "installBootDist"}.get(installed[1] or "", "installDist")]
    else:
        listing = steps.ask("gradle tasks", *base, "--quiet", "tasks", "--all", cwd=folder)
        tasks = _choose(sorted(set(_TASK.findall(listing))), job.build.entrypoint)
    steps.run(f"gradle {tasks[0]}", *base, *tasks, cwd=folder)


def _choose(tasks: list[str], entrypoint: str) -> list[str]:
    """Return which of the project's tasks make the entrypoint: a jar, or a program by its bare name."""
    fat = [task for task in tasks if _FAT.fullmatch(task)]
    if not fat and "installDist" in tasks and "/" not in entrypoint:
        return ["installDist"]
    return ["assemble", *fat, *(word for task in tasks if _NOT_WANTED.fullmatch(task) for word in ("-x", task))]


def _gradle(steps: Steps, folder: Path, top: Path) -> Path | str:
    """Return the Gradle to run: what the wrapper asks for, if it is here, else an installed one that is new enough."""
    name = steps.job.name
    while (wrapper := gradle_wrapper(folder, steps.env)) is None and folder != top:
        folder = folder.parent
    if wrapper and wrapper.program:
        return wrapper.program
    found = shutil.which("gradle", path=steps.env.get("PATH"))
    if not wrapper:
        if found:
            return found
        message = f"{name} is built with Gradle, which is not here"
        raise ToolchainMissingError("toolchain-missing", message, f"{install_command('gradle')}; then run it again")
    here = _version(steps, found) if found else None
    if found and here and here >= wrapper.version:
        steps.note(f"{name} asks for Gradle {wrapper.version}, and was built with the installed {here}")
        return found
    raise ToolchainMissingError(
        "toolchain-missing",
        f"{name} is built with Gradle {wrapper.version}, which is not here"
        + (f" (installed: {here})" if here else "")
        + "; its wrapper would download it, which it is not let to do",
        "run `./gradlew --version` once in a copy of its source, which downloads it, or install that Gradle or a newer "
        "one as https://gradle.org/install says; then run it again",
    )


def _version(steps: Steps, gradle: str) -> Version | None:
    hit = _VERSION.search(steps.ask("gradle", gradle, "--version", cwd=steps.job.tree))
    try:
        return Version(hit[1]) if hit else None
    except InvalidVersion:
        return None


def _take_settings(home: Path, users: Path, patience: float) -> None:
    """Have our Gradle home refer to the user's settings: mirrors, proxies, memory. What Gradle keeps is apart."""
    home.mkdir(parents=True, exist_ok=True)
    with exclusive(home.with_name("gradle.lock"), patience):
        for name in _SETTINGS:
            theirs, ours = users / name, home / name
            if theirs.exists() and not (ours.is_symlink() and ours.readlink() == theirs):
                swap_symlink(ours, str(theirs))
            elif not theirs.exists():
                ours.unlink(missing_ok=True)
