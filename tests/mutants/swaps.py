"""What takes the place of a value, a name, a sign or a function when a module is changed."""

from __future__ import annotations

# What takes the place of a value of AWS's: one that the provider takes as well, lest it be refused for its spelling.
SWAPPED = {
    **dict(
        pair
        for a, b in (
            ("Sum", "Average"),
            ("Maximum", "Minimum"),
            ("p99", "p50"),
            ("GreaterThanOrEqualToThreshold", "LessThanOrEqualToThreshold"),
            ("notBreaching", "breaching"),
            ("PROVISIONED", "PAY_PER_REQUEST"),
            ("KEYS_ONLY", "ALL"),
            ("REGIONAL", "EDGE"),
            ("AWS_PROXY", "HTTP_PROXY"),
            ("Allow", "Deny"),
            ("RESPONSE_STREAM", "BUFFERED"),
            ("Active", "PassThrough"),
            ("Zip", "Image"),
            ("AWS_IAM", "NONE"),
            ("x86_64", "arm64"),
            ("direct", "s3"),
            ("INFO", "WARN"),
            ("Read", "Write"),
            ("1.0", "2.0"),
        )
        for pair in ((a, b), (b, a))
    ),
    "INCLUDE": "ALL",
    "SecureString": "String",
    "String": "StringList",
    "HTTP": "WEBSOCKET",
    "JWT": "REQUEST",
    "JSON": "Text",
    "OFF": "INFO",
    "POST": "PUT",
    "ANY": "GET",
    "email": "email-json",
    "TargetTrackingScaling": "StepScaling",
    "/": "-",
    "-": "/",
    ".": "-",
    " ": "/",
    "true": "false",
    "false": "true",
    "S": "N",
}
# What stands beside one another under one roof, and is easily taken for the other.
SIBLINGS = dict(
    pair
    for a, b in (
        ("read", "write"),
        ("read_capacity", "write_capacity"),
        ("min_capacity", "max_capacity"),
        ("hash_key", "range_key"),
        ("burst_limit", "rate_limit"),
        ("subnet_ids", "security_group_ids"),
        ("on_failure", "on_success"),
        ("command", "entry_point"),
        ("bucket", "key"),
        ("this", "dead_letters"),
        ("errors", "throttles"),
        ("depth", "age_seconds"),
        ("allow_headers", "allow_methods"),
        ("allow_origins", "expose_headers"),
        ("server_errors", "client_errors"),
        ("arn", "id"),
        ("name", "arn"),
        ("issuer", "audience"),
        ("actions", "resources"),
        ("sha256", "content_sha256"),
        ("batch_size", "maximum_batching_window_in_seconds"),
        ("maximum_retry_attempts", "maximum_event_age_in_seconds"),
        ("application_log_level", "system_log_level"),
        ("handler", "runtime"),
        ("metric", "statistic"),
        ("code", "message"),
        ("parameters", "switches"),
        ("first", "second"),
    )
    for pair in ((a, b), (b, a))
) | {"dead_letters": "this", "url": "arn", "execution_arn": "arn", "send": "read", "arn": "id", "id": "arn"}
OTHER_SIGN = {"==": "!=", "!=": "==", "&&": "||", "||": "&&", "<=": "<", ">=": ">", "<": "<=", ">": ">="}
OTHER_FUNCTION = {
    "min": "max",
    "max": "min",
    "alltrue": "anytrue",
    "anytrue": "alltrue",
    "floor": "ceil",
    "ceil": "floor",
    "keys": "values",
    "upper": "lower",
    "setsubtract": "setintersection",
    "setintersection": "setunion",
}
