"""Where the page stands when something happens, and what it says when nobody serves it any more."""

from playwright.sync_api import expect

from playground import workspace
from tests.browser.test_page import CHANNEL


def test_the_page_stays_where_one_reads_and_goes_to_what_one_typed(visit, client):
    for number in range(30):
        ts = client.chat_postMessage(channel=CHANNEL, text=f"number {number} " + "and so on " * 40)["ts"]
    client.chat_postMessage(channel=CHANNEL, text="a reply", thread_ts=ts)
    page = visit(height=500)
    last, middle = page.get_by_role("button", name="1 reply"), page.get_by_text("number 15 ")
    page.set_viewport_size({"width": 900, "height": 400})
    expect(last).to_be_in_viewport()
    middle.evaluate("(one) => one.scrollIntoView({block: 'start'})")
    page.evaluate("document.querySelector('.thread-link').click()")
    page.get_by_role("complementary", name="Thread").wait_for()
    expect(middle).to_be_in_viewport()
    page.get_by_role("textbox", name="Message").fill("/migrate status")
    page.get_by_role("textbox", name="Message").press("Enter")
    expect(page.get_by_text("You typed status.")).to_be_in_viewport()


def test_a_page_goes_on_when_its_playground_is_there_again(browser):
    with workspace.running() as slack:
        page = browser.new_page()
        page.goto(slack.page_url)
        page.get_by_role("heading", name="# migrations").wait_for()
        port = int(slack.page_url.split(":")[2].partition("/")[0])
    expect(page.get_by_role("status").filter(has_text="The playground has ended")).to_be_visible()
    with workspace.running(port) as slack:
        slack.as_person("U0ENGINEER").say(CHANNEL, "here again")
        expect(page.get_by_text("here again")).to_be_visible()
        page.close()


def test_what_was_refused_is_not_typed_twice(browser, slack):
    page = browser.new_page()
    page.goto(slack.page_url)
    page.get_by_role("heading", name="# migrations").wait_for()
    slack.set_person("U0ENGINEER", deleted=True)
    words = page.get_by_role("textbox", name="Message")
    words.fill("/migrate status")
    words.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Ada Engineer is deactivated and cannot do anything here.")
    expect(words).to_have_value("/migrate status")
    page.close()


def test_on_a_phone_the_side_is_behind_a_button(visit):
    page = visit("U0APPROVER", width=390)
    menu, side = page.get_by_role("button", name="Menu"), page.get_by_role("navigation")
    expect(side).to_be_hidden()
    menu.press("Enter")
    expect(menu).to_have_attribute("aria-expanded", "true")
    expect(side.get_by_role("button", name="# migrations")).to_be_focused()
    page.keyboard.press("Escape")
    expect(side).to_be_hidden()
    expect(menu).to_be_focused()
    menu.click()
    side.get_by_role("button", name="# general").click()
    expect(page.get_by_role("heading", name="# general")).to_be_visible()
    expect(side).to_be_hidden()


def test_a_page_whose_playground_has_ended_says_so_and_loses_nothing(browser):
    with workspace.running() as slack:
        page = browser.new_page()
        page.goto(slack.page_url)
        page.get_by_role("heading", name="# migrations").wait_for()
    expect(page.get_by_role("status").filter(has_text="The playground has ended")).to_be_visible()
    words = page.get_by_role("textbox", name="Message")
    words.fill("/migrate status")
    words.press("Enter")
    expect(page.get_by_text("it has ended. Start it again with make demo.")).to_be_visible()
    expect(words).to_have_value("/migrate status")
    page.close()
