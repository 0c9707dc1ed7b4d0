"""Gradle: which one is run and how it is called (a stand-in tells), and what a real one makes, where there is one."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import pytest

from reckless.errors import BuildError
from tests.build.workshop import JAVA, ask

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not shutil.which("javac"), reason="no javac here")]
REAL = pytest.mark.skipif(not shutil.which("gradle"), reason="no gradle here; Debian's is one")
# It tells how it was called, lists the tasks that `tasks.txt` has, and makes a start script.
STAND_IN = """#!/bin/sh
for word; do
  case "$word" in
    --version) echo; echo 'Gradle @VERSION@'; exit 0 ;;
    --project-dir) project=next ;;
    *) test "$project" = next && project=$word ;;
  esac
  last=$word
done
if [ "$last" = --all ]; then cat "$project/tasks.txt"; exit 0; fi
printf '%s\\n' "$0" "$JAVA_HOME" "$@" > "$project/called.txt"
mkdir -p "$project/build/install/tiny/bin"
printf '#!/bin/sh\\nexec java -version\\n' > "$project/build/install/tiny/bin/tiny"
"""
INSTALLED = "build/install/tiny/bin/tiny"
TASKS = "Build tasks\n-----------\nassemble - Assembles.\n:app:jar\ninstallDist - Installs.\ndistZip\njavadoc - Docs\n"
APPLICATION = "apply plugin: 'java'\napply plugin: 'application'\nmainClassName = 'Tiny'\nsourceCompatibility = 11\n"
FAT = """task fatJar(type: Jar) {
  classifier = 'all'
  manifest { attributes 'Main-Class': 'Tiny' }
  with jar
}
"""


def stand_in(place: Path, version: str = "8.4") -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(STAND_IN.replace("@VERSION@", version))
    place.chmod(0o755)
    return place


def wrapper(version: str) -> dict[str, str]:
    """Return a project whose wrapper asks for a version; its script would leave a trace."""
    url = f"distributionUrl=https\\://services.example.org/distributions/gradle-{version}-bin.zip\n"
    return {
        "build.gradle": "",
        "tasks.txt": TASKS,
        "gradlew": "#!/bin/sh\ntouch ran\n",
        "gradle/wrapper/gradle-wrapper.properties": f"distributionBase=GRADLE_USER_HOME\n{url}zipStoreBase=x\n",
    }


@pytest.fixture
def home(tmp_path):
    """A user's home, with no Gradle in it and none on PATH."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def gradleless(workshop, home, tmp_path):
    """Return a workshop whose PATH has Java, and a folder `tools` for more, but no gradle."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("java", "javac", "sh", "cat", "mkdir"):
        (tools / tool).symlink_to(os.path.realpath(shutil.which(tool)))
    return workshop("java", path=str(tools), env={"HOME": str(home)})


def called(job) -> list[str]:
    return (job.src / "called.txt").read_text().splitlines()


def kept(home: Path, version: str) -> Path:
    """Return where a wrapper puts its Gradle."""
    return home / f".gradle/wrapper/dists/gradle-{version}-bin/1a2b3c/gradle-{version}/bin/gradle"


# Which Gradle


@pytest.mark.parametrize("half", [False, True])
def test_a_wrapper_that_would_download_is_refused_with_what_to_do(gradleless, home, half):
    job = gradleless.job(wrapper("8.4"), entrypoint=INSTALLED)
    if half:  # the wrapper was interrupted while it unpacked
        stand_in(kept(home, "8.4"))
    with pytest.raises(BuildError) as e:
        gradleless.build(job)
    assert e.value.code == "toolchain-missing"
    assert "Gradle 8.4" in e.value.message
    assert "download" in e.value.message
    assert "./gradlew --version" in e.value.hint
    assert not (job.src / "ran").exists()


@pytest.mark.parametrize("named", [False, True])
def test_what_the_wrapper_has_put_there_is_run_and_not_the_wrapper(gradleless, home, tmp_path, named):
    if named:
        gradleless.env["GRADLE_USER_HOME"] = str(home / "elsewhere/.gradle")
    program = stand_in(kept(home / "elsewhere" if named else home, "8.10.2"))
    (program.parents[2] / "gradle-8.10.2-bin.zip.ok").touch()
    stand_in(tmp_path / "tools/gradle", "9.0")
    job = gradleless.job(wrapper("8.10.2"), entrypoint=INSTALLED)
    assert gradleless.build(job).notes == ()
    assert called(job)[0] == str(program)
    assert not (job.src / "ran").exists()


def test_an_installed_gradle_that_is_newer_will_do_and_that_is_said(gradleless, tmp_path):
    program = stand_in(tmp_path / "tools/gradle", "8.14")
    job = gradleless.job(wrapper("8.4"), entrypoint=INSTALLED)
    assert "asks for Gradle 8.4" in gradleless.build(job).notes[0]
    assert called(job)[0] == str(program)


def test_an_installed_gradle_that_is_older_will_not(gradleless, tmp_path):
    stand_in(tmp_path / "tools/gradle", "4.4.1")
    with pytest.raises(BuildError) as e:
        gradleless.build(gradleless.job(wrapper("8.4"), entrypoint=INSTALLED))
    assert "installed: 4.4.1" in e.value.message


@pytest.mark.parametrize("text", ["", "distributionUrl=https://example.org/gradle-../../x-bin.zip\n", "\0" * 100])
def test_a_wrapper_that_names_no_gradle_counts_as_none(gradleless, text):
    files = {**wrapper("8.4"), "gradle/wrapper/gradle-wrapper.properties": text}
    with pytest.raises(BuildError) as e:
        gradleless.build(gradleless.job(files, entrypoint=INSTALLED))
    assert e.value.message == "plugin is built with Gradle, which is not here"


# How it is called


@pytest.mark.parametrize(
    ("entrypoint", "tasks", "asked"),
    [
        (INSTALLED, "", ["installDist"]),
        ("app/build/install/tiny-shadow/bin/tiny", "", ["installShadowDist"]),
        ("build/install/tiny-boot/bin/tiny", "", ["installBootDist"]),
        ("tiny", TASKS, ["installDist"]),
        ("tiny", TASKS + "app:shadowJar - Fat\n", ["assemble", "shadowJar", "-x", "distZip", "-x", "javadoc"]),
        ("build/libs/*.jar", TASKS + "fatJar\n", ["assemble", "fatJar", "-x", "distZip", "-x", "javadoc"]),
        ("build/libs/*.jar", TASKS, ["assemble", "-x", "distZip", "-x", "javadoc"]),
    ],
)
def test_the_tasks_that_make_the_entrypoint(gradleless, tmp_path, entrypoint, tasks, asked):
    stand_in(tmp_path / "tools/gradle")
    job = gradleless.job({"build.gradle.kts": "", "tasks.txt": tasks}, entrypoint=entrypoint)
    with contextlib.suppress(BuildError):  # the stand-in makes a start script only
        gradleless.build(job)
    assert called(job)[-len(asked) :] == asked


def test_it_keeps_to_itself_and_to_the_cores_it_was_given(gradleless, tmp_path, home):
    stand_in(tmp_path / "tools/gradle")
    job = gradleless.job({"build.gradle": ""}, entrypoint=INSTALLED)
    gradleless.build(job)
    arguments = called(job)
    assert {"--no-daemon", "--build-cache", "--max-workers=2"} <= set(arguments)
    assert "-Porg.gradle.java.installations.auto-download=false" in arguments
    assert arguments[arguments.index("--gradle-user-home") + 1] == str(job.cache / "gradle")
    assert arguments[1] == str(Path(os.path.realpath(shutil.which("javac"))).parent.parent)
    assert list(home.iterdir()) == []


def test_the_users_settings_hold_as_long_as_they_are_there(gradleless, tmp_path, home):
    stand_in(tmp_path / "tools/gradle")
    (home / ".gradle/init.d").mkdir(parents=True)
    (home / ".gradle/gradle.properties").write_text("systemProp.https.proxyHost=proxy.example\n")
    job = gradleless.job({"build.gradle": ""}, entrypoint=INSTALLED)
    ours = job.cache / "gradle"
    for _ in range(2):
        gradleless.build(job)
        assert (ours / "gradle.properties").read_text() == "systemProp.https.proxyHost=proxy.example\n"
        assert (ours / "init.d").is_dir()
    shutil.rmtree(home / ".gradle")
    gradleless.build(job)
    assert list(ours.iterdir()) == []


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ("error: release version 21 not supported", "toolchain-too-old", "Java 21"),
        ("has been compiled by a more recent version of the Java Runtime (class file version 65.0), this version of",
         "toolchain-too-old", "Java 21"),
        ("Cannot find a Java installation matching: {languageVersion=25, vendor=any}", "toolchain-too-old", "Java 25"),
        ("BUG! exception in phase 'semantic analysis' Unsupported class file major version 61",
         "toolchain-missing", "older"),
        ("Could not resolve host: example.org", "build-failed", "network"),
        ("a test failed", "build-failed", "gradle installDist failed"),
    ],
)  # fmt: skip
def test_what_is_the_matter_is_said_where_its_words_are_known(gradleless, tmp_path, said, code, words):
    stand_in(tmp_path / "tools/gradle").write_text(f'#!/bin/sh\necho "{said}" >&2\nexit 1\n')
    with pytest.raises(BuildError) as e:
        gradleless.build(gradleless.job({"build.gradle": ""}, entrypoint=INSTALLED))
    assert e.value.code == code
    assert words in e.value.message
    assert e.value.hint


# What a real one makes


@REAL
@pytest.mark.parametrize("entrypoint", [INSTALLED, "tiny"])
def test_an_application_is_started_by_its_own_script(workshop, java_cache, entrypoint):
    shop = workshop("java", cache=java_cache)
    files = {
        "settings.gradle": "rootProject.name = 'tiny'\n",
        "build.gradle": f"{APPLICATION}applicationDefaultJvmArgs = ['-Dtiny=1']\n",
        "src/main/java/Tiny.java": JAVA,
    }
    job = shop.job(files, entrypoint=entrypoint)
    started = job.tree / shop.build(job).entrypoint
    ask(started)
    ask(started, env={"PATH": "/nonexistent", "JAVA_HOME": "/nonexistent", "JAVA_OPTS": "-nonsense"})


@REAL
@pytest.mark.parametrize("entrypoint", ["build/libs/*-all.jar", "tiny"])
def test_a_jar_by_a_task_of_the_projects_own_in_a_folder_of_a_build(workshop, java_cache, entrypoint):
    shop = workshop("java", cache=java_cache)
    library = "apply plugin: 'java'\nsourceCompatibility = 11\n"
    files = {
        "settings.gradle": "rootProject.name = 'all'\ninclude ':library', ':tiny'\n",
        "library/build.gradle": library,
        "library/src/main/java/Library.java": "public class Library {}\n",
        "tiny/build.gradle": f"{library}dependencies {{ compile project(':library') }}\n{FAT}",
        "tiny/src/main/java/Tiny.java": JAVA.replace("class Tiny {", "class Tiny extends Library {", 1),
    }
    files["tiny/build.gradle"] += "fatJar { from project(':library').sourceSets.main.output }\n"
    job = shop.job(files, entrypoint=entrypoint, subdir="tiny")
    ask(job.tree / shop.build(job).entrypoint)


@REAL
def test_what_did_not_change_since_the_last_release_is_not_compiled_again(workshop, java_cache):
    shop = workshop("java", cache=java_cache)
    for tree in ("one", "two"):
        files = {"settings.gradle": "rootProject.name = 'kept'\n", "build.gradle": APPLICATION}
        job = shop.job({**files, "src/main/java/Tiny.java": JAVA}, entrypoint="kept", tree=tree)
        ask(job.tree / shop.build(job).entrypoint)
    assert ":compileJava FROM-CACHE" in job.log.read_text()


@REAL
def test_a_users_mirror_is_used(workshop, java_cache, tmp_path):
    """As an init script of the user's names it: here one that is not there."""
    (tmp_path / "home/.gradle").mkdir(parents=True)
    (tmp_path / "home/.gradle/init.gradle").write_text(
        "allprojects { repositories { maven { url 'http://127.0.0.1:9/' } } }\n"
    )
    shop = workshop("java", cache=java_cache, env={"HOME": str(tmp_path / "home")})
    text = f"{APPLICATION}dependencies {{ compile 'org.example:nothing:1.0' }}\n"
    with pytest.raises(BuildError) as e:
        shop.build(shop.job({"build.gradle": text, "src/main/java/Tiny.java": JAVA}, entrypoint=INSTALLED))
    assert "the network seems to be down" in e.value.message
    assert "127.0.0.1:9" in e.value.detail
