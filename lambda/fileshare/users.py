"""Sign users up, and start their one trial."""

from http import HTTPStatus

from fileshare.addresses import Addresses
from fileshare.checks import DoesNotFitError
from fileshare.database import Database, EmailTaken, NoRoom
from fileshare.models import CreatedUser, NewUser, TrialStatus
from fileshare.openapi import CONFLICTS, NO_TRIAL
from fileshare.records import User
from fileshare.stored import Caller, Trial
from fileshare.tokens import new_token
from fileshare.trials import LENGTH, status_of
from shared.api_errors import ApiError, invalid, not_found
from shared.ids import new_id
from shared.times import Clock, timestamp


class UserService:
    """What can be done with users; the database decides between requests at the same moment."""

    def __init__(self, *, database: Database, clock: Clock, addresses: Addresses) -> None:
        self._database = database
        self._clock = clock
        self._addresses = addresses

    async def sign_up(self, wanted: NewUser) -> CreatedUser:
        """Store a new user and hand out the token."""
        email = self._canonical(wanted.email)
        user_id = new_id()
        token = new_token(user_id)
        now = timestamp(self._clock())
        user = User(user_id=user_id, email=email, created_at=now, updated_at=now, token_hash=token.hashed)
        try:
            await self._database.create_user(user)
        except EmailTaken:
            raise ApiError(HTTPStatus.CONFLICT, *CONFLICTS["email"]) from None
        return CreatedUser(user_id=user_id, email=email, user_tier=user.user_tier, created_at=now, token=token.clear)

    async def start_trial(self, caller: Caller) -> TrialStatus:
        """Start the trial of a user who is offered it; of two requests at once one starts it."""
        trial = caller.found.read(Trial)
        now = self._clock()
        started = None
        if trial is not None and trial.can_start:
            ends = timestamp(now + LENGTH)
            try:
                started = await self._database.start_trial(caller.user_id, started_at=timestamp(now), expires_at=ends)
            except NoRoom:
                raise ApiError(HTTPStatus.CONFLICT, *CONFLICTS["full"]) from None
        if started is None:
            raise ApiError(HTTPStatus.CONFLICT, *CONFLICTS["trial"])
        return status_of(started, now)

    def trial_of(self, caller: Caller) -> Trial:
        """Read a user's trial."""
        trial = caller.found.read(Trial)
        if trial is None:
            raise not_found(NO_TRIAL)
        return trial

    def status_of(self, trial: Trial) -> TrialStatus:
        """Say where a user stands with the trial."""
        return status_of(trial, self._clock())

    def has_address(self, trial: Trial, text: str) -> bool:
        """Tell whether an address is the user's, however either is spelled, or refuse what is not an address."""
        if self._addresses.same(text, trial.email):
            return True
        self._canonical(text)
        return False

    def _canonical(self, text: str) -> str:
        """Bring an address that a caller sent into its one form, or refuse it."""
        try:
            return self._addresses.canonical(text)
        except DoesNotFitError as error:
            raise invalid(f"The request does not fit: email {error}.") from None
