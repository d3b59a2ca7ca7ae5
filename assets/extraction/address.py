"""Whether a key may be sent to an address: what every command asks, though few of them open a connection."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from assets.errors import WrongUse


def require_address(url: str) -> None:
    """Refuse an address that a key must not be sent to, whoever wants it.

    Raises:
        WrongUse: it is none, holds a secret of its own, or would let all on the way read the key.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not _has_a_port(parts):
        raise WrongUse("ANTHROPIC_BASE_URL must be a web address such as https://api.anthropic.com.")
    if parts.username or parts.password or parts.query:
        raise WrongUse("ANTHROPIC_BASE_URL must hold no user name, password or query: an address goes into logs.")
    if parts.scheme == "http" and not is_loopback(url):
        raise WrongUse("ANTHROPIC_BASE_URL must begin with https://: the key would travel readable by all otherwise.")


def _has_a_port(parts: SplitResult) -> bool:
    """Whether its port, if it names one, can be one."""
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def is_loopback(url: str) -> bool:
    """Whether `url` points at this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name; one that only begins with 127. is anybody's
        return host == "localhost"
