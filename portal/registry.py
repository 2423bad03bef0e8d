"""What the apps give each other without knowing each other: subjects, menus, panels, roles, search, live topics.

Every app fills it in `apps.py`. Nothing here imports an app.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.urls import reverse

from portal.numbers import whole_number

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from portal.access import Actor, Audience
    from portal.rows import PreparedFor


@dataclass(frozen=True, slots=True)
class SubjectRef:
    """A record of any package, as its kind and key: `crm.deal:12`."""

    kind: str
    id: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> SubjectRef:
        """Read `kind:id`; raises ValueError for anything else."""
        kind, _, key = text.partition(":")
        number = whole_number(key)
        if not kind or number is None:
            raise ValueError(f"not a subject: {text!r}")
        return cls(kind, number)


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """How a kind of record takes part: `visible(actor)` is its only gate, `title(row)` and `url(actor, id)` show it.

    `organisations(id)` names the outside organisations that take part in a record, as (audience, organisation id) pairs: it says whom
    a message may be sent to, never who may see the record. Without it every outside organisation is asked through `visible`.

    `facts` are the columns that processes may read (`stage account_id owner__user_id`; the last they call `owner_user_id`): ids, figures
    and states, nothing by which a person is known. Whoever offers them says when they change (`portal.events.records_changed`).

    `of_organisation` says that audience, organisation and permissions alone decide who sees a record, not the person: then what is seen is
    asked in prepared words (`portal.rows.PreparedFor`).
    """

    key: str
    model: str
    label: Any
    icon: str
    visible: Callable[[Actor], QuerySet]
    title: Callable[[Any], str]
    url: Callable[[Actor, int], str | None]
    organisations: Callable[[int], Iterable[tuple[Audience, int]]] | None = None
    facts: str = ""
    of_organisation: bool = False

    @property
    def fact_names(self) -> list[str]:
        """What processes call the facts."""
        return self.facts.replace("__", "_").split()


@dataclass(frozen=True, slots=True)
class SubjectView:
    """A record as shown in a link."""

    ref: SubjectRef
    title: str
    url: str | None
    icon: str
    label: str


@dataclass(frozen=True, slots=True)
class MenuItem:
    """An entry in a face's navigation. `badge(actor)` gives a number, "99+" or None; `match` is the path prefix that marks it current."""

    audience: Audience
    label: Any
    url_name: str
    icon: str
    order: int = 100
    permission: str | None = None
    badge: Callable[[Actor], int | str | None] | None = None
    topic: Callable[[Actor], str] | None = None
    section: Any = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A fragment that a package offers on other packages' cards; its URL takes the subject's reference."""

    slot: str
    url_name: str
    label: Any
    audiences: tuple[Audience, ...]
    order: int = 100
    kinds: tuple[str, ...] = ()  # empty: any kind


@dataclass(frozen=True, slots=True)
class SiteForm:
    """A form for visitors that starts a process; a landing page of the site embeds it from `url` (a fragment for htmx)."""

    key: str
    label: Any
    url: str


@dataclass(frozen=True, slots=True)
class SiteCard:
    """Something that the site offers, with a page of its own: `text` in short, `price` in words or empty."""

    title: str
    text: str
    url: str
    icon: str
    price: str = ""
    group: str = ""
    changed: datetime | None = None


@dataclass(frozen=True, slots=True)
class SiteLink:
    """An entry of the public site's menu that isn't one of its editors' pages; it comes before them."""

    label: Any
    url_name: str


@dataclass(frozen=True, slots=True)
class Role:
    """A role of an audience, in the field's words."""

    key: str
    audience: Audience
    label: Any


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One line of the search's answer."""

    title: str
    subtitle: str
    url: str
    icon: str = "search"


@dataclass(frozen=True, slots=True)
class SearchProvider:
    """A package's part of the palette's search; `search(actor, text, limit)` reads through `visible_…`."""

    key: str
    label: Any
    audiences: tuple[Audience, ...]
    search: Callable[[Actor, str, int], list[SearchHit]]
    order: int = 100


@dataclass
class Registry:
    """Filled at start, read afterwards."""

    subjects: dict[str, SubjectKind] = field(default_factory=dict)
    prepared: dict[str, PreparedFor] = field(default_factory=dict)  # by kind of record
    menu_items: list[MenuItem] = field(default_factory=list)
    panels: list[Panel] = field(default_factory=list)
    roles: dict[str, Role] = field(default_factory=dict)
    grants: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    providers: list[SearchProvider] = field(default_factory=list)
    topics: dict[str, Callable[[Actor, str], bool]] = field(default_factory=dict)
    form_sources: list[Callable[[], list[SiteForm]]] = field(default_factory=list)
    card_sources: list[Callable[[], list[SiteCard]]] = field(default_factory=list)
    site_links: list[SiteLink] = field(default_factory=list)
    followed: Callable[[Actor, str], list[int]] = lambda actor, kind: []

    def register_subject(self, kind: SubjectKind) -> None:
        """Take a kind of record in; its live topic `<kind>:<id>` comes with it."""
        self.subjects[kind.key] = kind
        self.prepared.pop(kind.key, None)
        self.topics[kind.key] = lambda actor, key: kind.visible(actor).filter(pk=whole_number(key)).exists()

    def register_menu(self, *items: MenuItem) -> None:
        """Add navigation entries."""
        self.menu_items.extend(item for item in items if item not in self.menu_items)

    def register_panel(self, panel: Panel) -> None:
        """Offer a fragment for a slot."""
        if panel not in self.panels:
            self.panels.append(panel)

    def register_role(self, *roles: Role) -> None:
        """Name roles."""
        for role in roles:
            self.roles[role.key] = role

    def grant(self, role: str, *permissions: str) -> None:
        """Give a role permissions."""
        self.grants[role].update(map(str, permissions))

    def register_search(self, provider: SearchProvider) -> None:
        """Take part in the palette's search."""
        if all(p.key != provider.key for p in self.providers):
            self.providers.append(provider)

    def register_topic(self, prefix: str, can_follow: Callable[[Actor, str], bool]) -> None:
        """Say who may follow the live topic `<prefix>:<key>`."""
        self.topics[prefix] = can_follow

    def use_follows(self, followed: Callable[[Actor, str], list[int]]) -> None:
        """Say how to ask which records of a kind a person follows."""
        self.followed = followed

    def register_site_forms(self, source: Callable[[], list[SiteForm]]) -> None:
        """Offer forms to the site's landing pages; `source()` is asked whenever a page or its editor is drawn."""
        if source not in self.form_sources:
            self.form_sources.append(source)

    def site_forms(self) -> list[SiteForm]:
        """All forms that are offered now."""
        return [form for source in self.form_sources for form in source()]

    def site_form(self, key: str) -> SiteForm | None:
        """One form by its key, while it is offered."""
        return next((form for form in self.site_forms() if form.key == key), None)

    def register_site_cards(self, source: Callable[[], list[SiteCard]], link: SiteLink) -> None:
        """Show what a package offers on the public site, in its map and in its menu; `source()` gives what visitors may see."""
        if source not in self.card_sources:
            self.card_sources.append(source)
            self.site_links.append(link)

    def site_cards(self) -> list[SiteCard]:
        """All that the site offers now."""
        return [card for source in self.card_sources for card in source()]

    def permissions_of(self, roles: Iterable[str]) -> frozenset[str]:
        """All permissions of some roles."""
        return frozenset().union(*(self.grants.get(role, ()) for role in roles))

    def menu_for(self, actor: Actor) -> list[MenuItem]:
        """The navigation of an actor's face, in order."""
        items = [m for m in self.menu_items if m.audience == actor.audience and (m.permission is None or actor.can(m.permission))]
        return sorted(items, key=lambda m: m.order)

    def panels_for(self, actor: Actor, slot: str, kind: str) -> list[Panel]:
        """The fragments for a slot of a card."""
        fits = [p for p in self.panels if p.slot == slot and actor.audience in p.audiences and (not p.kinds or kind in p.kinds)]
        return sorted(fits, key=lambda p: p.order)

    def panel_url(self, panel: Panel, ref: SubjectRef) -> str:
        """The fragment's address."""
        return reverse(panel.url_name, args=[str(ref)])

    def may_follow(self, actor: Actor, topic: str) -> bool:
        """Whether an actor may hear pings of a topic."""
        prefix, _, key = topic.partition(":")
        check = self.topics.get(prefix)
        return bool(check and check(actor, key))

    def resolve_many(self, actor: Actor, refs: Iterable[SubjectRef]) -> dict[SubjectRef, SubjectView]:
        """Show the records that the actor may see; one query a kind, the others are left out."""
        wanted: dict[str, set[int]] = defaultdict(set)
        for ref in refs:
            wanted[ref.kind].add(ref.id)
        shown: dict[SubjectRef, SubjectView] = {}
        for key, ids in wanted.items():
            kind = self.subjects.get(key)
            if kind is None:
                continue
            for row in self._seen(actor, kind, ids):
                ref = SubjectRef(key, row.pk)
                shown[ref] = SubjectView(ref, kind.title(row), kind.url(actor, row.pk), kind.icon, str(kind.label))
        return shown

    def _seen(self, actor: Actor, kind: SubjectKind, ids: set[int]) -> Iterable[Any]:
        """The records of a kind with these ids that the actor may see."""
        if not kind.of_organisation:
            return kind.visible(actor).filter(pk__in=ids)
        if kind.key not in self.prepared:
            from portal.rows import PreparedFor  # it imports this module

            self.prepared[kind.key] = PreparedFor(lambda actor, *keys: kind.visible(actor).filter(pk__in=keys))
        return self.prepared[kind.key].among(actor, ids)

    def resolve(self, actor: Actor, ref: SubjectRef) -> SubjectView | None:
        """Show one record, or None where the actor may not see it or it isn't there."""
        return self.resolve_many(actor, [ref]).get(ref)

    def read_facts(self, actor: Actor, kind: str, limit: int | None = None, **which: Any) -> Iterator[tuple[int, dict[str, Any]]]:
        """The facts of a kind's records that the actor may see, by id from the lowest; none of a kind that isn't there or has none."""
        found = self.subjects.get(kind)
        if found is None or not found.facts:
            return
        names = found.fact_names
        rows = found.visible(actor).filter(**which).order_by("pk").values_list("pk", *found.facts.split())
        for pk, *values in rows[:limit].iterator():
            yield pk, dict(zip(names, values, strict=True))

    def model_of(self, kind: str) -> Any:
        """The model class behind a kind, for tests that walk all of them."""
        return apps.get_model(self.subjects[kind].model)


registry = Registry()
