"""Say where a user stands with the premium trial, at a given moment."""

import math
from datetime import datetime, timedelta

from fileshare.models import TrialStatus
from fileshare.records import FREE, TRIAL, User
from shared.times import timestamp

DAYS = 30
LENGTH = timedelta(days=DAYS)
# The frontend shows this text as it is.
OFFER = f"Try Premium - Free for {DAYS} days"
ENDED = "Your premium trial has ended"
PREMIUM = "Premium"


def tier_at(user: User, now: datetime) -> str:
    """Give the tier that counts: the stored one, until the trial's end; nobody has to write at that second."""
    return FREE if user.user_tier == TRIAL and not _runs(user, now) else user.user_tier


def status_of(user: User, now: datetime) -> TrialStatus:
    """Describe a user's trial."""
    running = user.user_tier == TRIAL and _runs(user, now)
    tier = tier_at(user, now)
    left = _days_left(user, now) if running else 0
    if running:
        message = f"Premium trial - {left} {'day' if left == 1 else 'days'} left"
    elif tier != FREE:
        message = PREMIUM
    else:
        message = ENDED if user.trial_used else OFFER
    return TrialStatus(
        email=user.email,
        user_tier=tier,
        message=message,
        can_start_trial=tier == FREE and not user.trial_used,
        trial_active=running,
        trial_used=user.trial_used,
        trial_started_at=user.trial_started_at,
        trial_expires_at=user.trial_expires_at,
        days_left=left,
    )


def _runs(user: User, now: datetime) -> bool:
    return user.trial_expires_at is not None and user.trial_expires_at > timestamp(now)


def _days_left(user: User, now: datetime) -> int:
    return math.ceil((datetime.fromisoformat(user.trial_expires_at or "") - now) / timedelta(days=1))
