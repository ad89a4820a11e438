"""What became of releases, and what people are asked about them. Parse, call a service, render."""

from drf_spectacular.utils import extend_schema
from drf_standardized_errors.openapi_serializers import ValidationErrorResponseSerializer
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import user_of
from proxy_site.api.cursors import ByNumber
from watchlist import listing, review
from watchlist.aliases import AliasRefused
from watchlist.api.decision_serializers import (
    AnswerSerializer,
    ReviewSerializer,
    TitlesSerializer,
    WatchDecisionSerializer,
    WatchDecisionsQuerySerializer,
    WatchPreviewSerializer,
)
from watchlist.api.own import own_decision, visible_show
from watchlist.models import Decision
from watchlist.preview import preview
from watchlist.review import ReviewRefused


class DecisionsNewestFirst(ByNumber):
    ordering = ("-id",)


class ReviewsView(APIView):
    @extend_schema(
        operation_id="watchlist_review_list",
        summary="Releases of which you must say what they are",
        description=f"The latest first, at most {review.MOST}.",
        responses={200: ReviewSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        return Response(ReviewSerializer(review.pending(user_of(request)), many=True).data)


class ReviewView(APIView):
    @extend_schema(
        operation_id="watchlist_review_answer",
        summary="Say which show a release is of",
        request=AnswerSerializer,
        responses={200: WatchDecisionSerializer},
    )
    def post(self, request: Request, decision_id: int) -> Response:
        decision = own_decision(request, decision_id)
        body = AnswerSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        answer = body.validated_data
        show = None if answer["show_id"] is None else visible_show(request, answer["show_id"])
        try:
            decision = review.answer_review(
                user=user_of(request), decision=decision, show=show, remember=answer["remember"]
            )
        except ReviewRefused as error:
            told = {error.field: [str(error)]} if error.field else str(error)
            raise ValidationError(told, code=error.code) from error
        except AliasRefused as error:
            raise ValidationError({"remember": [str(error)]}, code=error.code) from error
        (listed,) = listing.listed_decisions(user_of(request), [decision])
        return Response(WatchDecisionSerializer(listed).data)


class WatchDecisionsView(GenericAPIView[Decision]):
    queryset = Decision.objects.none()  # everything starts from the caller's own
    serializer_class = WatchDecisionSerializer
    pagination_class = DecisionsNewestFirst

    @extend_schema(
        operation_id="watchlist_decisions",
        summary="What became of releases that are, or may be, of your shows",
        description="The latest first.",
        parameters=[WatchDecisionsQuerySerializer],
        responses={200: WatchDecisionSerializer(many=True), 400: ValidationErrorResponseSerializer},
    )
    def get(self, request: Request) -> Response:
        query = WatchDecisionsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        user = user_of(request)
        page = self.paginate_queryset(listing.decisions_of(user, **query.validated_data)) or []
        listed = listing.listed_decisions(user, page)
        return self.get_paginated_response(WatchDecisionSerializer(listed, many=True).data)


class WatchPreviewView(APIView):
    @extend_schema(
        operation_id="watchlist_preview",
        summary="What names of releases are taken for",
        description="By the code that decides, with your own names for shows and your wishes. Nothing is saved.",
        request=TitlesSerializer,
        responses={200: WatchPreviewSerializer(many=True)},
    )
    def post(self, request: Request) -> Response:
        body = TitlesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        previewed = preview(user=user_of(request), titles=body.validated_data["titles"])
        return Response(WatchPreviewSerializer(previewed, many=True).data)
