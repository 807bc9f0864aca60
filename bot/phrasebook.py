"""Every command as it is explained: the table that help is made from. Pure.

`{first}`, `{middle}` and `{last}` are what a person types for the first environment, the last one that is not
protected, and the last of all; with `_name` they are their whole names. So what is shown can be typed as it stands.
"""

from dataclasses import dataclass

from bot.typed import short
from ledger.workflow import Workflow

_LOOKS = "Every member of the workspace, guests too. The answer is theirs alone."
_SHARES = f"{_LOOKS[:-1]}; a full member who asked can share it."
_ASKS = "Every full member of the workspace, in the environment's channel."
_TWO_KEYS = (
    f"{_ASKS} Of a protected one the name has to be typed and a reason given, and then a second person, one of its "
    "approvers in twokey.toml, has to agree."
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """One command: its word, what may follow it, and what it does, in one sentence.

    `more` says besides what happens then, `who` who may, `then` what usually comes next. `examples` can be typed as
    they stand. `ways` are the forms of what follows, where there are several.
    """

    word: str
    takes: str
    does: str
    more: str
    examples: tuple[str, ...]
    who: str
    then: str
    ways: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """The command as a person types it after `/migrate`."""
        return f"{self.word} {self.takes}".rstrip()

    @property
    def forms(self) -> tuple[str, ...]:
        """The same, one for each form."""
        return tuple(f"{self.word} {way}".rstrip() for way in self.ways or (self.takes,))


#: Every command, in the order in which help lists them.
TABLE: tuple[Phrase, ...] = (
    Phrase(
        "status",
        "[environment]",
        "Shows which migrations are where, who applied the last one and when.",
        "Each environment is looked at now, by its own worker; one for which no worker answers is called unobserved. "
        "What is frozen, drifted or edited is said, too.",
        ("status", "status {last}"),
        _SHARES,
        "`/migrate plan {middle}` shows what would run there; `/migrate validate` names what does not agree.",
        ways=("", "<environment>"),
    ),
    Phrase(
        "plan",
        "<environment>",
        "Shows what an apply would run there, and runs nothing.",
        "The environment's worker reads the folder and the database now, and says the hazards it sees, or why nothing "
        "can be applied.",
        ("plan {first}", "plan {last}"),
        _SHARES,
        "Its button, or `/migrate apply {first}`, asks for what it shows.",
    ),
    Phrase(
        "apply",
        "<environment>",
        "Backs the environment up and runs what is pending there.",
        "No verified backup, no apply. Each file runs in a transaction together with its history row; the first "
        "failure stops the run, and what committed stays. An environment only gets what the one before it has, and a "
        "protected one only what was certified there.",
        ("apply {first}", "apply {last}"),
        _TWO_KEYS,
        "Its message says how it went, and what comes next: the plan of the next environment, or a test and "
        "`/migrate certify {middle}`. `/migrate rollback {first}` takes the newest back.",
    ),
    Phrase(
        "promote",
        "<environment>",
        "The same as apply, for every environment but the first.",
        "It brings what the environment before has and this one lacks, with the same checksums in the same order.",
        ("promote {middle}", "promote {last}"),
        _TWO_KEYS,
        "As after apply: test it, then `/migrate certify {middle}`.",
    ),
    Phrase(
        "certify",
        "<environment> [note]",
        "Says that it was tested, so that a protected one may follow.",
        "It covers exactly what the environment's history holds now, by checksum; the protected environment after it "
        "gets that and nothing else. A note stands on the card that the second person reads.",
        ("certify {middle}", "certify {middle} all green"),
        f"{_ASKS} Where twokey.toml lists certifiers, only those.",
        "`/migrate apply {last}` asks for what was certified.",
        ways=("<environment>", "<environment> <note>"),
    ),
    Phrase(
        "rollback",
        "<environment> [to <migration> | last <n>]",
        "Takes the newest migrations back, after a backup.",
        "Their down sections run, newest first, as the files were when they ran. Alone it takes back one, `last 2` "
        "two, and `to` all that came after that migration, which stays. What an environment further on has is not "
        "taken back before it.",
        ("rollback {middle}", "rollback {middle} last 2"),
        _TWO_KEYS,
        "`/migrate status {middle}` shows what is there now.",
        ways=("<environment>", "<environment> last <n>", "<environment> to <migration>"),
    ),
    Phrase(
        "backup",
        "<environment>",
        "Dumps it and puts a manifest beside the dump. Changes nothing there.",
        "The dump is read back before it counts. An apply and a rollback take one by themselves.",
        ("backup {first}", "backup {last}"),
        f"{_ASKS} One at a time; it takes no second person.",
        "`/migrate backups {last}` lists it, and its button Restore asks to go back to it.",
    ),
    Phrase(
        "backups",
        "<environment>",
        "Lists its backups, and the databases that restores kept.",
        "Small ones are read now, byte by byte; a large one goes by its manifest, which is said.",
        ("backups {first}", "backups {last}"),
        _SHARES,
        "`/migrate restore {middle} <backup>` goes back to one; `/migrate discard {middle} <database>` drops what was "
        "kept.",
    ),
    Phrase(
        "restore",
        "<environment> <backup>",
        "Brings it back to a backup; the old database is kept.",
        "The backup is loaded into a new database, compared with its manifest, and swapped in; whoever is connected is "
        "sent away once. What was written since the backup is in the old database alone.",
        (
            "restore {middle} {middle_name}-backup-2026-11-22T10-00-00.sql",
            "restore {last} {last_name}-backup-2026-11-22T10-00-00.sql",
        ),
        _TWO_KEYS,
        "`/migrate plan {middle}` shows what is pending again; `/migrate discard {middle} <database>` drops the old "
        "database.",
    ),
    Phrase(
        "discard",
        "<environment> <database>",
        "Drops a database that a restore kept, for good.",
        "Only what a restore of this environment kept can be named. There is no way back from it.",
        ("discard {middle} shop_before_20261122_100000", "discard {last} shop_before_20261122_100000"),
        _TWO_KEYS,
        "`/migrate backups {middle}` lists what is kept still.",
    ),
    Phrase(
        "generate",
        "<name>",
        "Drafts a migration from what changed in the models, proven; somebody commits it.",
        "It is held against {first}, and proven up and down on a scratch database. The draft is a file in the channel; "
        "no folder and no environment is changed.",
        ("generate add_cities", "generate add_phone_to_users"),
        _ASKS,
        "Put the file into the migrations folder, read it and commit it; then `/migrate plan {first}`.",
    ),
    Phrase(
        "baseline",
        "<environment> <migration>",
        "Writes files down as applied, up to that one, where their schema is.",
        "For a database that has it all already, and no history yet. None of the files runs.",
        ("baseline {first} 20250818130001_create_users", "baseline {last} 20250818130001_create_users"),
        _TWO_KEYS,
        "`/migrate status {first}` shows what is pending now.",
    ),
    Phrase(
        "repair",
        "<environment> [migration …]",
        "Shows which files changed after they ran; lets those named count so.",
        "Alone it shows what changed in each. With names those files count as they are now; nothing runs, so the "
        "database has to be as they say already.",
        ("repair {middle}", "repair {middle} 20250818130001_create_users"),
        f"{_TWO_KEYS} To see what changed takes a full member, too.",
        "`/migrate validate` says whether all agrees then.",
        ways=("<environment>", "<environment> <migration> …"),
    ),
    Phrase(
        "freeze",
        "<environment> [until] <reason>",
        "Lets nothing start there: `2h`, `2026-12-01 09:00` (UTC), or until it is thawed.",
        "It holds at once. What runs finishes; an approval that waits has to be given anew afterwards. A second freeze "
        "neither ends nor shortens the first.",
        ("freeze {last} 2h the database is being moved", "freeze {last} the disk is full"),
        f"{_ASKS} It takes no second person, since it only makes safer.",
        "It ends at its time, or by `/migrate thaw {last}`.",
        ways=(
            "<environment> <reason>",
            "<environment> 30min|2h|3d <reason>",
            "<environment> 2026-12-01 09:00 <reason>",
        ),
    ),
    Phrase(
        "thaw",
        "<environment>",
        "Ends what a freeze began; of a protected one with a second person.",
        "It lifts the freezes that its card names, and none that came later. It starts nothing.",
        ("thaw {first}", "thaw {last}"),
        _TWO_KEYS,
        "What waits there can be approved again.",
    ),
    Phrase(
        "validate",
        "",
        "Compares the environments: missing, extra, edited, out of order, ready to promote.",
        "Every environment is looked at now, by its own worker, and nothing runs.",
        ("validate",),
        _SHARES,
        "`/migrate plan {middle}` where something is ready, `/migrate repair {middle}` where a file was edited.",
    ),
    Phrase(
        "history",
        "[environment]",
        "Lists what has ended or was done at a terminal, with who, when and backup.",
        "It is what the ledger knows, the newest first; no environment is looked at.",
        ("history", "history {last}"),
        _LOOKS,
        "`/migrate export 7` hands out all that is known of one.",
        ways=("", "<environment>"),
    ),
    Phrase(
        "requests",
        "",
        "Lists the requests that are open.",
        "Each with where it stands, whom it waits for, and when it expires.",
        ("requests",),
        _LOOKS,
        "`/migrate cancel 7` takes one back.",
    ),
    Phrase(
        "cancel",
        "<number>",
        "Takes an open request back.",
        "Nothing of it will run. What runs already cannot be cancelled; a rehearsal can.",
        ("cancel 7", "cancel #7"),
        "Who asked, and the approvers of its environment.",
        "Whoever still wants it asks again.",
    ),
    Phrase(
        "export",
        "<number>",
        "Puts all that is known of it under its message, as a file that verifies offline.",
        "Plan, SQL, decisions, events and the hashes that chain them; `python -m ledger verify` reads it.",
        ("export 7", "export #7"),
        _ASKS,
        "`/migrate history` lists the numbers of what has ended.",
    ),
    Phrase(
        "help",
        "[command]",
        "Shows this list, or what one command does.",
        "With a command: its forms, what it does, examples, who may, and what comes next.",
        ("help", "help apply"),
        "Everybody.",
        "`/migrate status` is a good beginning.",
        ways=("", "<command>"),
    ),
)


def places(workflow: Workflow) -> dict[str, str]:
    """What stands for the environments in the table, for this workflow."""
    all_of_them = workflow.environments
    middle = next((one for one in reversed(all_of_them) if not one.protected), all_of_them[0])
    found = {"first": all_of_them[0], "middle": middle, "last": all_of_them[-1]}
    named = {f"{place}_name": one.name for place, one in found.items()}
    return {place: short(one) for place, one in found.items()} | named
