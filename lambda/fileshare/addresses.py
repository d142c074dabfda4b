"""Bring an e-mail address into its one form: the form in which it is stored, looked up and compared."""

from dataclasses import dataclass

from fileshare.checks import DoesNotFitError, normalised_email


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """What counts as one address; whether `ada+x@example.com` is the address of `ada@example.com` is a setting."""

    merge_plus: bool = False

    def canonical(self, text: str) -> str:
        """Write an address in its one form, or raise DoesNotFitError."""
        email = normalised_email(text)
        local, _, domain = email.partition("@")
        before_plus = local.partition("+")[0]
        # An address that begins with its plus has nothing before it that could be a user.
        return f"{before_plus}@{domain}" if self.merge_plus and before_plus else email

    def same(self, one: str, other: str) -> bool:
        """Tell whether two texts are one address; what is not an address is the same as itself alone."""
        if one == other:
            return True
        try:
            return self.canonical(one) == self.canonical(other)
        except DoesNotFitError:
            return False
