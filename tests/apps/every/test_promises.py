"""Every sentence of an app's README that names a status or a header of a response is held by tests that there are."""

import ast
import re
from functools import cache
from http import HTTPStatus
from pathlib import Path

import pytest
import yaml

from tests.projects import REPOSITORY

HERE = Path(__file__).parent
# For each app, a part of a sentence and what holds it.
PROMISES: dict[str, dict[str, list[str]]] = yaml.safe_load((HERE / "promises.yaml").read_text())
ELSEWHERE = "only AWS: "
# A number that is a status, and not one of things; no app returns 400.
STATUSES = sorted(
    str(int(status)) for status in HTTPStatus if status >= HTTPStatus.OK and status != HTTPStatus.BAD_REQUEST
)
THINGS = "a second|bytes|days|events|heartbeats|jobs|sessions|units|users"
STATUS = re.compile(rf"(?<![\w.,#·-])({'|'.join(STATUSES)})(?![\w,.]*\d| [=/] | [KMG]i?B\b| (?:{THINGS})\b|s\b)")
HEADERS = ("Cache-Control", "Idempotent-Replayed", "Location", "Retry-After", "WWW-Authenticate")
HEADER = re.compile("|".join(HEADERS))
# A cell of a table says yes or a status: tests/apps/every/access_tables.py reads all of them.
ACCESS_ROW = re.compile(r"\| `[A-Z]+ [^|]*\|(?: (?:yes|\d\d\d) \|)+")


def sentences(text: str) -> list[str]:
    """Split a README into what can be said of one thing: a sentence, a line of a block of code, a row of a table."""
    found: list[str] = []
    paragraph: list[str] = []
    code = False

    def end() -> None:
        found.extend(re.split(r"(?<=[.;])(?:\*\*)? +(?=[A-Z`*])", " ".join(paragraph)))
        paragraph.clear()

    for line in text.splitlines():
        if line.startswith("```"):
            code = not code
        elif code or line.startswith("|"):
            end()
            found.append(line)
        elif not line.strip() or line.startswith("#"):
            end()
        else:
            if re.match(r"\s*[-*] ", line):
                end()
            paragraph.append(line.strip())
    end()
    return [sentence for sentence in found if sentence.strip()]


def promised(app: str) -> list[str]:
    """Return the sentences of an app's README that say what callers get."""
    text = (REPOSITORY / "lambda" / app / "README.md").read_text()
    told = [sentence for sentence in sentences(text) if STATUS.search(sentence) or HEADER.search(sentence)]
    return [sentence for sentence in told if not ACCESS_ROW.fullmatch(sentence)]


@cache
def functions(path: Path) -> frozenset[str]:
    return frozenset(node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))


def test_every_app_is_in_the_table() -> None:
    assert sorted(PROMISES) == sorted(path.parent.name for path in (REPOSITORY / "lambda").glob("*/package.toml"))


@pytest.mark.parametrize("app", sorted(PROMISES))
def test_every_sentence_about_a_response_is_in_the_table(app: str) -> None:
    missing = [sentence for sentence in promised(app) if not any(part in sentence for part in PROMISES[app])]
    assert missing == [], "Name in tests/apps/every/promises.yaml what holds it."


@pytest.mark.parametrize("app", sorted(PROMISES))
def test_every_row_of_the_table_is_one_sentence_of_the_readme(app: str) -> None:
    told = promised(app)
    counts = {part: sum(part in sentence for sentence in told) for part in PROMISES[app]}
    assert len(told) >= 10
    assert {part: count for part, count in counts.items() if count != 1} == {}


@pytest.mark.parametrize("app", sorted(PROMISES))
def test_what_holds_a_sentence_is_there_and_knows_its_statuses(app: str) -> None:
    for sentence in promised(app):
        holding = [one for part, tests in PROMISES[app].items() if part in sentence for one in tests]
        tests = [one.split("::") for one in holding if not one.startswith(ELSEWHERE)]
        assert tests, sentence
        texts = ""
        for path, name in tests:
            file = REPOSITORY / "tests" / path
            assert name in functions(file), f"{path} has no {name}"
            # What the helpers of its tests expect counts as well.
            helpers = file.with_name("support.py")
            texts += file.read_text() + (helpers.read_text() if helpers.exists() else "")
        asked = set(STATUS.findall(sentence)) - {"200"}
        elsewhere = " ".join(one for one in holding if one.startswith(ELSEWHERE))
        asked |= {header for header in HEADERS if header in sentence}
        unknown = {one for one in asked if one.lower() not in (texts + elsewhere).lower()}
        assert unknown == set(), sentence
