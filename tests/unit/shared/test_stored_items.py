"""Reading items: what fits is read, whatever else an item has, and what does not is named in the log, once."""

import json
from collections.abc import Callable

import pytest
from aws_lambda_powertools import Logger

from shared import stored, times
from shared.stored import Reader, Stored, StoredTime

TIME = "2026-01-31T09:15:02.104233Z"


class Thing(Stored):
    """An item of a test."""

    name: str
    made_at: StoredTime = TIME


@pytest.fixture
def reader(logger_of: Callable[[str], Logger]) -> Reader[Thing]:
    return Reader(Thing, table="things", key=("id",), logger=logger_of("things"))


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("digit", ["\u0662", "\uff12", "\u0968"])
def test_a_time_in_the_digits_of_another_script_is_no_time_as_cursors_have_it(
    reader: Reader[Thing], digit: str
) -> None:
    text = digit + TIME[1:]

    assert not times.is_timestamp(text)
    assert reader.find({"id": {"S": "1"}, "name": {"S": "n"}, "made_at": {"S": text}}) is None


@pytest.mark.parametrize(
    "text",
    [
        "2026-13-45T99:99:99.999999Z",
        "2026-02-29T09:15:02.104233Z",
        "0000-01-01T00:00:00.000000Z",
        "2026-01-31T24:00:00.000000Z",
        "2026-01-31T09:15:60.000000Z",
    ],
)
def test_a_time_that_the_calendar_does_not_have_is_none(reader: Reader[Thing], text: str) -> None:
    assert not times.is_timestamp(text)
    assert reader.find({"id": {"S": "1"}, "name": {"S": "n"}, "made_at": {"S": text}}) is None


def test_what_does_not_fit_is_logged_once_by_its_key_and_never_by_its_values(
    reader: Reader[Thing], capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        assert reader.find({"id": {"S": "1"}, "name": {"N": "7777777"}, "other": {"N": "1e100"}}) is None
        reader.leave_out({"id": {"S": "2"}}, {"other", "name"})

    logged = lines(capsys)
    assert [(line["key"], line["attributes"]) for line in logged] == [
        ({"id": "1"}, ["name"]),
        ({"id": "2"}, ["name", "other"]),
    ]
    assert "7777777" not in json.dumps(logged)


def test_a_table_full_of_what_does_not_fit_fills_neither_the_memory_nor_the_log(
    reader: Reader[Thing], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "REMEMBERED", 3)

    for _ in range(2):
        assert [reader.find({"id": {"S": str(number)}}) for number in range(10)] == [None] * 10

    assert [line.get("key") for line in lines(capsys)] == [{"id": "0"}, {"id": "1"}, {"id": "2"}, None]
