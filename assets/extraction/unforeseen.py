"""What nobody foresaw, as a sentence: one organization's oddity must not cost the others their night."""

import logging

from assets.errors import LicenseHistoryError
from assets.files.atomic import because

log = logging.getLogger(__name__)


def sentence_of(error: Exception) -> str:
    """What went wrong; where it is none of our own errors, the traceback goes to the log."""
    if isinstance(error, LicenseHistoryError):
        return str(error)
    said = " ".join(str(error).split())[:300]
    if isinstance(error, OSError | MemoryError):
        log.debug("an error of the operating system", exc_info=error)
        return because(error)[:300]
    log.debug("unforeseen", exc_info=error)
    return f"this should not have happened ({type(error).__name__}: {said.rstrip('.')}); please report it"
