-- What the day of a peak is chosen by, the greatest: of equal peaks, the first day.
create or replace temp macro first_of_peaks(seats, day) as (seats, date '9999-12-31' - day);
