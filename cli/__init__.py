"""The side door: the `twokey` command. Engine values become words on a terminal or JSON; nothing is decided here."""
