"""The plugins that the transcripts talk about, written out as the recorder had them. Run by hand: cast.py FOLDER."""

from __future__ import annotations

import json
import sys
from pathlib import Path

BODY = """
def answer(request):
    method = request["method"]
    if method == "getmanifest":
        return MANIFEST
    if method == "init":
        with open(__file__ + ".init", "w") as f:
            json.dump(request["params"], f)
        if EXITS_IN_INIT:
            sys.exit(1)
        return INIT
    if method == "die":
        sys.exit(1)
    return {"pong": os.path.basename(__file__)}

def main():
    text = ""
    for line in sys.stdin:
        text += line
        if line == "\\n" and text.strip():
            request = json.loads(text)
            text = ""
            print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": answer(request)}) + "\\n", flush=True)

main()
"""


def write_cast(folder: Path) -> Path:
    """Write every plugin and config file of the transcripts under `folder`; return it."""
    plugins = folder / "plugins"
    good_options = [_option("good-color", "string", "red", dynamic=True), _option("good-count", "int", 3)]
    _plugin(plugins / "good.py", methods=["good-ping", "die"], options=good_options)
    _plugin(folder / "elsewhere" / "good.py", methods=["elsewhere-ping"])
    _plugin(plugins / "other.py", methods=["other-ping"])
    _plugin(plugins / "clash.py", methods=["good-ping"])
    _plugin(plugins / "clashopt.py", options=[_option("good-color", "string", "green")])
    _plugin(plugins / "clashcore.py", methods=["getinfo"])
    _plugin(plugins / "static.py", methods=["static-ping"], dynamic=False)
    _plugin(plugins / "noexec.py", methods=["noexec-ping"])
    (plugins / "noexec.py").chmod(0o644)
    _plugin(plugins / "disman.py", manifest={"disable": "wrong moon phase"})
    _plugin(plugins / "disinit.py", init={"disable": "no printer found"})
    _plugin(plugins / "exitinit.py", exits_in_init=True)
    _plugin(plugins / "noman.py", manifest={})
    _script(plugins / "exits.py", "import sys\nsys.exit(\"ModuleNotFoundError: No module named 'pyln'\")\n")
    _script(plugins / "garbage.py", 'import sys\nprint("no JSON at all", flush=True)\nsys.stdin.read()\n')
    _script(plugins / "hangs.py", "import sys\nsys.stdin.read()\n")
    (folder / "link").mkdir()
    (folder / "link" / "other.py").symlink_to(plugins / "other.py")
    (folder / "current").symlink_to(plugins)
    (folder / "empty.conf").write_text("")
    (folder / "one.conf").write_text(f"plugin={plugins}/good.py\n")
    return folder


def _option(name, type_, default, *, dynamic=False):
    return {"name": name, "type": type_, "default": default, "description": name, "dynamic": dynamic}


def _plugin(path, *, methods=(), options=(), dynamic=True, manifest=None, init=None, exits_in_init=False):
    if manifest is None:
        rpcmethods = [{"name": m, "usage": "", "description": m} for m in methods]
        manifest = {"options": list(options), "rpcmethods": rpcmethods, "dynamic": dynamic}
    head = f"import json, os, sys\nMANIFEST = json.loads({json.dumps(manifest)!r})\nINIT = {init or {}!r}\n"
    _script(path, f"{head}EXITS_IN_INIT = {exits_in_init}\n{BODY}")


def _script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{Path(sys.executable).resolve()} -SE\n{text}")
    path.chmod(0o755)


if __name__ == "__main__":
    write_cast(Path(sys.argv[1]))
