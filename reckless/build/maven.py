"""Maven: `mvn package` with a local repository in the cache, and the user's own settings."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from reckless.build.java_wrapper import maven_home, maven_wrapper
from reckless.build.steps import Steps, exclusive
from reckless.build.system_packages import install_command
from reckless.errors import ToolchainMissingError

_MODULE = re.compile(r"<module>\s*([^<>]+?)\s*</module>")
_MAX_POM = 4 << 20
# Tests need packages that nothing else does, and are the author's; signing needs a key; documents are not installed.
_SKIPPED = ("-DskipTests", "-Dgpg.skip=true", "-Dmaven.javadoc.skip=true", "-Dmaven.source.skip=true")


def package(steps: Steps, folder: Path, top: Path) -> None:
    """Build the project in `folder`, with the modules of the same build that it needs. Raises BuildError.

    What is fetched is kept for all plugins, in a repository that only one Maven at a time may write.
    """
    job, root = steps.job, _root(folder, top)
    inside = root != folder
    argv: list[str | Path] = [_maven(steps, root), "--batch-mode", "--no-transfer-progress", "--strict-checksums"]
    argv += ["-Dstyle.color=never", *_SKIPPED, f"-Dmaven.repo.local={job.cache / 'maven'}"]
    settings = maven_home(steps.env) / "settings.xml"  # Maven itself looks for it by the passwd file, not by HOME
    argv += ["--settings", settings] if settings.is_file() else []
    argv += ["--threads", str(max(job.jobs, 1)), "--file", root / "pom.xml"]
    argv += ["--projects", folder.relative_to(root).as_posix(), "--also-make"] if inside else []
    with exclusive(job.cache / "maven.lock", steps.left):
        steps.run("mvn package", *argv, "package", cwd=root)


def _maven(steps: Steps, root: Path) -> Path | str:
    wrapper = maven_wrapper(root, steps.env)
    if wrapper and wrapper.program:
        return wrapper.program
    found = shutil.which("mvn", path=steps.env.get("PATH"))
    if found:
        return found
    message = f"{steps.job.name} is built with Maven, which is not here"
    if wrapper:
        message += "; its wrapper would download it, which it is not let to do"
    raise ToolchainMissingError("toolchain-missing", message, f"{install_command('maven')}; then run it again")


def _root(folder: Path, top: Path) -> Path:
    """Return the topmost folder, within the source, whose pom.xml has the project among its modules."""
    root, above = folder, folder
    while above != top:
        above = above.parent
        named = _MODULE.findall(_read(above / "pom.xml"))
        if root.relative_to(above).as_posix() in {name.removeprefix("./").rstrip("/") for name in named}:
            root = above
    return root


def _read(pom: Path) -> str:
    try:
        with pom.open(encoding="utf-8", errors="replace") as file:
            return file.read(_MAX_POM)
    except OSError:
        return ""
