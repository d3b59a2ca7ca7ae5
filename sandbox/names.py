"""Names that people and keys have in the sandbox, the awkward ones included."""

import unicodedata


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# 42 and 53: with a prime number of family names, `person_name` gives each pair once before it repeats.
_GIVEN = _words(
    "Ada Aisha Amélie André Anna Björn Carlos Chen Chloé Daniel Dmitri Elif Emma Farid Fatima Grace Haruto Ingrid "
    "Isla Jane João Kofi Lars Leila Liam Łukasz Maja Mateo Mei Mira Noah Nour Olga Oscar Priya Rosa Sinéad Søren "
    "Thomas Yusuf Zoë Zuzana"
)
_FAMILY = _words(
    "Abe Adeyemi Andersson Bauer Bianchi Brown Castro Chen Costa Dubois Eriksen Evans Fischer Fontaine García Green "
    "Haddad Hansen Horvath Ivanov Jensen Johansson Jones Kaya Kim Kowalski Lee Lindqvist López Mensah Meyer Moreau "
    "Müller Murphy Nguyen Nowak O'Brien Okafor Park Patel Petrov Ramos Rossi Sato Schmidt Silva Singh Smith Tanaka "
    "Torres Weber Yıldırım Žižek"
)

# What breaks careless CSV writers, spreadsheets and encodings, at fixed places in the list of people.
_AWKWARD_PEOPLE = {
    2: "O'Neil, Sinéad",
    4: 'Ada "Countess" Lovelace',
    8: '=HYPERLINK("https://example.com","Ann")',
    13: "李 小龙",
    19: "+49 Support Desk",
    21: "Zoë 🦊 Fuchs",
    26: "محمد الفارسي",
    31: "-Anonymous-",
    37: "  Padded   Name ",
    41: "@channel",
    46: "Robert'); DROP TABLE users;--",
    53: "A very long name " + "Maximiliana " * 12,
}
_TEAMS = _words("search billing growth support data mobile web risk ops docs labs infra")
_PURPOSES = _words("ci prod staging batch agent notebook eval bot etl gateway demo backfill")
_AWKWARD_KEYS = {
    0: "ci",
    1: "ci",
    3: "=1+1 test key",
    6: "Schlüssel für Übersetzungen, alt",
    9: 'the "good" key',
    12: "本番キー",
}


def person_name(number: int) -> str:
    return _AWKWARD_PEOPLE.get(number) or " ".join(_plain_name(number))


def person_email(number: int) -> str:
    """The address of one person, unlike everybody else's; some in mixed case."""
    given, family = (_ascii(part) for part in _plain_name(number))
    again = number // (len(_GIVEN) * len(_FAMILY))
    local = f"{given}.{family}{again or ''}"
    return f"{local}@Example.com" if number % 11 == 5 else f"{local}@example.com".lower()


def married_email(number: int) -> str:
    """The address after a change of family name: nobody else's either."""
    given, domain = person_email(number).split(".", 1)[0], "example.com"
    return f"{given}.newname{number}@{domain}".lower()


def alias_email(number: int) -> str:
    """Another address of somebody, to which they were invited."""
    return f"{_ascii(_plain_name(number)[0])[0]}.alias{number}@alias.example".lower()


def stranger_email(number: int) -> str:
    """The address of somebody who was invited and never came."""
    return f"{_ascii(_GIVEN[number % len(_GIVEN)])}.guest{number}@partner.example".lower()


def key_name(number: int) -> str:
    team, purpose = _TEAMS[number % len(_TEAMS)], _PURPOSES[number // len(_TEAMS) * 5 % len(_PURPOSES)]
    return _AWKWARD_KEYS.get(number) or f"{team}-{purpose}-{number // 24}"


def _plain_name(number: int) -> tuple[str, str]:
    turn = number // len(_GIVEN)
    return _GIVEN[number % len(_GIVEN)], _FAMILY[(turn + number) % len(_FAMILY)]


def _ascii(word: str) -> str:
    plain = word.translate(str.maketrans("ŁłØøı", "LlOoi"))
    return unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode().replace("'", "")
