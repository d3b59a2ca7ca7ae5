-- One row per use that a night's published file tells and its new one does not.
-- Answers: what would be lost with the replaced file?
-- reads: told_anew, told_then
select * from told_then
except
select * from told_anew
