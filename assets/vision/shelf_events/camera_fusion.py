"""One event per change of a slot, out of what several cameras saw of it.

Cameras see the same change at slightly different moments; one whose view a shopper blocked sees it only afterwards.
Changes within 1.5 s are one. A camera whose view was blocked for long supports what others saw in that time and adds
nothing of its own. Evidence is added as log-odds, so the order of cameras does not matter. A touch counts only where no
camera saw a change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from assets.vision.log_odds import log_odds
from assets.vision.shelf_events.settings import CameraFusionSettings


@dataclass(frozen=True)
class Contact:
    """Where one camera saw something move in the slot: pixels of its picture, seconds of store time."""

    camera_id: str
    time_s: float
    x_px: float
    y_px: float


@dataclass(frozen=True)
class CameraEpisode:
    """An episode of vision/slot_episodes, times in seconds of the store's clock."""

    camera_id: str
    slot_id: str
    kind: str
    started_s: float
    ended_s: float
    changed_s: float
    appearance_change: float
    facings_change: int
    put_prob: float
    pick_prob: float
    contact: Contact | None = None
    has_person: bool = False
    colours: tuple[float, ...] = ()

    @property
    def length_s(self) -> float:
        """Seconds from the first to the last motion."""
        return self.ended_s - self.started_s


@dataclass(frozen=True)
class ClearView:
    """That a camera saw a slot clear at `first_s` and at `last_s`, and watched it all the time between."""

    camera_id: str
    slot_id: str
    first_s: float
    last_s: float


@dataclass(frozen=True)
class FusedEvent:
    """A change (or touch) of one slot, all cameras together.

    `change_log_odds` is the evidence that the slot changed, `put_log_odds` that something was put rather than
    taken given that it changed; `quantity` pieces.
    """

    slot_id: str
    is_touch: bool
    started_s: float
    ended_s: float
    changed_s: float
    change_log_odds: float
    put_log_odds: float
    quantity: int
    camera_ids: tuple[str, ...]
    contacts: tuple[Contact, ...] = field(default=())
    has_person: bool = False
    colours: tuple[tuple[float, ...], ...] = ()


def fuse(
    episodes: Iterable[CameraEpisode],
    views: Iterable[ClearView] = (),
    settings: CameraFusionSettings | None = None,
) -> list[FusedEvent]:
    """Events by time and slot. `views` tell which cameras would have seen a change, also those that saw nothing."""
    settings = settings or CameraFusionSettings()
    by_slot: dict[str, list[CameraEpisode]] = defaultdict(list)
    for episode in episodes:
        if episode.kind in ("change", "touch"):
            by_slot[episode.slot_id].append(episode)
    views_of: dict[str, list[ClearView]] = defaultdict(list)
    for view in views:
        views_of[view.slot_id].append(view)
    events: list[FusedEvent] = []
    for slot_id, seen in by_slot.items():
        changes = _groups([e for e in seen if e.kind == "change"], settings)
        fused = [_fused(slot_id, group, _silent(group, views_of[slot_id]), settings) for group in changes]
        events += fused
        for group in _groups([e for e in seen if e.kind == "touch"], settings):
            touch = _fused(slot_id, group, 0, settings)
            if not any(_overlap(touch, change, settings) for change in fused):
                events.append(touch)
    return sorted(events, key=lambda event: (event.changed_s, event.slot_id, event.is_touch))


def _silent(group: Sequence[CameraEpisode], views: Sequence[ClearView]) -> int:
    """How many cameras saw the slot before and after, and no change."""
    started_s, ended_s = min(e.started_s for e in group), max(e.ended_s for e in group)
    watching = {view.camera_id for view in views if view.first_s <= started_s and view.last_s >= ended_s}
    return len(watching - {episode.camera_id for episode in group})


def _groups(episodes: list[CameraEpisode], settings: CameraFusionSettings) -> list[list[CameraEpisode]]:
    """Episodes of one slot that are one event: the times in which they may have happened meet.

    The shortest come first, so that a camera whose view was blocked joins what others saw meanwhile. Two episodes of
    one camera are never one event.
    """
    groups: list[list[CameraEpisode]] = []
    for episode in sorted(episodes, key=lambda e: (e.length_s, e.changed_s, e.camera_id)):
        fitting = [
            group
            for group in groups
            if episode.camera_id not in {e.camera_id for e in group} and all(_meet(episode, e, settings) for e in group)
        ]
        if fitting:
            nearest = min(fitting, key=lambda g: (abs(g[0].changed_s - episode.changed_s), g[0].changed_s))
            nearest.append(episode)
        else:
            groups.append([episode])
    return groups


def _meet(one: CameraEpisode, other: CameraEpisode, settings: CameraFusionSettings) -> bool:
    """Whether two cameras may have seen the same moment: their intervals, or their middles, lie near enough."""
    apart = max(one.started_s, other.started_s) - min(one.ended_s, other.ended_s)
    return apart <= settings.slack_s or abs(one.changed_s - other.changed_s) <= settings.double_s


def _fused(slot_id: str, group: Sequence[CameraEpisode], silent: int, settings: CameraFusionSettings) -> FusedEvent:
    is_touch = group[0].kind == "touch"
    blocked_s, least = settings.blocked_s, settings.least_prob
    sharpest = min(group, key=lambda e: (e.length_s > blocked_s, -round(e.put_prob + e.pick_prob, 3), e.length_s))
    change = sum(log_odds(e.put_prob + e.pick_prob, least) for e in group) - settings.silent_log_odds * silent
    direction = sum(
        (e.put_prob + e.pick_prob) * log_odds(e.put_prob / max(1e-6, e.put_prob + e.pick_prob), least) for e in group
    )
    weights: dict[int, float] = defaultdict(float)
    for e in group:
        weights[abs(e.facings_change)] += e.put_prob + e.pick_prob + 1e-6
    quantity = 0 if is_touch else max(1, max(sorted(weights), key=lambda count: weights[count]))
    sharp = [e for e in group if e.length_s <= blocked_s] or list(group)
    started_s, ended_s = max(e.started_s for e in group), min(e.ended_s for e in group)
    if is_touch or started_s > ended_s:
        started_s, ended_s, changed_s = sharpest.started_s, sharpest.ended_s, sharpest.changed_s
    else:
        changed_s = 0.5 * (started_s + ended_s)
    return FusedEvent(
        slot_id=slot_id,
        is_touch=is_touch,
        started_s=started_s,
        ended_s=ended_s,
        changed_s=changed_s,
        change_log_odds=round(change, 9),
        put_log_odds=round(direction, 9),
        quantity=quantity,
        camera_ids=tuple(sorted({e.camera_id for e in group})),
        contacts=tuple(sorted((e.contact for e in sharp if e.contact), key=lambda c: (c.camera_id, c.time_s))),
        has_person=any(e.has_person for e in group),
        colours=tuple(sorted(e.colours for e in group if e.colours)),
    )


def _overlap(touch: FusedEvent, change: FusedEvent, settings: CameraFusionSettings) -> bool:
    margin_s = settings.double_s
    return touch.started_s <= change.ended_s + margin_s and change.started_s - margin_s <= touch.ended_s
