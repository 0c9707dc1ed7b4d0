"""Java plugins: what Maven builds, which file is started, and with which Java."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import Version

from reckless.build.java import JavaBackend
from reckless.build.java_home import find_java
from reckless.build.java_program import find_program
from reckless.build.machine import this_machine
from reckless.errors import BuildError
from reckless.model.machine import Machine
from reckless.model.manifest import Build
from tests.build.workshop import JAVA, ask, path_with, pom

pytestmark = [
    pytest.mark.slow,
    *[pytest.mark.skipif(not shutil.which(tool), reason=f"no {tool} here") for tool in ("javac", "mvn")],
]
SOURCE = {"src/main/java/Tiny.java": JAVA}
MINIMAL = """<groupId>com.eclipsesource.minimal-json</groupId><artifactId>minimal-json</artifactId>
<version>0.9.5</version>"""
LIBRARY = "<groupId>org.example</groupId><artifactId>library</artifactId><version>1.0</version>"
JSON = f"<dependencies><dependency>{MINIMAL}</dependency></dependencies>"
TELLS = """
import java.lang.management.ManagementFactory;

public final class Tiny {
    public static void main(String[] arguments) {
        System.out.println(ManagementFactory.getRuntimeMXBean().getInputArguments());
        System.out.println(new java.util.Scanner(System.in).nextLine() + arguments.length);
    }
}
"""


@pytest.fixture
def java(workshop, java_cache):
    """Return a maker of workshops that share a cache."""
    return lambda **more: workshop("java", cache=java_cache, **more)


def plugin(name: str, version: str, goal: str, configuration: str) -> str:
    """Return a Maven plugin's use in the package phase."""
    return f"""<plugin><groupId>org.apache.maven.plugins</groupId><artifactId>{name}</artifactId>
<version>{version}</version><configuration>{configuration}</configuration>
<executions><execution><phase>package</phase><goals><goal>{goal}</goal></goals></execution></executions></plugin>"""


ASSEMBLY = plugin(
    "maven-assembly-plugin",
    "3.7.1",
    "single",
    "<archive><manifest><mainClass>Tiny</mainClass></manifest></archive>"
    "<descriptorRefs><descriptorRef>jar-with-dependencies</descriptorRef></descriptorRefs>",
)
COPY = plugin(
    "maven-dependency-plugin",
    "3.6.1",
    "copy-dependencies",
    "<outputDirectory>${project.build.directory}/lib</outputDirectory>",
)
CLASS_PATH = "<addClasspath>true</addClasspath><classpathPrefix>lib/</classpathPrefix>"


def with_plugin(text: str, more: str) -> str:
    return text.replace("<build><plugins>", f"<build><plugins>{more}")


# What is started


@pytest.mark.parametrize("entrypoint", ["target/*-jar-with-dependencies.jar", "tiny"])
def test_a_jar_with_what_it_needs_is_found_by_a_pattern_or_the_plugins_own_name(java, entrypoint):
    """The thin jar beside it has a Main-Class, too."""
    shop = java()
    job = shop.job({"pom.xml": with_plugin(pom(JSON), ASSEMBLY), **SOURCE}, entrypoint=entrypoint, name="the-plugin")
    built = shop.build(job)
    assert built.entrypoint == "bin/the-plugin", "the same for all releases"
    assert "tiny-1.0-jar-with-dependencies.jar" in (job.tree / built.entrypoint).read_text()
    ask(job.tree / built.entrypoint)


def test_a_jar_with_its_packages_beside_it(java):
    shop = java()
    text = with_plugin(pom(JSON), COPY).replace("<mainClass>", f"{CLASS_PATH}<mainClass>")
    job = shop.job({"pom.xml": text, **SOURCE}, entrypoint="target/tiny-1.0.jar")
    ask(job.tree / shop.build(job).entrypoint)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (pom(JSON).replace("<mainClass>", f"{CLASS_PATH}<mainClass>"), "needs lib/minimal-json-0.9.5.jar beside it"),
        (pom().replace("<mainClass>Tiny</mainClass>", ""), "names no Main-Class"),
    ],
)
def test_a_jar_that_does_not_run_by_itself_is_refused_with_what_it_lacks(java, text, problem):
    shop = java()
    with pytest.raises(BuildError) as e:
        shop.build(shop.job({"pom.xml": text, **SOURCE}, entrypoint="target/*.jar"))
    assert e.value.code == "invalid-entrypoint"
    assert problem in e.value.message
    assert "shade" in e.value.hint


def test_a_module_is_built_with_those_that_it_needs(java):
    shop = java()
    modules = "<modules><module>./library</module><module>sub/app</module><module>broken</module></modules>"
    files = {
        "pom.xml": pom(f"<packaging>pom</packaging>{modules}", name="all"),
        "library/pom.xml": pom(name="library"),
        "library/src/main/java/Tiny.java": JAVA,
        "sub/app/pom.xml": with_plugin(pom(JSON.replace(MINIMAL, LIBRARY)), ASSEMBLY),
        "broken/pom.xml": pom(name="broken"),
        "broken/src/main/java/Tiny.java": "it breaks",
    }
    job = shop.job(files, entrypoint="target/*-with-dependencies.jar", subdir="sub/app")
    ask(job.tree / shop.build(job).entrypoint)


def test_a_jar_of_the_source_needs_no_build(java):
    shop = java()
    job = shop.job({"pom.xml": pom(), **SOURCE}, entrypoint="target/tiny-1.0.jar")
    shop.build(job)
    again = shop.job({}, entrypoint="plugin.jar", tree="again")
    (again.tree / "src").mkdir(parents=True)
    shutil.copy(job.src / "target/tiny-1.0.jar", again.src / "plugin.jar")
    ask(again.tree / shop.build(again).entrypoint)
    assert "mvn" not in again.log.read_text()


@pytest.mark.parametrize(
    ("jars", "entrypoint", "found"),
    [
        ({"target/a-1.jar": "Main"}, "a", "target/a-1.jar"),
        ({"target/a-1.jar": "Main", "target/original-a-1.jar": "Main"}, "a", "target/a-1.jar"),
        ({"target/a-1.jar": "Main", "target/a-1-sources.jar": "Main"}, "target/a-*.jar", "target/a-1.jar"),
        ({"target/original-a.jar": "Main"}, "target/original-a.jar", "target/original-a.jar"),
        ({"build/libs/a-1.jar": "Main", "build/libs/a-1-all.jar": "Main"}, "a", "build/libs/a-1-all.jar"),
        ({"build/libs/a-1-plain.jar": "", "build/libs/a-1.jar": "Main"}, "a", "build/libs/a-1.jar"),
        ({"app/build/libs/a-boot.jar": "Main", "core/build/libs/c.jar": ""}, "a", "app/build/libs/a-boot.jar"),
        ({"target/a-1.jar": "Main", "target/b-1.jar": "Main"}, "a", "ambiguous-entrypoint"),
        ({"target/a-1.jar": "Main", "target/a-2.jar": "Main"}, "target/a-*.jar", "ambiguous-entrypoint"),
        ({"target/a-1.jar": ""}, "a", "entrypoint-missing"),
        ({"target/a-1.jar": "Main"}, "target/b-*.jar", "entrypoint-missing"),
        ({"target/a-1.jar": "Main"}, "nowhere/*.jar", "entrypoint-missing"),
        ({"target/a-1.jar": "Main"}, "target/../../../../etc/passwd.jar", "entrypoint-missing"),
        ({"target/a-1.jar": None}, "target/a-1.jar", "invalid-entrypoint"),
        ({"target/a-1.jar": "Main", "start.sh": None}, "start.sh", "start.sh"),
    ],
)
def test_which_file_of_a_build_is_started(java, jars, entrypoint, found):
    """By jar: its Main-Class; None: no jar at all."""
    shop = java()
    job = shop.job({"README": ""}, entrypoint=entrypoint)
    for name, main in jars.items():
        (job.src / name).parent.mkdir(parents=True, exist_ok=True)
        if main is None:
            (job.src / name).write_text("no jar")
            continue
        with zipfile.ZipFile(job.src / name, "w") as jar:
            # Lines are folded at 72 bytes, and sections after the first are of single files (JAR File Specification).
            key = f"Main-\r\n Class: {main}\r\n" if main else ""
            jar.writestr("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\r\n{key}\r\nName: x\r\nMain-Class: No\r\n")
    if not found.endswith(("-entrypoint", "-missing")):
        assert find_program(job) == Path(os.path.realpath(job.src / found))
    else:
        with pytest.raises(BuildError) as e:
            find_program(job)
        assert e.value.code == found


def test_a_jar_that_is_damaged_or_odd_is_told_from_one_that_runs(java):
    shop = java()
    job = shop.job({"README": ""}, entrypoint="a.jar")
    for compression in (zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        with zipfile.ZipFile(job.src / "a.jar", "w", compression) as jar:
            jar.writestr("META-INF/MANIFEST.MF", "Main-Class: Main\r\n" * 50)
        if compression == zipfile.ZIP_DEFLATED:
            assert find_program(job)
            whole = (job.src / "a.jar").read_bytes()
            (job.src / "a.jar").write_bytes(whole.replace(whole[60:70], b"\xff" * 10))
        with pytest.raises(BuildError) as e:
            find_program(job)
        assert e.value.code == "invalid-entrypoint"


def test_a_link_out_of_the_source_is_not_followed(java, tmp_path):
    shop = java()
    job = shop.job({"README": ""}, entrypoint="target/a.jar")
    (job.src / "target").mkdir()
    (job.src / "target/a.jar").symlink_to(shutil.which("java"))
    with pytest.raises(BuildError) as e:
        find_program(job)
    assert e.value.code == "entrypoint-outside"


# How it is started


def test_it_is_small_speaks_utf8_and_is_deaf_to_the_nodes_variables(java):
    shop = java()
    job = shop.job({"pom.xml": pom(), "src/main/java/Tiny.java": TELLS}, entrypoint="tiny")
    started = job.tree / shop.build(job).entrypoint
    env = {"PATH": "/nonexistent", "LC_ALL": "C", "JAVA_TOOL_OPTIONS": "-Xmx1g", "_JAVA_OPTIONS": "-Xmx2g"}
    said = subprocess.run(
        [started, "a b"], input="grüezi 😀\n".encode(), capture_output=True, cwd="/", env=env, check=True
    )
    options, heard = said.stdout.decode().splitlines()
    assert "-XX:+UseSerialGC" in options
    assert "Xmx" not in options
    assert heard == "grüezi 😀1"
    assert said.stderr == b""


def test_java_is_named_so_that_it_lasts(java, tmp_path):
    """Not by a version manager's shim, which would choose by the folder that lightningd runs in."""
    real = os.path.realpath(shutil.which("java"))
    shims = tmp_path / "shims"
    shims.mkdir()
    (shims / "java").write_text(f'#!/bin/sh\nexec {real} "$@"\n')
    (shims / "java").chmod(0o755)
    shop = java(path=path_with(shims))
    built = shop.build(shop.job({"pom.xml": pom(), **SOURCE}, entrypoint="tiny"))
    assert built.interpreter == real
    link = tmp_path / "bin"
    link.mkdir()
    (link / "java").symlink_to(real)
    shop = java(path=path_with(link))
    built = shop.build(shop.job({}, entrypoint="tiny"))
    assert built.interpreter == str(link / "java"), "as Debian's alternatives, which an upgrade keeps"


def test_java_home_goes_before_path(monkeypatch, tmp_path):
    program = tmp_path / "jdk/bin/java"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho 'openjdk version \"99.1\"' >&2\n")
    assert find_java({"PATH": os.environ["PATH"], "JAVA_HOME": str(tmp_path / "jdk")}) != program, "it cannot be run"
    program.chmod(0o755)
    assert find_java({"PATH": os.environ["PATH"], "JAVA_HOME": str(tmp_path / "jdk")}) == program
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    assert this_machine(languages=["java"]).toolchains["java"] == Version("99.1")
    monkeypatch.setenv("JAVA_HOME", "")
    assert this_machine(languages=["java"]).toolchains["java"] != Version("99.1")


# What Maven is told


def test_the_users_settings_hold_and_what_is_in_the_cache_needs_no_network(java, tmp_path):
    """Offline by settings.xml: all is there from the build before."""
    files = {"pom.xml": pom(JSON), **SOURCE}
    shop = java()
    shop.build(shop.job(files, entrypoint="tiny"))
    (tmp_path / "home/.m2").mkdir(parents=True)
    (tmp_path / "home/.m2/settings.xml").write_text("<settings><offline>true</offline></settings>")
    shop = java(env={"HOME": str(tmp_path / "home")})
    job = shop.job(files, entrypoint="tiny", tree="again")
    shop.build(job)
    assert "Tests are skipped" in job.log.read_text()
    assert list((tmp_path / "home").rglob("*")) == [tmp_path / "home/.m2", tmp_path / "home/.m2/settings.xml"]


def test_a_users_mirror_is_asked_and_one_that_is_down_is_called_that(workshop, tmp_path):
    (tmp_path / "home/.m2").mkdir(parents=True)
    mirror = "<mirror><id>mine</id><mirrorOf>*</mirrorOf><url>http://127.0.0.1:9/</url></mirror>"
    (tmp_path / "home/.m2/settings.xml").write_text(f"<settings><mirrors>{mirror}</mirrors></settings>")
    shop = workshop("java", env={"HOME": str(tmp_path / "home")})
    with pytest.raises(BuildError) as e:
        shop.build(shop.job({"pom.xml": pom(), **SOURCE}, entrypoint="tiny"))
    assert "the network seems to be down" in e.value.message


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"README": ""}, "build-failed"),
        ({"pom.xml": "<project>"}, "build-failed"),
        ({"pom.xml": pom(java="99"), **SOURCE}, "toolchain-too-old"),
    ],
)
def test_bad_sources(java, files, code):
    shop = java()
    with pytest.raises(BuildError) as e:
        shop.build(shop.job(files, entrypoint="tiny"))
    assert e.value.code == code
    assert e.value.hint
    if code == "toolchain-too-old":
        assert "Java 99" in e.value.message


def test_two_builds_do_not_write_the_shared_repository_at_once(java):
    from reckless.build.steps import exclusive

    shop = java()
    job = shop.job({"pom.xml": pom(), **SOURCE}, entrypoint="tiny", timeout=1.5)
    with exclusive(job.cache / "maven.lock", 5), pytest.raises(BuildError) as e:
        shop.build(job)
    assert e.value.code == "build-locked"


# What is missing


def test_what_is_missing_is_told_by_where_the_entrypoint_will_lie(monkeypatch, tmp_path):
    for tool in ("java", "javac"):
        (tmp_path / tool).symlink_to(os.path.realpath(shutil.which(tool)))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JAVA_HOME", "")
    machine = Machine(os="linux", arch="x86_64", toolchains={"java": Version("17")})
    build = Build(language="java", entrypoint="target/a-*.jar")
    for entrypoint, what in (
        ("target/a-*.jar", "Maven"),
        ("build/libs/a.jar", "Gradle"),
        ("app/build/install/a/bin/a", "Gradle"),
        ("a", "Maven or Gradle"),
    ):
        missing = JavaBackend().missing(replace(build, entrypoint=entrypoint), machine)
        assert [m.what for m in missing] == [what]
        assert missing[0].install
    (tmp_path / "mvn").write_text("#!/bin/sh\n")
    (tmp_path / "mvn").chmod(0o755)
    assert JavaBackend().missing(build, machine) == ()


def test_a_runtime_is_no_development_kit(monkeypatch, tmp_path):
    for tool in ("java", "mvn"):
        (tmp_path / tool).write_text("#!/bin/sh\n")
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", "")
    machine = Machine(os="linux", arch="x86_64", toolchains={"java": Version("17")})
    (missing,) = JavaBackend().missing(Build(language="java", entrypoint="a"), machine)
    assert "javac" in missing.what


def test_a_maven_that_only_a_wrapper_has_put_there_is_used_and_none_is_downloaded(java, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("java", "javac", "sh"):
        (tools / tool).symlink_to(os.path.realpath(shutil.which(tool)))
    url = "distributionUrl=https://example.org/maven/apache-maven-3.9.6-bin.zip\n"
    files = {
        "pom.xml": pom(),
        **SOURCE,
        "mvnw": f"#!/bin/sh\ntouch {tmp_path}/ran\n",
        ".mvn/wrapper/maven-wrapper.properties": f"wrapperVersion=3.3.2\n{url}",
    }
    shop = java(path=str(tools), env={"HOME": str(tmp_path / "home")})
    with pytest.raises(BuildError) as e:
        shop.build(shop.job(files, entrypoint="tiny"))
    assert e.value.code == "toolchain-missing"
    assert "maven" in e.value.hint
    kept = tmp_path / "home/.m2/wrapper/dists/apache-maven-3.9.6/5a1b/bin/mvn"
    kept.parent.mkdir(parents=True)
    kept.write_text(f'#!/bin/sh\nPATH=/usr/bin:/bin exec {shutil.which("mvn")} "$@"\n')
    kept.chmod(0o755)
    job = shop.job(files, entrypoint="tiny")
    ask(job.tree / shop.build(job).entrypoint)
    assert str(kept) in job.log.read_text()
    assert not (tmp_path / "ran").exists()
