"""What a person sees and does on the page."""

import re

import pytest
from playwright.sync_api import expect

CHANNEL = "C0MIGRATE"


def type_in(page, text):
    box = page.get_by_role("textbox", name="Message")
    box.fill(text)
    box.press("Enter")


def test_a_command_is_answered_for_the_eyes_of_who_typed_it(visit):
    ada, bo = visit("U0ENGINEER"), visit("U0APPROVER")
    type_in(ada, "/migrate status")
    answer = ada.get_by_role("article").filter(has_text="You typed status.")
    expect(answer).to_contain_text("Only visible to you")
    expect(answer.locator("strong", has_text="status")).to_be_visible()
    type_in(ada, "to everybody")
    expect(bo.get_by_role("article")).to_have_count(1)
    expect(bo.get_by_role("article")).to_contain_text("to everybody")
    answer.get_by_role("button", name="Dismiss").click()
    expect(answer).to_have_count(0)


def test_tab_completes_a_command(visit):
    page = visit()
    box = page.get_by_role("textbox", name="Message")
    box.press_sequentially("/mi")
    expect(page.get_by_text("press Tab to complete")).to_be_visible()
    box.press("Tab")
    expect(box).to_have_value("/migrate ")


def test_a_reaction_is_clicked_on_and_off(visit, slack, client):
    ts = client.chat_postMessage(channel=CHANNEL, text="card")["ts"]
    slack.as_person("U0ENGINEER").react(CHANNEL, ts, "eyes")
    bo = visit("U0APPROVER")
    card = bo.get_by_role("article")
    card.hover()
    card.get_by_role("button", name="React with white check mark").click()
    approval = card.get_by_role("button", name="white check mark, Bo Approver")
    expect(approval).to_have_attribute("aria-pressed", "true")
    card.get_by_role("button", name="eyes, Ada Engineer", exact=True).click()
    expect(card.get_by_role("button", name="eyes, Ada Engineer, Bo Approver")).to_be_visible()
    approval.click()
    expect(approval).to_have_count(0)
    assert slack.messages(CHANNEL)[0]["reactions"] == [
        {"name": "eyes", "users": ["U0ENGINEER", "U0APPROVER"], "count": 2}
    ]


def test_a_reaction_with_the_keyboard_alone(visit, slack, client):
    client.chat_postMessage(channel=CHANNEL, text="card")
    page = visit("U0APPROVER")
    page.get_by_role("log", name="Messages").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="white check mark, Bo Approver")).to_be_visible()


def test_a_modal_is_filled_in_and_complains_in_place(visit, slack):
    page = visit()
    type_in(page, "/migrate apply")
    modal = page.get_by_role("dialog", name="Apply to production")
    field = modal.get_by_label("Environment")
    expect(field).to_be_focused()
    modal.get_by_role("button", name="Ask").click()
    expect(modal.get_by_text("Please complete this required field.")).to_be_visible()
    field.fill("test")
    field.press("Enter")
    expect(modal.get_by_text("Type the environment's name: production.")).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("production")
    modal.get_by_role("button", name="Ask").click()
    expect(modal).to_have_count(0)
    assert slack.views("U0ENGINEER") == []


def test_escape_cancels_a_modal(visit, slack):
    page = visit()
    type_in(page, "/migrate apply")
    modal = page.get_by_role("dialog", name="Apply to production")
    expect(modal).to_be_visible()
    page.keyboard.press("Escape")
    expect(modal).to_have_count(0)
    slack.wait_for(lambda: not slack.views("U0ENGINEER"))


def test_a_thread_is_read_and_answered(visit, slack, client):
    parent = client.chat_postMessage(channel=CHANNEL, text="card")["ts"]
    client.chat_postMessage(channel=CHANNEL, text="first", thread_ts=parent)
    page = visit()
    expect(page.get_by_role("article")).to_have_count(1)
    page.get_by_role("button", name="1 reply").click()
    thread = page.get_by_role("complementary", name="Thread")
    expect(thread.get_by_role("article")).to_have_text([re.compile("card"), re.compile("first")])
    thread.get_by_role("textbox", name="Reply").fill("second")
    thread.get_by_role("button", name="Reply", exact=True).last.click()
    expect(thread.get_by_role("article")).to_have_count(3)
    expect(page.get_by_role("button", name="2 replies").first).to_be_visible()
    assert [one["text"] for one in slack.thread(CHANNEL, parent)] == ["first", "second"]
    page.keyboard.press("Escape")
    expect(thread).to_be_hidden()


def test_commands_do_not_work_in_threads(visit, client):
    parent = client.chat_postMessage(channel=CHANNEL, text="card")["ts"]
    client.chat_postMessage(channel=CHANNEL, text="first", thread_ts=parent)
    page = visit()
    page.get_by_role("button", name="1 reply").click()
    reply = page.get_by_role("textbox", name="Reply")
    reply.fill("/migrate status")
    reply.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("/migrate does not work in threads. Type it in the channel.")


def test_a_button_asks_first(visit, client):
    def plain(text):
        return {"type": "plain_text", "text": text}

    question = {"title": plain("Again?"), "text": plain("Really?"), "confirm": plain("Yes"), "deny": plain("No")}
    button = {"type": "button", "action_id": "again", "text": plain("Ask again"), "confirm": question}
    client.chat_postMessage(channel=CHANNEL, text="x", blocks=[{"type": "actions", "elements": [button]}])
    page = visit()
    press = page.get_by_role("button", name="Ask again")
    press.click()
    page.get_by_role("dialog", name="Again?").get_by_role("button", name="No").click()
    press.click()
    page.get_by_role("dialog", name="Again?").get_by_role("button", name="Yes").click()
    expect(page.get_by_role("article").filter(has_text="Pressed.")).to_have_count(1)


def test_one_switches_to_another_person(visit, slack, client):
    client.chat_postEphemeral(channel=CHANNEL, user="U0GUEST", text="for the guest")
    page = visit()
    page.get_by_label("Acting as").select_option("U0GUEST")
    expect(page.get_by_text("for the guest")).to_be_visible()
    type_in(page, "hello")
    expect(page.get_by_role("article", name="Gil Guest")).to_contain_text("hello")
    assert page.get_by_label("Acting as").locator("option[value=U0GONE]").is_disabled()


def test_nothing_in_a_message_becomes_markup(visit, client):
    evil = "<script>document.title=1</script><img src=x onerror=document.title=1> <javascript:alert(1)|click> &lt;b&gt;"
    client.chat_postMessage(channel=CHANNEL, text=evil)
    client.chat_postMessage(
        channel=CHANNEL, text="x", blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": evil}}]
    )
    page = visit()
    expect(page.get_by_role("article")).to_have_count(2)
    expect(page.get_by_role("article").last).to_contain_text("<b>")
    assert page.locator("article :is(script, img, a)").count() == 0
    assert page.title() == "#migrations · Twokey playground"


MARKUP = [
    ("*bold*", "strong", "bold"),
    ("_italic_", "em", "italic"),
    ("~gone~", "s", "gone"),
    ("`code &lt;1&gt; *x*`", "code", "code <1> *x*"),
    ("```two\nlines```", "pre", "two\nlines"),
    ("> quoted", "blockquote", "quoted"),
    ("<https://example.org/a?b=1&amp;c=2|a page>", "a[href='https://example.org/a?b=1&c=2']", "a page"),
    ("<@U0APPROVER>", ".mention", "@Bo Approver"),
    ("<#C0GENERAL>", ".mention", "#general"),
    ("<!date^1700000000^{date_num}|once>", "time", "2023-11-14"),
    (":white_check_mark:", ".emoji[aria-label='white check mark']", ""),
    ("✅", ".emoji[aria-label='white check mark']", ""),
    (":elephant:", ".emoji", "🐘"),
]


def test_slacks_markup(visit, client):
    for text, _, _ in MARKUP:
        client.chat_postMessage(channel=CHANNEL, text=text)
    bodies = visit().locator("article .block")
    expect(bodies).to_have_count(len(MARKUP))
    for position, (_, tag, shown) in enumerate(MARKUP):
        expect(bodies.nth(position).locator(tag)).to_have_text(shown)


def test_what_only_looks_like_markup(visit, client):
    texts = ["snake_case_name", "2*3*4", ":not_an_emoji:", "a ~ b ~ c"]
    for text in texts:
        client.chat_postMessage(channel=CHANNEL, text=text)
    expect(visit().locator("article .block")).to_have_text(texts)


def test_new_messages_appear_by_themselves(visit, client):
    page = visit()
    client.chat_postMessage(channel=CHANNEL, text="just now")
    expect(page.get_by_text("just now")).to_be_visible()


def test_a_phone_shows_it_without_scrolling_sideways(visit, client):
    long_name = "20260112101500_" + "a_very_long_name_" * 8
    fields = [{"type": "mrkdwn", "text": f"*Runs*\n`{long_name}`"}] * 2
    parent = client.chat_postMessage(channel=CHANNEL, text="x", blocks=[{"type": "section", "fields": fields}])["ts"]
    client.chat_postMessage(channel=CHANNEL, text=f"```{long_name * 3}```", thread_ts=parent)
    page = visit(width=390, height=844)
    page.get_by_role("button", name="1 reply").click()
    expect(page.get_by_role("complementary", name="Thread")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(
        "[...document.querySelectorAll('.messages')].every((one) => one.scrollWidth <= one.clientWidth)"
    )


LUMINANCE = """(element) => {
  const luminance = (rgb) => rgb.map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const numbers = (color) => color.match(/[0-9.]+/g).map(Number);
  let behind = element;
  while (behind && numbers(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
  const [a, b] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]
    .map((color) => luminance(numbers(color).slice(0, 3))).sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough_to_read(visit, client, slack, scheme):
    text = "<@U0ENGINEER> <@U0APPROVER> `code` <https://example.org|link>\n> quote"
    button = {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "Go"}}
    styles = [button, button | {"action_id": "b", "style": "primary"}, button | {"action_id": "c", "style": "danger"}]
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": text}},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "small"}]},
        {"type": "actions", "elements": styles},
    ]
    ts = client.chat_postMessage(channel=CHANNEL, text="x", blocks=blocks)["ts"]
    slack.as_person("U0ENGINEER").react(CHANNEL, ts, "eyes")
    client.chat_postEphemeral(channel=CHANNEL, user="U0ENGINEER", text="psst")
    page = visit(color_scheme=scheme)
    seen = (
        "article :is(.mention, code, a, blockquote, button, time, .only, .badge), .context span, "
        ".side :is(.muted, button, .hint), .place p"
    )
    expect(page.get_by_role("article")).to_have_count(2)
    expect(page.locator("button.reaction")).to_be_visible()  # what is drawn anew has no colour for a moment
    # In one breath: between two looks the page may be drawn anew, and what was drawn before has no colour any more.
    measured = page.locator(seen).evaluate_all(f"all => all.map(e => [e.innerText || e.className, ({LUMINANCE})(e)])")
    assert len(measured) > 20
    assert {words: round(contrast, 2) for words, contrast in measured if contrast < 4.5} == {}


def test_files_stand_in_the_message_that_shared_them(visit, client):
    image = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    client.files_upload_v2(channel=CHANNEL, filename="locks.svg", content=image, alt_txt="One lock for 3 ms")
    client.files_upload_v2(channel=CHANNEL, filename="plan.sql", title="The SQL of #7", content="SELECT 1;")
    page = visit()
    expect(page.get_by_role("img", name="One lock for 3 ms")).to_have_js_property("naturalWidth", 9)
    expect(page.get_by_role("link", name="The SQL of #7")).to_contain_text("plan.sql, 9 bytes")


def test_the_apps_own_tab_is_as_it_was_published_for_this_person(visit, client):
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*Waits for you*"}}]
    client.views_publish(user_id="U0APPROVER", view={"type": "home", "blocks": blocks})
    bo, ada = visit("U0APPROVER"), visit("U0ENGINEER")
    for page, words in ((bo, "Waits for you"), (ada, "The app has published nothing here yet.")):
        page.get_by_role("button", name="Twokey").click()
        shown = page.get_by_role("article", name="App Home")
        expect(shown).to_contain_text(words)
        assert shown.evaluate("(one) => one.firstElementChild.clientWidth / one.clientWidth") > 0.9
        expect(page.get_by_role("textbox", name="Message")).to_be_hidden()
    bo.get_by_role("button", name="# migrations").click()
    expect(bo.get_by_role("textbox", name="Message")).to_be_visible()
