"""Socket Mode and signed HTTP: acks, redelivery, disconnects, and what is delivered twice or by a forger."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from slack_bolt import BoltRequest
from slack_sdk import WebClient
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as dial

from playground.people import APP_TOKEN

CHANNEL = "C0MIGRATE"


@pytest.fixture
def card(client):
    return client.chat_postMessage(channel=CHANNEL, text="card")["ts"]


def address(slack):
    return WebClient(token=APP_TOKEN, base_url=slack.api_url).apps_connections_open(app_token=APP_TOKEN)["url"]


def test_hello_counts_the_connections(slack):
    with dial(address(slack), proxy=None) as first, dial(address(slack), proxy=None) as second:
        assert json.loads(first.recv(2))["num_connections"] == 1
        hello = json.loads(second.recv(2))
    assert hello["type"] == "hello"
    assert hello["num_connections"] == 2
    assert hello["connection_info"] == {"app_id": "A0TWOKEY"}


def test_an_address_works_once(slack):
    url = address(slack)
    with dial(url, proxy=None), pytest.raises(Exception, match="403"), dial(url, proxy=None):
        pass


def test_the_eleventh_connection_is_turned_away(slack):
    with ExitStack() as open_ones:
        for _ in range(10):
            open_ones.enter_context(dial(address(slack), proxy=None))
        with dial(address(slack), proxy=None) as one_more:
            assert "too_many_websockets" in one_more.recv(2)
            with pytest.raises(ConnectionClosed):
                one_more.recv(2)
    slack.wait_for(lambda: not slack.state()["connected"])


def test_an_event_that_fails_comes_again_with_the_reason(app, connect, slack, card):
    heard = []

    @app.event("reaction_added")
    def listen(request: BoltRequest):
        heard.append(
            (
                request.body["event_id"],
                request.headers.get("x-slack-retry-num"),
                request.headers.get("x-slack-retry-reason"),
            )
        )
        if len(heard) < 3:
            raise RuntimeError("the ledger is away")

    connect()
    slack.settings(ack_timeout=0.1, retry_delays=[0, 0.05, 0.05])
    slack.as_person("U0APPROVER").react(CHANNEL, card, "eyes")
    slack.wait_for(lambda: len(heard) == 3)
    (delivery,) = slack.wait_for(lambda: [one for one in slack.deliveries("events_api") if len(one["attempts"]) == 3])
    assert [attempt["acked"] for attempt in delivery["attempts"]] == [False, False, True]
    assert len({event_id for event_id, _, _ in heard}) == 1
    assert [(number, reason) for _, number, reason in heard[1:]] == [(["1"], ["timeout"]), (["2"], ["timeout"])]


def test_an_event_is_given_up_after_its_retries(slack, card):
    slack.settings(retry_delays=[0, 0.01, 0.01])
    slack.as_person("U0APPROVER").react(CHANNEL, card, "eyes")  # nobody is connected
    (delivery,) = slack.wait_for(lambda: [one for one in slack.deliveries("events_api") if len(one["attempts"]) == 4])
    assert {attempt["trouble"] for attempt in delivery["attempts"]} == {"dispatch_failed"}


def test_an_event_for_an_app_that_was_away_arrives_when_it_is_back(app, connect, slack, card):
    heard = []
    app.event("reaction_added")(lambda event: heard.append(event["user"]))
    slack.settings(retry_delays=[0, 0.3, 0.3])
    slack.as_person("U0APPROVER").react(CHANNEL, card, "eyes")
    connect()
    assert slack.wait_for(lambda: heard) == ["U0APPROVER"]


def test_held_events_never_arrive(slack, card):
    slack.hold_events()
    slack.as_person("U0APPROVER").react(CHANNEL, card, "eyes")
    assert slack.deliveries() == []


def test_everything_may_come_twice(app, connect, slack, card):
    heard = []
    app.event("reaction_added")(lambda body: heard.append(body["event_id"]))
    app.command("/migrate")(lambda ack, body: (heard.append(body["trigger_id"]), ack("once")))
    connect()
    slack.deliver_twice()
    slack.as_person("U0APPROVER").react(CHANNEL, card, "eyes")
    slack.wait_for(lambda: len(heard) == 2)
    slack.deliver_twice()
    assert slack.as_person("U0ENGINEER").slash("/migrate") == "once"
    slack.wait_for(lambda: len(heard) == 4)
    assert len(set(heard)) == 2


def test_a_forged_event_is_delivered_as_it_is(app, connect, slack):
    heard = []
    app.event("reaction_added")(lambda event: heard.append(event))
    connect()
    event = {
        "type": "reaction_added",
        "user": "U0NOBODY",
        "reaction": "x",
        "event_ts": "1.000001",
        "item": {"type": "message"},
    }
    payload = {"type": "event_callback", "team_id": "T0TWOKEY", "event_id": "Ev1", "event": event}
    assert slack.deliver("events_api", payload) == {"acked": True, "answer": {}}
    assert heard == [event]


@pytest.mark.parametrize("reason", ["refresh_requested", "warning", None])
def test_the_app_comes_back_after_a_disconnect(app, connect, slack, reason):
    app.command("/migrate")(lambda ack: ack("here"))
    connect()
    before = len(slack.calls("apps.connections.open"))
    slack.disconnect(reason=reason, grace=0.1)
    slack.wait_for(lambda: len(slack.calls("apps.connections.open")) > before and slack.state()["connected"], 15)
    assert slack.as_person("U0ENGINEER").slash("/migrate") == "here"


@contextmanager
def listening(answer) -> Iterator[str]:
    """An HTTP endpoint that gives `answer(body, headers)`: status, headers, body."""

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, headers, said = answer(body, dict(self.headers))
            self.send_response(status)
            for name, values in headers.items():
                self.send_header(name, values[0])
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/slack/events"
        server.shutdown()
        thread.join()


@contextmanager
def bolt_over_http(app) -> Iterator[str]:
    def answer(body, headers):
        response = app.dispatch(BoltRequest(body=body, headers=headers))
        return response.status, response.headers, response.body

    with listening(answer) as url:
        yield url


def test_bolt_believes_what_is_signed(app, slack, client, card):
    heard = []
    app.command("/migrate")(lambda ack, command: ack(f"over HTTP: {command['text']}"))
    app.event("reaction_added")(lambda event: heard.append(event["reaction"]))
    app.action("go")(lambda ack, action: (ack(), heard.append(action["value"])))
    button = {"type": "button", "action_id": "go", "value": "7", "text": {"type": "plain_text", "text": "Go"}}
    client.chat_postMessage(channel=CHANNEL, text="x", blocks=[{"type": "actions", "elements": [button]}])
    ada = slack.as_person("U0ENGINEER")
    with bolt_over_http(app) as url:
        slack.settings(request_url=url)
        assert ada.slash("/migrate", "status & more") == "over HTTP: status & more"
        ada.react(CHANNEL, card, "eyes")
        slack.wait_for(lambda: heard == ["eyes"])
        assert ada.click(slack.messages(CHANNEL)[1], "go") is None
    assert heard == ["eyes", "7"]


def test_bolt_does_not_believe_another_secret(app, slack):
    def answer(body, headers):
        response = app.dispatch(BoltRequest(body=body, headers=headers | {"X-Slack-Signature": "v0=" + "0" * 64}))
        return response.status, response.headers, response.body

    with listening(answer) as url:
        slack.settings(request_url=url)
        assert slack.as_person("U0ENGINEER").slash("/migrate") == '/migrate failed with the error "dispatch_failed"'


def test_http_retries_carry_their_number_and_can_be_stopped(slack, card):
    seen = []

    def answer(body, headers):
        seen.append((headers.get("X-Slack-Retry-Num"), headers.get("X-Slack-Retry-Reason")))
        return 500, ({"x-slack-no-retry": ["1"]} if len(seen) == 2 else {}), ""

    with listening(answer) as url:
        slack.settings(request_url=url, retry_delays=[0, 0, 0])
        slack.as_person("U0APPROVER").react(CHANNEL, card, "eyes")
        slack.wait_for(lambda: len(slack.deliveries("events_api")[0]["attempts"]) == 2)
        time.sleep(0.05)
    assert seen == [(None, None), ("1", "http_timeout")]


def test_http_that_is_too_slow(slack):
    with listening(lambda *_: (time.sleep(0.3), (200, {}, ""))[1]) as url:
        slack.settings(request_url=url, ack_timeout=0.1)
        assert slack.as_person("U0ENGINEER").slash("/migrate") == '/migrate failed with the error "operation_timeout"'


def test_nothing_listens_at_the_request_url(slack):
    slack.settings(request_url="http://127.0.0.1:9/slack/events")
    assert slack.as_person("U0ENGINEER").slash("/migrate") == '/migrate failed with the error "dispatch_failed"'
