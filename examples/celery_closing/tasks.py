"""Close paid orders in the background, once, however often the task runs.

README.md beside this file explains how to run it.
"""

import logging
from functools import cache

from celery import Celery, Task

import talon_one
from talon_one import checkout, failures
from talon_one.resilience import is_outage

log = logging.getLogger("shop")
app = Celery("shop")
# The task of a worker that dies goes to another one. It may have closed the order, or not.
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)


@cache
def promotions() -> talon_one.IntegrationApi:
    """Return the client of this process. Threads share it; the first task makes it."""
    configuration = talon_one.Configuration.from_env()
    configuration.deadline = 20.0
    return talon_one.IntegrationApi(talon_one.ApiClient(configuration))


@app.task(bind=True, max_retries=20)
def close_order(task: Task, order_id: str, closing: int = 1) -> list[str]:
    """Close the session of an order, and return the codes that were refused.

    Args:
        task: This task.
        order_id: ID of the order, and of its session.
        closing: How often the order has been closed, this time included. The number belongs to the
            key: after a reopening, a request with the key of before would not be executed.
    """
    try:
        done = checkout.close(promotions(), order_id, idempotency_key=f"{order_id}-close-{closing}")
    except talon_one.ApiException as failure:
        if not is_outage(failure) and not failures.is_too_many_in_flight(failure):
            raise  # Refused: the order was cancelled, or the key is wrong. A retry changes nothing.
        raise task.retry(exc=failure, countdown=pause(failure, task.request.retries)) from failure
    log.info("%s is closed%s", order_id, "" if done.changed else ", as it was before")
    return [each.code for each in checkout.rejections_of(done)]


def pause(failure: talon_one.ApiException, retries: int) -> float:
    """Return the seconds before the next run of the task."""
    # Not sent: nothing has happened. Otherwise the server may be at work, so leave it some time;
    # then the key returns the lost response, and the state of the session decides without it.
    first = 2.0 if isinstance(failure, talon_one.NotSentError) else 30.0
    return max(failure.retry_after or 0.0, min(first * 2.0**retries, 600.0))
