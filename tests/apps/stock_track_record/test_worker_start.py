"""The worker starts without what only the API needs, above all without a web framework."""

import json
import os
import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[3] / "lambda"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "sample",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_SECRET_ACCESS_KEY": "sample",
    "DYNAMODB_TABLE_PREFIX": "StockTrackRecord-sample",
    "IS_LAMBDA": "true",
    "SQS_MAX_RECEIVES": "3",
    "SQS_QUEUE_URL": "http://127.0.0.1/111111111111/sample",
}


def test_the_worker_imports_neither_a_web_framework_nor_other_clients_of_aws() -> None:
    program = "import json, sys, stock_track_record.worker_main as it; print(json.dumps([it.__name__, *sys.modules]))"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=SOURCES,
        env={**ENVIRONMENT, "PATH": os.environ.get("PATH", os.defpath)},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(json.loads(ended.stdout.splitlines()[-1]))

    assert "stock_track_record.worker_main" in imported
    assert imported & {"fastapi", "mangum", "starlette"} == set()
    assert imported & {"aws_lambda_powertools.utilities.batch", "boto3", "multiprocessing", "s3transfer"} == set()
