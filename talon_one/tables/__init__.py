"""Tables: CSV exports as typed rows, and CSV imports that are checked before they are sent.

::

    with management.table(management.export_coupons, application_id) as table:
        for row in table:
            print(row["value"], row["expirydate"])

    tables.upload(management.import_coupons, application_id, campaign_id, [{"value": "SPRING-1"}])

`new_rows` reads only the rows of an export that are new since a bookmark. `talon_one.aio.tables` is
the same for asyncio.
"""

from talon_one.tables.arrow import arrow_schema
from talon_one.tables.batches import CellError
from talon_one.tables.exports import Table, export
from talon_one.tables.import_file import Source
from talon_one.tables.imports import check, upload
from talon_one.tables.lazy import scan
from talon_one.tables.new_rows import NewRows, new_rows
from talon_one.tables.problems import Problem, TableError, problems_of
from talon_one.tables.rows import Row

__all__ = [
    "CellError",
    "NewRows",
    "Problem",
    "Row",
    "Source",
    "Table",
    "TableError",
    "arrow_schema",
    "check",
    "export",
    "new_rows",
    "problems_of",
    "scan",
    "upload",
]
