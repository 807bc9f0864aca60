"""Two schemas held against each other, object by object."""

from engine import drift
from engine.drift import Difference, Drift
from engine.fingerprint import Inventory, Thing


def column(name: str, place: int, words: str) -> Thing:
    return Thing("column", name, f"{place} {words}", words)


TABLE = Thing("relation", "public.users", "r p f f", "table")
EMAIL = column("public.users.email", 1, "text not null")
NAME = column("public.users.name", 2, "text")
INDEX = Thing(
    "index", "public.users_email", "t f f CREATE", "CREATE INDEX users_email ON public.users USING btree (email)"
)
VIEW = Thing("relation", "public.v", "v p SELECT 1", "view, SELECT 1;")
LONG = Thing("function", "public.f()", "x" * 200, "x" * 200)
THERE: Inventory = (TABLE, EMAIL, NAME, INDEX, VIEW, LONG)


def said(*here: Thing, declared: tuple[str, ...] = ()) -> list[str]:
    return [one.sentence for one in drift.compare(here, THERE, declared=declared)]


def test_what_is_alike_has_no_difference() -> None:
    assert said(*reversed(THERE)) == []


def test_an_object_that_is_otherwise_is_told_with_both() -> None:
    here = EMAIL._replace(value="1 varchar", words="character varying(320) not null")
    assert said(TABLE, here, NAME, INDEX, VIEW, LONG) == [
        "column public.users.email is character varying(320) not null, there it is text not null"
    ]


def test_an_object_that_only_one_has_is_told_with_what_it_is() -> None:
    extra = Thing("index", "public.users_trgm", "t", "CREATE INDEX users_trgm ON public.users USING gin (email)")
    assert said(TABLE, EMAIL, NAME, VIEW, LONG, extra) == [
        f"index public.users_email is not here; there it is {INDEX.words}",
        f"index public.users_trgm is here and not there: {extra.words}",
    ]


def test_what_belongs_to_a_table_that_one_lacks_goes_with_it() -> None:
    assert said(VIEW, LONG) == ["table public.users is not here; there it is defined"]


def test_a_definition_too_long_for_a_sentence_is_not_in_it() -> None:
    assert said(TABLE, EMAIL, NAME, INDEX, VIEW, LONG._replace(value="y")) == [
        "function public.f() is defined otherwise than there"
    ]
    assert said(*THERE[:-1]) == ["function public.f() is not here; there it is defined"]
    assert said(*THERE, LONG._replace(name="public.g()")) == ["function public.g() is here and not there"]


def test_what_stands_between_quotes_is_not_shown() -> None:
    named = NAME._replace(value="2 text 'hunter2'", words="text default 'hunter2'::text")
    assert said(TABLE, EMAIL, named, INDEX, VIEW, LONG) == [
        "column public.users.name is text default '…'::text, there it is text"
    ]
    other = named._replace(value="2 text 'hunter3'", words="text default 'hunter3'::text")
    assert [one.sentence for one in drift.compare([named], [other])] == [
        "column public.users.name is defined otherwise than there"
    ]


def test_another_kind_of_relation_is_called_what_it_is_here() -> None:
    here = VIEW._replace(value="m", words="materialized view, SELECT 2;")
    assert said(TABLE, EMAIL, NAME, INDEX, here, LONG) == [
        "materialized view public.v is materialized view, SELECT 2;, there it is view, SELECT 1;"
    ]


def test_columns_in_another_order_are_one_difference_and_none_where_a_column_more_explains_it() -> None:
    swapped = (column("public.users.email", 2, EMAIL.words), column("public.users.name", 1, NAME.words))
    assert said(TABLE, *swapped, INDEX, VIEW, LONG) == [
        "columns of public.users is name, email, there it is email, name"
    ]
    more = column('public.users."a.b"', 1, "int")
    later = (column("public.users.email", 2, EMAIL.words), column("public.users.name", 3, NAME.words))
    assert said(TABLE, more, *later, INDEX, VIEW, LONG) == ['column public.users."a.b" is here and not there: int']


def test_what_is_declared_to_differ_is_left_out() -> None:
    assert said(TABLE, EMAIL, NAME, VIEW, LONG, declared=("index public.users_email",)) == []
    assert drift.without(THERE, ("table public.users", "view public.v")) == (LONG,)
    assert drift.without(THERE, ()) is THERE


def test_what_had_drifted_before_a_run_is_no_part_of_what_the_history_implies_afterwards() -> None:
    by_hand = Thing("index", "public.by_hand", "t", "…")
    before = (TABLE, EMAIL, NAME._replace(value="2 int"), by_hand)  # INDEX was dropped by hand
    implied = (TABLE, EMAIL, NAME, INDEX)
    assert set(drift.carried((*before, VIEW), before=before, implied=implied)) == {*implied, VIEW}


def test_what_a_run_touched_is_as_the_run_left_it() -> None:
    before, changed = (NAME._replace(value="2 int"),), NAME._replace(value="2 bigint")
    assert drift.carried((changed,), before=before, implied=(NAME,)) == (changed,)


def test_a_drift_travels_as_json() -> None:
    found = Drift("drifted", "snapshot", None, (Difference("index", "public.i", None, "CREATE …"),))
    assert Drift.from_json(found.as_json()) == found
    assert found.as_json()["differences"][0]["sentence"] == "index public.i is not here; there it is CREATE …"
    assert drift.unknown("Why.") == Drift("unknown", None, "Why.")
