"""Do what a Dockerfile says in a scratch directory, where no Docker is: its files, its variables, its commands."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Run = Callable[[str, Path, dict[str, str]], None]


@dataclass
class Image:
    """What the instructions made: a tree of files, the environment, and the command with its directory."""

    root: Path
    base: str = ""
    workdir: str = "/"
    environment: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    user: str = "root"
    copied_from_images: dict[str, str] = field(default_factory=dict)

    @property
    def directory(self) -> Path:
        return self.root / self.workdir.lstrip("/")


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """Return the instructions in order, comments left out and continued lines joined."""
    lines = [line for line in dockerfile.splitlines() if line.strip() and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in joined.splitlines())]


def build_image(dockerfile: Path, *, context: Path, root: Path, run: Run) -> Image:
    """Do the instructions one by one; an instruction that is not known here is an error."""
    image = Image(root)
    for name, rest in instructions(dockerfile.read_text()):
        match name:
            case "FROM":
                image.base = rest
            case "WORKDIR":
                image.workdir = rest
                image.directory.mkdir(parents=True, exist_ok=True)
            case "ENV":
                image.environment |= dict(part.split("=", 1) for part in shlex.split(rest))
            case "COPY":
                copy(image, shlex.split(rest), context)
            case "RUN":
                run(rest, image.directory, image.environment)
            case "CMD":
                image.command = [str(word) for word in json_list(rest)]
            case "USER":
                image.user = rest
            case "EXPOSE":
                pass
            case _:
                raise ValueError(f"No test does what {name} {rest} says; teach this one.")
    return image


def copy(image: Image, words: list[str], context: Path) -> None:
    if words[0].startswith("--from="):
        image.copied_from_images[words[-1]] = words[0].removeprefix("--from=")
        return
    *sources, target = words
    place = image.directory / target
    for source in sources:
        found = context / source
        if found.is_dir():
            shutil.copytree(found, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            # As Docker says: several files, or a slash at the end, make a directory.
            is_directory = target.endswith("/") or len(sources) > 1
            destination = place / found.name if is_directory else place
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(found, destination)


def json_list(text: str) -> list[object]:
    found: list[object] = json.loads(text)
    return found


def shell(command: str, directory: Path, environment: dict[str, str]) -> None:
    """Run a command as RUN does, and show what it printed when it fails."""
    result = subprocess.run(
        ["/bin/sh", "-c", command], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
