#!/bin/sh
# Start the application under uvicorn. Lambda calls this as the handler, by way of the Web Adapter; the image as its command.
# uvicorn listens on UVICORN_HOST, by default on loopback alone, where the adapter looks for it.
cd "$(dirname "$0")" || exit 1
# What the package brings comes first, then what Lambda's runtime has.
export PYTHONPATH="$PWD${LAMBDA_RUNTIME_DIR:+:$LAMBDA_RUNTIME_DIR}"
# The application logs every request, as JSON; uvicorn's own lines join it in that form.
exec python3 -m uvicorn "${1:-turbotech_portal.main:app}" --port "${PORT:-8080}" --no-access-log --no-server-header \
    --log-config turbotech_portal/logging.json
