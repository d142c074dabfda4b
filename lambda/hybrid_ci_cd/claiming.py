"""Find the jobs that one agent may claim: those in its user's queue, and those that lost agents left behind."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain, islice, repeat

from hybrid_ci_cd.agents import AgentStore, Gone, KnownAgent
from hybrid_ci_cd.listing import KeyRange, Listing
from hybrid_ci_cd.models import Job, JobStatus
from hybrid_ci_cd.next_job import WINDOW, Candidate, Look
from hybrid_ci_cd.statuses import stored_status
from hybrid_ci_cd.stored_jobs import StoredJobs
from shared.api_errors import Throttled
from shared.dynamodb import READ_AT_ONCE, ConditionFailed, Item

# How many of the oldest running jobs are looked at, for a lost agent, before the queue is.
FIRST_LOOK = 10
# How many of them one call looks at in all, and reads at once.
RUNNING_AT_MOST = 1000
RUNNING_PAGE = 100
# How many jobs of the queue one call looks at in all: it only comes so far where what the index does not show of them
# does not fit. Entries that do not fit themselves are passed over, however many, so that no job waits behind them.
QUEUED_AT_MOST = 1000


class NoRoom(Exception):
    """An item cannot take what is to be written, because of its attribute `member`, or of its size (`of_item`)."""

    def __init__(self, member: str, *, of_item: bool) -> None:
        super().__init__(member)
        self.member = member
        self.of_item = of_item


class OneClaim:
    """What one call of an agent that wants a job finds in the table."""

    def __init__(  # noqa: PLR0913 - the parts of the store that it uses
        self,
        agent: KnownAgent,
        gone: Gone,
        *,
        agents: AgentStore,
        listing: Listing,
        stored: StoredJobs,
        read: Callable[[Sequence[str]], tuple[list[Item], frozenset[str]]],
        take: Callable[[Job], Job],
    ) -> None:
        self._agent = agent
        self._gone = gone
        self._listing = listing
        self._stored = stored
        self._read = read
        self._take = take
        # One question for each agent, however many jobs it left behind.
        self._is_lost = cache(agents.is_lost)
        # Where no agent is missing, none of its jobs can be.
        self._all_running = self._entries("running", RUNNING_PAGE) if gone.agent_ids else iter(())
        self._queue = (item for item in self._entries("queued", WINDOW, READ_AT_ONCE) if self._stored.entry(item))
        self._with_unfit_jobs: set[str] = set()

    def queued(self) -> Iterator[list[Candidate]]:
        """Read the queue page by page, oldest first."""
        entries = islice(self._queue, QUEUED_AT_MOST)
        while page := list(islice(entries, WINDOW)):
            yield [self._candidate(item, "queued") for item in page]

    def left_behind(self) -> Iterator[list[Candidate]]:
        """Read the running jobs page by page, oldest first, for those whose agent seems lost or removed."""
        entries = islice(self._all_running, RUNNING_AT_MOST)
        for size in chain([FIRST_LOOK], repeat(RUNNING_PAGE)):
            page = list(islice(entries, size))
            if not page:
                return
            yield [self._candidate(item, "running") for item in page if self._is_left_behind(item)]

    def look(self, candidates: Sequence[Candidate]) -> Look:
        """Read candidates, and return those that fit and are as the index has them."""
        items, unread = self._read([candidate.job_id for candidate in candidates])
        by_id = {item["job_id"]["S"]: item for item in items}
        free: list[Job] = []
        any_unfit = False
        for candidate in candidates:
            item = by_id.get(candidate.job_id, {})
            if item.get("status") != {"S": stored_status(candidate.status, self._agent.user_id)}:
                continue
            job = self._stored.job(item)
            if job is not None:
                free.append(job)
            else:
                any_unfit = True
                self._remember_holder(item)
        return Look(free=free, unread=unread, any_unfit=any_unfit)

    def is_free(self, job: Job) -> bool:
        """Tell whether a job waits, or its agent is lost by what the table says and not only the index."""
        return job.status == "queued" or self._is_lost(str(job.agent_id))

    def take(self, job: Job) -> Job | None:
        """Claim the job; None when it has changed, or its item has no room for a claim."""
        try:
            return self._take(job)
        except ConditionFailed:
            return None
        except NoRoom as full:
            self._stored.leave_out(job.job_id, {full.member})
            return None

    def must_be_at_the_end_of_the_queue(self) -> None:
        """Refuse to say that there is no job where not all of the queue was looked at."""
        if next(self._queue, None) is not None:
            raise Throttled

    def without_jobs(self, agent_ids: Sequence[str]) -> list[str]:
        """Return those of whom no running job is left; nobody where not all running jobs were looked at."""
        if next(self._all_running, None) is not None:
            return []
        return [agent_id for agent_id in agent_ids if agent_id not in self._with_unfit_jobs]

    def _entries(self, status: JobStatus, size: int, later: int = 0) -> Iterator[Item]:
        key_range = KeyRange(partition=stored_status(status, self._agent.user_id), newest_first=False)
        return self._listing.walk(key_range, size=size, later=later)

    def _is_left_behind(self, item: Item) -> bool:
        if item.get("agent_id", {}).get("S") not in self._gone.agent_ids:
            return False
        if self._stored.entry(item) is None:
            self._remember_holder(item)
            return False
        return True

    def _remember_holder(self, item: Item) -> None:
        self._with_unfit_jobs.add(item.get("agent_id", {}).get("S", ""))

    @staticmethod
    def _candidate(item: Item, status: JobStatus) -> Candidate:
        return Candidate(job_id=item["job_id"]["S"], status=status)
