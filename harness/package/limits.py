"""Say what AWS Lambda takes at most, in bytes.

Both are for a function's package as it is uploaded with the API; the second one counts its layers as well
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
"""

from __future__ import annotations

ZIPPED_LIMIT = 50 * 1024 * 1024
UNZIPPED_LIMIT = 250 * 1024 * 1024
