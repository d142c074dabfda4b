"""Write one JSON object a line to standard output, whichever library logs."""

import logging
import sys
import warnings
from typing import TextIO

from aws_lambda_powertools import Logger

from shared.log_lines import SHARED, LogLines

# At DEBUG some of these print requests with headers and bodies, and so API keys, their hashes and payloads.
CHATTY = ("asyncio", "aws_lambda_powertools", "boto3", "botocore", "mangum", "urllib3")
# uvicorn gives these handlers of their own, which print texts of exceptions.
SERVERS = ("uvicorn", "uvicorn.asgi", "uvicorn.error")
# Whole addresses, with all that stands in their queries; every request has a line of ours.
ACCESS_LOGS = ("uvicorn.access",)


class StandardOutput(logging.StreamHandler[TextIO]):
    """Write to what `sys.stdout` is at the moment, so that whoever replaces it sees the lines."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        """Give today's standard output."""
        return sys.stdout

    @stream.setter
    def stream(self, value: TextIO) -> None:
        raise AttributeError(f"The log goes to standard output and cannot be sent to {value}.")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name of the method that this replaces
        """Say that a line is missing; the method that this replaces prints the message and its arguments."""
        place = f"{record.module}:{record.lineno}"
        sys.stderr.write(f'{{"level":"ERROR","location":"{place}","message":"A log line could not be written."}}\n')


def make_logger(service: str, level: str) -> Logger:
    """Make the application's logger, and let all other loggers write in the same form with the same keys."""
    # Powertools keeps one handler for each service, and a second one would never get its formatter.
    handler = getattr(logging.getLogger(service), "powertools_handler", None) or StandardOutput()
    logger = Logger(service=service, level=level, logger_handler=handler, logger_formatter=LogLines(service=service))
    logger.setLevel(level)
    logging.getLogger(service).propagate = False
    root = logging.getLogger()
    # Lambda's runtime installs a handler that writes plain text.
    root.handlers = [handler]
    root.setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in SERVERS:
        server = logging.getLogger(name)
        server.handlers, server.propagate = [], True
    for name in ACCESS_LOGS:
        # uvicorn asks for handlers before it makes a line. Configured later it brings them back, but the filter stays.
        access = logging.getLogger(name)
        access.handlers, access.propagate = [], False
        access.addFilter(_nothing)
    warnings.showwarning = _log_warning
    return logger


def _nothing(_record: logging.LogRecord) -> bool:
    return False


def _log_warning(  # noqa: PLR0913, PLR0917 - the parameters of what this replaces
    message: Warning | str,  # noqa: ARG001
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    """Log which warning came from where: its text may quote a value, as pydantic's do."""
    logging.getLogger(f"{SHARED}.warnings").warning(
        "Python warns.", extra={"category": category.__name__, "place": f"{filename}:{lineno}"}
    )
