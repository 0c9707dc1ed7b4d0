"""Tiny real plugins, jobs that build them in place, and a way to ask one for its manifest as lightningd would."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from reckless.build.base import BuildJob, Built
from reckless.build.environment import build_environment
from reckless.build.machine import this_machine
from reckless.build.registry import backend_for
from reckless.model.manifest import Build
from reckless.model.reporter import SilentReporter

REQUEST = '{"jsonrpc":"2.0","id":"1","method":"getmanifest","params":{"allow-deprecated-apis":false}}\n\n'

PYTHON = """
import json, sys
request = json.loads(sys.stdin.readline())
answer = {"options": [], "rpcmethods": [{"name": "hello", "usage": "", "description": "x"}], "dynamic": True}
print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": answer}) + "\\n", flush=True)
"""
RUST = r"""
use std::io::{BufRead, Write};
fn main() {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).unwrap();
    print!("{{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{{\"options\":[],\"rpcmethods\":[{{\"name\":\"hello\"}}],\"dynamic\":true}}}}\n\n");
    std::io::stdout().flush().unwrap();
}
"""
GO = r"""package main

import (
	"bufio"
	"fmt"
	"os"
)

func main() {
	bufio.NewReader(os.Stdin).ReadString('\n')
	fmt.Print("{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{\"options\":[],\"rpcmethods\":[{\"name\":\"hello\"}],\"dynamic\":true}}\n\n")
}
"""
NODE = """
require("readline").createInterface({ input: process.stdin }).once("line", (line) => {
  const result = { options: [], rpcmethods: [{ name: require("words") }], dynamic: true };
  const answer = JSON.stringify({ jsonrpc: "2.0", id: JSON.parse(line).id, result });
  process.stdout.write(answer + "\\n\\n", () => process.exit());
});
"""
C = r"""#include <stdio.h>
int main(void) {
    char line[4096];
    if (!fgets(line, sizeof line, stdin)) return 1;
    printf("{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{\"options\":[],\"rpcmethods\":[{\"name\":\"hello\"}],\"dynamic\":true}}\n\n");
    return 0;
}
"""
BASH = r"""
read -r line
printf '%s\n\n' '{"jsonrpc":"2.0","id":"1","result":{"options":[],"rpcmethods":[{"name":"hello"}],"dynamic":true}}'
"""
# A package with a dependency that needs no registry.
WORDS = {"words/package.json": '{"name": "words", "version": "1.0.0"}', "words/index.js": 'module.exports = "hello";\n'}

JAVA = r"""
import java.io.*;

public final class Tiny {
    public static void main(String[] arguments) throws IOException {
        new BufferedReader(new InputStreamReader(System.in)).readLine();
        System.out.print("{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{\"options\":[],");
        System.out.print("\"rpcmethods\":[{\"name\":\"hello\"}],\"dynamic\":true}}\n\n");
    }
}
"""


def pom(more: str = "", *, name: str = "tiny", java: str = "11") -> str:
    """Return a pom.xml that makes target/NAME-1.0.jar, which runs by itself; `more` stands in <project>."""
    return f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.example</groupId>
  <artifactId>{name}</artifactId>
  <version>1.0</version>
  <properties>
    <maven.compiler.source>{java}</maven.compiler.source>
    <maven.compiler.target>{java}</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  {more}
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId>
    <artifactId>maven-jar-plugin</artifactId>
    <version>3.4.1</version>
    <configuration><archive><manifest><mainClass>Tiny</mainClass></manifest></archive></configuration>
  </plugin></plugins></build>
</project>
"""


def package_json(**more) -> str:
    """Return a package.json that depends on `words`, with `more` keys."""
    return json.dumps({"name": "tiny", "version": "1.0.0", "dependencies": {"words": "file:./words"}, **more})


@dataclass(kw_only=True)
class Recorder(SilentReporter):
    """Keeps what a build said."""

    steps: list[tuple[str, str, str]] = field(default_factory=list)

    def step(self, name: str, phase: str, detail: str = "") -> None:
        self.steps.append((name, phase, detail))


@dataclass(kw_only=True)
class Workshop:
    """A folder with a tree, a cache and a home: makes jobs and builds them."""

    root: Path
    language: str = "python"
    path: str = ""
    env: dict[str, str] = field(default_factory=dict)
    cache: Path = Path()

    def __post_init__(self):
        self.cache = self.root / "cache" if self.cache == Path() else self.cache

    def job(
        self, files: dict[str, str | bytes], *, entrypoint: str = "plugin.py", tree: str = "tree", **more
    ) -> BuildJob:
        place = self.root / tree
        for name, text in files.items():
            file = place / "src" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
        build = {k: more.pop(k) for k in ("lock", "system", "target") if k in more}
        toolchain = SpecifierSet(more.pop("toolchain", ""))
        env = build_environment(Path.home(), self.cache) | self.env
        if self.path:
            env["PATH"] = self.path
        shipped = more.pop("shipped", None)
        return BuildJob(
            name=more.pop("name", "plugin"),
            tree=place,
            subdir=more.pop("subdir", ""),
            build=Build(language=self.language, entrypoint=entrypoint, toolchain=toolchain, **build),
            machine=this_machine(languages=[self.language]),
            cache=self.cache,
            env=env,
            reporter=more.pop("reporter", SilentReporter()),
            lock=shipped,
            jobs=2,
            **more,
        )

    def build(self, job: BuildJob) -> Built:
        return backend_for(job.build.language).build(job)


def ask(entrypoint: Path, *, cwd: Path = Path("/"), env: dict[str, str] | None = None) -> dict:
    """Feed a built entrypoint a getmanifest request, with the short PATH of a service, and return its result."""
    environment = {"PATH": "/usr/bin:/bin", "LIGHTNINGD_PLUGIN": "1", "LIGHTNINGD_VERSION": "v26.06.6", **(env or {})}
    done = subprocess.run(
        [entrypoint], input=REQUEST, capture_output=True, text=True, cwd=cwd, env=environment, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["result"]


def snapshot(folder: Path, *ignored: str) -> dict[str, str]:
    """Return each file below `folder` with its content's digest, byte code and folders named in `ignored` left out."""
    found = {}
    for place, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if f not in {"__pycache__", *ignored}]
        for name in files:
            file = Path(place) / name
            found[str(file.relative_to(folder))] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


@functools.cache
def without(program: str) -> str:
    """Return our PATH without the folders that hold `program`."""
    return os.pathsep.join(f for f in os.environ["PATH"].split(os.pathsep) if not (Path(f) / program).exists())


def path_with(*folders: Path | str) -> str:
    """Return our PATH with `folders` before it."""
    return os.pathsep.join([*map(str, folders), os.environ["PATH"]])


def uv_folder() -> Path:
    """Return where uv is: beside the interpreter that runs the tests, or on PATH."""
    beside = Path(sys.executable).parent
    if (beside / "uv").exists():
        return beside
    found = shutil.which("uv")
    if not found:
        pytest.skip("uv is not installed")
    return Path(found).parent
