"""Byte code: there before the first start, kept for the next plugin, and never wrong."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reckless.build import bytecode


def compiled(source: Path) -> Path:
    return Path(importlib.util.cache_from_source(str(source)))


def kept(cache: Path) -> list[Path]:
    return sorted(f for f in cache.rglob("*") if f.is_file())


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def run(module: Path) -> str:
    """Import a module in a fresh, talkative interpreter that may write nothing; return what it says, and where f is."""
    code = f"import sys; sys.path.insert(0, {str(module.parent)!r}); import {module.stem} as m"
    code += "; print('f is in', m.f.__code__.co_filename)"
    return subprocess.check_output([sys.executable, "-IB", "-v", "-c", code], text=True, stderr=subprocess.STDOUT)


def test_python_takes_it_as_its_own(tmp_path):
    source = write(tmp_path / "a", "mod.py", "def f(): return 1\n")
    bytecode.main([str(tmp_path / "cache"), "0", "1", str(tmp_path / "a")])
    assert f"matches {source}" in run(source)


def test_the_next_plugin_with_the_same_source_gets_a_copy_that_names_its_own_file(tmp_path):
    write(tmp_path / "a", "mod.py", "def f(): return 1\n")
    second = write(tmp_path / "b", "mod.py", "def f(): return 1\n")
    os.utime(second, (1_500_000_000, 1_500_000_000))
    for folder in ("a", "b"):
        bytecode.main([str(tmp_path / "cache"), "0", "1", str(tmp_path / folder)])
    assert len(kept(tmp_path / "cache")) == 1
    said = run(second)
    assert f"matches {second}" in said
    assert f"f is in {second}" in said


@pytest.mark.parametrize("damage", [b"", b"half"])
def test_what_a_crash_left_half_written_is_not_used(tmp_path, damage):
    source = write(tmp_path / "a", "mod.py", "def f(): return 1\n")
    bytecode.main([str(tmp_path / "cache"), "0", "1", str(tmp_path / "a")])
    good = compiled(source).read_bytes()
    kept(tmp_path / "cache")[0].write_bytes(damage)
    compiled(source).unlink()
    bytecode.main([str(tmp_path / "cache"), "0", "1", str(tmp_path / "a")])
    assert compiled(source).read_bytes() == good


def test_each_process_does_its_share(tmp_path):
    sources = [write(tmp_path / "a", f"m{n}.py", f"x = {n}\n") for n in range(5)]
    bytecode.main([str(tmp_path / "cache"), "0", "2", str(tmp_path / "a")])
    assert [compiled(s).exists() for s in sources] == [True, False, True, False, True]
    bytecode.main([str(tmp_path / "cache"), "1", "2", str(tmp_path / "a")])
    assert all(compiled(s).exists() for s in sources)


def test_what_does_not_compile_is_passed_over(tmp_path, capsys):
    write(tmp_path / "a", "template.py", "{{ no }} python")
    (tmp_path / "a/binary.py").write_bytes(b"\0\xff")
    good = write(tmp_path / "a", "zz.py", "x = 1\n")
    assert bytecode.main([str(tmp_path / "cache"), "0", "1", str(tmp_path / "a")]) == 0
    assert compiled(good).exists()
    assert "template.py" in capsys.readouterr().err


def test_a_full_disk_is_told(tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    write(tmp_path / "a", "mod.py", "x = 1\n")
    monkeypatch.setattr(bytecode, "compile_file", full)
    assert bytecode.main([str(tmp_path / "cache"), "0", "1", str(tmp_path / "a")]) == 28
    assert "No space left on device" in capsys.readouterr().err
