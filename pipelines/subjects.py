"""The subjects of the warehouse, in the order in which they stand on one another. The engine knows none of them."""

from assets.finance.subject import FINANCE
from assets.history.subject import HISTORY
from assets.warehouse.subject import Subjects

SUBJECTS: Subjects = (HISTORY, FINANCE)
