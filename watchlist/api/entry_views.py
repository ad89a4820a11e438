"""The shows that people follow. Parse, call a service, render."""

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from drf_standardized_errors.openapi_serializers import ValidationErrorResponseSerializer
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import user_of
from watchlist import entries, listing
from watchlist.aliases import AliasRefused, add_alias, remove_alias
from watchlist.api.own import (
    NO_CANDIDATE,
    NO_ENTRY,
    own_alias,
    own_candidate,
    own_entry,
    visible_show,
    wish_refused,
)
from watchlist.api.serializers import (
    AliasSerializer,
    CalendarItemSerializer,
    CalendarQuerySerializer,
    CandidateSerializer,
    ChangeEntrySerializer,
    EntriesQuerySerializer,
    EntrySerializer,
    EpisodeSerializer,
    FollowSerializer,
)
from watchlist.calendar import calendar
from watchlist.choosing import ChoiceRefused, take_candidate
from watchlist.entries import EntryRefused
from watchlist.episodes import episodes_of
from watchlist.models import Candidate, Entry
from watchlist.wishes import WishRefused


def rendered(entry: Entry) -> dict[str, Any]:
    (one,) = listing.listed(entry.user, [entry])
    return EntrySerializer(one).data


def refused(error: EntryRefused) -> ValidationError:
    return ValidationError({error.field: [str(error)]}, code=error.code)


class EntriesView(APIView):
    @extend_schema(
        operation_id="watchlist_list",
        summary="The shows you follow",
        parameters=[EntriesQuerySerializer],
        responses={200: EntrySerializer(many=True), 400: ValidationErrorResponseSerializer},
    )
    def get(self, request: Request) -> Response:
        query = EntriesQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        user = user_of(request)
        found = listing.listed(user, listing.entries_of(user, **query.validated_data))
        return Response(EntrySerializer(found, many=True).data)

    @extend_schema(
        operation_id="watchlist_create",
        summary="Follow a show",
        description="Its episodes are downloaded as they appear in your feeds, and what your feeds have brought lately "
        "is looked through. A show that you removed comes back as it was.",
        request=FollowSerializer,
        responses={201: EntrySerializer},
    )
    def post(self, request: Request) -> Response:
        body = FollowSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wishes = dict(body.validated_data)
        try:
            if "title" in wishes:
                entry = entries.follow_by_hand(user=user_of(request), **wishes)
            else:
                show = visible_show(request, wishes.pop("show_id"))
                entry = entries.follow(user=user_of(request), show=show, **wishes)
        except EntryRefused as error:
            raise refused(error) from error
        except WishRefused as error:
            raise wish_refused(error) from error
        return Response(rendered(entry), status=201)


class EntryView(APIView):
    @extend_schema(
        operation_id="watchlist_retrieve",
        summary="One show you follow, or have removed",
        responses={200: EntrySerializer},
    )
    def get(self, request: Request, entry_id: uuid.UUID) -> Response:
        return Response(rendered(own_entry(request, entry_id)))

    @extend_schema(
        operation_id="watchlist_partial_update",
        summary="Pause a show or go on, or change what you want of it",
        description="What is not named stays. What feeds have brought is looked through again where that may matter.",
        request=ChangeEntrySerializer,
        responses={200: EntrySerializer},
    )
    def patch(self, request: Request, entry_id: uuid.UUID) -> Response:
        entry = own_entry(request, entry_id)
        body = ChangeEntrySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            entry = entries.change_entry(entry=entry, **body.validated_data)
        except EntryRefused as error:
            raise refused(error) from error
        except WishRefused as error:
            raise wish_refused(error) from error
        except Entry.DoesNotExist as error:
            raise NotFound(NO_ENTRY) from error
        return Response(rendered(entry))

    @extend_schema(
        operation_id="watchlist_destroy",
        summary="Follow a show no more",
        description="What was downloaded stays. Can be taken back, also where a list of yours still has the show.",
        responses={204: None},
    )
    def delete(self, request: Request, entry_id: uuid.UUID) -> Response:
        entry = own_entry(request, entry_id)
        try:
            entries.remove_entry(entry=entry)
        except Entry.DoesNotExist as error:
            raise NotFound(NO_ENTRY) from error
        return Response(status=204)


class RestoreView(APIView):
    @extend_schema(
        operation_id="watchlist_restore",
        summary="Take back that you removed a show",
        request=None,
        responses={200: EntrySerializer},
    )
    def post(self, request: Request, entry_id: uuid.UUID) -> Response:
        entry = own_entry(request, entry_id)
        try:
            entry = entries.restore_entry(entry=entry)
        except EntryRefused as error:
            raise refused(error) from error
        except Entry.DoesNotExist as error:
            raise NotFound(NO_ENTRY) from error
        return Response(rendered(entry))


class EpisodesView(APIView):
    @extend_schema(
        operation_id="watchlist_episodes",
        summary="The episodes of a show, and how each is",
        responses={200: EpisodeSerializer(many=True)},
    )
    def get(self, request: Request, entry_id: uuid.UUID) -> Response:
        episodes = episodes_of(own_entry(request, entry_id))
        return Response(EpisodeSerializer(episodes, many=True).data)


class CandidatesView(APIView):
    @extend_schema(
        operation_id="watchlist_candidates",
        summary="The releases that may be taken, or were, for a show",
        responses={200: CandidateSerializer(many=True)},
    )
    def get(self, request: Request, entry_id: uuid.UUID) -> Response:
        candidates = listing.candidates_of(own_entry(request, entry_id))
        return Response(CandidateSerializer(candidates, many=True).data)


class TakeView(APIView):
    @extend_schema(
        operation_id="watchlist_candidates_take",
        summary="Take this release instead",
        request=None,
        responses={202: CandidateSerializer},
    )
    def post(self, request: Request, entry_id: uuid.UUID, candidate_id: int) -> Response:
        candidate = own_candidate(own_entry(request, entry_id), candidate_id)
        try:
            candidate = take_candidate(user=user_of(request), candidate=candidate)
        except ChoiceRefused as error:
            raise ValidationError(str(error), code=error.code) from error
        except Candidate.DoesNotExist as error:
            raise NotFound(NO_CANDIDATE) from error
        return Response(CandidateSerializer(candidate).data, status=202)


class AliasesView(APIView):
    @extend_schema(
        operation_id="watchlist_aliases_create",
        summary="Say that releases call a show so, too",
        request=AliasSerializer,
        responses={201: AliasSerializer},
    )
    def post(self, request: Request, entry_id: uuid.UUID) -> Response:
        entry = own_entry(request, entry_id)
        body = AliasSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            alias = add_alias(entry=entry, **body.validated_data)
        except AliasRefused as error:
            raise ValidationError({error.field: [str(error)]}, code=error.code) from error
        return Response(AliasSerializer(alias).data, status=201)


class AliasView(APIView):
    @extend_schema(
        operation_id="watchlist_aliases_destroy",
        summary="A name means this show no more",
        responses={204: None},
    )
    def delete(self, request: Request, entry_id: uuid.UUID, alias_id: int) -> Response:
        remove_alias(alias=own_alias(own_entry(request, entry_id), alias_id))
        return Response(status=204)


class CalendarView(APIView):
    @extend_schema(
        operation_id="watchlist_calendar",
        summary="What of your shows airs when, and how it is",
        parameters=[CalendarQuerySerializer],
        responses={200: CalendarItemSerializer(many=True), 400: ValidationErrorResponseSerializer},
    )
    def get(self, request: Request) -> Response:
        query = CalendarQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        items = calendar(user=user_of(request), **query.validated_data)
        return Response(CalendarItemSerializer(items, many=True).data)
