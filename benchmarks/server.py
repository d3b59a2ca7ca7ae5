"""The organization over HTTP on loopback: keep-alive, cursors and page tokens, next to nothing computed.

`python -m benchmarks.server --users N --keys N` prints its base URL once it is ready.
"""

import argparse
import asyncio
import json
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

from benchmarks.organization import ORGANIZATION, PAGE, Pages

ROOT = "/v1/organizations"
NOT_FOUND = b'{"type":"error","error":{"type":"not_found_error","message":"not available to this organization"}}'


class Lists:
    """What each URL answers."""

    def __init__(self, pages: Pages) -> None:
        self._usage = pages.usage
        self._rosters = pages.rosters
        self._after = {
            (name, last_id): number
            for name, roster in pages.rosters.items()
            for number, (_, last_id) in enumerate(roster, start=1)
        }

    def answer(self, target: str) -> tuple[int, list[bytes]]:
        """The status and, in parts, the body of one GET."""
        url = urlsplit(target)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        name = url.path.removeprefix(f"{ROOT}/")
        if name == "me":
            return 200, [json.dumps(ORGANIZATION).encode()]
        if name == "analytics/usage":
            return 200, self._usage_page(asked)
        if name not in self._rosters:
            return 404, [NOT_FOUND]
        if asked.get("limit") != str(PAGE):
            raise ValueError(f"this server pages by {PAGE} only, not as asked in {target}")
        return 200, self._roster_page(name, asked.get("after_id"))

    def _roster_page(self, name: str, after_id: str | None) -> list[bytes]:
        roster = self._rosters[name]
        number = self._after[name, after_id] if after_id else 0
        rows, last_id = roster[number]
        more = json.dumps({"has_more": number + 1 < len(roster), "last_id": last_id})
        return [b'{"data":', rows, b",", more[1:].encode()]

    def _usage_page(self, asked: dict[str, str]) -> list[bytes]:
        first, after = (date.fromisoformat(asked[name][:10]) for name in ("starting_at", "ending_at"))
        number = int(asked.get("page", 0))
        days, number_of_day = divmod(number, self._usage.pages_a_day)
        has_more = number + 1 < (after - first).days * self._usage.pages_a_day
        more = json.dumps({"has_more": has_more, "next_page": str(number + 1) if has_more else None})
        rows = self._usage.page(first + timedelta(days=days), number_of_day)
        return [b'{"data":', rows, b",", more[1:].encode()]


class Connection(asyncio.Protocol):
    """One keep-alive connection, one request after another."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while b"\r\n\r\n" in self._heard:
            request, _, self._heard = self._heard.partition(b"\r\n\r\n")
            status, body = self._lists.answer(request.split(b" ", 2)[1].decode())
            head = (
                f"HTTP/1.1 {status} {'OK' if status == 200 else 'Not Found'}\r\ncontent-type: application/json\r\n"
                f"content-length: {sum(map(len, body))}\r\nrequest-id: req_bench\r\n\r\n"
            )
            self._transport.writelines([head.encode(), *body])


async def serve(lists: Lists) -> None:
    """Serve on a free loopback port until ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(lists), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--keys", type=int, required=True)
    options = parser.parse_args()
    asyncio.run(serve(Lists(Pages(options.users, options.keys))))


if __name__ == "__main__":
    main()
