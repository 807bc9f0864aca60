"""The ear and the voice: Slack words become ledger rows, ledger events become Slack messages."""
