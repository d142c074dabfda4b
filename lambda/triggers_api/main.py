"""Give Lambda its handler: everything that is slow happens here once, when an environment starts."""

import logging
import os

from mangum import Mangum

from shared.dynamodb import make_client
from shared.logs import make_logger
from triggers_api.app import SERVICE, create_app
from triggers_api.settings import Settings
from triggers_api.times import system_clock

_settings = Settings.from_environment(os.environ)
_logger = make_logger(SERVICE, _settings.log_level)
# A warning would be the one line in the log that is not JSON.
logging.captureWarnings(capture=True)

app = create_app(settings=_settings, client=make_client(), clock=system_clock, logger=_logger)
handler = Mangum(app, lifespan="off")
