"""The composition root: variables → settings → objects → listen and announce, until a signal ends it."""

import logging
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event, Thread

from slack_bolt import App
from slack_sdk import WebClient

from bot import config, loop
from bot.announcer import Announcer
from bot.archive import Archive
from bot.config import Misconfigured, Settings
from bot.desk import Desk
from bot.ears import Ear, HttpEar, SocketEar
from bot.easel import Easel
from bot.identity import Directory
from bot.inquiries import Answering
from bot.judge import Judge
from bot.listeners import Listeners
from bot.noticeboard import NoticeBoard
from bot.reconciler import Reconciler
from bot.voice import SlackFailed, Voice
from bot.witness import WitnessStand
from ledger import traces
from ledger.book import Book
from ledger.doorbell import Doorbell
from ledger.errors import LedgerError, MalformedUrl
from ledger.turn import Turn
from ledger.workflow import WorkflowError
from ledger.workflow_file import warnings

#: How the bot's log is written.
LINES = traces.Discreet("%(asctime)s %(levelname)s %(name)s: %(message)s", (LedgerError, SlackFailed))

#: What a shell understands as wrong usage.
MISCONFIGURED = 2

#: Seconds that Slack may take for one answer.
SLACK_TIMEOUT = 5

#: Slack's names for a token that no waiting will make good.
_BAD_TOKEN = {
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "not_allowed_token_type",
}

log = logging.getLogger("twokey")


HELP = """\
python -m bot   Listen to Slack, and announce what happens. Takes no words; every setting is an environment variable:
                SLACK_BOT_TOKEN, SLACK_APP_TOKEN (or SLACK_SIGNING_SECRET and PORT), LEDGER_DATABASE_URL, REDIS_URL,
                TWOKEY_CONFIG. SIGTERM or Ctrl-C ends it.
"""


def main(words: Sequence[str] = ()) -> int:
    """Run the bot; 0 after a signal, 2 where a word or a setting is wrong, with one sentence that names it."""
    if words:
        asked = set(words) <= {"-h", "--help"}
        (sys.stdout if asked else sys.stderr).write(HELP if asked else f"The bot takes no words.\n{HELP}")
        return 0 if asked else MISCONFIGURED
    logging.basicConfig(level=logging.INFO, handlers=[traces.to(sys.stderr, LINES)])
    for library in ("slack_bolt", "slack_sdk"):
        logging.getLogger(library).setLevel(logging.WARNING)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))  # nothing is open yet that would have to be closed
    try:
        settings = config.read()
        book, bell = Book(settings.ledger_url, name="twokey bot"), Doorbell(settings.redis_url)
        for warning in warnings(settings.workflow):
            log.warning("%s", warning)
        book.wait_until_prepared(log.info)
        serve(settings, book=book, bell=bell)
    except (Misconfigured, WorkflowError, MalformedUrl) as wrong:
        sys.stderr.write(f"{wrong}\n")
        return MISCONFIGURED
    return 0


def serve(settings: Settings, *, book: Book, bell: Doorbell) -> None:
    """Listen and announce until SIGTERM or SIGINT; then hear nothing new, finish what was heard, and return."""
    client = WebClient(token=settings.bot_token, base_url=settings.slack_url, timeout=SLACK_TIMEOUT, retry_handlers=[])
    voice = Voice(client, timeout=SLACK_TIMEOUT)
    home = _home(voice)
    turn = Turn(settings.ledger_url)
    bot = compose(settings, book=book, bell=bell, voice=voice, client=client, home=home)
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    steps, told = tuple(map(turn.only, bot.steps)), {"until": ended, "wait_for_news": turn.wait_for_news}
    clock = Thread(target=loop.run, args=(steps,), kwargs=told, name="loop")
    clock.start()
    if _opened(bot.ear, ended):
        log.info("The bot listens in workspace %s.", home)
        ended.wait()
    bot.ear.close()
    bot.easel.close()
    bot.aside.shutdown(wait=True)
    clock.join()
    turn.close()
    book.close()
    bell.close()
    log.info("The bot has ended.")


@dataclass(frozen=True, slots=True)
class Bot:
    """The parts that run: what hears, what happens in turn, what may come after an ack, and what draws."""

    ear: Ear
    steps: Sequence[loop.Step]
    aside: ThreadPoolExecutor
    easel: Easel


def compose(settings: Settings, *, book: Book, bell: Doorbell, voice: Voice, client: WebClient, home: str) -> Bot:
    """Every object of the bot, made once."""
    workflow = settings.workflow
    directory = Directory(voice, home=home, people=workflow.people)
    aside = ThreadPoolExecutor(max_workers=4, thread_name_prefix="aside")
    archive = Archive(book, workflow=workflow, site=voice.site())
    desk = Desk(book, bell=bell, directory=directory, workflow=workflow, archive=archive)
    app = App(client=client, signing_secret=settings.signing_secret or "", process_before_response=True)
    Listeners(desk, book=book, voice=voice, workflow=workflow, aside=aside).attach(app)
    easel = Easel()
    answering = Answering(book, bell=bell, voice=voice, workflow=workflow)
    steps = (
        Reconciler(book, voice=voice, workflow=workflow).reconcile,
        Judge(book, voice=voice, directory=directory, workflow=workflow).judge,
        WitnessStand(book, voice=voice, directory=directory, workflow=workflow).look,
        loop.Clock(book, bell=bell).ring,
        answering.answer,
        Announcer(book, voice=voice, workflow=workflow, easel=easel).announce,
        NoticeBoard(book, voice=voice, workflow=workflow).post,
        answering.share,
    )
    return Bot(_ear(app, settings), steps, aside, easel)


def _ear(app: App, settings: Settings) -> Ear:
    if settings.app_token is not None:
        return SocketEar(app, app_token=settings.app_token, slack_url=settings.slack_url)
    if settings.port is None:
        raise Misconfigured("PORT", "is not set")
    try:
        return HttpEar(app, port=settings.port)
    except OSError as taken:
        raise Misconfigured("PORT", f"is {settings.port}, and the bot cannot listen there: {taken.strerror}") from taken


def _home(voice: Voice) -> str:
    """The bot's own workspace, once Slack answers. Raises Misconfigured when it does not know the token."""
    said = ""
    while True:
        try:
            return voice.home()
        except SlackFailed as failed:
            if failed.error in _BAD_TOKEN:
                raise Misconfigured("SLACK_BOT_TOKEN", f"was refused by Slack: {failed.error}") from failed
            if failed.error != said:
                log.warning("Waiting for Slack: %s", failed.error)
            said = failed.error
            time.sleep(1)


def _opened(ear: Ear, ended: Event) -> bool:
    """Whether Slack can be heard now; False when a signal came first."""
    while not ended.is_set():
        try:
            ear.open()
        except Exception as error:  # whatever it is, it may be over in a second
            log.warning("Waiting for Slack: %s", error)
            ended.wait(1)
        else:
            return True
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
