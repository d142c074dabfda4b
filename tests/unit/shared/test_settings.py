"""A setting that cannot work is refused in a sentence that names it and says what to set."""

import pytest

from shared.settings import SettingsError, choice, origins, required, whole_number


@pytest.mark.parametrize("environment", [{}, {"TABLE": ""}, {"TABLE": "  "}], ids=["missing", "empty", "blank"])
def test_what_has_to_be_there_is_asked_for(environment: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"^TABLE is not set\. Set it in the function's environment\.$"):
        required(environment, "TABLE")


def test_what_is_there_is_read_without_the_space_around_it() -> None:
    assert required({"TABLE": " events "}, "TABLE") == "events"


def test_one_of_a_few_is_taken_and_nothing_else() -> None:
    assert choice({"LEVEL": "INFO"}, "LEVEL", ("INFO", "DEBUG"), default="DEBUG") == "INFO"
    assert choice({"LEVEL": ""}, "LEVEL", ("INFO", "DEBUG"), default="DEBUG") == "DEBUG"
    with pytest.raises(SettingsError, match=r"^LEVEL is 'info'\. Set it to one of INFO, DEBUG\.$"):
        choice({"LEVEL": "info"}, "LEVEL", ("INFO", "DEBUG"), default="DEBUG")


@pytest.mark.parametrize(("text", "found"), [("1", 1), ("60", 60), ("", 7)])
def test_a_whole_number_is_read(text: str, found: int) -> None:
    assert whole_number({"SECONDS": text}, "SECONDS", default=7, least=1, most=60) == found


@pytest.mark.parametrize("text", ["0", "61", "-1", "1.5", "1e1", "one", "\u0661", "9" * 5000])
def test_any_other_number_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"Set it to a whole number from 1 to 60\.$"):
        whole_number({"SECONDS": text}, "SECONDS", default=7, least=1, most=60)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ("*",)),
        ("*", ("*",)),
        ("https://a.example.com", ("https://a.example.com",)),
        ("https://a.example.com, http://localhost:3000", ("https://a.example.com", "http://localhost:3000")),
    ],
)
def test_origins_are_read(text: str, found: tuple[str, ...]) -> None:
    assert origins({"FRONTEND_URL": text}, "FRONTEND_URL") == found


@pytest.mark.parametrize("text", ["*, https://a.example.com", "https://a.example.com/", "a.example.com", "null"])
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^CORS_ORIGINS has "):
        origins({"CORS_ORIGINS": text})
