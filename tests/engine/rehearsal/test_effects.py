"""What a file declares of itself, read and held against what it did."""

import pytest

from engine.drift import Difference
from engine.rehearsal import EffectsDiffer, effects
from engine.rehearsal.effects import Unreadable
from engine.rehearsal.receipt import Change
from tests.engine.rehearsal.conftest import Shop

ADDED = Difference("column", "public.users.email", "text", None)
INDEX = Difference("index", "public.i", "CREATE INDEX i ON public.orders USING btree (id)", None)
MADE = Difference("table", "public.fresh", "", None)
GONE = Difference("view", "public.old", None, "")


@pytest.mark.parametrize("text", ["-- effects: breaks users", "-- effects: alters", "-- effects: rows users many"])
def test_what_says_nothing_we_know_is_refused_by_line(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        effects.declared(f"SELECT 1;\n{text}\n")
    assert caught.value.line == 2


def test_several_lines_are_one_declaration() -> None:
    said = effects.declared("-- effects: alters users, orders; rows users 1,200\nSELECT 1;\n--effects: drops old;")
    assert said is not None
    assert (said.line, said.alters, said.drops, said.rows) == (1, {"users", "orders"}, {"old"}, {"users": 1200})
    assert effects.declared("SELECT 1 -- no effects here") is None


@pytest.mark.parametrize(
    ("declared", "wrong"),
    [
        ("alters users, public.orders; creates fresh; drops old; rows users 3", []),
        ("alters users; creates fresh; drops old; rows users 3", ["it alters public.orders"]),
        ("alters users, orders, loose; creates fresh; drops old; rows users 3", ["it alters no loose"]),
        ("alters users, orders; drops old; rows users 3", ["it creates public.fresh"]),
        ("alters users, orders; creates fresh; rows users 3", ["it drops public.old"]),
        ("alters users, orders; creates fresh; drops old", ["it writes 3 rows of public.users and not 0"]),
        (
            "alters users, orders; creates fresh; drops old; rows users 2; rows loose 1",
            ["it writes 3 rows of public.users and not 2", "it writes no row of loose and not 1"],
        ),
    ],
)
def test_all_must_match(declared: str, wrong: list[str]) -> None:
    said = effects.declared(f"-- effects: {declared}")
    assert said is not None
    did = (ADDED, INDEX, MADE, GONE)
    assert list(effects.against(said, did, (Change("public.users", 1, 1, 1, 0),))) == wrong


def test_a_rehearsal_fails_where_a_file_does_more_than_it_says(shop: Shop, untouched: None) -> None:
    with pytest.raises(EffectsDiffer) as caught:
        shop.rehearse("SELECT 1;\n-- effects: rows users 0\nUPDATE users SET email = 'x' WHERE id = 1;")
    assert str(caught.value) == (
        "20250201000000_m1.sql:2 declares other effects than the rehearsal saw on a copy of production: it writes 1 "
        "rows of public.users and not 0. production was not touched. Correct the file or its `-- effects:` line."
    )
    with pytest.raises(EffectsDiffer) as caught:
        shop.rehearse("-- effects: all good\nSELECT 1;")
    told = "all good is none; write alters, creates or drops and names, or rows, a name and a number."
    assert told in str(caught.value)


def test_what_a_cascade_does_may_be_declared_and_is_told_all_the_same(shop: Shop, untouched: None) -> None:
    honest = "-- effects: alters users; rows orders 5; rows users 10\n"
    seen = shop.rehearse(honest + "TRUNCATE users CASCADE; ALTER TABLE users ADD n int;").receipt
    assert seen.unnamed == ("public.orders",)
