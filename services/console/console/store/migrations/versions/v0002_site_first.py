"""Events, alerts and clips are found by the site first: a page of one looks at no other's rows.

MySQL undoes no change of a layout, so a step that was killed half way is gone on with.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

OLD = {
    "realtime_event": (
        "ix_realtime_event_ts", "ix_realtime_event_camera", "ix_realtime_event_kind",
        "ix_realtime_event_event",
    ),
    "alert": ("ix_alert_detected", "ix_alert_camera", "ix_alert_state"),
    "clip": ("ix_clip_start",),
}  # fmt: skip
NEW = {
    "realtime_event": {
        "ix_realtime_event_site": ("site", "ts", "id"),
        "ix_realtime_event_site_camera": ("site", "camera", "ts", "id"),
        "ix_realtime_event_site_kind": ("site", "kind", "ts", "id"),
        "ix_realtime_event_site_camera_kind": ("site", "camera", "kind", "ts", "id"),
        "ix_realtime_event_site_event": ("site", "event_id", "ts", "id"),
    },
    "alert": {
        "ix_alert_site": ("site", "detected_at", "event_id"),
        "ix_alert_site_camera": ("site", "camera", "detected_at", "event_id"),
        "ix_alert_site_state": ("site", "state", "detected_at", "event_id"),
    },
    "clip": {
        "ix_clip_site": ("site", "start_ms", "id"),
        "ix_clip_site_camera": ("site", "camera", "start_ms", "id"),
        "ix_clip_site_event": ("site", "event_id", "start_ms", "id"),
    },
}


def upgrade() -> None:
    """Make the new indexes, and let go of those that they replace."""
    for table, indexes in NEW.items():
        there = {one["name"] for one in sa.inspect(op.get_bind()).get_indexes(table)}
        for name, columns in indexes.items():
            if name not in there:
                op.create_index(name, table, list(columns))
        for name in OLD[table]:
            if name in there:
                op.drop_index(name, table)
