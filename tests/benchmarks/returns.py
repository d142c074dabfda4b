"""Count how often a root's name comes back to files that it had left, on its way through the engine.

    python -m tests.benchmarks.returns ROOT [--engine DIRECTORY]

Builds and renders ROOT in a process that notes every call of a function of the engine that is given
the name: as a text, or in an object that bears it, such as a configuration. Each file is a stay until another one is
entered; a return is a stay in a file that was left before. `--engine` names the package in another checkout, so that
an earlier commit can be counted alike. Prints the stays, and the returns as the last line.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

# Runs in the environment of the engine that is counted; `sys.setprofile` costs nothing that would change the way.
TRACED = """
import os, sys
engine, root, module = sys.argv[1:4]
app = root.partition("/")[2]
names = {root, app}
stays = []
def bears(value, depth=0):
    if isinstance(value, str):
        return value in names
    kind = type(value)
    if depth > 1 or not kind.__module__.startswith(module):
        return False
    for name in ("app", "name", "recipe", "inputs", "config", "root", "state"):
        try:
            found = object.__getattribute__(value, name)
        except AttributeError:
            continue
        if bears(found, depth + 1):
            return True
    return False
def is_it(frame, name):
    value = frame.f_locals.get(name)
    # A directory of the app, say, has the same letters.
    return bears(value) and (not isinstance(value, str) or name in ("app", "name", "root"))
def note(frame, event, argument):
    if event != "call":
        return
    code = frame.f_code
    file = code.co_filename
    if not file.startswith(engine) or code.co_name.startswith("<"):
        return
    count = code.co_argcount + code.co_kwonlyargcount
    if any(is_it(frame, name) for name in code.co_varnames[:count]):
        file = file[len(engine):].lstrip("/")
        if not stays or stays[-1] != file:
            stays.append(file)
sys.setprofile(note)
try:
    exec(sys.argv[4], {"root": root, "app": app})
finally:
    sys.setprofile(None)
left = set()
for place, file in enumerate(stays):
    print(f"{'return' if file in left else 'first ':6} {file}")
    left.add(file)
print(f"{len(stays)} stays in {len(left)} files, {len(stays) - len(left)} returns")
"""
# What `sawhorse demo` does with the name before Terraform runs: it finds the root, builds its package and renders it.
WAY = """
from {module}.{project} import Project
from {module}.{build} import build
from {module}.{render} import render
found = Project.find().root(root)
build(found.project, found.app)
render(found)
"""
MODULES = {
    "sawhorse": {"project": "project", "build": "build.build", "render": "terraform.render"},
    "harness": {"project": "layout", "build": "package.build", "render": "render"},
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="returns", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("root", metavar="ROOT")
    parser.add_argument("--engine", type=Path, default=PROJECT / "harness/sawhorse", metavar="DIRECTORY")
    options = parser.parse_args()
    engine: Path = options.engine.resolve()
    checkout = next(place for place in engine.parents if (place / "Makefile").is_file())
    way = WAY.format(module=engine.name, **MODULES[engine.name])
    command = [checkout / ".venv/bin/python", "-c", TRACED, f"{engine}/", options.root, engine.name, way]
    environment = {**os.environ, "SAWHORSE_PROJECT": str(checkout)}
    return subprocess.run([str(word) for word in command], cwd=checkout, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
