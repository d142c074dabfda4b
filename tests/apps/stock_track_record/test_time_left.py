"""What the worker does with messages that it has no time for before Lambda ends it."""

from stock_track_record.worker import ENOUGH_TIME, NOT_TRIED
from tests.apps.stock_track_record.support import Api, HandedQueue, Hands


def test_what_there_is_no_time_left_for_comes_again_at_once(api: Api, worker: Hands, queue: HandedQueue) -> None:
    jobs = [api.process(api.create()) for _ in range(4)]

    # The first one is not asked for; then there is enough time, and then too little.
    assert worker(left=[ENOUGH_TIME, ENOUGH_TIME - 1, 5]) == ["message-2", "message-3"]
    assert queue.given_back == ["handle-2", "handle-3"]
    assert [api.job(job["job_id"])["state"] for job in jobs] == ["done", "done", "queued", "queued"]


def test_one_message_is_tried_however_little_time_there_is(api: Api, worker: Hands) -> None:
    job = api.process(api.create())

    assert worker(left=[0]) == []
    assert api.job(job["job_id"])["state"] == "done"


def test_what_has_come_most_often_is_first(api: Api, worker: Hands) -> None:
    jobs = [api.process(api.create()) for _ in range(3)]

    assert set(worker(receives=[1, 3, 2], left=[0, 0])) == {"message-0", "message-2"}
    assert [api.job(job["job_id"])["state"] for job in jobs] == ["queued", "done", "queued"]


def test_a_dead_letter_that_there_was_no_time_for_says_so_in_its_job(api: Api, worker: Hands) -> None:
    jobs = [api.process(api.create()) for _ in range(2)]
    bodies = api.queue.bodies()

    assert worker(*bodies, receives=3, left=[0]) == ["message-1"]
    failed = api.job(jobs[1]["job_id"])
    assert (failed["state"], failed["detail"]) == ("failed", NOT_TRIED)
    assert worker(bodies[1]) == []
    assert api.job(jobs[1]["job_id"])["state"] == "done"
