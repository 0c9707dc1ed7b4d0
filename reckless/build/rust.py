"""Rust: `cargo build --release --locked`, one shared target folder a plugin."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reckless.build.base import BuildJob, Built, Missing
from reckless.build.steps import Steps, exclusive, guarded
from reckless.build.system_packages import missing_c_compiler, missing_system, missing_toolchain
from reckless.errors import BuildError, ToolchainMissingError
from reckless.model.machine import Machine
from reckless.model.manifest import Build, Language

_TOOLCHAIN_FILES = ("rust-toolchain.toml", "rust-toolchain")
_TOO_OLD = re.compile(r"requires rustc ([\d.]+)|feature `edition\d+` is required|lock file version .* requires `-Znext")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Binary:
    """A binary of the workspace: its package's Cargo.toml, and the features that it needs."""

    manifest: Path
    features: tuple[str, ...]


class RustBackend:
    """Builds with the user's cargo: their registry settings and crate cache are used, toolchains are never fetched."""

    languages: tuple[Language, ...] = ("rust",)

    def missing(self, build: Build, machine: Machine) -> tuple[Missing, ...]:
        """Return what is lacking: cargo, one new enough, a linker, system libraries."""
        return missing_toolchain(build, machine) + missing_c_compiler() + missing_system(build.system)

    def build(self, job: BuildJob) -> Built:
        """Build the binary that the entrypoint names, in whichever package of the workspace it is.

        The target folder is the cache's, one a plugin, so that the next release compiles only what changed.
        Raises BuildError.
        """
        with guarded(job):
            steps = Steps.of(job, **_toolchain_setting(job))
            name = Path(job.build.entrypoint).name
            binary, root = _find(steps, name)
            if not (root / "Cargo.lock").is_file():
                steps.note(
                    f"{job.name} has no Cargo.lock: its crates are the newest that fit, not those its author had"
                )
                _cargo(steps, "cargo generate-lockfile", "generate-lockfile", "--manifest-path", str(binary.manifest))
            target = job.cache / "cargo-target" / job.name
            with exclusive(target.with_name(f"{job.name}.lock"), steps.left):
                _forget_own_crates(target, root / "Cargo.lock")
                for old in _outputs(target, name):
                    old.unlink()
                _compile(steps, binary, name, target)
                for made in _outputs(target, name):
                    shutil.copyfile(made, job.tree / "bin" / name)
            return steps.built(name)


def _compile(steps: Steps, binary: _Binary, name: str, target: Path) -> None:
    features = ("--features", ",".join(binary.features)) if binary.features else ()
    which = ("--manifest-path", str(binary.manifest), "--bin", name, *features)
    how = ("--release", "--locked", "--target-dir", str(target), "--jobs", str(max(steps.job.jobs, 1)))
    _cargo(steps, "cargo build", "build", *how, *which, env={"CARGO_BUILD_BUILD_DIR": str(target)})


def _find(steps: Steps, name: str) -> tuple[_Binary, Path]:
    """Return the binary called `name` and the workspace's root."""
    job = steps.job
    if not (job.src / "Cargo.toml").is_file():
        raise BuildError(
            "build-failed",
            f"{job.name}: its source has no Cargo.toml",
            f"`subdir` in its manifest may be wrong: {job.src}",
        )
    metadata = json.loads(_ask_cargo(steps, "metadata", "--no-deps", "--format-version", "1"))
    found: dict[str, _Binary] = {}
    for package in metadata["packages"]:
        for made in package["targets"]:
            if "bin" in made["kind"]:
                features = tuple(made.get("required-features") or ())
                found[made["name"]] = _Binary(manifest=Path(package["manifest_path"]), features=features)
    if name not in found:
        raise BuildError(
            "entrypoint-missing",
            f"{job.name}: its source makes no binary {name}",
            f"it makes {', '.join(sorted(found)) or 'none at all'}: the manifest's entrypoint must name one of them",
        )
    return found[name], Path(metadata["workspace_root"])


def _ask_cargo(steps: Steps, *arguments: str) -> str:
    try:
        return steps.ask("cargo metadata", "cargo", *arguments)
    except BuildError as e:
        raise _explained(steps.job, e) from e


def _cargo(steps: Steps, what: str, *arguments: str, env: Mapping[str, str] | None = None) -> None:
    try:
        steps.run(what, "cargo", *arguments, env=env)
    except BuildError as e:
        raise _explained(steps.job, e) from e


def _explained(job: BuildJob, error: BuildError) -> BuildError:
    """Say what is the matter where cargo's own words are known."""
    if error.code != "build-failed":
        return error
    if hit := _TOO_OLD.search(error.detail):
        needs = f"rustc {hit[1]} or newer" if hit[1] else "a newer rustc"
        hint = f"`rustup update stable`, or install Rust as https://rustup.rs says; {error.hint}"
        return BuildError("toolchain-too-old", f"{job.name} needs {needs}", hint, detail=error.detail)
    if "--locked was passed" in error.detail:
        message = f"{job.name}: its Cargo.lock does not fit its Cargo.toml; nothing was built"
        return BuildError("lock-outdated", message, f"tell its author; {error.hint}", detail=error.detail)
    return error


def _forget_own_crates(target: Path, lock: Path) -> None:
    """Make cargo compile the plugin's own crates again, and only those.

    Cargo knows a path crate by its place in the workspace and believes it unchanged while its files' times are old:
    those of a checkout or archive often are, and a Raspberry Pi's clock jumps. So what it remembers of them goes.
    """
    remembered = [*target.glob("*/.fingerprint"), *target.glob("*/*/.fingerprint")]
    for crate in _own_crates(lock):
        for folder in remembered:
            for one in folder.glob(f"{crate}-*"):
                if re.fullmatch(re.escape(crate) + "-[0-9a-f]{16}", one.name):
                    shutil.rmtree(one)
        for one in target.glob(f"*/build/{crate}"):  # where cargo's new layout has them
            shutil.rmtree(one)


def _own_crates(lock: Path) -> list[str]:
    """Return the lock's packages that have no source: those of the workspace and its path dependencies."""
    names, name = [], ""
    for line in [*lock.read_text(encoding="utf-8").splitlines(), "[[package]]"]:
        if line == "[[package]]":
            if name:
                names.append(name)
            name = ""
        elif line.startswith("name = "):
            name = line.removeprefix("name = ").strip('"')
        elif line.startswith("source = "):
            name = ""
    return names


def _outputs(target: Path, name: str) -> list[Path]:
    """Return the built binaries of that name; with `build.target` set in cargo's config it lies one folder deeper."""
    return [*target.glob(f"release/{name}"), *target.glob(f"*/release/{name}")]


def _toolchain_setting(job: BuildJob) -> dict[str, str]:
    """Return how to make rustup use the toolchain that the source asks for, without fetching it or its components.

    Raises BuildError `toolchain-missing` where it is not installed (rustup would download it, or hang trying).
    """
    wanted = _wanted_toolchain(job)
    rustup = shutil.which("rustup", path=job.env.get("PATH"))
    if not wanted or not rustup:
        return {}
    from reckless.system.process import Command, run

    listed = run(Command(argv=[rustup, "toolchain", "list"], cwd=Path("/"), env=job.env), check=False).stdout
    installed = [line.split()[0] for line in listed.splitlines() if line.strip()]
    for name in installed:
        if name == wanted or re.fullmatch(re.escape(wanted) + r"-[a-z0-9_]+-[a-z0-9]+-[a-z0-9-]+", name):
            return {"RUSTUP_TOOLCHAIN": name}
    there = ", ".join(installed) or "none"
    raise ToolchainMissingError(
        "toolchain-missing",
        f"{job.name} is built with the Rust toolchain {wanted}, which is not installed (there: {there})",
        f"`rustup toolchain install {wanted} --profile minimal`, then run it again",
    )


def _wanted_toolchain(job: BuildJob) -> str:
    """Return the channel that rust-toolchain(.toml) names, looked for as rustup does, but never above the source."""
    top = Path(os.path.realpath(job.tree / "src"))
    folder = Path(os.path.realpath(job.src))
    while folder.is_relative_to(top):
        for file in (folder / name for name in _TOOLCHAIN_FILES):
            if file.is_file():
                return _channel(job, file)
        folder = folder.parent
    return ""


def _channel(job: BuildJob, file: Path) -> str:
    text = file.read_text(encoding="utf-8", errors="replace")
    if "[" not in text:  # the old form: nothing but the channel
        channel = text.strip()
    else:
        hit = re.search(r"""^\s*channel\s*=\s*["']([^"']*)["']""", text, re.MULTILINE)
        channel = hit[1] if hit else ""
    if channel and not re.fullmatch(r"[A-Za-z0-9][\w.-]*", channel):
        raise BuildError(
            "build-failed", f"{job.name}: {file.name} names no toolchain that can be read", "tell its author"
        )
    return channel
