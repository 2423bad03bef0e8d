"""Plain statements write and read what the ORM would."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from channels.layers import get_channel_layer
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext

from portal import live, rows
from portal.access import Actor
from portal.events import after_commit
from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import ORDER
from workflows import services
from workflows.models import HistoryEvent, HumanTask, MessageBuffer, ProcessInstance

MOMENT = datetime(2026, 3, 29, 2, 30, 15, 123456, tzinfo=UTC)
VALUES = {"text": "a “b” %s ? '", "number": 2**70, "money": Decimal("12.30"), "at": MOMENT, "list": [1, None, True], "nested": {"$": {}}}


def as_stored(row):
    """A row's columns as they came back, without its id."""
    fresh = type(row).objects.get(pk=row.pk)
    return {f.attname: bytes(v) if isinstance(v := getattr(fresh, f.attname), memoryview) else v for f in row._meta.concrete_fields[1:]}


@pytest.fixture
def instance(db):
    """An instance that waits for a task."""
    services.deploy(SYSTEM, ORDER)
    return ProcessInstance.objects.get(pk=services.start_process(SYSTEM, "order"))


def test_an_inserted_row_is_the_orms_row(instance):
    for make in (
        lambda: MessageBuffer(name="n" * 100, keys=VALUES, payload={}, received=MOMENT, expires=MOMENT, taken_by_id=instance.pk),
        lambda: HumanTask(instance=instance, engine_id="e%s", element_id="?", name="ä", audience="internal", data=VALUES, created=MOMENT),
    ):
        ours, theirs = make(), make()
        rows.insert([ours])
        found = as_stored(ours)
        ours.delete()
        theirs.save()
        assert found == as_stored(theirs) and not ours._state.adding


def test_many_rows_get_their_own_ids_and_unread_ones_need_none(instance):
    many = [MessageBuffer(name=f"message {n}", received=MOMENT, expires=MOMENT) for n in range(300)]
    rows.insert(many)
    assert {row.pk: row.name for row in many} == dict(MessageBuffer.objects.values_list("pk", "name"))
    before = HistoryEvent.objects.count()
    line = {f.attname: None for f in HistoryEvent._meta.concrete_fields[1:]} | {
        "instance_id": instance.pk, "element_id": "x", "kind": "k", "state": "s", "name": "", "engine_id": "", "started": MOMENT,
        "ended": MOMENT, "actor_name": "", "audience": "", "action": "", "reason": "", "on_behalf_of": "", "detail": VALUES,
    }  # fmt: skip
    rows.write_down(HistoryEvent, [line] * 250)
    assert HistoryEvent.objects.count() == before + 250
    assert HistoryEvent.objects.filter(element_id="x").last().detail["money"] == "12.30"


def test_an_update_says_how_many_rows_it_met(instance):
    assert rows.update(ProcessInstance, {"data": VALUES, "title": "100 %"}, id=instance.pk, version=instance.version) == 1
    assert rows.update(ProcessInstance, {"title": "no"}, id=instance.pk, version=instance.version + 1) == 0
    instance.refresh_from_db()
    assert instance.title == "100 %" and instance.data["number"] == 2**70


def test_a_prepared_query_reads_what_the_orm_reads(instance):
    query = rows.Prepared(lambda pk: HumanTask.objects.select_related("instance").defer("note").filter(pk=pk), 987_654_321)
    task = HumanTask.objects.select_related("instance").get()
    for _again in range(2):
        found = query.first(task.pk)
        assert found.get_deferred_fields() == {"note"}
        for mine, orms in ((found, task), (found.instance, task.instance)):
            assert all(getattr(mine, f.attname) == getattr(orms, f.attname) for f in orms._meta.concrete_fields)
    assert query.first(0) is None
    with pytest.raises(LookupError):
        rows.Prepared(lambda pk: HumanTask.objects.all(), 987_654_321).rows(1)


def test_rows_that_the_orm_must_fill_in_are_refused():
    class Stamped(models.Model):  # noqa: DJ008
        touched = models.DateTimeField(auto_now=True)

        class Meta:
            app_label = "tests"

    class Encoded(models.Model):  # noqa: DJ008
        data = models.JSONField(encoder=type("Other", (DjangoJSONEncoder,), {}))

        class Meta:
            app_label = "tests"

    for model in (Stamped, Encoded):
        with pytest.raises(TypeError):
            rows.insert([model()])


def test_a_broken_rule_is_djangos_error_and_listeners_hear_the_statement(instance):
    task = HumanTask.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.insert([HumanTask(instance=instance, engine_id=task.engine_id, element_id="", name="", audience="")])
    with CaptureQueriesContext(connection) as caught:
        rows.update(HumanTask, {"name": "%s"}, id=task.pk)
    assert len(caught) == 1


def test_one_transaction_tells_browsers_once(transactional_db, monkeypatch):
    told = []
    monkeypatch.setattr(live, "PAUSE", 0)
    monkeypatch.setattr(
        live._line, "publish", lambda message: told.append(get_channel_layer().deserialize(message)["topics"]), raising=False
    )
    with transaction.atomic():
        live.ping("a")
        after_commit(lambda: None)
        with pytest.raises(ValueError), transaction.atomic():
            live.ping("b")
            with transaction.atomic():
                live.ping("c")
            raise ValueError
        with transaction.atomic():
            live.ping("c")
            live.ping("d")
    assert told == [["a", "b", "c", "d"]]  # what was taken back is told too: a ping carries no news, only where to look again
    told.clear()
    with transaction.atomic():
        with pytest.raises(ValueError), transaction.atomic():
            live.ping("lost")
            raise ValueError
        live.ping("kept")
    assert told == [["kept"]]


def test_what_is_prepared_for_an_organisation_is_what_the_orm_gives(world):
    from crm.access import visible_quotes, visible_requests

    of_state = rows.PreparedFor(lambda actor, state: visible_requests(actor).filter(state=state).order_by("pk"))
    one = rows.PreparedFor(lambda actor, pk: visible_requests(actor).filter(pk=pk))
    seen = set()
    for email in ("cara@acme.example", "bea@birch.example", "paul@pine.example", "erin@northwind.example"):
        actor = world.actor(email)
        for state in ("open", "done"):
            mine = list(visible_requests(actor).filter(state=state).order_by("pk"))
            assert of_state.rows(actor, state) == mine
            seen |= {(actor.audience, row.pk) for row in mine}
            for row in mine:
                assert one.rows(actor, values=[row.pk]) == [row]
        for row in visible_requests(world.actor("erin@northwind.example")):
            assert one.rows(actor, values=[row.pk]) == list(visible_requests(actor).filter(pk=row.pk))
        assert one.rows(actor, values=[2**70]) == []
    assert seen
    with_annotation = rows.PreparedFor(lambda actor: visible_quotes(actor).annotate(again=models.F("version")))
    cara = world.actor("cara@acme.example")
    assert [quote.again for quote in with_annotation.rows(cara)] == [quote.version for quote in visible_quotes(cara)]


def test_what_another_thread_forgets_meanwhile_is_put_into_words_again(world):
    from crm.access import visible_requests

    class Forgetful(dict):
        def __contains__(self, key):
            found = super().__contains__(key)
            self.clear()
            return found

        def get(self, key, default=None):
            found = super().get(key, default)
            self.clear()
            return found

    known, actor = rows.PreparedFor(visible_requests), world.actor("cara@acme.example")
    known.known = Forgetful()
    assert {row.pk for row in known.rows(actor)} == {row.pk for row in known.rows(actor)} != set()


def test_any_number_of_ids_is_found_each_once(world):
    from crm.access import visible_requests

    erin, asked = world.actor("erin@northwind.example"), []
    among = rows.PreparedFor(lambda actor, *keys: asked.append(len(keys)) or visible_requests(actor).filter(pk__in=keys))
    mine = sorted(visible_requests(erin).values_list("pk", flat=True))
    for others in (0, 1, 2, 600, 3000):
        found = among.among(erin, {*mine, *range(10**9, 10**9 + others), 2**70})
        assert sorted(row.pk for row in found) == mine
    assert among.among(erin, []) == [] and max(asked) <= 512


def test_a_time_is_not_prepared(world):
    from django.utils import timezone

    from crm.access import visible_requests

    late = rows.PreparedFor(lambda actor: visible_requests(actor).filter(created_at__lt=timezone.now()))
    with pytest.raises(TypeError):
        late.rows(world.actor("cara@acme.example"))


def test_records_of_an_organisation_are_shown_to_whom_their_gate_shows_them(world):
    """`of_organisation` is said of a kind only where neither the person nor a role decides."""
    from django.apps import apps

    from portal.models import User
    from portal.registry import SubjectRef, registry
    from portal.services.memberships import actor_for_user

    actors = [Actor.system(), Actor.anonymous(), *(actor_for_user(user.pk) for user in User.objects.all())]
    kinds = [kind for kind in registry.subjects.values() if kind.of_organisation]
    assert len(kinds) > 8
    for kind in kinds:
        ids = set(apps.get_model(kind.model).objects.values_list("pk", flat=True))
        assert ids, kind.key
        for actor in actors:
            mine = set(kind.visible(actor).values_list("pk", flat=True))
            assert {ref.id for ref in registry.resolve_many(actor, [SubjectRef(kind.key, pk) for pk in ids])} == mine, (kind.key, actor)


def test_what_depends_on_the_person_is_asked_anew_for_employees(world):
    from workflows.access import visible_tasks

    tasks = rows.PreparedFor(lambda actor: visible_tasks(actor).order_by("pk"), outsiders_only=True)
    for email in ("erin@northwind.example", "mona@northwind.example", "cara@acme.example", "paul@pine.example"):
        actor = world.actor(email)
        assert tasks.rows(actor) == list(visible_tasks(actor).order_by("pk")), email


def test_times_lists_and_tuples_are_prepared_too(world):
    from django.utils import timezone

    from crm.access import visible_requests

    cara, now = world.actor("cara@acme.example"), timezone.now()
    before = rows.PreparedFor(lambda actor, moment, pk: visible_requests(actor).filter(created_at__lt=moment, pk__gt=pk).order_by("pk"))
    for moment in (now, now - timedelta(days=10_000), now + timedelta(days=1)):
        assert before.rows(cara, values=[moment, 0]) == list(visible_requests(cara).filter(created_at__lt=moment).order_by("pk"))
    assert before.rows(cara, values=[now, 2**70]) == []

    def told(actor):
        return visible_requests(actor).annotate(again=models.F("title")).order_by("pk").values_list("pk", "created_at", "answers", "again")

    assert rows.PreparedFor(told).rows(cara) == list(told(cara)) != []
    with pytest.raises(TypeError):
        rows.PreparedFor(lambda actor: visible_requests(actor).values("pk")).rows(cara)

    titled = rows.PreparedFor(lambda actor, titles: visible_requests(actor).filter(title__in=titles))
    first = visible_requests(cara).first()
    assert titled.rows(cara, ("2026-01-01", "987654321", first.title)) == list(visible_requests(cara).filter(title=first.title))

    task = HumanTask.objects.first()
    HumanTask.objects.filter(pk=task.pk).update(excluded=[12, 4711])
    without = rows.Prepared(lambda person: HumanTask.objects.filter(excluded__holds=person), 987_654_321)
    assert without.rows(4711) == without.rows(12) == [task] and without.rows(471) == without.rows(1) == []
    with pytest.raises(LookupError):
        rows.Prepared(lambda person: HumanTask.objects.filter(excluded=[person], pk__gt=person), 987_654_321).rows(1)


def test_what_depends_on_an_outsider_themselves_is_asked_for_them(world):
    from customer_cabinet.access import visible_drafts
    from workflows.access import answerable_questions, doable_tasks, may_do

    gates = {
        gate: rows.PreparedFor(lambda actor, gate=gate: gate(actor).order_by("pk"), personal=True)
        for gate in (doable_tasks, answerable_questions, visible_drafts)
    }
    people = ("cara@acme.example", "colin@acme.example", "bea@birch.example", "paul@pine.example", "erin@northwind.example")
    task = HumanTask.objects.filter(audience="customer", organisation_id=world.actor("cara@acme.example").organisation_id).first()
    cara, colin = (world.actor(f"{name}@acme.example").user_id for name in ("cara", "colin"))
    for excluded in ([], [cara], [colin, cara]):
        HumanTask.objects.filter(pk=task.pk).update(excluded=excluded, assignee_id=None, status="open", role="")
        for actor in [*map(world.actor, people), Actor.anonymous(), Actor.system()]:
            for gate, prepared in gates.items():
                assert prepared.rows(actor) == list(gate(actor).order_by("pk")), (gate, actor)
            assert all(may_do(actor, one) for one in gates[doable_tasks].rows(actor) if not actor.is_system), actor


def test_what_nobody_can_see_is_not_asked(world, django_assert_num_queries):
    from crm.access import visible_deals

    deals, cara = rows.PreparedFor(visible_deals), world.actor("cara@acme.example")
    with django_assert_num_queries(0):
        assert deals.rows(cara) == deals.rows(cara) == []
