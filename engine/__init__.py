"""Migrations on one PostgreSQL database, and nothing else."""

#: Part of every plan's digest: an approval holds for the Twokey that showed the plan.
VERSION = "0.1.0"
