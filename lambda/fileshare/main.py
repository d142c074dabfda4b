"""Give Lambda its handler and a server its application: everything that is slow happens here once, at the start."""

from shared.cold_start import cold_start

with cold_start():
    import os

    from fileshare.app import SERVICE, THREADS, create_app, open_database
    from fileshare.settings import Settings, Tables
    from shared.dynamodb import make_client
    from shared.lambda_handler import make_handler
    from shared.logs import make_logger
    from shared.settings import base_path
    from shared.times import system_clock

    _settings = Settings.from_environment(os.environ)
    _logger = make_logger(SERVICE, _settings.log_level)
    _client = (
        make_client(region=_settings.database.region, connections=THREADS)
        if isinstance(_settings.database, Tables)
        else None
    )
    _database = open_database(_settings, client=_client, logger=_logger)

    app = create_app(settings=_settings, database=_database, clock=system_clock, logger=_logger)
    handler = make_handler(app, base_path=base_path(os.environ))
