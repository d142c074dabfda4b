"""What conditions on tags say of APIs, and of what lies in them."""

from __future__ import annotations

from tests.contracts.asking import is_refused, may
from tests.contracts.support import Account


def test_who_may_change_what_has_some_tags_may_change_no_api_with_others(account: Account) -> None:
    """REST APIs hand their tags down to what lies in them; an HTTP API's routes have none."""
    rest, http = account.client("apigateway"), account.client("apigatewayv2")
    tags = {name: {"app": name} for name in ("own", "other")}
    rests = {name: rest.create_rest_api(name=name, tags=tags[name]) for name in tags}
    https = {name: http.create_api(Name=name, ProtocolType="HTTP", Tags=tags[name])["ApiId"] for name in tags}
    condition = {"StringEqualsIfExists": {"aws:ResourceTag/app": "own"}}
    session = may(account, {"Action": "apigateway:*", "Resource": "*", "Condition": condition})
    rest, http = account.client("apigateway", session), account.client("apigatewayv2", session)
    for name, refused in (("own", False), ("other", True)):
        one, root = rests[name]["id"], rests[name]["rootResourceId"]
        method = {"restApiId": one, "resourceId": root, "httpMethod": "GET", "authorizationType": "NONE"}
        assert is_refused(rest, "PutMethod", method) == refused
        arn = f"arn:aws:apigateway:us-east-1::/restapis/{one}"
        assert is_refused(rest, "TagResource", {"resourceArn": arn, "tags": {"app": "own"}}) == refused
        assert is_refused(http, "UpdateApi", {"ApiId": https[name], "Description": "changed"}) == refused
        assert is_refused(http, "CreateStage", {"ApiId": https[name], "StageName": "one"}) is False
        assert is_refused(http, "CreateRoute", {"ApiId": https[name], "RouteKey": "$default"}) is False
