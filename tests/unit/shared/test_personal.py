"""Nobody is shown another one's e-mail address, wherever a token or an old item has it."""

import re
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.personal import holds_address, public_id, public_name

ADDRESSES = st.emails() | st.builds(
    "{}@{}".format, st.text(alphabet="aé日x.", min_size=1), st.sampled_from(["corp", "é.example"])
)


# Each encoding makes a text longer, some of them ninefold.
MOST_CHARACTERS = 5_000
SECONDS = 5


@given(ADDRESSES, st.text(), st.text())
def test_an_address_is_found_whatever_stands_around_it(address: str, before: str, after: str) -> None:
    assert holds_address(f"{before}{address}{after}")


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.com",
        "Ada <ada@example.com>",
        "mailto:ada@example.com",
        "samlp|corp|ada@example.com",
        "oauth2|x|ada%40example.com",
        "ada\uff20example.com",
        "ada﹫example.com",
        "a\u200bda@\u200bexample.com",
        "client@clients.example.com",
        "x y@clients",
        "ada @ example.com",
        "ali%2540ce.org",
        "ali%252525252540ce.org",
        "ali%%340ce.org",
        "ali%25%34%30ce.org",
        "ali\uff0540ce.org",
        "ali%EF%BC%A0ce.org",
        "ali%EF%BC%8540ce.org",
        "ali%25\u200b40ce.org",
        "ali&#64;ce.org",
        "ali&#x40;ce.org",
        "ali&#0000064ce.org",
        "ali&commat;ce.org",
        "ali%26%2364%3Bce.org",
        "ali&amp;#64;ce.org",
    ],
)
def test_an_address_in_disguise_is_one(text: str) -> None:
    assert holds_address(text)
    assert "@" not in public_id(text)
    assert re.fullmatch(r"user\|[0-9a-f]{32}", public_id(text))


@pytest.mark.parametrize("text", ["auth0|5f7c8ec7", "Ada @ work", "@ada", "Zoë", "", "k3yOfAprogram@clients", "a @"])
def test_what_is_none_stays_as_it_is(text: str) -> None:
    assert not holds_address(text)
    assert public_id(text) == text


@given(st.text(), st.text())
def test_no_name_that_is_shown_has_an_address_or_is_empty_where_the_id_is_not(name: str, user_id: str) -> None:
    shown = public_name(name, user_id=user_id)

    assert not holds_address(shown)
    assert shown or not user_id


@given(ADDRESSES, st.text(alphabet="\u200b\u202e\x00\u2066"))
def test_no_name_or_id_gives_an_address_away(address: str, hidden: str) -> None:
    middle = len(address) // 2
    disguised = f"{address[:middle]}{hidden}{address[middle:]}"

    for shown in (public_name(disguised, user_id=f"x|{address}"), public_id(disguised), public_id(address)):
        assert address.lower() not in shown.lower()
        assert "@" not in shown


@given(st.text(), st.text())
def test_two_users_are_never_one(first: str, second: str) -> None:
    assert (public_id(first) == public_id(second)) == (first == second)


ENCODINGS: list[Callable[[str], str]] = [
    quote,
    lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    lambda text: text.replace("@", "\uff20").replace("%", "\uff05"),
    lambda text: text.replace("@", "\u200b@\u200b").replace("%", "%\u2060"),
    lambda text: text.replace("&", "&amp;").replace("@", "&#64;"),
]


@given(ADDRESSES, st.lists(st.sampled_from(ENCODINGS), max_size=9))
def test_an_address_is_found_however_often_it_is_encoded(address: str, encodings: list[Callable[[str], str]]) -> None:
    text = address
    for encode in encodings:
        if len(text) < MOST_CHARACTERS:
            text = encode(text)

    assert holds_address(text)
    assert public_id(text).startswith("user|")


def test_a_long_encoding_is_read_at_once() -> None:
    begun = time.perf_counter()
    for text in (
        "%25" * 50_000,
        "%" + "25" * 50_000 + "41",
        "&amp;" * 20_000,
        "%%32%35" * 10_000,
        "&" + "amp;" * 20_000,
    ):
        holds_address(text)

    assert time.perf_counter() - begun < SECONDS


@pytest.mark.parametrize(
    "text", ["100% sure", "50%25", "a%20b", "%", "%4", "%zz", "R&amp;D", "&#65;da", "a%2525b", "%41"]
)
def test_what_is_encoded_and_no_address_stays_as_it_is(text: str) -> None:
    assert public_id(text) == text
