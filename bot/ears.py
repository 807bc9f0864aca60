"""The two ways in which Slack reaches the bot: a websocket that the bot opens, or HTTP requests.

The websocket (Socket Mode) needs nothing to be reachable from outside. HTTP listens on every interface, since Slack
has to reach it; put a proxy that speaks TLS before it. What did not come from Slack is refused by Bolt, by its
signature, which it looks at once it has read the whole body; so what no request of Slack's is like is refused before.
"""

from collections.abc import Iterable
from http import HTTPStatus
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Protocol
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_sdk import WebClient


class Ear(Protocol):
    """What hears Slack."""

    def open(self) -> None:
        """Hear from now on."""
        ...

    def close(self) -> None:
        """Take nothing new, and return when what was heard is answered."""
        ...


#: Listeners that may run at once. Each is a few milliseconds of the ledger, or one call to Slack.
AT_ONCE = 20


class SocketEar:
    """Slack's envelopes, heard on a websocket."""

    def __init__(self, app: App, *, app_token: str, slack_url: str) -> None:
        # The default would be the bot's client, which has another token.
        web_client = WebClient(token=app_token, base_url=slack_url, timeout=10)
        self._socket = SocketModeHandler(app, app_token, web_client=web_client, concurrency=AT_ONCE)

    def open(self) -> None:
        """Hear from now on; a lost connection is made anew by itself."""
        self._socket.connect()

    def close(self) -> None:
        """Take no new envelope, answer those in flight, then hang up: an ack needs the socket that close would end."""
        client = self._socket.client
        client.closed = True
        client.message_workers.shutdown(wait=True)
        self._socket.close()


ANY_INTERFACE = "0.0.0.0"  # noqa: S104


class _Server(ThreadingMixIn, WSGIServer):
    """Waits for the requests in flight when it closes."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128


class _Quiet(WSGIRequestHandler):
    """The listeners log what was asked; a line per request would double it."""

    timeout = 10

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002
        return


#: The largest body that is read, in bytes. Slack's own are some kilobytes; a message of fifty blocks takes 150 000.
LARGEST = 1_000_000
#: What Bolt reads as a number, in headers that anybody may send.
_NUMBERS = ("CONTENT_LENGTH", "HTTP_X_SLACK_REQUEST_TIMESTAMP")


class _Threshold:
    """Before Bolt: what has no length or no moment that Slack would send is answered unread."""

    def __init__(self, within: SlackRequestHandler) -> None:
        self._within = within

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            refused = _refused(environ)
            if refused is None:
                return self._within(environ, start_response)
        except UnicodeDecodeError:  # of a body that is no text
            refused = HTTPStatus.BAD_REQUEST
        start_response(f"{refused.value} {refused.phrase}", [("Content-Length", "0")])
        return []


def _refused(environ: WSGIEnvironment) -> HTTPStatus | None:
    numbers = [environ.get(name) or "0" for name in _NUMBERS]
    if not all(one.isascii() and one.isdigit() and len(one) <= len("9999999999") for one in numbers):
        return HTTPStatus.BAD_REQUEST
    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE if int(numbers[0]) > LARGEST else None


class HttpEar:
    """Slack's requests, heard at `/slack/events`."""

    def __init__(self, app: App, *, port: int, host: str = ANY_INTERFACE) -> None:
        """Binds at once, so that a taken port ends the start. Raises OSError."""
        wsgi = _Threshold(SlackRequestHandler(app))
        self._server = make_server(host, port, wsgi, server_class=_Server, handler_class=_Quiet)
        self.port = self._server.server_port

    def open(self) -> None:
        """Hear from now on."""
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="http", daemon=True).start()

    def close(self) -> None:
        """Take no new request, and return when those in flight are answered."""
        self._server.shutdown()
        self._server.server_close()
