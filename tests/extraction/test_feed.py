"""The Activity Feed is asked by the pipeline's clock, which may stand far from this machine's."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from assets.extraction.feed import fetch_feed, first_day_proved, reader, rhythm
from tests.scripted import FEED, Nights, ScriptedApi, activity, user

Start = Callable[..., Nights]
NOW = datetime(2081, 6, 2, 2, tzinfo=UTC)


def test_what_is_asked_of_the_feed_bears_no_other_date_than_the_pipelines(nights: Start):
    entries = [
        activity(2, "2081-05-30T08:00:00Z", "org_user_left"),
        activity(1, "2081-05-20T08:00:00Z", "org_user_left"),
    ]
    made = nights(ScriptedApi(users=[user(1)], activities=entries))
    access, days = made.access(), [date(2081, 5, 15) + timedelta(days=number) for number in range(14)]
    client = reader(access)
    first = first_day_proved(client, "org_1", days)
    assert first == date(2081, 5, 20)
    goes_on = rhythm(client)
    assert goes_on
    assert goes_on.newest == datetime(2081, 5, 30, 8, tzinfo=UTC)
    feed = fetch_feed(access, first, NOW, data=made.data, observed_at=NOW, run_id="run_1")
    assert feed.observation.manifest.lists["activities"].rows == 2

    asked = [request.url.params for request in made.api.asked if request.url.path == FEED]
    moments = {value for params in asked for name, value in params.items() if name.startswith("created_at")}
    assert {moment[:5] for moment in moments} == {"2081-"}
