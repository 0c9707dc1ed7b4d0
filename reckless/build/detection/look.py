"""A bounded look at a source tree: what is listed and read of it is counted, kept, and never more than this much."""

from __future__ import annotations

import json
import posixpath
import re
import sys
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from reckless.model import hostile, locate
from reckless.model.treeview import Entry, TreeView

MAX_FOLDERS = 2_000
MAX_NAMES = 200_000
MAX_READ = 4_000
MAX_BYTES = 64 << 20
MAX_SEARCHED = 1_500
MAX_FILE = 512 << 10
MAX_DEPTH = 8
_FILES = frozenset({"file", "program"})
_MAX_TOML = 128 << 10

# Folders that are not the plugin: its tests and papers, what package managers bring, what builds make.
_TESTS = frozenset({"test", "tests", "testing", "testdata", "fixtures", "spec", "specs", "bench", "benches", "fuzz"})
_PAPERS = frozenset({"doc", "docs", "example", "examples", "contrib", "screenshots", "img", "assets"})
_BROUGHT = frozenset({
    "node_modules", "vendor", "third_party", "external", "site-packages", "venv", "env", "__pycache__", "target",
    "build", "dist", "out",
})  # fmt: skip
_TEST_FILE = re.compile(r"(test_.*|.*[._-](test|tests|spec)\.\w+|conftest\.py|.*_test\.\w+|tests?\.\w+|noxfile\.py)")


@dataclass(frozen=True, slots=True)
class File:
    """A regular file: its path in the tree, and whether it has an executable bit."""

    path: str
    executable: bool

    @property
    def name(self) -> str:
        """Its last component."""
        return self.path.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """Its name without the last extension."""
        return posixpath.splitext(self.name)[0]

    @property
    def suffix(self) -> str:
        """Its extension, with the dot, in lower case."""
        stem, dot, end = self.name.rpartition(".")
        return f".{end.lower()}" if dot and stem.strip(".") else ""


class Look:
    """Lists folders and reads files of a tree, each once. Past the bounds there is nothing more to be seen.

    Names that could be taken for something else where they are shown or used (control characters, a leading dash, git's
    own folder) are left out.
    """

    def __init__(self, view: TreeView) -> None:
        self.view = view
        self._listed: dict[str, dict[str, Entry]] = {}
        self._files: dict[str, list[File]] = {}
        self._texts: dict[str, str] = {}
        self._names = 0
        self._bytes = 0
        self._searched = 0
        self.cut_short = False

    def entries(self, folder: str) -> tuple[Entry, ...]:
        """Return what a folder holds, sorted by name."""
        return tuple(self._folder(folder).values())

    def _folder(self, folder: str) -> dict[str, Entry]:
        if folder not in self._listed:
            if self.is_closed(folder):
                return {}
            there = self.view.entries(folder)
            self._names += len(there)
            self._listed[folder] = {e.name: e for e in there if _is_plain(e.name)}
        return self._listed[folder]

    def is_closed(self, folder: str) -> bool:
        """Say whether so much was listed already that this folder is not."""
        if folder in self._listed or (len(self._listed) < MAX_FOLDERS and self._names < MAX_NAMES):
            return False
        self.cut_short = True
        return True

    def files(self, folder: str) -> list[File]:
        """Return the regular files of a folder."""
        if folder not in self._files:
            there = self._folder(folder).values()
            self._files[folder] = [File(join(folder, e.name), e.kind == "program") for e in there if e.kind in _FILES]
        return self._files[folder]

    def names(self, folder: str) -> frozenset[str]:
        """Return the names of a folder's regular files."""
        return frozenset(e.name for e in self.entries(folder) if e.kind in _FILES)

    def folders(self, folder: str) -> list[str]:
        """Return the paths of the folders in a folder, hidden ones left out."""
        return [join(folder, e.name) for e in self.entries(folder) if e.kind == "folder" and not e.name.startswith(".")]

    def has(self, path: str) -> bool:
        """Say whether there is a regular file at `path`."""
        return self.kind(path) in _FILES

    def kind(self, path: str) -> str:
        """Return what is at `path`: folder, file, program, link, submodule, or empty for nothing."""
        if not path:
            return "folder"
        folder, name = posixpath.split(path)
        entry = self._folder(folder).get(name)
        return entry.kind if entry else ""

    def text(self, path: str) -> str:
        """Return the beginning of a file, or empty where there is none or it is not text."""
        if path not in self._texts:
            if len(self._texts) >= MAX_READ or self._bytes >= MAX_BYTES:
                self.cut_short = True
                return ""
            data = self.view.read(path, MAX_FILE) if self.has(path) else b""
            self._bytes += len(data)
            self._texts[path] = "" if b"\0" in data[:1024] else data.decode("utf-8", errors="replace")
        return self._texts[path]

    def expect(self, files: Iterable[File]) -> None:
        """Say that these files are about to be read: a tree from afar brings them in one go."""
        self.view.prefetch([f.path for f in files if f.path not in self._texts][:MAX_READ])

    def toml(self, path: str) -> Mapping[str, object]:
        """Return a TOML file's tables, or nothing where it cannot be read."""
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib
        text = self.text(path)[:_MAX_TOML].replace("\r\n", "\n").removeprefix("\ufeff")
        try:
            return {} if locate.too_deep(locate.mask(text)) else tomllib.loads(text)
        except (ValueError, RecursionError, OverflowError):
            return {}

    def json(self, path: str) -> Mapping[str, object]:
        """Return a JSON file's object, or nothing where it cannot be read."""
        try:
            data = json.loads(self.text(path).removeprefix("\ufeff"))
        except (ValueError, RecursionError):
            return {}
        return data if isinstance(data, dict) else {}

    def search(
        self, folder: str, suffixes: Collection[str], wanted: re.Pattern[str], *, depth: int, aside: str = ""
    ) -> tuple[str, bool]:
        """Return the nearest source in a folder or below it that holds `wanted`, and whether there are sources at all.

        Tests are left out, and paths in which the pattern `aside` is found.
        """
        some = False
        for at in self.walk(folder, depth=depth):
            sources = [f for f in self.files(at) if f.suffix in suffixes and not is_test(f.name)]
            sources = [f for f in sources if not (aside and re.search(aside, f.path))]
            some = some or bool(sources)
            self.expect(sources)
            for file in sources:
                if self._searched >= MAX_SEARCHED:
                    self.cut_short = True
                    return "", some
                self._searched += file.path not in self._texts
                if wanted.search(self.text(file.path)):
                    return file.path, some
        return "", some

    def walk(self, folder: str, *, depth: int = MAX_DEPTH, stop_at: Iterable[str] = ()) -> Iterator[str]:
        """Yield a folder and those below it that may be the plugin's, those nearest to it first.

        Tests, examples and what package managers bring are left out, and folders that hold a file of `stop_at`: those
        are projects of their own.
        """
        marks = frozenset(stop_at)
        queue = deque([(folder, 0)])
        while queue:
            at, level = queue.popleft()
            if self.is_closed(at):
                return
            yield at
            if level < depth:
                below = [f for f in self.folders(at) if not is_aside(posixpath.basename(f))]
                queue += [(f, level + 1) for f in below if not any(self.has(join(f, mark)) for mark in marks)]


def join(folder: str, name: str) -> str:
    """Return the path of a name in a folder."""
    return f"{folder}/{name}" if folder else name


def relative(path: str, folder: str) -> str:
    """Return a path below `folder` as it is written from there."""
    return path[len(folder) + 1 :] if folder else path


def above(folder: str) -> Iterator[str]:
    """Yield a folder and those above it, up to the top."""
    yield folder
    while folder:
        folder = posixpath.dirname(folder)
        yield folder


def is_aside(name: str) -> bool:
    """Say whether a folder of this name holds something beside the plugin: tests, papers, what others wrote."""
    return name.lower() in _TESTS | _PAPERS | _BROUGHT


def is_test(name: str) -> bool:
    """Say whether a file of this name is for tests."""
    return _TEST_FILE.fullmatch(name.lower()) is not None


def table(data: Mapping[str, object], *keys: str) -> Mapping[str, object]:
    """Return the table at these keys, one within the other; an empty one where there is none."""
    for key in keys:
        inner = data.get(key)
        if not isinstance(inner, dict):
            return {}
        data = inner
    return data


def string(data: Mapping[str, object], key: str) -> str:
    """Return a string that may be shown, or empty: one line, nothing that acts on a terminal."""
    value = data.get(key)
    return one_line(value) if isinstance(value, str) else ""


def strings(value: object) -> list[str]:
    """Return the strings of a list, or of a string alone."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]


def one_line(text: str, limit: int = 120) -> str:
    """Return a stranger's text as one line of at most `limit` characters that is safe to show."""
    line = " ".join(text.split())
    line = "".join(c for c in line[: 4 * limit] if hostile.control(c) is None)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _is_plain(name: str) -> bool:
    return hostile.control(name) is None and hostile.path(name) is None
