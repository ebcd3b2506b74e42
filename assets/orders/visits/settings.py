"""Settings of the visits: how scans at the gate and trajectories relate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BindingSettings:
    """Which trajectory belongs to which scan, and which is doubted. All chosen by hand; receipts were then measured on
    the simulated days (docs/benchmarks.md)."""

    gate_distance_m: float = 0.4
    """Metres (sigma) that a shopper stands from the gate when the account is scanned."""
    walk_m_s: float = 1.0
    """Metres by which that grows for each second between the scan and the nearest sight of the shopper."""
    start_lag_s: float = 4.0
    """Mean seconds between the entry scan and the trajectory's start, and between its end and the exit scan."""
    window_s: float = 60.0
    """Seconds before and after a scan within which its trajectory may begin (or end, for a lone exit scan)."""
    entry_stray_prob: float = 0.02
    """Share, 0 to 1, of entry scans whose trajectory is found elsewhere: hidden, or begun late."""
    exit_stray_prob: float = 0.2
    """The same share of exit scans: a trajectory may have broken off long before."""
    untracked_prob: float = 0.1
    """Share, 0 to 1, of scans without any trajectory."""
    without_scan_prob: float = 0.1
    """Share, 0 to 1, of trajectories without any scan: who came in behind somebody else."""
    longest_gap_s: float = 5.0
    """Seconds between a scan and the nearest sight beyond which the trajectory does not show the whole stay."""
    farthest_m: float = 2.0
    """Metres between gate and trajectory at the scan beyond which it does not either."""
    broken_prob: float = 0.6
    """Probability, 0 to 1, that something of the basket is missing from such a trajectory, or is somebody else's."""
    rescan_s: float = 5.0
    """Seconds within which a second scan of an account at one gate is the same one, made again."""
    shortest_track_s: float = 2.0
    """A track of fewer seconds is nobody."""
    floor_margin_m: float = 0.3
    """Metres by which somebody inside may seem to be outside the floor, by error of position."""
    inside_share: float = 0.5
    """Share of its points, 0 to 1, from which a track is inside: what is mostly outside is a reflection, or passes by
    behind glass."""
