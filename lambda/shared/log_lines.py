"""Write log lines that hold what the code says, and nothing of what a caller sent or a table holds.

An exception's text may quote its input (pydantic and json do, KeyError is nothing else), so of an exception stand here
its type, its stack, and what `_FACTS` knows of its kind: constant texts, codes, templates, and names of the code.
Libraries get their message templates, never the values that they put in.
"""

import errno
import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import FrameType, TracebackType
from typing import Any

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from pydantic import BaseModel

from shared.api_errors import ApiError

# Every module of ours, besides those of the service itself, stands below it.
SHARED = "shared"
UNSHOWN = "(a message that is not the same each time)"
# Made of the addresses that uvicorn was started with.
_OF_THE_START = ("Uvicorn running on ",)
_SHOWN_FAULTS = 5
_FIRST_FRAMES, _LAST_FRAMES = 10, 30
_SHOWN_EXCEPTIONS = 10
_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,80}", re.ASCII)
# IAM's own sentence, which AWS's errors quote; what follows the action is the resource's ARN.
_DENIED = re.compile(r"not authorized to perform: ([a-z0-9-]{1,40}:[A-Za-z]{1,60})", re.ASCII)
_CAUSE = "The above exception was the direct cause of the following exception:"
_CONTEXT = "During handling of the above exception, another exception occurred:"


class LogLines(LambdaPowertoolsFormatter):
    """Powertools' JSON lines without values: ours as they are, those of libraries without what they insert."""

    def __init__(self, *, service: str) -> None:
        super().__init__(utc=True, use_rfc3339=True, json_default=_in_json, serialize_stacktrace=False, service=service)
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Write a line; of a library's record only the place, the constant part of its message and its exception."""
        return super().format(record if self._is_ours(record.name) else _without_values(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name of the method that this replaces
        """Write an exception and those that led to it."""
        return "\n".join(_lines(ei[1]))

    def _extract_log_exception(self, log_record: logging.LogRecord) -> tuple[Any, ...]:
        # Notes are texts like any other, and may quote an input.
        text, name, _ = super()._extract_log_exception(log_record)
        return text, name, None

    def _is_ours(self, name: str) -> bool:
        return name.partition(".")[0] in (self._service, SHARED)


def _in_json(value: object) -> str:
    return str(value) if isinstance(value, Decimal) else f"<{type(value).__name__}>"


def _without_values(record: logging.LogRecord) -> logging.LogRecord:
    numbers = isinstance(record.args, tuple) and all(type(value) is int for value in record.args)
    bare = logging.LogRecord(
        record.name,
        record.levelno,
        record.pathname,
        record.lineno,
        _constant(record),
        record.args if numbers else None,
        record.exc_info,
        record.funcName,
    )
    bare.created, bare.msecs = record.created, record.msecs
    bare.logger = record.name
    return bare


def _constant(record: logging.LogRecord) -> str:
    """Return a message that stands in the code which logs it; one that was put together may hold anything."""
    message = record.msg
    if not isinstance(message, str):
        return UNSHOWN
    if record.name == "uvicorn.error" and message.startswith(_OF_THE_START):
        return record.getMessage()
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - nothing public walks a stack without reading sources
    while frame is not None:
        if (frame.f_code.co_filename, frame.f_lineno) == (record.pathname, record.lineno):
            named = (value for value in frame.f_globals.values() if isinstance(value, str))
            return message if message in frame.f_code.co_consts or message in set(named) else UNSHOWN
        frame = frame.f_back
    return UNSHOWN


def _lines(error: BaseException) -> Iterator[str]:
    chain: list[tuple[BaseException, str]] = []
    following: BaseException | None = error
    said = ""
    while following is not None and len(chain) < _SHOWN_EXCEPTIONS and all(following is not one for one, _ in chain):
        chain.append((following, said))
        cause = following.__cause__
        said = _CONTEXT if cause is None else _CAUSE
        following = cause or (None if following.__suppress_context__ else following.__context__)
    for one, link in reversed(chain):
        yield "Traceback (most recent call last):"
        yield from _frames(one.__traceback__)
        yield described(one)
        if link:
            yield from ("", link, "")
    if isinstance(error, BaseExceptionGroup):
        for number, inner in enumerate(error.exceptions[:_SHOWN_EXCEPTIONS], start=1):
            yield f"Exception {number} of {len(error.exceptions)} in the group:"
            yield from _lines(inner)


def _frames(trace: TracebackType | None) -> Iterator[str]:
    places: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f'  File "{code.co_filename}", line {trace.tb_lineno}, in {code.co_name}')
        trace = trace.tb_next
    left_out = len(places) - _FIRST_FRAMES - _LAST_FRAMES
    if left_out > 0:
        places[_FIRST_FRAMES:-_LAST_FRAMES] = [f"  ({left_out} more)"]
    yield from places


def described(error: BaseException) -> str:
    """Name an exception, and say what is known of its kind: never its text."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    facts = [fact for read in _FACTS if (fact := _read(read, error))]
    return f"{name}: {'; '.join(facts)}" if facts else name


def _read(read: Callable[[Any], str | None], error: BaseException) -> str | None:
    try:
        return read(error)
    except Exception:  # noqa: BLE001 # what tells of a failure must not fail itself, whatever a library's exception is
        return None


def faults(error: Any) -> str:
    """Say what a validator found: pydantic's type of the fault, and where, by names that models declare."""
    found: Sequence[Mapping[str, Any]] = error.errors()
    known = _declared()
    shown = [f"{_word(fault['type'])} at {_place(fault['loc'], known)}" for fault in found[:_SHOWN_FAULTS]]
    more = [f"{len(found) - _SHOWN_FAULTS} more"] if len(found) > _SHOWN_FAULTS else []
    return ", ".join([*shown, *more])


def _declared() -> set[str]:
    """Collect the names of all models' fields: any other name in a location is a member that somebody sent."""
    names = {"body", "cookie", "header", "path", "query", "response"}
    waiting: list[type[BaseModel]] = [BaseModel]
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        for name, field in model.__dict__.get("__pydantic_fields__", {}).items():
            names |= {name, *(alias for alias in (field.alias, field.validation_alias) if isinstance(alias, str))}
    return names


def _place(location: Sequence[Any], known: set[str]) -> str:
    parts = [str(part) if isinstance(part, int) or part in known else "(another name)" for part in location]
    return ".".join(parts) or "the whole"


def _code_of_a_service(error: Any) -> str | None:
    """Say what an AWS service responded with: its code, and the action that a role lacks."""
    said = error.response["Error"]
    denied = _DENIED.search(said.get("Message", ""))
    action = f", which needs {denied[1]}" if denied else ""
    return f"{_word(said['Code'])} for {_word(error.operation_name)}{action}"


def _template(error: Any) -> str | None:
    """Return the template of botocore's own errors, with its places unfilled."""
    template = type(error).fmt
    return template.strip() if isinstance(template, str) else None


def _system_error(error: Any) -> str | None:
    return errno.errorcode.get(error.errno or 0) if isinstance(error, OSError) else None


def _reasons(error: Any) -> str | None:
    return ", ".join(_word(reason) for reason in error.reasons)


def _own_code(error: Any) -> str | None:
    return error.code if isinstance(error, ApiError) else None


def _sqlite_name(error: Any) -> str | None:
    return _word(error.sqlite_errorname)


def _word(text: object) -> str:
    return text if isinstance(text, str) and _WORD.fullmatch(text) else "-"


def _constant_text(error: BaseException) -> str | None:
    """Return a text that stands in the very function which raised the error, and so holds nothing of anybody's."""
    [text] = error.args
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    known = trace is not None and type(text) is str and text in trace.tb_frame.f_code.co_consts
    return text if known else None


_FACTS = (_constant_text, faults, _code_of_a_service, _template, _system_error, _reasons, _own_code, _sqlite_name)
