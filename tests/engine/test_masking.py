"""A message may be shown when no value is left in it."""

import sys
from types import SimpleNamespace
from typing import Any
from unicodedata import category

import psycopg
import pytest

from engine import masking


@pytest.mark.parametrize(
    ("sqlstate", "message", "shown"),
    [
        ("42P01", 'relation "nope" does not exist', 'relation "nope" does not exist'),
        ("23505", 'duplicate key breaks "users_pkey"', 'duplicate key breaks "users_pkey"'),
        ("42883", "function f('it''s', 'b') is not there", "function f(…) is not there"),
        ("42601", "syntax error at or near \"'secret'\"", "syntax error at or near …"),
        ("42601", 'syntax error at or near "4711"', "syntax error at or near …"),
        ("42601", 'syntax error at or near "tabel"', 'syntax error at or near "tabel"'),
        ("42601", 'unterminated at or near "\'se\ncret"', "unterminated at or near …"),
        ("58P01", 'odd "half', "odd …"),
        ("42P01", "relation « x »\nn'existe pas", "relation …"),
        ("42703", "Spalte »geheim« existiert nicht", "Spalte …"),
        ("2F005", "a\nb", "a b"),
        ("42703", "列〝秘密〞がありません", "列…"),
        ("42703", "欄位﹁秘密﹂不存在", "欄位…"),
        ("42703", "列＂秘密＂不存在", "列…"),
        ("42703", "列【秘密】不存在", "列…"),
    ],
)
def test_literals_are_masked_and_names_are_kept(sqlstate: str, message: str, shown: str) -> None:
    assert masking.mask(message, sqlstate=sqlstate) == shown


@pytest.mark.parametrize(
    ("sqlstate", "message", "shown"),
    [
        ("42P01", 'relation "Towns" does not exist', 'relation "Towns" does not exist'),
        ("42P01", 'relation "public.towns" does not exist', 'relation "public.towns" does not exist'),
        ("42P01", 'relation "ann" does not exist', "relation … does not exist"),
        ("42P01", 'relation "towns.ann" does not exist', "relation … does not exist"),
        ("42601", 'syntax error at or near "ann"', "syntax error at or near …"),
        ("23505", 'duplicate key breaks "ann"', "duplicate key breaks …"),
    ],
)
def test_a_name_that_is_not_in_the_file_may_be_a_rows_value(sqlstate: str, message: str, shown: str) -> None:
    assert masking.mask(message, sqlstate=sqlstate, text="ALTER TABLE towns …") == shown


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("operator does not exist: ann", "operator does not exist: …"),
        ("演算子が存在しません：ann", "演算子が存在しません：…"),
        ("operator does not exist: integer ann integer", "operator does not exist: …"),
        ("function ann(integer, text) does not exist", "function … does not exist"),
        ("function Rename(integer) does not exist", "function Rename(integer) does not exist"),
        ("column towns.ann does not exist", "column … does not exist"),
        ("large object 4111 does not exist", "large object … does not exist"),
    ],
)
def test_a_name_needs_no_quotes_to_be_a_rows_value(message: str, shown: str) -> None:
    text = "SELECT rename(id) FROM towns"
    assert masking.mask(message, sqlstate="42883", text=text) == shown
    assert masking.mask(message, sqlstate="42883", text=text, read=True) == message


def test_what_rows_broke_is_named_by_the_server_itself() -> None:
    message = 'row of "towns" violates "towns_name_1" near "ann"'
    shown = masking.mask(message, sqlstate="23514", text="COMMIT", names={"towns", "towns_name_1", None})
    assert shown == 'row of "towns" violates "towns_name_1" near …'


def test_behind_whatever_opens_or_closes_in_a_language_nothing_is_shown() -> None:
    signs = [chr(n) for n in range(0x80, sys.maxunicode + 1) if category(chr(n)) in ("Pi", "Pf", "Ps", "Pe")]
    assert len(signs) > 100
    for sign in (*signs, *"`´′″＂＇"):
        assert masking.mask(f"column {sign}ann{sign}", sqlstate="42703") == "column …"


@pytest.mark.parametrize(
    ("sqlstate", "shown"),
    [
        ("22000", "data exception"),
        ("22001", "string data right truncation"),
        ("22003", "numeric value out of range"),
        ("22007", "invalid datetime format"),
        ("22012", "division by zero"),
        ("22023", "invalid parameter value"),
        ("22P02", "invalid text representation"),
        ("22P05", "untranslatable character"),
        ("22ZZZ", "data exception"),
    ],
)
def test_of_what_is_about_a_value_the_standards_words_are_shown(sqlstate: str, shown: str) -> None:
    assert masking.mask("ann: 4111, nothing of it in quotes", sqlstate=sqlstate) == shown


@pytest.mark.parametrize(
    ("sqlstate", "raised"), [("P0001", False), ("38000", False), ("39000", False), ("23505", True)]
)
def test_what_a_function_wrote_is_withheld(sqlstate: str, raised: bool) -> None:
    assert masking.mask("card 4111", sqlstate=sqlstate, raised=raised) == (
        "the message was written by a function in the database and is withheld, since it may hold rows' values"
    )


@pytest.mark.parametrize(
    ("function", "file", "shown"),
    [
        ("exec_stmt_raise", "pl_exec.c", masking.WITHHELD),
        ("pgfdw_report_error", "connection.c", masking.WITHHELD),
        ("dblink_res_error", "dblink.c", masking.WITHHELD),
        ("PLy_elog_impl", "plpy_elog.c", masking.WITHHELD),
        ("rethrow", "plv8.cc", masking.WITHHELD),
        ("report", "lib.rs", masking.WITHHELD),
        ("_bt_check_unique", "nbtinsert.c", "bob is known already"),
        ("base_yyerror", "scan.l", "bob is known already"),
        (None, None, "bob is known already"),
    ],
)
def test_what_others_wrote_under_a_code_of_the_servers_is_withheld(
    function: str | None, file: str | None, shown: str
) -> None:
    class Known(psycopg.errors.UniqueViolation):
        @property
        def diag(self) -> Any:
            names = dict.fromkeys(("schema_name", "table_name", "column_name", "datatype_name", "constraint_name"))
            place = {"source_function": function, "source_file": file, "statement_position": None, "context": None}
            return SimpleNamespace(message_primary="bob is known already", **names, **place)

    assert masking.of(Known()) == shown


@pytest.mark.parametrize("sqlstate", ["XX000", "HV000", "F0000", "U0001", ""])
def test_what_need_not_quote_a_value_is_withheld(sqlstate: str) -> None:
    assert masking.mask("couldn't project point (181 91 0)", sqlstate=sqlstate) == (
        "the message is of a kind that may hold rows' values and is withheld; the server's log has it"
    )


def test_a_long_message_is_cut() -> None:
    assert masking.mask("x" * 400, sqlstate="54000") == "x" * 300 + "…"


@pytest.mark.parametrize(
    ("definition", "shown"),
    [
        ("text default 'hunter2'::text not null", "text default '…'::text not null"),
        ("CHECK ((a = ANY (ARRAY['it''s'::text, 'b'])))", "CHECK ((a = ANY (ARRAY['…'::text, '…'])))"),
        ("btree (\"o'brien\") WHERE (b = 'x')", "btree (\"o'brien\") WHERE (b = '…')"),
        ("default E'a\\\\b'::text", "default E'…'::text"),
        ("default 'never ends", "default '…'"),
        ("numeric(9,2) default 0", "numeric(9,2) default 0"),
    ],
)
def test_a_definitions_literals_are_masked(definition: str, shown: str) -> None:
    assert masking.literals(definition) == shown
