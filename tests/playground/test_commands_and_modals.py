"""Slash commands, buttons and modals, with a real Bolt app at the other end of the socket."""

import pytest

from playground.client import NotPossible

CHANNEL = "C0MIGRATE"
ADA = "U0ENGINEER"


def plain(text):
    return {"type": "plain_text", "text": text}


NAME = {
    "type": "input",
    "block_id": "name",
    "label": plain("Name"),
    "element": {"type": "plain_text_input", "action_id": "typed"},
}
VIEW = {"type": "modal", "callback_id": "ask", "title": plain("Sure?"), "submit": plain("Go"), "blocks": [NAME]}
BUTTON = {"type": "button", "action_id": "share", "text": plain("Share"), "value": "7"}
ROW = {"type": "actions", "block_id": "row", "elements": [BUTTON]}


@pytest.fixture
def ada(slack):
    return slack.as_person(ADA)


@pytest.fixture
def opener(app, connect, ada, slack):
    """Type /migrate, which opens VIEW (with changes); gives the opened view."""

    def open_view(**changes):
        @app.command("/migrate")
        def listen(ack, body, client):
            client.views_open(trigger_id=body["trigger_id"], view=VIEW | changes)
            ack()

        connect()
        assert ada.slash("/migrate") is None
        return slack.views(ADA)[-1]

    return open_view


def test_a_command_brings_slacks_payload(app, connect, slack, ada):
    heard = []

    @app.command("/migrate")
    def listen(ack, body):
        heard.append(body)
        ack("understood")

    connect()
    assert ada.slash("/migrate", "status dev") == "understood"
    body = heard[0]
    assert (
        body.items()
        >= {
            "team_id": "T0TWOKEY",
            "channel_id": CHANNEL,
            "channel_name": "migrations",
            "user_id": ADA,
            "command": "/migrate",
            "text": "status dev",
            "api_app_id": "A0TWOKEY",
        }.items()
    )
    assert [one["text"] for one in slack.ephemerals(ADA)] == ["understood"]
    assert slack.ephemerals("U0APPROVER") == []


def test_an_ack_for_the_whole_channel(app, connect, slack, ada):
    app.command("/migrate")(lambda ack: ack(text="for all", response_type="in_channel"))
    connect()
    assert ada.slash("/migrate") == "for all"
    assert [one["text"] for one in slack.messages(CHANNEL)] == ["for all"]
    assert slack.ephemerals(ADA) == []


def test_a_command_that_nobody_acks_in_time(app, connect, slack, ada):
    app.command("/migrate")(lambda: None)
    connect()
    slack.settings(ack_timeout=0.1)
    assert ada.slash("/migrate") == '/migrate failed with the error "operation_timeout"'
    assert len(slack.deliveries("slash_commands")[0]["attempts"]) == 1  # a command is never delivered again


def test_a_command_without_an_app(ada):
    assert ada.slash("/migrate") == '/migrate failed with the error "dispatch_failed"'


def test_a_command_nobody_registered(ada):
    assert ada.slash("/deploy") == "`/deploy` is not a valid command."


def test_an_ack_with_blocks_that_slack_would_refuse(app, connect, ada):
    app.command("/migrate")(lambda ack: ack(blocks=[{"type": "section"}]))
    connect()
    assert ada.slash("/migrate") == '/migrate failed with the error "invalid_command_response"'


def test_a_click_brings_the_message_and_the_value(app, connect, slack, client, ada):
    heard = []
    app.action("share")(lambda ack, body: (ack(), heard.append(body)))
    connect()
    ts = client.chat_postMessage(channel=CHANNEL, text="x", blocks=[ROW])["ts"]
    assert ada.click(slack.messages(CHANNEL)[0], "share") is None
    body = heard[0]
    (action,) = body["actions"]
    assert (action["value"], action["block_id"], action["type"]) == ("7", "row", "button")
    assert body["container"] == {"type": "message", "message_ts": ts, "channel_id": CHANNEL, "is_ephemeral": False}
    assert body["message"]["ts"] == ts
    assert body["user"] == {"id": ADA, "username": "ada", "name": "ada", "team_id": "T0TWOKEY"}


def test_a_click_that_the_app_does_not_take(app, connect, slack, client, ada):
    connect()  # Bolt has no listener for it and acks nothing
    slack.settings(ack_timeout=0.1)
    client.chat_postMessage(channel=CHANNEL, text="x", blocks=[ROW])
    assert ada.click(slack.messages(CHANNEL)[0], "share") == "operation_timeout"
    with pytest.raises(NotPossible, match="has nothing with the action_id delete"):
        ada.click(slack.messages(CHANNEL)[0], "delete")


def test_an_ephemeral_button_belongs_to_one_person(slack, client):
    client.chat_postEphemeral(channel=CHANNEL, user=ADA, text="x", blocks=[ROW])
    with pytest.raises(NotPossible, match=r"^Bo Approver does not see that message\.$"):
        slack.as_person("U0APPROVER").click(slack.ephemerals(ADA)[0], "share")


def test_a_select_sends_the_option(app, connect, slack, client, ada):
    heard = []
    app.action("where")(lambda ack, body: (ack(), heard.append(body["actions"][0]["selected_option"])))
    connect()
    option = {"text": plain("Test"), "value": "test"}
    select = {"type": "static_select", "action_id": "where", "options": [option]}
    client.chat_postMessage(channel=CHANNEL, text="x", blocks=[{"type": "actions", "elements": [select]}])
    ada.click(slack.messages(CHANNEL)[0], "where", "test")
    assert heard == [option]
    with pytest.raises(NotPossible, match=r"^where has no option 'moon'\.$"):
        ada.click(slack.messages(CHANNEL)[0], "where", "moon")


def test_a_view_opens_for_one_person_with_slacks_fields(opener, slack):
    view = opener(private_metadata="7")
    assert (view["type"], view["callback_id"], view["private_metadata"]) == ("modal", "ask", "7")
    assert view["id"] == view["root_view_id"]
    assert view["hash"]
    assert slack.views("U0APPROVER") == []


def test_a_submission_brings_what_was_typed(opener, app, ada, slack):
    heard = []
    app.view("ask")(lambda ack, body: (ack(), heard.append(body)))
    view = opener()
    assert ada.submit(view["id"], {"name": "production"}) == {"closed": True}
    assert heard[0]["view"]["state"]["values"] == {
        "name": {"typed": {"type": "plain_text_input", "value": "production"}}
    }
    assert heard[0]["type"] == "view_submission"
    assert slack.views(ADA) == []


def test_errors_stay_with_their_block(opener, app, ada, slack):
    app.view("ask")(lambda ack: ack(response_action="errors", errors={"name": "Type the name."}))
    view = opener()
    assert ada.submit(view["id"], {"name": "x"}) == {"errors": {"name": "Type the name."}}
    assert len(slack.views(ADA)) == 1


def test_errors_for_a_block_that_is_not_there_are_trouble(opener, app, ada):
    app.view("ask")(lambda ack: ack(response_action="errors", errors={"elsewhere": "?"}))
    assert ada.submit(opener()["id"], {"name": "x"}) == {"trouble": "We had some trouble connecting. Try again?"}


def test_the_form_itself_asks_for_what_is_required(opener, ada, slack):
    short = NAME | {"element": NAME["element"] | {"min_length": 3, "max_length": 5}}
    view = opener(blocks=[short])
    assert ada.submit(view["id"], {}) == {"errors": {"name": "Please complete this required field."}}
    assert ada.submit(view["id"], {"name": "ab"}) == {"errors": {"name": "Please use at least 3 characters."}}
    assert ada.submit(view["id"], {"name": "abcdef"}) == {"errors": {"name": "Please use no more than 5 characters."}}
    assert slack.deliveries("interactive") == []


def test_a_view_is_replaced_by_the_answer(opener, app, ada, slack):
    app.view("ask")(lambda ack: ack(response_action="update", view=VIEW | {"title": plain("Done")}))
    view = opener()
    assert ada.submit(view["id"], {"name": "x"})["view"]["title"]["text"] == "Done"
    assert slack.views(ADA)[0]["id"] == view["id"]


def test_a_replacement_that_slack_would_refuse_is_trouble(opener, app, ada):
    app.view("ask")(lambda ack: ack(response_action="update", view=VIEW | {"title": plain("x" * 25)}))
    assert "trouble" in ada.submit(opener()["id"], {"name": "x"})


def test_clear_closes_everything(opener, app, ada, slack):
    app.view("ask")(lambda ack: ack(response_action="clear"))
    view = opener()
    ada.slash("/migrate")
    assert len(slack.views(ADA)) == 2
    assert ada.submit(view["id"], {"name": "x"}) == {"closed": True}
    assert slack.views(ADA) == []


@pytest.mark.parametrize(("asked", "told"), [(False, []), (True, ["view_closed"])])
def test_closing_tells_the_app_only_if_it_asked(opener, app, ada, slack, asked, told):
    heard = []
    app.view_closed("ask")(lambda ack, body: (ack(), heard.append(body["type"])))
    ada.close(opener(notify_on_close=asked)["id"])
    assert heard == told
    assert slack.views(ADA) == []


def test_somebody_elses_modal_cannot_be_sent_off(opener, slack):
    view = opener()
    with pytest.raises(NotPossible, match=rf"^No modal {view['id']} is open for U0APPROVER\.$"):
        slack.as_person("U0APPROVER").submit(view["id"], {"name": "x"})


def test_a_trigger_lives_three_seconds_and_works_once(app, connect, slack, client, ada, refusal):
    triggers = []
    app.command("/migrate")(lambda ack, body: (ack(), triggers.append(body["trigger_id"])))
    connect()
    ada.slash("/migrate")
    ada.slash("/migrate")
    client.views_open(trigger_id=triggers[0], view=VIEW)
    assert refusal(client.views_open, trigger_id=triggers[0], view=VIEW)["error"] == "exchanged_trigger_id"
    slack.advance(4)
    assert refusal(client.views_open, trigger_id=triggers[1], view=VIEW)["error"] == "expired_trigger_id"
    assert refusal(client.views_open, trigger_id="1.2.x", view=VIEW)["error"] == "invalid_trigger_id"


def test_a_view_is_updated_by_id_or_external_id(opener, client, slack, refusal):
    view = opener(external_id="mine")
    changed = client.views_update(view_id=view["id"], hash=view["hash"], view=VIEW | {"title": plain("Two")})["view"]
    assert refusal(client.views_update, view_id=view["id"], hash=view["hash"], view=VIEW)["error"] == "hash_conflict"
    assert changed["hash"] != view["hash"]
    assert refusal(client.views_update, external_id="theirs", view=VIEW)["error"] == "not_found"
    assert slack.views(ADA)[0]["title"]["text"] == "Two"


def test_an_external_id_is_taken_once(opener, client, refusal, ada, app):
    opener(external_id="mine")
    seen = []
    app.action("share")(lambda ack, body: (ack(), seen.append(body["trigger_id"])))
    client.chat_postMessage(channel=CHANNEL, text="x", blocks=[ROW])
    ada.click(ada.workspace.messages(CHANNEL)[0], "share")
    answer = refusal(client.views_open, trigger_id=seen[0], view=VIEW | {"external_id": "mine"})
    assert answer["error"] == "duplicate_external_id"


def test_a_view_that_is_too_large(client, refusal):
    much = [{"type": "markdown", "text": "x" * 120}] * 100
    fields = [{"type": "section", "fields": [{"type": "plain_text", "text": "x" * 2000}] * 10}] * 20
    assert refusal(client.views_open, trigger_id="x", view=VIEW | {"blocks": fields})["error"] == "view_too_large"
    assert refusal(client.views_open, trigger_id="x", view=VIEW | {"blocks": much})["error"] == "invalid_trigger_id"


def test_the_home_is_opened_and_published(app, connect, slack, ada):
    @app.event("app_home_opened")
    def listen(event, client):
        client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [{"type": "divider"}]})

    connect()
    assert ada.open_home() is None
    slack.wait_for(lambda: slack.state()["homes"])
    home = ada.open_home()
    assert (home["type"], home["blocks"][0]["type"]) == ("home", "divider")
