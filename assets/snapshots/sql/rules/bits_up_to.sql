-- Of an era's 128 days, as bits, those up to a day, which may lie before or after them; later days' bits stand first.
create or replace temp macro bits_up_to(day, era) as
    cast(
        repeat('0', least(128, greatest(0, 127 - cast(day - era as integer))))
        || repeat('1', least(128, greatest(0, 1 + cast(day - era as integer)))) as bit
    );
