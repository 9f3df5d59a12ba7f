"""Queries on views: what they select, and how they part a view."""

from __future__ import annotations

from picasso.primitives.match_query import MatchQuery
from picasso.primitives.objects_view import VideoObjectsView


class QueryFunctions:
    """Queries on views, in the order of the view."""

    @staticmethod
    def filter(view: VideoObjectsView, q: MatchQuery, no_gil: bool = True) -> VideoObjectsView:  # noqa: ARG004
        """Return the objects that a query matches, up to where it stops.

        Args:
            view: Objects of one frame.
            q: The query.
            no_gil: Has no effect; existing code gives it.
        """
        return view.of_same_frame(q.select(view, view.frame))

    @staticmethod
    def partition(
        view: VideoObjectsView,
        q: MatchQuery,
        no_gil: bool = True,  # noqa: ARG004
    ) -> tuple[VideoObjectsView, VideoObjectsView]:
        """Return the objects that a query matches and the others; those after a stop are in neither.

        Args:
            view: Objects of one frame.
            q: The query.
            no_gil: Has no effect; existing code gives it.
        """
        decided = list(q.decisions(view, view.frame))
        return (
            view.of_same_frame(found for found, is_meant in decided if is_meant),
            view.of_same_frame(found for found, is_meant in decided if not is_meant),
        )
