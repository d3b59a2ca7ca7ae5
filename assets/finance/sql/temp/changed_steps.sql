-- One row per seat whose stretches may be others than before; none, where nothing is taken over.
-- Answers: of whose seat must it be asked again who came into which line, and who went out of it?
-- reads: internal.seat_stretches, temp.changed_seats, temp.known_seat_stretches
create or replace temp table changed_steps as
with

seats as (
    select organization_id, seat_type, seat_id
    from internal.seat_stretches
    semi join temp.changed_seats using (organization_id, holder_type, holder_id)
    union
    select organization_id, seat_type, seat_id
    from temp.known_seat_stretches
    semi join temp.changed_seats using (organization_id, holder_type, holder_id)
)

select *
from seats
where getvariable('amends')
