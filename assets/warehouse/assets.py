"""The Dagster assets of the warehouse: `warehouse`, the published file, and each relation in it.

One step makes the file, from what is published, whoever published it, and tells of the relations in it, which are
nobody's to make alone: in the lineage each stands for itself, after those that its SQL reads. A check that is executed
alone looks at the file that there is.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg

from assets.layout import DataDirectory
from assets.orchestration.failures import Failure, recorded
from assets.orchestration.names import Names
from assets.orchestration.sentences import told
from assets.orchestration.steps import ASSIGNMENTS, WAREHOUSE, comes_with, end
from assets.resources import Installation
from assets.snapshots.freshness import FRESH, fresh_spec, freshness
from assets.snapshots.whole_days import WholeDays
from assets.warehouse.checks import ChecksFailed, Finding, assumption, checks
from assets.warehouse.lineage import Lineage
from assets.warehouse.publish import is_up_to_date, look, publish
from assets.warehouse.relations import relations
from assets.warehouse.subject import Subjects

Result = dg.AssetMaterialization | dg.MaterializeResult[None] | dg.AssetCheckResult


def warehouse_assets(
    subjects: Subjects, names: Names, automation: dg.AutomationCondition[dg.AssetKey] | None
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """The assets of this folder; they are made once per run, whatever its days."""
    lineage = Lineage(names, subjects)
    key = lineage.warehouse

    @dg.multi_asset(
        name=names.step(WAREHOUSE),
        specs=[lineage.file.replace_attributes(automation_condition=automation)],
        check_specs=_check_specs(key, subjects),
        required_resource_keys={names.resource},
        can_subset=True,  # its checks can be executed without it
    )
    def warehouse_file(context: dg.AssetExecutionContext) -> Iterator[Result]:
        """warehouse.duckdb: everything that analysts need, replaced as a whole file, never locked."""
        given = Installation.given_to(context, names)
        data, clock = given.data, given.clock
        if not context.selected_asset_keys:
            with told():
                yield from _look(context, key, given, subjects)
            return
        staged = given.staged(context.run)
        failed = recorded(staged)  # of the steps before; publishing leaves nothing staged
        with told(lambda: failed):
            try:
                published = publish(subjects, data, staged, clock.now())
            except ChecksFailed as error:
                yield from _check_results(context, key, subjects, error.findings)
                raise
        healed = {"healed": published.healed} if published.healed else {}
        if healed:
            context.log.warning(published.healed)
        yield dg.MaterializeResult(asset_key=key, metadata=file_metadata(data, subjects) | healed)
        yield from lineage.told(data.warehouse)
        yield from _check_results(context, key, subjects, ())
        yield from _freshness(context, key, given, shown=True)
        # After publishing: the other organizations' snapshots are whole and must not wait for what failed.
        failed += [Failure(str(bad.path), str(bad)) for bad in published.damaged]
        failed += _left_by_the_run_before(context, names, given)
        end(context, names, WAREHOUSE, staged, failed)

    return [warehouse_file, *lineage.relations]


def _left_by_the_run_before(context: dg.AssetExecutionContext, names: Names, given: Installation) -> Iterator[Failure]:
    """Executed again from here, a night of which an organization was missing is no more whole than it was."""
    day = context.run.tags.get("dagster/partition")
    if context.run.parent_run_id and day and not comes_with(context, names, ASSIGNMENTS):
        there = WholeDays.of(given).published(date.fromisoformat(day))
        if not there:
            yield Failure(
                day,
                f"{day} is not published whole: what the run before this said of it holds. Execute all steps again, "
                f"or: licenses snapshot --day {day}",
            )


def _check_specs(key: dg.AssetKey, subjects: Subjects) -> list[dg.AssetCheckSpec]:
    """Those that look into the file stop it from being put in place; freshness is only told."""
    inside = (
        dg.AssetCheckSpec(one, asset=key, blocking=True, description=assumption(query))
        for one, query in checks(subjects).items()
    )
    return [fresh_spec(key), *inside]


def _check_results(
    context: dg.AssetExecutionContext, key: dg.AssetKey, subjects: Subjects, findings: tuple[Finding, ...]
) -> Iterator[dg.AssetCheckResult]:
    """Each check that looked into the new file before it was put in place or refused, or into the one that there is."""
    failed = {finding.check: finding for finding in findings}
    for check in checks(subjects):
        if dg.AssetCheckKey(key, check) in context.selected_asset_check_keys:
            finding = failed.get(check)
            found: dict[str, Any] = (
                {"findings": finding.count, "examples": list(finding.examples)} if finding else {"findings": 0}
            )
            yield dg.AssetCheckResult(asset_key=key, check_name=check, passed=finding is None, metadata=found)


def _look(
    context: dg.AssetExecutionContext, key: dg.AssetKey, given: Installation, subjects: Subjects
) -> Iterator[dg.AssetCheckResult]:
    """Checks that are executed alone: they change nothing."""
    if any(one.name != FRESH for one in context.selected_asset_check_keys):
        yield from _check_results(context, key, subjects, look(subjects, given.data))
    yield from _freshness(context, key, given, shown=is_up_to_date(subjects, given.data))


def _freshness(
    context: dg.AssetExecutionContext, key: dg.AssetKey, given: Installation, *, shown: bool
) -> Iterator[dg.AssetCheckResult]:
    if dg.AssetCheckKey(key, FRESH) in context.selected_asset_check_keys and (
        found := freshness(key, given, shown=shown)
    ):
        yield found


def file_metadata(data: DataDirectory, subjects: Subjects) -> dict[str, Any]:
    """What the UI shows of the published file."""
    return {
        "relations": [relation.name for relation in relations(subjects) if not relation.is_internal],
        "path": dg.MetadataValue.path(str(data.warehouse)),
    }
