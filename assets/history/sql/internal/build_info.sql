-- One row: what made this warehouse, and a checksum over what the next one may start from. Answers: may it?
-- reads: internal.input_files, internal.told_stretches, internal.usage_coverage, internal.usage_told, snapshot_log
with

checksums as (
    select sum(hash(told)) as checksum
    from internal.told_stretches as told
    union all
    select sum(hash(usage))
    from internal.usage_told as usage
    union all
    select sum(hash(log))
    from snapshot_log as log
    union all
    select sum(hash(coverage))
    from internal.usage_coverage as coverage
    union all
    select sum(hash(files))
    from internal.input_files as files
)

select
    getvariable('made_by') as made_by,
    cast(bit_xor(cast(coalesce(checksum, 0) as hugeint)) as varchar) as checksum
from checksums
