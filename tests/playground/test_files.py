"""Files in three steps, as Slack takes them, and who is in a user group."""

from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

CHANNEL = "C0MIGRATE"
SQL = b"CREATE TABLE users (id bigint PRIMARY KEY);\n"


@pytest.fixture
def card(client):
    return client.chat_postMessage(channel=CHANNEL, text="card")["ts"]


@pytest.fixture
def announced(client):
    return client.files_getUploadURLExternal(filename="plan.sql", length=len(SQL))


def send(url, content):
    with urlopen(Request(url, data=content, method="POST")) as answer:
        return answer.read().decode()


def refused(url, content=None):
    with pytest.raises(HTTPError) as caught:
        send(url, content) if content else urlopen(url)
    return caught.value.code, caught.value.read().decode()


def test_a_file_stands_in_the_thread_it_was_meant_for(client, slack, card):
    client.files_upload_v2(
        channel=CHANNEL, thread_ts=card, filename="plan.sql", title="The SQL of #7", content=SQL, initial_comment="SQL"
    )
    (reply,) = slack.thread(CHANNEL, card)
    (file,) = reply["files"]
    assert (reply["text"], reply["user"], reply["thread_ts"]) == ("SQL", "U0TWOKEY", card)
    assert (file["name"], file["title"], file["size"]) == ("plan.sql", "The SQL of #7", len(SQL))
    with urlopen(file["url_private"]) as answer:
        assert answer.read() == SQL


def test_an_image_keeps_its_alternative_text(client, slack):
    client.files_upload_v2(channel=CHANNEL, filename="locks.png", content=b"\x89PNG", alt_txt="One lock, 3 ms")
    (file,) = slack.messages(CHANNEL)[-1]["files"]
    assert (file["mimetype"], file["alt_txt"], file["title"]) == ("image/png", "One lock, 3 ms", "locks.png")


def test_the_bytes_are_as_many_as_was_said(announced):
    assert refused(announced["upload_url"], SQL + b"x") == (400, "invalid_arguments")
    assert send(announced["upload_url"], SQL) == f"OK - {len(SQL)}"
    assert refused(announced["upload_url"], SQL) == (400, "file_not_found")


def test_nothing_is_shared_before_it_is_whole(client, slack, refusal, announced):
    files = [{"id": announced["file_id"]}]
    answer = refusal(client.files_completeUploadExternal, files=files, channel_id=CHANNEL)
    assert answer["error"] == "file_not_found"
    assert slack.messages(CHANNEL) == []
    assert refused(f"{slack.address}/files/{announced['file_id']}/plan.sql") == (404, "file_not_found")


def test_a_file_is_finished_once(client, refusal, announced):
    send(announced["upload_url"], SQL)
    files = [{"id": announced["file_id"]}]
    client.files_completeUploadExternal(files=files)
    assert refusal(client.files_completeUploadExternal, files=files)["error"] == "file_not_found"


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ({"channel_id": "C0NOWHERE"}, "channel_not_found"),
        ({"channel_id": "C0GENERAL"}, "not_in_channel"),
        ({"channel_id": CHANNEL, "thread_ts": "1700000000.000001"}, "invalid_thread_ts"),
    ],
)
def test_where_it_cannot_stand(client, refusal, announced, where, error):
    send(announced["upload_url"], SQL)
    assert refusal(client.files_completeUploadExternal, files=[{"id": announced["file_id"]}], **where)["error"] == error


@pytest.mark.parametrize("files", ["[]", "7", "no json"])
def test_a_list_of_files_is_needed(client, refusal, files):
    answer = refusal(client.api_call, api_method="files.completeUploadExternal", params={"files": files})
    assert answer["error"] == "invalid_arguments"


def test_an_empty_file_is_refused(client, refusal):
    assert refusal(client.files_getUploadURLExternal, filename="a.sql", length=0)["error"] == "invalid_arguments"


def test_an_endless_alternative_text_is_refused(client, refusal):
    answer = refusal(client.files_getUploadURLExternal, filename="a.png", length=1, alt_txt="x" * 1001)
    assert answer["error"] == "alt_txt_too_large"


def test_json_is_not_taken(client, refusal):
    answer = refusal(client.api_call, api_method="files.getUploadURLExternal", json={"filename": "a.sql", "length": 1})
    assert answer["error"] == "invalid_arguments"


def test_a_group_names_its_members(client, slack):
    assert client.usergroups_users_list(usergroup="S0APPROVERS")["users"] == ["U0APPROVER", "U0SECOND"]
    slack.set_group("S0APPROVERS", "U0SECOND")
    assert client.usergroups_users_list(usergroup="S0APPROVERS")["users"] == ["U0SECOND"]


def test_an_unknown_group(client, refusal):
    assert refusal(client.usergroups_users_list, usergroup="S0NOBODY")["error"] == "no_such_subteam"
