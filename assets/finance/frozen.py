"""The shape of what is frozen when a month is closed; declared here because it must be readable for ever."""

import pyarrow as pa

from assets.finance import closings

_KEY = [
    ("month", pa.date32()),
    ("organization_id", pa.string()),
    ("cost_centre", pa.string()),
    ("license_type", pa.string()),
]
_SEATS = pa.int64()
_AVERAGE = pa.decimal128(18, 4)
_MONEY = pa.decimal128(18, 2)

INVITES = ("invites_before", "invite_joiners", "invite_leavers", "invites_accepted", "invites_month_end")
"""Not there in what was frozen before they were told apart, and null when it is read."""

LINES = pa.schema(
    [
        *_KEY,
        *((name, _SEATS) for name in ("seats_before", "joiners", "leavers", "changed_in", "changed_out", "restated")),
        ("seats_month_end", _SEATS),
        *((name, _SEATS) for name in INVITES),
        ("seats_peak", _SEATS),
        ("peak_date", pa.date32()),
        ("seats_average", _AVERAGE),
        ("seat_days", _SEATS),
        ("unused_month_end", _SEATS),
        ("unused_unknown", _SEATS),
        ("price", pa.decimal128(28, 10)),
        ("billed_seats", _AVERAGE),
        ("cost", _MONEY),
        ("cost_unused", _MONEY),
        ("currency", pa.string()),
        ("convention", pa.string()),
        ("days_observed", _SEATS),
        ("days_in_month", _SEATS),
        ("is_final", pa.bool_()),
        ("provenance", pa.string()),
    ]
)
"""finance_statement, without is_closed. Columns are added, never renamed or taken away."""

ADJUSTMENTS = pa.schema(
    [
        _KEY[0],
        ("restated_month", pa.date32()),
        *_KEY[1:],
        ("seats", _SEATS),
        ("cost", _MONEY),
        ("currency", pa.string()),
    ]
)
"""finance_adjustments."""

FIGURES = {closings.LINES: LINES, closings.ADJUSTMENTS: ADJUSTMENTS}
"""The columns of each of a closing's files."""
