"""Statements for the few paths that run all day: what the ORM would say, worked out once and then run as it is.

Everywhere else the ORM is right. These know nothing of signals, `auto_now` or inherited models, and refuse models that have any.
"""

from __future__ import annotations

import functools
import json
import operator
import re
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Generic, TypeVar

import orjson
from django.core.exceptions import EmptyResultSet
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.query import ValuesListIterable, get_related_populators

from portal.access import Actor

Row = TypeVar("Row")
_PLAIN = (int, str, bool, bytes, float)
_LARGEST = 2**63 - 1
_MOST_SHAPES, _MOST_IDS = 500, 512
_DAY = re.compile(r"\d{4}-\d\d-\d\d")  # how SQLite is told times
_encoder = DjangoJSONEncoder()


def dumps(value: Any) -> str:
    """JSON as the ORM would store it with DjangoJSONEncoder, several times faster."""
    try:
        return orjson.dumps(value, default=_encoder.default, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()
    except TypeError:  # whole numbers over 64 bits, keys that are no texts
        return json.dumps(value, cls=DjangoJSONEncoder)


def _writer(field: models.Field) -> Callable[[Any], Any] | None:
    """How a field's value goes into a statement; None where it goes as it is."""
    if isinstance(field, models.JSONField):
        if field.encoder not in (None, DjangoJSONEncoder):
            raise TypeError(f"{field} has an encoder of its own")
        return lambda value: None if value is None else dumps(value)
    if isinstance(field, models.DateTimeField):
        if field.auto_now or field.auto_now_add:
            raise TypeError(f"{field} is filled in by the ORM")
        adapt = connection.ops.adapt_datetimefield_value
        return lambda value: None if value is None else adapt(value)
    if isinstance(field, (models.CharField, models.TextField, models.BinaryField, models.BooleanField, models.IntegerField)):
        return None
    if isinstance(field, models.ForeignKey):
        return _writer(field.target_field)
    return lambda value: None if value is None else field.get_db_prep_save(value, connection)


class _Plan:
    """A model's columns and how their values are written."""

    def __init__(self, model: type[models.Model]) -> None:
        if model._meta.parents:
            raise TypeError(f"{model.__name__} inherits rows")
        quote = connection.ops.quote_name
        self.table = quote(model._meta.db_table)
        self.key = quote(model._meta.pk.column)
        self.column = {field.attname: quote(field.column) for field in model._meta.concrete_fields}
        self.write = {field.attname: write for field in model._meta.concrete_fields if (write := _writer(field))}
        new = [name for name in self.column if name != model._meta.pk.attname]
        self.width = len(new)
        self.read = operator.itemgetter(*new)
        self.special = [(place, self.write[name]) for place, name in enumerate(new) if name in self.write]
        self.head = f"INSERT INTO {self.table} ({', '.join(self.column[name] for name in new)}) VALUES "  # noqa: S608  names of the model
        self.places = f"({', '.join(['%s'] * len(new))})"


@functools.lru_cache(maxsize=200)
def _plan(model: type[models.Model], vendor: str) -> _Plan:
    return _Plan(model)


@functools.lru_cache(maxsize=1000)
def _insert_sql(model: type[models.Model], vendor: str, count: int, ids: bool) -> str:
    plan = _plan(model, vendor)
    sql = plan.head + ", ".join([plan.places] * count)
    return f"{sql} RETURNING {plan.key}" if ids else sql


@functools.lru_cache(maxsize=1000)
def _update_sql(model: type[models.Model], vendor: str, names: tuple[str, ...], where: tuple[str, ...]) -> str:
    plan = _plan(model, vendor)
    changed = ", ".join(f"{plan.column[name]} = %s" for name in names)
    return f"UPDATE {plan.table} SET {changed} WHERE {' AND '.join(f'{plan.column[name]} = %s' for name in where)}"  # noqa: S608  names of the model


@functools.lru_cache(maxsize=1000)
def _delete_sql(model: type[models.Model], vendor: str, where: tuple[str, ...]) -> str:
    plan = _plan(model, vendor)
    return f"DELETE FROM {plan.table} WHERE {' AND '.join(f'{plan.column[name]} = %s' for name in where)}"  # noqa: S608  names of the model


def write_down(model: type[models.Model], lines: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that nobody looks at again, each as its columns by attribute name, all of them."""
    if lines:
        _insert(model, lines, ids=False)


class Together:
    """Statements whose answers nobody needs one by one, sent in one message where the database takes several.

    `flush` runs them in order and gives how many rows the last one met.
    """

    def __init__(self) -> None:
        self.waiting: list[tuple[str, Sequence[Any]]] = []

    def write_down(self, model: type[models.Model], lines: Sequence[Mapping[str, Any]]) -> None:
        """As the function of this name, later."""
        if lines:
            self.waiting += _insert_statements(model, lines, ids=False)

    def delete(self, model: type[models.Model], **where: Any) -> None:
        """Take away the rows that have these values; nothing may hang on them."""
        self.waiting.append((_delete_sql(model, connections[DEFAULT_DB_ALIAS].vendor, tuple(where)), list(where.values())))

    def update(self, model: type[models.Model], values: Mapping[str, Any], **where: Any) -> None:
        """As the function of this name, later."""
        self.waiting.append(_update_statement(model, values, where))

    def flush(self) -> int:
        """Say them all."""
        line, waiting, self.waiting = connections[DEFAULT_DB_ALIAS], self.waiting, []
        at_once = line.vendor == "postgresql" and not line.settings_dict["OPTIONS"].get("server_side_binding")
        if at_once and len(waiting) > 1 and not line.execute_wrappers and not line.queries_logged:
            with line.wrap_database_errors:
                cursor = line.connection.cursor()
                cursor.execute(";".join(sql for sql, _values in waiting), [value for _sql, values in waiting for value in values])
                while cursor.nextset():
                    pass
                count = cursor.rowcount
                cursor.close()
                return count
        count = 0
        for sql, values in waiting:
            count = _run(line, sql, values)
        return count


def insert(rows: Sequence[models.Model]) -> None:
    """Insert rows of one model, and give each its id."""
    if not rows:
        return
    for row, (key,) in zip(rows, _insert(type(rows[0]), [row.__dict__ for row in rows], ids=True), strict=True):
        row.pk = key
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def _insert(model: type[models.Model], lines: Sequence[Mapping[str, Any]], *, ids: bool) -> list[tuple]:
    line = connections[DEFAULT_DB_ALIAS]
    keys: list[tuple] = []
    for sql, values in _insert_statements(model, lines, ids=ids):
        given = _run(line, sql, values, fetch=ids)
        if ids:
            keys += given
    return keys


def _insert_statements(model: type[models.Model], lines: Sequence[Mapping[str, Any]], *, ids: bool) -> list[tuple[str, Sequence[Any]]]:
    line = connections[DEFAULT_DB_ALIAS]
    plan = _plan(model, line.vendor)
    size = len(lines)
    if limit := line.features.max_query_params:
        size = max(1, limit // plan.width)
    statements: list[tuple[str, Sequence[Any]]] = []
    for start in range(0, len(lines), size):
        part = lines[start : start + size]
        values: list[Any] = []
        for row in part:
            own = list(plan.read(row))
            for place, write in plan.special:
                own[place] = write(own[place])
            values += own
        statements.append((_insert_sql(model, line.vendor, len(part), ids), values))
    return statements


def update(model: type[models.Model], values: Mapping[str, Any], **where: Any) -> int:
    """Set columns (by attribute name) in the rows that have these values; gives how many there were."""
    return _run(connections[DEFAULT_DB_ALIAS], *_update_statement(model, values, where))


def _update_statement(model: type[models.Model], values: Mapping[str, Any], where: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
    vendor = connections[DEFAULT_DB_ALIAS].vendor
    write = _plan(model, vendor).write
    given = [write[name](value) if name in write else value for pairs in (values, where) for name, value in pairs.items()]
    return _update_sql(model, vendor, tuple(values), tuple(where)), given


def _run(line: Any, sql: str, values: Sequence[Any], *, fetch: bool = False) -> Any:
    """Run a statement: the rows that it gives, or how many it touched.

    Straight through the driver where nobody listens: Django's wrappers and its rewriting of placeholders cost as much as SQLite does.
    """
    if line.execute_wrappers or line.queries_logged or line.connection is None or line.needs_rollback:
        with line.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if fetch else cursor.rowcount
    with line.wrap_database_errors:
        if line.vendor == "sqlite":
            cursor = line.connection.cursor()
            cursor.execute(_for_sqlite(sql), values)
        else:
            cursor = line.connection.cursor()
            cursor.execute(sql, values)
        try:
            return cursor.fetchall() if fetch else cursor.rowcount
        finally:
            cursor.close()


@functools.lru_cache(maxsize=2000)
def _for_sqlite(sql: str) -> str:
    return sql.replace("%s", "?").replace("%%", "%")


Value = int | str | datetime
_Writer = Callable[[Any, Any], Any]  # of the database's line and a value: the parameter


def _as_moment(line: Any, value: datetime) -> Any:
    return line.ops.adapt_datetimefield_value(value)


class Prepared(Generic[Row]):
    """A query that the ORM puts into words once.

    `Prepared(lambda pk: Thing.objects.filter(pk=pk), 987_654_321)`: the example values, which must be unlike anything else in the query,
    say where later values go. Values are numbers, texts and times. Gives rows of the model, or tuples where the query says `values_list`.
    """

    def __init__(self, build: Callable[..., models.QuerySet[Any, Row]], *examples: Value, fixed: Collection[str] = ()) -> None:
        self.build, self.examples = build, examples
        self.fixed = fixed  # texts that may look like a time or an example, and belong to the words
        self.known: dict[str, tuple] = {}

    def _given(self, params: Sequence[Any], sql: str) -> list[tuple[Any, int | None, _Writer | None]]:
        """For every place of the statement: what always stands there, or the number of the value that goes there, and how it is written."""
        signs: list[tuple[Any, int, _Writer | None]] = []
        for place, example in enumerate(self.examples):
            if isinstance(example, datetime):
                signs.append((_as_moment(connection, example), place, _as_moment))
            else:
                signs.append((example, place, None))
        given: list[tuple[Any, int | None, _Writer | None]] = []
        for param in params:
            like = json.dumps(param.obj) if hasattr(param, "obj") else param  # PostgreSQL is given JSON in an envelope
            sign = next((sign for sign in signs if sign[0] == like), None)  # PostgreSQL has kinds of int of its own
            if sign is None and isinstance(param, str) and param in self.fixed:
                given.append((param, None, None))
                continue
            if sign is None and any(str(example) in str(like) for example in self.examples):
                raise LookupError(f"an example is part of something else in the statement: {sql} {params}")
            if sign is None and (isinstance(param, date) or (isinstance(param, str) and _DAY.match(param))):
                raise TypeError(f"the time in this statement would be that of its first use: {sql} {params}")
            given.append((None, sign[1], sign[2]) if sign else (param, None, None))
        if set(range(len(self.examples))) - {place for _param, place, _write in given}:
            raise LookupError(f"an example isn't in the statement: {sql} {params}")
        return given

    def _prepare(self) -> tuple:
        """Everything that the statement needs; nothing where no row can ever fit."""
        queryset = self.build(*self.examples)
        compiler = queryset.query.get_compiler(connection=connection)
        try:
            sql, params = compiler.as_sql()
        except EmptyResultSet:
            return ()
        given = self._given(params, sql)
        converters = []
        for place, (functions, expression) in compiler.get_converters([column[0] for column in compiler.select]).items():
            field = expression.output_field
            if type(field) is models.JSONField and field.decoder is None:
                functions = [_loads]
            for function in functions:
                converters.append((place, _moment if function == _slow_moment() else function, expression))
        info = compiler.klass_info
        if queryset._fields is not None or info is None:
            if queryset._iterable_class is not ValuesListIterable or compiler.has_extra_select:
                raise TypeError(f"values other than by a plain `values_list`: {sql}")
            return sql, given, converters, None, None, None, None, None, None
        first, last = info["select_fields"][0], info["select_fields"][-1] + 1
        names = [column[0].target.attname for column in compiler.select[first:last]]
        populators = get_related_populators(info, compiler.select, connection.alias)
        annotations = list((compiler.annotation_col_map or {}).items())
        return sql, given, converters, info["model"], names, first, last, populators, annotations

    def rows(self, *values: Value) -> list[Row]:
        """The rows for these values."""
        line = connections[DEFAULT_DB_ALIAS]
        known = self.known.get(line.vendor)
        if known is None:
            known = self.known[line.vendor] = self._prepare()
        if not known:
            return []
        sql, given, converters, model, names, first, last, populators, annotations = known
        said = [param if place is None else write(line, values[place]) if write else values[place] for param, place, write in given]
        made: list[Any] = []
        for raw in _run(line, sql, said, fetch=True):
            row = list(raw)
            for place, convert, expression in converters:
                if row[place] is not None:
                    row[place] = convert(row[place], expression, line)
            if model is None:
                made.append(tuple(row))
                continue
            made.append(model.from_db(line.alias, names, row[first:last]))
            for populator in populators:
                populator.populate(row, made[-1])
            for name, place in annotations:
                setattr(made[-1], name, row[place])
        return made

    def first(self, *values: Value) -> Row | None:
        """The first of them, or None."""
        found = self.rows(*values)
        return found[0] if found else None


class PreparedFor(Generic[Row]):
    """A query of what an organisation's people may see, put into words once for all who hold the same permissions.

    `PreparedFor(lambda actor, key, state: visible_things(actor).filter(pk=key, state=state))`, then `.rows(actor, "open", values=[7])`.
    The words are made for somebody who has the actor's audience, organisation and permissions and nothing else, no id and no role: so it
    fits where the permissions and the organisation alone decide, and gives less, never more, where it doesn't. `values` are numbers and
    times that differ from call to call; what follows the actor is part of the words: one of a few values of the code, never a time. Where
    employees' rows depend on the person, `outsiders_only` leaves theirs to the ORM; `personal` does so too, and is for outsiders' rows
    that depend on the person: their id is a value then, and their roles are part of the words.
    """

    EXAMPLE = 987_654_321
    MOMENT = datetime(2911, 3, 7, 5, 43, 21, 987_654, tzinfo=UTC)

    def __init__(self, build: Callable[..., models.QuerySet[Any, Row]], *, outsiders_only: bool = False, personal: bool = False) -> None:
        self.build, self.outsiders_only, self.personal = build, outsiders_only or personal, personal
        self.known: dict[tuple, Prepared[Row]] = {}

    def rows(self, actor: Actor, *shape: Hashable, values: Sequence[int | datetime] = ()) -> list[Row]:
        """What the actor may see of it."""
        if any(isinstance(value, int) and abs(value) > _LARGEST for value in values):  # a number of an address, and of no row
            return []
        own = [] if actor.is_internal else [actor.organisation_id, actor.user_id] if self.personal else [actor.organisation_id]
        if None in own or (self.outsiders_only and not own):
            return list(self.build(actor, *values, *shape))
        roles = actor.roles if self.personal else frozenset()
        kinds = tuple(type(value) for value in values)
        key = (actor.audience, actor.permissions, roles, actor.is_system, kinds, shape)
        prepared = self.known.get(key)  # once: another thread may forget it meanwhile
        if prepared is None:
            if len(self.known) >= _MOST_SHAPES:
                self.known.clear()
            prepared = self.known[key] = self._prepared(actor, kinds, roles, shape)
        return prepared.rows(*own, *values)

    def among(self, actor: Actor, ids: Collection[int], *shape: Hashable) -> list[Row]:
        """The same for a query whose values are any number of ids, asked for in lists of 1, 2, 4, 8 … so that few are put into words,
        and in several where they are very many."""
        wanted, found = sorted(key for key in ids if abs(key) <= _LARGEST), []
        for start in range(0, len(wanted), _MOST_IDS):
            part = wanted[start : start + _MOST_IDS]
            size = 1 << (len(part) - 1).bit_length()
            found += self.rows(actor, *shape, values=part + part[-1:] * (size - len(part)))
        return found

    def _prepared(self, actor: Actor, kinds: Sequence[type], roles: frozenset[str], shape: tuple) -> Prepared[Row]:
        examples = [
            self.MOMENT + timedelta(seconds=number) if issubclass(kind, datetime) else self.EXAMPLE + number
            for number, kind in enumerate(kinds)
        ]
        fixed = {text for part in shape for text in (part if isinstance(part, tuple) else (part,)) if isinstance(text, str)}
        if actor.is_internal:
            like = Actor(None, "", actor.audience, permissions=actor.permissions, is_system=actor.is_system)
            return Prepared(lambda *given: self.build(like, *given, *shape), *examples, fixed=fixed)
        own = [self.EXAMPLE + len(kinds), self.EXAMPLE + len(kinds) + 1][: 1 + self.personal]

        def build(organisation: int, *given: Any) -> models.QuerySet[Any, Row]:
            person, given = (given[0], given[1:]) if self.personal else (None, given)
            like = Actor(person, "", actor.audience, organisation, roles=roles, permissions=actor.permissions)
            return self.build(like, *given, *shape)

        return Prepared(build, *own, *examples, fixed=fixed)


def _slow_moment() -> Any:
    """How Django reads a time where the database has none of its own."""
    return getattr(connection.ops, "convert_datetimefield_value", None)


def _moment(value: Any, expression: Any, line: Any) -> Any:
    """The same, in a fifth of the time for what Django itself wrote."""
    try:
        read = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return line.ops.convert_datetimefield_value(value, expression, line)
    return read if read.tzinfo else read.replace(tzinfo=line.timezone)


def _loads(value: Any, _expression: Any, _connection: Any) -> Any:
    return orjson.loads(value) if isinstance(value, (str, bytes)) else value


def lock_name(name: str) -> None:
    """Let one transaction at a time past here under this name, where there is no row yet to lock; held until the transaction ends.

    PostgreSQL takes an advisory lock; SQLite has one writer anyway.
    """
    line = connections[DEFAULT_DB_ALIAS]
    if line.vendor == "postgresql":
        with line.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
