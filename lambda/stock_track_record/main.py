"""Give Lambda the API's handler: everything that is slow happens here once, when an environment starts."""

from shared.cold_start import cold_start

with cold_start():
    import os

    from botocore.session import get_session

    from shared.dynamodb import make_client
    from shared.lambda_handler import make_handler
    from shared.logs import make_logger
    from shared.settings import base_path, public_docs
    from shared.times import system_clock
    from stock_track_record import queue
    from stock_track_record.app import SERVICE, create_app
    from stock_track_record.settings import ApiSettings

    _settings = ApiSettings.from_environment(os.environ)
    _logger = make_logger(SERVICE, _settings.log_level)
    _session = get_session()

    app = create_app(
        settings=_settings,
        client=make_client(endpoint=_settings.endpoint, region=_settings.region, session=_session),
        queue_client=queue.make_client(_session),
        clock=system_clock,
        logger=_logger,
        docs=public_docs(os.environ),
    )
    handler = make_handler(app, base_path=base_path(os.environ))
