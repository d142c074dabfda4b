"""What others wrote says what it says: it steers no terminal, and begins no line that looks like one of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from sawhorse.errors import SawhorseError, report_error
from sawhorse.printable import one_line, printable

if TYPE_CHECKING:
    import pytest

FORGED = "a\nsawhorse: b\x1b[31m\r\u202ec"


@given(text=st.text())
def test_a_text_has_nothing_left_that_steers_a_terminal(text: str) -> None:
    assert all(letter.isprintable() or letter == "\t" for letter in printable(text))
    assert all(letter.isprintable() or letter in "\t\n" for letter in printable(text, lines=True))
    assert one_line(text).isprintable()
    assert one_line(one_line(text)) == one_line(text)


@given(text=st.text(st.characters(categories=("L", "N", "P", "S"))))
def test_what_can_be_printed_stays_as_it_is(text: str) -> None:
    assert printable(text) == one_line(text) == text


def test_lines_stay_where_they_are_meant() -> None:
    assert one_line(FORGED) == "a sawhorse: b\ufffd[31m \ufffdc"
    assert printable(FORGED, lines=True) == "a\nsawhorse: b\ufffd[31m\ufffd\ufffdc"


def test_an_error_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_error(SawhorseError("It said \x1b[2J.\nRun it again.")) == 2
    assert capsys.readouterr().err == "sawhorse: It said \ufffd[2J.\nRun it again.\n"
