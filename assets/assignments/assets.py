"""The Dagster asset `license_assignments`: one snapshot per organization and day, derived from the landing."""

from collections.abc import Iterator
from datetime import date

import dagster as dg
import pyarrow as pa

from assets.assignments.derive import Derived, derive
from assets.assignments.schema import LICENSE_ASSIGNMENTS
from assets.errors import ImpossibleDay, SnapshotRefused
from assets.extraction.landing import newest_observation, organizations_observed
from assets.failures import Failure, record, recorded
from assets.resources import DataFolder, Guard
from assets.sentences import told

UNIQUE, GUARDED, MAPPED = "one_row_per_holder", "drop_guard", "every_role_is_mapped"


class SnapshotConfig(dg.Config):
    """What a person may decide about one run."""

    accept_drop: bool = False


def assignments_assets(days: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The assets of this folder, partitioned by `days`."""

    @dg.asset(
        partitions_def=days,
        deps=["observation"],
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="assignments",
        kinds={"duckdb", "parquet"},
        owners=["team:operations"],
        metadata={"dagster/column_schema": column_schema(LICENSE_ASSIGNMENTS)},
        check_specs=[
            dg.AssetCheckSpec(UNIQUE, asset="license_assignments", description="No holder stands twice in a snapshot."),
            dg.AssetCheckSpec(
                GUARDED, asset="license_assignments", description="No snapshot lost far more holders than is plausible."
            ),
            dg.AssetCheckSpec(
                MAPPED,
                asset="license_assignments",
                description="license_types.csv knows every role, and we every status.",
            ),
        ],
    )
    def license_assignments(
        context: dg.AssetExecutionContext, config: SnapshotConfig, data: DataFolder, guard: Guard
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        """Who holds which license at the close of the day, since when, and when it was last used, as Parquet.

        Grain: one row per holder (member, API key, pending invite), organization and day. Published by `warehouse`.
        """
        staged = data.staged(context.run)
        with told():
            asked = [date.fromisoformat(key) for key in context.partition_keys]
            derived, refused = _derive_all(asked, data, context.run, guard, config.accept_drop)
            record(staged, refused)
            if not derived:
                raise SnapshotRefused("\n".join(failure.sentence for failure in recorded(staged)))
        for day in asked:
            of_day = [one for one in derived if one.facts.snapshot_date == day]
            context.add_asset_metadata(_counts(of_day), partition_key=day.isoformat())
        yield dg.MaterializeResult(metadata={"snapshots": len(derived)})
        unmapped = sorted({word for one in derived for word in one.facts.unmapped})
        if unmapped:
            context.log.warning(f"Unknown words, kept as they are: {', '.join(unmapped)}")
        yield dg.AssetCheckResult(check_name=UNIQUE, passed=True)  # enforced before anything is staged
        yield dg.AssetCheckResult(
            check_name=GUARDED, passed=not refused, metadata={"refused": [failure.sentence for failure in refused]}
        )
        yield dg.AssetCheckResult(
            check_name=MAPPED, passed=not unmapped, severity=dg.AssetCheckSeverity.WARN, metadata={"unmapped": unmapped}
        )

    return [license_assignments]


def column_schema(columns: pa.Schema) -> dg.TableSchema:
    """An Arrow schema with its comments, as Dagster shows it."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                field.name,
                str(field.type),
                description=field.metadata[b"comment"].decode(),
                constraints=dg.TableColumnConstraints(nullable=field.nullable),
            )
            for field in columns
        ]
    )


def _derive_all(
    asked: list[date], data: DataFolder, run: dg.DagsterRun, guard: Guard, accept_drop: bool
) -> tuple[list[Derived], list[Failure]]:
    derived: list[Derived] = []
    refused: list[Failure] = []
    for day in asked:
        observations = [
            found for name in organizations_observed(data.tree) if (found := newest_observation(data.tree, name, day))
        ]
        if not observations:
            raise ImpossibleDay(
                f"There is no complete observation of {day} in the landing, so its snapshot cannot be derived: "
                "observe it on the day itself or the day after; an older day stays a gap."
            )
        for observation in observations:
            try:
                derived.append(derive(observation, data.tree, data.staged(run), guard.limits(accept_drop)))
            except SnapshotRefused as error:
                refused.append(Failure(observation.manifest.organization_id, str(error)))
    return derived, refused


def _counts(derived: list[Derived]) -> dict[str, object]:
    """What the UI plots per day: seats by kind of holder, unknown ones left out."""
    counts = {
        noun: sum(known)
        for noun, known in (
            ("members", [one.facts.users for one in derived if one.facts.users is not None]),
            ("api_keys", [one.facts.api_keys for one in derived if one.facts.api_keys is not None]),
            ("pending_invites", [one.facts.invites for one in derived if one.facts.invites is not None]),
        )
        if known
    }
    return {
        "dagster/partition_row_count": sum(counts.values()),
        "provisional": any(not one.facts.is_final for one in derived),
        "unchanged": all(one.unchanged for one in derived),
        **counts,
    }
