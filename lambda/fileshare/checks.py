"""Tell what can be an email address, a target, a short code and a user's id, in requests and in old data alike."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

from pydantic_core import PydanticCustomError

from shared.locations import MAX_LOCATION_BYTES
from shared.visible_text import LONGEST_TO_COMPOSE, checked_line, composed, visible

# The longest URL, file key and name, all escaped, fit well.
MAX_BODY_BYTES = 64 * 1024
MAX_EMAIL_LENGTH = 254
MAX_URL_LENGTH = 2048
MAX_FILE_KEY_LENGTH = 1024
MAX_FILENAME_LENGTH = 255
LONGEST_LIFE = timedelta(days=3660)

# What can stand around an address: the white space of JSON and of the lines that addresses are pasted from.
WHITE_SPACE = " \t\r\n"

_EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+")
_HOST = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?|\[[0-9A-Fa-f:.]+\]")
_SHORT_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_USER_ID = re.compile(r"[A-Za-z0-9._@-]{1,128}")


class DoesNotFitError(ValueError):
    """A value is none that can be taken; the message goes on after its name."""


def normalised_email(text: str) -> str:
    """Write an address so that two spellings of it are one: without white space around it, in lower case.

    ASCII comes first: the lower case of some other letters, such as that of the KELVIN SIGN, is an ASCII letter, and
    `str.strip` takes more for space than anybody sees, such as U+001F.
    """
    email = text.strip(WHITE_SPACE).lower()
    if not text.isascii() or len(email) > MAX_EMAIL_LENGTH or not _EMAIL.fullmatch(email):
        raise DoesNotFitError(
            f"must be an address such as ada@example.com, in ASCII and of at most {MAX_EMAIL_LENGTH} characters"
        )
    return email


def is_control(character: str) -> bool:
    """Tell whether a character controls something or is nobody's; those of a newer Unicode than this Python's are not.

    What is taken would else differ between Pythons: the emoji of newer telephones are unassigned in older ones.
    """
    category = unicodedata.category(character)
    return category[0] == "C" and (category != "Cn" or visible(character) != character)


def checked_url(text: str) -> str:
    """Refuse a target that a browser would read in another way than a person does, or would run."""
    if len(text) > MAX_URL_LENGTH:
        raise DoesNotFitError(f"must have at most {MAX_URL_LENGTH} characters")
    if "\\" in text or any(is_control(one) or unicodedata.category(one)[0] == "Z" for one in text):
        raise DoesNotFitError("must have no spaces, control characters or backslashes; write them as %20 and the like")
    try:
        parts = urlsplit(text)
        host_and_port = parts.netloc.rpartition("@")
        parts.port  # noqa: B018 - reading it is the check
    except ValueError:
        raise DoesNotFitError("must be an address that a browser can read") from None
    if parts.scheme not in ("http", "https") or not text.lower().startswith(f"{parts.scheme}://"):
        raise DoesNotFitError("must begin with http:// or https://")
    if host_and_port[1]:
        raise DoesNotFitError("must have no user name before its host, which hides where a link goes")
    if not _HOST.fullmatch(host_and_port[2].rpartition(":")[0] if _has_port(host_and_port[2]) else host_and_port[2]):
        raise DoesNotFitError("must name a host in ASCII, such as xn--bcher-kva.example for one with other letters")
    if len(location(text)) > MAX_LOCATION_BYTES:
        raise DoesNotFitError(
            f"must have at most {MAX_LOCATION_BYTES} bytes where all letters that are not ASCII are written as %C3%BC "
            "and the like, as it is sent to whoever follows it"
        )
    return text


def location(target: str) -> str:
    """Write a target as it is sent in the header of a redirect."""
    return quote(target, safe=":/%#?=@[]!$&'()*+,;")


def is_target(text: str) -> bool:
    """Tell whether a link may lead there, whoever wrote it."""
    try:
        checked_url(text)
    except DoesNotFitError:
        return False
    return True


def checked_key(text: str, most: int) -> str:
    """Refuse control characters, which could forge a header or a line of a log."""
    if not 1 <= len(text) <= most or any(map(is_control, text)):
        raise DoesNotFitError(f"must have 1 to {most} characters and no control characters")
    return text


def checked_name(text: str, most: int) -> str:
    """Return a name in its one form, or refuse what nobody sees or what turns a text around.

    report\N{RIGHT-TO-LEFT OVERRIDE}fdp.exe looks like a PDF.
    """
    if len(text) > LONGEST_TO_COMPOSE or not 1 <= len(composed(text)) <= most:
        raise DoesNotFitError(f"must have 1 to {most} characters")
    try:
        return checked_line(text)
    except PydanticCustomError as error:
        raise DoesNotFitError(error.message()) from None


def checked_expiry(moment: datetime, now: datetime) -> datetime:
    """Refuse an end that has passed or is out of reach."""
    try:
        end = moment.astimezone(UTC)
    except OverflowError:
        raise DoesNotFitError("must be a time that the calendar has") from None
    if not now < end <= now + LONGEST_LIFE:
        raise DoesNotFitError(f"must lie in the future, and no more than {LONGEST_LIFE.days} days ahead")
    return end


def is_short_code(text: str) -> bool:
    """Tell whether a link can have this code."""
    return _SHORT_CODE.fullmatch(text) is not None


def is_user_id(text: str) -> bool:
    """Tell whether a user can have this id; those of the items that reserve an address, which have a `#`, are none."""
    return _USER_ID.fullmatch(text) is not None


def _has_port(host_and_port: str) -> bool:
    return not host_and_port.endswith("]") and ":" in host_and_port
