"""Say where a user stands with the premium trial, at a given moment."""

import math
from datetime import datetime, timedelta

from fileshare.models import TrialStatus
from fileshare.records import FREE, TRIAL
from fileshare.stored import Trial
from shared.times import timestamp

DAYS = 30
LENGTH = timedelta(days=DAYS)
# The frontend shows this text as it is.
OFFER = f"Try Premium - Free for {DAYS} days"
ENDED = "Your premium trial has ended"
PREMIUM = "Premium"


def tier_at(trial: Trial, now: datetime) -> str:
    """Give the tier that counts: the stored one, until the trial's end; nobody has to write at that second."""
    return FREE if trial.user_tier == TRIAL and not _runs(trial, now) else trial.user_tier


def status_of(trial: Trial, now: datetime) -> TrialStatus:
    """Describe a user's trial."""
    running = trial.user_tier == TRIAL and _runs(trial, now)
    tier = tier_at(trial, now)
    left = _days_left(trial, now) if running else 0
    if running:
        message = f"Premium trial - {left} {'day' if left == 1 else 'days'} left"
    elif tier != FREE:
        message = PREMIUM
    else:
        message = OFFER if trial.can_start else ENDED
    return TrialStatus(
        email=trial.email,
        user_tier=tier,
        message=message,
        can_start_trial=trial.can_start,
        trial_active=running,
        trial_used=trial.was_used,
        trial_started_at=trial.trial_started_at,
        trial_expires_at=trial.trial_expires_at,
        days_left=left,
    )


def _runs(trial: Trial, now: datetime) -> bool:
    return trial.trial_expires_at is not None and trial.trial_expires_at > timestamp(now)


def _days_left(trial: Trial, now: datetime) -> int:
    return math.ceil((datetime.fromisoformat(trial.trial_expires_at or "") - now) / timedelta(days=1))
