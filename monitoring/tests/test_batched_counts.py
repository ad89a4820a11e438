"""Counts that are made together."""

import os
from collections.abc import Iterator

import pytest

from monitoring.metrics import batched


@pytest.fixture
def counted() -> Iterator[list[float]]:
    batched.now()
    counts: list[float] = []
    yield counts
    batched.now()


def test_nothing_is_lost_and_the_order_stays(counted: list[float]) -> None:
    for number in range(5):
        batched.later(counted.append, number)
    assert counted == []
    batched.now()
    assert counted == [0, 1, 2, 3, 4]


def test_one_that_fails_takes_no_other_with_it(counted: list[float]) -> None:
    def fail(seconds: float) -> None:
        raise OSError("too many open files")

    for count in (fail, counted.append):
        batched.later(count, 1)
    batched.now()
    assert counted == [1]


def test_there_are_never_many_that_wait(counted: list[float]) -> None:
    for number in range(batched.MOST):
        batched.later(counted.append, number)
    assert len(counted) == batched.MOST


def test_a_child_leaves_to_its_parent_what_waits_there(counted: list[float]) -> None:
    batched.later(counted.append, 1)
    child = os.fork()
    if child == 0:
        batched.now()
        os._exit(len(counted))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    batched.now()
    assert counted == [1]
