"""Write one JSON object a line to standard output, whichever library logs."""

import logging
import sys
from typing import TextIO

from aws_lambda_powertools import Logger

# At DEBUG some of these print requests with headers and bodies, and so API keys, their hashes and payloads.
CHATTY = ("asyncio", "aws_lambda_powertools", "boto3", "botocore", "mangum", "urllib3")


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


def make_logger(service: str, level: str) -> Logger:
    """Make the application's logger, and let all other loggers write in the same form with the same keys."""
    # Powertools keeps one handler for each service, and a second one would never get its formatter.
    handler = getattr(logging.getLogger(service), "powertools_handler", None) or StandardOutput()
    logger = Logger(service=service, level=level, logger_handler=handler, utc=True, use_rfc3339=True, json_default=str)
    logger.setLevel(level)
    logging.getLogger(service).propagate = False
    root = logging.getLogger()
    # Lambda's runtime installs a handler that writes plain text.
    root.handlers = [handler]
    root.setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    return logger
