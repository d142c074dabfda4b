"""An environment.yaml that does not fit is refused in one sentence that names the file and the key."""

from __future__ import annotations

import pytest
import yaml

from sawhorse.environment import Auth0, Environment, Jwt, read_environment
from sawhorse.errors import BadConfiguration, UnknownName
from sawhorse.project import Project
from tests.unit.sawhorse.support import assert_refused, sawhorse, tree

UNSAID = 'account_id: "111111111111"\nregion: us-east-1\n'
GOOD = f"{UNSAID}production: false\n"
FILE = "environments/dev/environment.yaml"


def write(project: Project, content: str | bytes) -> None:
    (project.path / FILE).write_bytes(content.encode() if isinstance(content, str) else content)


def test_a_short_file_is_enough(tiny: Project) -> None:
    assert read_environment(tiny, "dev") == Environment(
        name="dev", account_id="111111111111", region="us-east-1", production=False
    )


@pytest.mark.parametrize(("text", "says"), [("true", True), ("false", False)])
def test_an_environment_says_whether_it_is_production(tiny: Project, text: str, says: bool) -> None:  # noqa: FBT001
    write(tiny, f"{UNSAID}production: {text}\n")
    assert read_environment(tiny, "dev").production is says


@pytest.mark.parametrize("text", ["'false'", "no thanks", "0", "null", "[]"])
def test_a_word_that_says_neither_is_refused(tiny: Project, text: str) -> None:
    write(tiny, f"{UNSAID}production: {text}\n")
    with pytest.raises(BadConfiguration, match=r"production is .*; it must be true or false"):
        read_environment(tiny, "dev")


def test_every_fact_is_read(tiny: Project) -> None:
    write(
        tiny,
        GOOD + "alarm_email: a@example.com\nstate_bucket: a-bucket\ntags:\n  cost: shop\n"
        "app_regions:\n  tiny: us-east-2\nauth0:\n  domain: auth0.example.com\n  audience: api\n",
    )

    assert read_environment(tiny, "dev") == Environment(
        name="dev",
        account_id="111111111111",
        region="us-east-1",
        alarm_email="a@example.com",
        state_bucket="a-bucket",
        tags={"cost": "shop"},
        production=False,
        app_regions={"tiny": "us-east-2"},
        auth0=Auth0(domain="auth0.example.com", audience="api"),
    )


def test_an_app_may_live_in_another_region_than_its_environment() -> None:
    environment = Environment(
        name="dev", account_id="111111111111", region="us-east-1", production=False, app_regions={"far": "us-east-2"}
    )

    assert (environment.of_app("far").region, environment.of_app("near").region) == ("us-east-2", "us-east-1")


def test_the_issuer_of_a_tenant_is_its_domain_with_a_slash_at_the_end() -> None:
    environment = Environment(
        name="dev",
        account_id="111111111111",
        region="us-east-1",
        production=False,
        auth0=Auth0(domain="auth0.example.com", audience="api"),
    )

    assert environment.jwt() == Jwt(issuer="https://auth0.example.com/", audience="api")
    assert environment.jwt("http://127.0.0.1:1/") == Jwt(issuer="http://127.0.0.1:1/", audience="api")
    without = environment.model_copy(update={"auth0": None})
    assert without.jwt("http://127.0.0.1:1/") is None


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("tags: {db_password: hunter2}", "tags.db_password sounds like a secret"),
        ("tags: {apiKey: hunter2}", "tags.apiKey sounds like a secret"),
        ("tags: {note: AKIAIOSFODNN7EXAMPLE}", "tags.note looks like a secret"),
        ("auth0: {domain: a.example.com, audience: 'https://u:hunter2@example.com'}", "auth0.audience looks like"),
        ("alarm_email: ghp_0123456789abcdef", "alarm_email looks like a secret"),
        ("client_secret: hunter2", "client_secret sounds like a secret"),
    ],
)
def test_a_secret_is_refused_without_showing_it(tiny: Project, lines: str, place: str) -> None:
    write(tiny, f"{GOOD}{lines}\n")

    with pytest.raises(BadConfiguration) as refusal:
        read_environment(tiny, "dev")

    assert f"{FILE}: {place}" in str(refusal.value)
    assert not [secret for secret in ("hunter2", "AKIA", "ghp_") if secret in str(refusal.value)]


def test_a_tag_that_says_where_a_secret_lies_is_read(tiny: Project) -> None:
    write(tiny, f"{GOOD}tags: {{secret_arn: a, token_ttl_seconds: '60', partition_key: b, cost: shop}}\n")

    assert len(read_environment(tiny, "dev").tags) == 4


def test_as_many_tags_as_aws_takes_are_read(tiny: Project) -> None:
    tags = {"a" * 128: "b" * 256, "Größe_.:/=+-@ 1": "", **{f"tag{n}": "a" for n in range(46)}}
    write(tiny, GOOD + yaml.safe_dump({"tags": tags}, allow_unicode=True))

    assert read_environment(tiny, "dev").tags == tags


BROKEN: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "no YAML": ("account_id: [", ("is not valid YAML (", "); fix that place.")),
    "a key that stands twice": (GOOD + "region: eu-west-1\n", ("is not valid YAML (region stands twice); fix",)),
    "a tab": ("account_id:\t- x\n\t- y", ("is not valid YAML (",)),
    "another encoding": (b"account_id: \xff\n", ("is not valid YAML (",)),
    "a day that is none": (GOOD + "tags: {until: 2024-13-45}\n", ("is not valid YAML (",)),
    "an object of Python's": ("!!python/object:os.system {}\n", ("is not valid YAML (",)),
    "nothing": ("", ("must hold names with values, such as region: us-east-1.",)),
    "a list": ("- a\n", ("must hold names with values",)),
    "no account": ("region: us-east-1\n", ("account_id is missing; it must be the twelve digits",)),
    "nothing of production": (UNSAID, ("production is missing; it must be true or false: true where what lets",)),
    "no region": ('account_id: "111111111111"\n', ("region is missing; it must be an AWS region",)),
    "an account as a number": (
        "account_id: 111111111111\nregion: us-east-1\n",
        ('account_id is 111111111111; it must be the twelve digits of an AWS account, in quotes, such as "',),
    ),
    "an account of eleven digits": ('account_id: "11111111111"\nregion: us-east-1\n', ("account_id is '11111111111'",)),
    "digits of another script": (
        'account_id: "' + 12 * "\u0661" + '"\nregion: us-east-1\n',
        ("account_id is", "it must be the twelve digits"),
    ),
    "an account with a line after it": ('account_id: "111111111111\\n"\nregion: us-east-1\n', ("account_id is",)),
    "a region that is none": ('account_id: "111111111111"\nregion: Frankfurt\n', ("region is 'Frankfurt'",)),
    "a region that is a truth": ('account_id: "111111111111"\nregion: no\n', ("region is False",)),
    "a tenant with its scheme": (
        GOOD + "auth0: {domain: https://auth0.example.com, audience: api}\n",
        ("auth0.domain is 'https://auth0.example.com'; auth0 must be the domain and the audience of an Auth0 tenant",),
    ),
    "a tenant without an audience": (
        GOOD + "auth0: {domain: auth0.example.com}\n",
        ("auth0 is missing; it must be the domain and the audience of an Auth0 tenant",),
    ),
    "an app's region that is none": (GOOD + "app_regions: {tiny: Ohio}\n", ("app_regions.tiny is 'Ohio'",)),
    "an unknown key": (GOOD + "colour: red\n", ("nothing reads colour; remove it, or choose from account_id, region",)),
    "a key that is not text": (GOOD + "1: red\n", ("nothing reads 1; remove it",)),
    "its own name": (GOOD + "name: dev\n", ("must not say name: the directory is the name.",)),
    "tags that are a list": (GOOD + "tags: [a]\n", ("tags is ['a']; it must be names with texts",)),
    "a tag that AWS keeps": (GOOD + "tags: {'AWS:team': shop}\n", ("and no name that begins with aws:",)),
    "a tag with a comma": (GOOD + "tags: {team: 'shop, search'}\n", ("digits, spaces and _.:/=+-@",)),
    "a tag with a long name": (GOOD + f"tags: {{{'a' * 129}: shop}}\n", ("names of 1 to 128",)),
    "a tag with a long text": (GOOD + f"tags: {{team: {'a' * 257}}}\n", ("texts of up to 256",)),
    "a tag without a name": (GOOD + "tags: {'': shop}\n", ("names of 1 to 128",)),
    "too many tags": (GOOD + f"tags: {{{', '.join(f'tag{n}: a' for n in range(49))}}}\n", ("48 at most",)),
    "tags that are nothing": (GOOD + "tags:\n", ("tags is None",)),
    "a tag that is a number": (GOOD + "tags: {cost: 7}\n", ("tags.cost is 7; tags must be names with texts",)),
    "an address that is none": (GOOD + "alarm_email: nobody\n", ("alarm_email is 'nobody'; it must be an e-mail",)),
    "alarms that are unheard and heard": (
        GOOD + "alarm_email: a@example.com\nalarms_unheard: true\n",
        ("alarms_unheard is True; it must be true or false", "never beside alarm_email"),
    ),
    "alarms that are a text": (GOOD + "alarms_unheard: yes please\n", ("alarms_unheard is 'yes please'",)),
    "a bucket that is none": (GOOD + "state_bucket: A_B\n", ("state_bucket is 'A_B'; it must be the name of an S3",)),
}


@pytest.mark.parametrize(("content", "words"), BROKEN.values(), ids=list(BROKEN))
def test_a_broken_file_is_named_with_its_fault(tiny: Project, content: str | bytes, words: tuple[str, ...]) -> None:
    write(tiny, content)

    with pytest.raises(BadConfiguration) as refusal:
        read_environment(tiny, "dev")

    sentence = str(refusal.value)
    assert sentence.startswith(FILE)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    for word in words:
        assert word in sentence


def test_the_command_line_says_it_and_writes_nothing(tiny: Project) -> None:
    write(tiny, BROKEN["an account as a number"][0])
    before = tree(tiny.path / "environments")

    assert_refused(sawhorse(tiny, "render"), f"{FILE}: account_id is 111111111111;")

    assert tree(tiny.path / "environments") == before


def test_an_unknown_environment_lists_those_that_exist(tiny: Project) -> None:
    with pytest.raises(UnknownName, match=r"^There is no environment moon; choose dev\.$"):
        read_environment(tiny, "moon")
