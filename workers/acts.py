"""The module of each act. What an act is to the hands is said there, and nowhere else in this room."""

from collections.abc import Mapping

from ledger.request import Act
from workers import (
    applying,
    baselining,
    certifying,
    discarding,
    generating,
    repairing,
    restoring,
    reverting,
    saving,
    thawing,
)
from workers.craft import Craft

CRAFTS: Mapping[Act, Craft] = {
    Act.APPLY: applying,
    Act.CERTIFY: certifying,
    Act.ROLLBACK: reverting,
    Act.BACKUP: saving,
    Act.RESTORE: restoring,
    Act.DISCARD: discarding,
    Act.BASELINE: baselining,
    Act.REPAIR: repairing,
    Act.THAW: thawing,
    Act.GENERATE: generating,
}
