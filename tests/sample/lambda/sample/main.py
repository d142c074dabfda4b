"""Give Lambda its handler."""

import os

from sample.app import SERVICE, create_app
from shared.dynamodb import make_client
from shared.lambda_handler import make_handler
from shared.logs import make_logger
from shared.settings import required

app = create_app(
    table=required(os.environ, "NOTES_TABLE"),
    client=make_client(),
    logger=make_logger(SERVICE, "INFO"),
)
handler = make_handler(app)
