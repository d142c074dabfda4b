"""A compiler whose builder was killed ends without a word."""

from __future__ import annotations

import marshal
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sawhorse.build.compiler_process import compiler_command

QUESTION = marshal.dumps([[["main.py", b"X = 1\n" * 20_000, "imported"]], [], [], []], 2)


@pytest.mark.parametrize("sent", [0, 1, len(QUESTION) // 2, len(QUESTION) - 1, len(QUESTION)])
def test_a_compiler_that_nobody_reads_any_more_ends_without_a_word(sent: int, tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    with errors.open("wb") as error:
        child = subprocess.Popen(
            compiler_command(sys.executable), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=error
        )
    assert child.stdin
    assert child.stdout
    child.stdin.write(QUESTION[:sent])
    # As the system closes them where whoever asked was killed.
    child.stdout.close()
    child.stdin.close()
    code = child.wait(timeout=60)

    assert errors.read_bytes() == b""
    assert code != 0


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_printed_when_whoever_asked_is_killed(by: signal.Signals, tmp_path: Path) -> None:
    """The builder sends everything, and is killed while the compiler works."""
    program = (
        "import os, signal, sys\n"
        "from sawhorse.build.compiler_process import CompilerProcess\n"
        "compiler = CompilerProcess(sys.executable)\n"
        f"compiler.send(sys.stdin.buffer.read())\n"
        f"os.kill(os.getpid(), {int(by)})\n"
    )
    errors = tmp_path / "errors"
    alive, held = os.pipe()
    with errors.open("wb") as error:
        builder = subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stderr=error, pass_fds=[held]
        )
    os.close(held)
    builder.communicate(QUESTION, timeout=60)
    # Ends when the compiler, which has it as well, ended.
    os.read(alive, 1)
    os.close(alive)

    assert builder.returncode == -by
    assert errors.read_bytes() == b""
