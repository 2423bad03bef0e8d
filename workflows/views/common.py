"""What several pages share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest

from portal.numbers import whole_number
from portal.registry import SubjectRef


def number(request: HttpRequest, name: str) -> int:
    """A number of the query; 0 for anything else."""
    raw = request.GET.get(name, "")
    return whole_number(raw) or 0


def parse_ref(text: str) -> SubjectRef:
    """A record's reference of an address; 404 for anything else."""
    try:
        return SubjectRef.parse(text)
    except ValueError:
        raise Http404 from None


@dataclass(frozen=True)
class Paging:
    """A page of a list as the kit's pagination reads it."""

    total: int
    offset: int
    limit: int

    @classmethod
    def of(cls, found: Any) -> Paging:
        """The pages around what a selector gave."""
        return cls(found.total, found.offset, found.limit)

    @property
    def number(self) -> int:
        """This page's number."""
        return self.offset // self.limit + 1

    @property
    def has_previous(self) -> bool:
        """Whether there is a page before."""
        return self.offset > 0

    @property
    def has_next(self) -> bool:
        """Whether there is a page after."""
        return self.offset + self.limit < self.total

    @property
    def has_other_pages(self) -> bool:
        """Whether there is more than this page."""
        return self.has_previous or self.has_next

    @property
    def previous_page_number(self) -> int:
        """The page before."""
        return self.number - 1

    @property
    def next_page_number(self) -> int:
        """The page after."""
        return self.number + 1

    @property
    def start_index(self) -> int:
        """The first row's number."""
        return min(self.total, self.offset + 1)

    @property
    def end_index(self) -> int:
        """The last row's number."""
        return min(self.total, self.offset + self.limit)

    @property
    def paginator(self) -> Paging:
        """The kit asks the paginator for the count."""
        return self

    @property
    def count(self) -> int:
        """All rows."""
        return self.total

    @property
    def num_pages(self) -> int:
        """All pages."""
        return max(1, -(-self.total // self.limit))


def offset_of(request: HttpRequest, limit: int) -> int:
    """Where the asked page begins."""
    return max(0, number(request, "page") - 1) * limit
