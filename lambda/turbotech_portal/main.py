"""Make the application once, when a process starts: `app` for uvicorn, `handler` for Lambda without the Web Adapter."""

from shared.cold_start import cold_start

with cold_start():
    import os

    from shared.dynamodb import make_client
    from shared.lambda_handler import make_handler
    from shared.logs import make_logger
    from shared.settings import base_path
    from shared.times import system_clock
    from turbotech_portal.app import CALLS_AT_ONCE, SERVICE, create_app
    from turbotech_portal.settings import Settings

    _settings = Settings.from_environment(os.environ)
    _logger = make_logger(SERVICE, _settings.log_level)

    app = create_app(
        settings=_settings, client=make_client(connections=CALLS_AT_ONCE), clock=system_clock, logger=_logger
    )
    handler = make_handler(app, base_path=base_path(os.environ))
