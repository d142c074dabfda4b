"""Give Lambda the worker's handler: everything that is slow happens here once, when an environment starts."""

from shared.cold_start import cold_start

with cold_start():
    import os

    from botocore.session import get_session

    from shared.dynamodb import DynamoDB, make_client
    from shared.logs import make_logger
    from shared.times import system_clock
    from stock_track_record import queue
    from stock_track_record.jobs import JobStore
    from stock_track_record.records import RecordStore
    from stock_track_record.settings import WorkerSettings
    from stock_track_record.stocks import StockStore
    from stock_track_record.worker import Worker

    SERVICE = "stock_track_record_worker"

    _settings = WorkerSettings.from_environment(os.environ)
    _logger = make_logger(SERVICE, _settings.log_level)
    _session = get_session()
    _dynamodb = DynamoDB(
        client=make_client(endpoint=_settings.endpoint, region=_settings.region, session=_session), logger=_logger
    )
    _jobs = JobStore(table=_settings.table, dynamodb=_dynamodb, clock=system_clock, logger=_logger)

    handler = Worker(
        jobs=_jobs,
        records=RecordStore(
            table=_settings.table,
            dynamodb=_dynamodb,
            stocks=StockStore(table=_settings.stocks_table, dynamodb=_dynamodb, logger=_logger),
            jobs=_jobs,
            clock=system_clock,
            logger=_logger,
        ),
        queue=queue.Queue(client=queue.make_client(_session), url=_settings.queue_url) if _settings.queue_url else None,
        logger=_logger,
        max_receives=_settings.max_receives,
    ).handle
