"""`make picture`: docs/channel.png, the channel while production waits for its second key, seen by the approver; and
docs/rehearsal.png, what stands under the card there.

Needs a Chromium: the one that the variable CHROMIUM names, or the one on PATH.
"""

import os
import shutil
import sys
from pathlib import Path
from urllib.request import urlopen

from playwright.sync_api import ViewportSize, sync_playwright

from playground import demo, people, stack, story
from playground.transcript import Transcript

PICTURE = stack.REPOSITORY / "docs" / "channel.png"
REHEARSAL = PICTURE.with_name("rehearsal.png")
SIZE: ViewportSize = {"width": 1240, "height": 1180}
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync")


def main() -> int:
    """Play the story up to the second key and take the picture; 1 when there is no Chromium."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        print("No Chromium found. Install one, or name it in the variable CHROMIUM.", file=sys.stderr)
        return 1
    with demo.only_one(), stack.running(demo.FOLDER, config=demo.fresh_folder()) as parts:
        parts.postgres.set(fsync="off")
        parts.start_bot()
        parts.start_workers(SCRATCH_DATABASE_URL=parts.postgres.url())  # where plans are rehearsed
        parts.slack.wait_for_bot(timeout=30)
        channel = Transcript(parts.slack, story.CHANNEL, people.names())
        story.change_a_model(channel, parts)
        story.apply_to_development(channel)
        story.promote_to_test(channel)
        (file,) = channel.thread_shows(story.ask(channel), "rehearsal-4.png")["files"]
        with urlopen(file["url_private"]) as drawn:
            REHEARSAL.write_bytes(drawn.read())
        take(chromium, f"{parts.slack.page_url}?as={story.BO}", PICTURE)
    print(f"{PICTURE} and {REHEARSAL} are new")
    return 0


def take(chromium: str, address: str, picture: Path) -> None:
    """Open the page and write what a person sees there."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        page = browser.new_page(viewport=SIZE, device_scale_factor=1.5)
        page.goto(address)
        page.get_by_text("sign-up asks for a phone number").first.wait_for()
        page.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
