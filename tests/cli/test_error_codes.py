"""Every error code in the source is explained in docs/reference/errors.md, and every one explained is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "reference" / "errors.md"
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+|bug|conflict|debris|interrupted|locked|pinned|unreadable|usage|yanked")
# Helpers that make an error, or a line of a table of errors, with the code among their first arguments.
HELPERS = {"_error", "_taken", "_problem", "_Meaning", "_refined", "unusable", "Problem", "Ailment"}
FORMED = {f"include-{why}" for why in ("missing", "unreadable", "loop")} | {
    f"plugin-{why}" for why in ("missing", "not-executable", "interpreter-missing")
}
INNER = {"not-executable", "interpreter-missing"}  # parts of the above, and reckless/node/programs.py
REMARKS = {"unknown-file", "unused-lock"}  # findings of `reckless index build`, and no errors


def constants(node: ast.AST | None) -> Iterator[str]:
    """Every text in an expression that may be a code."""
    for part in ast.walk(node) if node else ():
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and CODE.fullmatch(part.value):
            yield part.value


def in_node(node: ast.AST) -> Iterator[str]:
    """The codes that one piece of the source names: where errors are made, chosen and kept in tables."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        made = node.args[:1] if name.endswith("Error") else node.args[:3] if name in HELPERS else []
        for given in (*made, *(k.value for k in node.keywords if k.arg == "code")):
            if isinstance(given, (ast.Constant, ast.IfExp)):
                yield from constants(given)
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [t.id for t in targets if isinstance(t, ast.Name)]
        if any(name in ("code", "kind") or name.endswith("_CODES") for name in names):
            yield from constants(node.value)
    elif isinstance(node, ast.FunctionDef) and node.name == "_code":
        for part in ast.walk(node):
            if isinstance(part, ast.Return):
                yield from constants(part.value)


def codes() -> dict[str, str]:
    """Every code in the source, and where one of its places is."""
    found = dict.fromkeys(FORMED, "problems.py")
    for file in sorted((ROOT / "reckless").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            for code in in_node(node):
                found.setdefault(code, f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}")
    return {code: at for code, at in found.items() if code not in INNER | REMARKS}


def documented() -> list[str]:
    """The codes in the first column of the tables."""
    return re.findall(r"^\| `([a-z0-9-]+)` \|", DOCUMENT.read_text(), re.MULTILINE)


def test_every_code_is_explained() -> None:
    explained = set(documented())
    assert {code: at for code, at in codes().items() if code not in explained} == {}


def test_every_explained_code_is_there() -> None:
    assert sorted(set(documented()) - set(codes())) == []


def test_each_is_explained_once() -> None:
    explained = documented()
    assert sorted({code for code in explained if explained.count(code) > 1}) == []


def test_each_says_what_to_do() -> None:
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("| `"):
            _, code, meaning, action, _ = (cell.strip() for cell in line.replace("\\|", "/").split("|"))
            assert meaning, code
            assert action, code
