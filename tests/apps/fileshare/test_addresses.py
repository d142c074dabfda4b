"""An address has one form, whoever writes it and wherever it is compared."""

import asyncio
import sys
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from aws_lambda_powertools import Logger
from hypothesis import example, given
from hypothesis import strategies as st
from mangum import Mangum

from fileshare.addresses import Addresses
from fileshare.app import create_app
from fileshare.checks import DoesNotFitError
from fileshare.database import Database
from fileshare.settings import Settings
from fileshare.tokens import new_token
from tests.apps.fileshare.support import Api, a_user, in_a_thread
from tests.unit.support import Clock

KELVIN = "\N{KELVIN SIGN}"
LOCAL = st.text("abkKxX+.-_'7", min_size=1, max_size=12)
ANY = st.text(max_size=12) | LOCAL
RULES = st.builds(Addresses, merge_plus=st.booleans())


@given(rule=RULES, local=ANY, domain=st.sampled_from(["example.com", "EXAMPLE.com", "a-b.example", KELVIN, "x"]))
@example(rule=Addresses(), local=KELVIN, domain="example.com")
@example(rule=Addresses(merge_plus=True), local="+x", domain="example.com")
def test_the_one_form_is_in_ascii_and_its_own_one_form(rule: Addresses, local: str, domain: str) -> None:
    spelled = f" {local}@{domain}\n"
    try:
        address = rule.canonical(spelled)
    except DoesNotFitError:
        # What is refused is so in any case, and by every rule.
        for other in (Addresses(), Addresses(merge_plus=True)):
            for text in (spelled, spelled.upper() if spelled.isascii() else spelled, spelled.strip(" \n")):
                with pytest.raises(DoesNotFitError):
                    other.canonical(text)
        return
    assert spelled.isascii()
    assert address == address.lower() == rule.canonical(address) == rule.canonical(address.upper())
    assert rule.same(spelled, address)
    # Whoever has the setting on can switch it off again: what was stored stays as it is.
    assert Addresses().canonical(address) == address
    assert Addresses(merge_plus=True).canonical(spelled) == Addresses(merge_plus=True).canonical(address)


# What Python takes for space, or nobody sees, but is not white space of a text in JSON.
AROUND = [
    chr(code)
    for code in range(sys.maxunicode + 1)
    if chr(code) not in " \t\r\n"
    and (chr(code).isspace() or unicodedata.category(chr(code)) in ("Cc", "Zl", "Zp", "Zs"))
]


@pytest.mark.parametrize("rule", [Addresses(), Addresses(merge_plus=True)], ids=["apart", "merged"])
def test_what_is_no_ascii_or_is_not_seen_is_refused_around_an_address_as_within_it(rule: Addresses) -> None:
    taken = []
    for character in AROUND:
        for text in (f"{character}ada@example.com", f"ada@example.com{character}", f" {character} ada@example.com"):
            with suppress(DoesNotFitError):
                taken.append((text, rule.canonical(text)))
        assert not rule.same(f"ada@example.com{character}", "ada@example.com")
    assert len(AROUND) > 60
    assert taken == []


@pytest.mark.parametrize("character", ["\N{NO-BREAK SPACE}", "\x1f", "\x0b", "\u2028", "\x85", "\x00"], ids=ascii)
def test_every_route_refuses_an_address_with_something_else_than_space_around_it(
    make_api: Callable[[], Api], character: str
) -> None:
    api = make_api()
    api.sign_up("ada@example.com")
    for email in (f"{character}ada@example.com", f"eve@example.com{character}"):
        signed_up = make_api().call("POST", "/api/users", {"email": email})
        shown = api.call("GET", "/api/trial", query={"email": [email]})
        assert [(response.status, response.error_code) for response in (signed_up, shown)] == [
            (422, "invalid_request")
        ] * 2
    assert api.call("GET", "/api/trial", query={"email": [" ada@example.com\t"]}).status == 200


@pytest.mark.parametrize(
    ("spelled", "apart", "merged"),
    [
        ("Ada@Example.com", "ada@example.com", "ada@example.com"),
        ("ADA+x@example.com", "ada+x@example.com", "ada@example.com"),
        ("ada+x+y@example.com", "ada+x+y@example.com", "ada@example.com"),
        ("ada+@example.com", "ada+@example.com", "ada@example.com"),
        ("+x@example.com", "+x@example.com", "+x@example.com"),
    ],
)
def test_a_plus_counts_unless_the_setting_says_otherwise(spelled: str, apart: str, merged: str) -> None:
    assert Addresses().canonical(spelled) == apart
    assert Addresses(merge_plus=True).canonical(spelled) == merged


def test_what_is_no_address_is_the_same_as_itself_alone() -> None:
    rule = Addresses()
    assert rule.same(f"{KELVIN}@example.com", f"{KELVIN}@example.com")
    assert not rule.same(f"{KELVIN}@example.com", "k@example.com")
    assert not rule.same("k@example.com", f"{KELVIN}@example.com")
    assert not rule.same("", " ")


@pytest.fixture
def merging(
    settings: Settings, database: Database, logger: Logger, clock: Clock, event_loop: asyncio.AbstractEventLoop
) -> Callable[[], Api]:
    """Make callers of an application in which plus-addresses are one user."""
    changed = replace(settings, addresses=Addresses(merge_plus=True))
    handler = Mangum(create_app(settings=changed, database=database, clock=clock, logger=logger), lifespan="off")
    return lambda: Api(handler)


def test_with_the_setting_plus_addresses_sign_up_once(merging: Callable[[], Api]) -> None:
    user = merging()
    assert user.sign_up("Ada+first@Example.com")["email"] == "ada@example.com"
    for again in ("ada@example.com", "ADA+x@example.com", "ada+@example.com"):
        response = merging().call("POST", "/api/users", {"email": again})
        assert (response.status, response.error_code) == (409, "email_taken")
    response = user.call("GET", "/api/trial", query={"email": ["ADA+other@example.com"]})
    assert (response.status, response.json()["email"]) == (200, "ada@example.com")
    assert user.call("GET", "/api/trial", query={"email": ["eve+ada@example.com"]}).status == 403


def test_without_the_setting_a_plus_address_is_a_user_of_its_own(make_api: Callable[[], Api]) -> None:
    assert make_api().sign_up("ada@example.com")["email"] == "ada@example.com"
    other = make_api()
    assert other.sign_up("ADA+x@example.com")["email"] == "ada+x@example.com"
    assert other.call("GET", "/api/trial", query={"email": ["ada@example.com"]}).status == 403


@pytest.mark.parametrize("stored", ["Ada@Example.com", " ada@example.com ", f"{KELVIN}@example.com"])
def test_a_user_that_other_code_wrote_sees_the_own_trial_before_addresses_are_migrated(
    make_api: Callable[[], Api], database: Database, stored: str
) -> None:
    user = a_user(email=stored)
    token = new_token(user.user_id)
    in_a_thread(database.create_user(replace(user, token_hash=token.hashed)))
    api = make_api()
    api.token = token.clear
    spellings = [stored] if KELVIN in stored else [stored, "ada@example.com", "ADA@example.COM"]
    for spelled in spellings:
        assert api.call("GET", "/api/trial", query={"email": [spelled]}).status == 200
    assert api.call("GET", "/api/trial", query={"email": ["k@example.com"]}).status == 403
