"""Give Lambda its handler: everything that is slow happens here once, when an environment starts."""

from shared.cold_start import cold_start

with cold_start():
    import os

    from hybrid_ci_cd.app import SERVICE, create_app
    from hybrid_ci_cd.settings import Settings
    from shared.dynamodb import make_client
    from shared.lambda_handler import make_handler
    from shared.logs import make_logger
    from shared.settings import base_path, public_docs
    from shared.times import system_clock

    _settings = Settings.from_environment(os.environ)
    _logger = make_logger(SERVICE, _settings.log_level)

    app = create_app(
        settings=_settings,
        client=make_client(),
        clock=system_clock,
        logger=_logger,
        docs=public_docs(os.environ),
    )
    handler = make_handler(app, base_path=base_path(os.environ))
