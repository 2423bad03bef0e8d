"""Questions to columns that Django's own lookups don't ask on every database."""

from __future__ import annotations

from typing import Any

from django.db.models import IntegerField, JSONField, Lookup


@JSONField.register_lookup
class Holds(Lookup):
    """`excluded__holds=7`: whether a list of whole numbers has this one in it."""

    lookup_name = "holds"

    def get_prep_lookup(self) -> int:
        """The number as it is, never as JSON."""
        return IntegerField().get_prep_value(self.rhs)

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, list[Any]]:
        """The same for every database."""
        return "%s", [value]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """SQLite unfolds the list."""
        column, params = self.process_lhs(compiler, connection)
        number, given = self.process_rhs(compiler, connection)
        return f"EXISTS (SELECT 1 FROM json_each({column}) WHERE value = {number})", [*params, *given]  # noqa: S608  a column and a place

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """PostgreSQL has an operator for it."""
        column, params = self.process_lhs(compiler, connection)
        number, given = self.process_rhs(compiler, connection)
        return f"{column} @> to_jsonb({number}::bigint)", [*params, *given]
