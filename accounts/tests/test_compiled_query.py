"""A compiled query fetches what the queryset would, and kept connections survive a restart of the database."""

import uuid

import pytest
from django.core.signals import request_started
from django.db import connection
from django.db.models import F, QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import sessions
from accounts.models import DeviceSession, User
from accounts.tests.factories import UserFactory
from proxy_site.compiled_query import CompiledQuery
from proxy_site.tests.lost_connection import end_connection


@pytest.mark.django_db
def test_it_gives_the_same_objects_as_the_queryset() -> None:
    alice, bob = UserFactory.create(), UserFactory.create()
    wanted = {user: sessions.open_session(user=user, device_name="phone") for user in (alice, bob)}

    def of(user_id: int) -> QuerySet[DeviceSession]:
        return (
            DeviceSession.objects.filter(user_id=user_id)
            .select_related("user")
            .annotate(owner=F("user__username"))
        )

    query = CompiledQuery(of, -1)
    for user, session in wanted.items():
        with CaptureQueriesContext(connection) as queries:
            (found,) = query(user.pk)
            assert vars(found)["owner"] == user.username
            assert (found.user, found.user.username, found.name) == (user, user.username, "phone")
        assert len(queries) == 1
        (expected,) = of(user.pk)
        assert found == expected == session
        assert {
            field.attname: getattr(found, field.attname) for field in DeviceSession._meta.concrete_fields
        } == {
            field.attname: getattr(expected, field.attname) for field in DeviceSession._meta.concrete_fields
        }


@pytest.mark.django_db
def test_it_finds_nothing_where_there_is_nothing() -> None:
    assert CompiledQuery(lambda pk: DeviceSession.objects.filter(pk=pk), uuid.UUID(int=0))(uuid.uuid4()) == []


@pytest.mark.django_db
def test_a_stand_in_that_does_not_reach_the_database_is_noticed() -> None:
    query = CompiledQuery(lambda name, age: User.objects.filter(username=name), "stand-in", -1)
    with pytest.raises(ValueError, match="stand-in"):
        query("alice", 7)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_has_closed_is_replaced_before_it_is_used() -> None:
    UserFactory.create()
    assert connection.is_usable()
    end_connection()
    assert not connection.is_usable()
    request_started.send(sender=None)  # which has Django check its connections before the next query
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_usable_connection_is_not_asked_to_prove_it() -> None:
    User.objects.count()
    with CaptureQueriesContext(connection) as queries:
        assert connection.is_usable()
    assert len(queries) == 0


@pytest.mark.django_db
def test_more_values_than_one_query_takes_are_stored_by_several() -> None:
    user = UserFactory.create()
    columns = len(DeviceSession._meta.concrete_fields)
    count = 2**16 // columns + 1
    DeviceSession.objects.bulk_create(
        DeviceSession(user=user, name="phone", auth_hash="x", expires_at=timezone.now()) for _ in range(count)
    )
    assert DeviceSession.objects.count() == count
