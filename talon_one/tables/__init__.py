"""Exports as tables of typed rows, and imports of tables that are checked before they are sent.

::

    with management.table(management.export_coupons, application_id) as table:
        for row in table:
            print(row["value"], row["expirydate"])

    tables.upload(management.import_coupons, application_id, campaign_id, [{"value": "SPRING-1"}])

`talon_one.aio.tables` has the same for asyncio.
"""

from talon_one.tables.imports import Source
from talon_one.tables.problems import Problem, TableError, problems_of
from talon_one.tables.rows import Row
from talon_one.tables.table import Table, check, export, upload

__all__ = [
    "Problem",
    "Row",
    "Source",
    "Table",
    "TableError",
    "check",
    "export",
    "problems_of",
    "upload",
]
