-- A sum over its divisor in whole ten-thousandths, half up: a division would give a float.
create or replace temp macro average(total, divisor) as cast(
    cast((20000 * total + divisor) // (2 * divisor) as decimal(18, 0)) * cast(0.0001 as decimal(5, 4)) as decimal(18, 4)
);
