"""Say what AWS Lambda takes at most, in bytes.

The first one is for a zip in the call that makes or changes a function or a layer; a larger one comes from S3. The
second one is for a function's package with its layers, and holds however it came
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
"""

from __future__ import annotations

ZIPPED_LIMIT = 50 * 1024 * 1024
UNZIPPED_LIMIT = 250 * 1024 * 1024
