"""How far usage is already known, so that each night asks only for what is missing and for what may still change."""

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from assets.layout import DataDirectory, files_before


def covered_to(data: DataDirectory, organization_id: str, day: date) -> dict[str, date]:
    """Per usage endpoint, the last day that its data had reached by published observations of days before `day`."""
    covered = _coverage(data, organization_id, day)
    return _latest(covered, "endpoint", "covered_to") if covered else {}


def spoke_to(data: DataDirectory, organization_id: str, day: date) -> dict[str, date]:
    """Per usage endpoint, the last day with any use that it told of by observations of days before `day`."""
    covered = _coverage(data, organization_id, day)
    if covered is None:
        return {}
    missing = dict(zip(covered["source"].to_pylist(), covered["endpoint"].to_pylist(), strict=True))
    found: dict[str, date] = {}
    # The newest file that a source speaks in has its last word: each night's window reaches back to it.
    for path in reversed(files_before([data.usage], organization_id, day)):
        if not missing:
            break
        latest = _latest(pq.ParquetFile(path).read(columns=["source", "usage_date"]), "source", "usage_date")
        found |= {missing.pop(source): last for source, last in latest.items() if source in missing}
    return found


def _coverage(data: DataDirectory, organization_id: str, day: date) -> pa.Table | None:
    files = files_before([data.coverage], organization_id, day)
    if not files:
        return None
    # Older files have fewer columns, but these.
    return ds.dataset([str(path) for path in files]).to_table(columns=["source", "endpoint", "covered_to"])


def _latest(table: pa.Table, key: str, value: str) -> dict[str, date]:
    kept = table.filter(pc.is_valid(table[value]))
    latest = kept.group_by(key).aggregate([(value, "max")])
    return dict(zip(latest[key].to_pylist(), latest[f"{value}_max"].to_pylist(), strict=True))
