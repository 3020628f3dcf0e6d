"""Shared context of the recording code, with the current recording."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from touchline.capture.cameras.cameras import Camera
from touchline.capture.host.host import HostSampler
from touchline.capture.library import recovery
from touchline.capture.library.libraryrecord import LibraryRecord
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.manifest import Manifest, State
from touchline.capture.library.manifest.rescan import segment_files
from touchline.capture.library.manifest.segmentname import camera_of
from touchline.capture.library.recordingsdisk import DiskFault, RecordingsDisk
from touchline.capture.library.verification.probe import Prober
from touchline.capture.logs import alerts as alert
from touchline.capture.logs.alertlog import Alerts
from touchline.capture.recording.health.forecast import Rates
from touchline.capture.recording.health.space import RECLAIM_BYTES, Space
from touchline.capture.recording.match.match import Match
from touchline.capture.recording.match.track import Track
from touchline.capture.recording.running import CurrentRecording
from touchline.capture.recording.verdict.laststop import LastStopStore
from touchline.capture.settings.tree import CaptureSettings
from touchline.core.descriptors import SpareDescriptors
from touchline.core.events.kinds import EventCategory, EventType
from touchline.core.events.log import EventLog
from touchline.core.supervision import Tasks
from touchline.core.tasks import Changed
from touchline.core.wallclock import ReadClocks, Reading, Trust, trust_of
from touchline.media.storage.disk import ERROR, FULL
from touchline.media.storage.diskspace import read_space

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecordingContext:
    """Shared services and state of the recorder."""

    settings: CaptureSettings
    root: Path
    cameras: Mapping[int, Camera]
    host: HostSampler
    alerts: Alerts
    events: EventLog
    prober: Prober
    disk: RecordingsDisk
    space: Space
    record: LibraryRecord
    spare: SpareDescriptors
    """Reserved file descriptors for starts and stops when no others are left."""
    current: CurrentRecording
    last_stop: LastStopStore
    tasks: Tasks
    finished: Callable[[str], None]
    """Callback for a finished match that requested processing."""
    clocks: ReadClocks
    changed: Changed
    """Marked when the published state of the recording is out of date."""
    unsaved: Changed = field(default_factory=Changed)
    """Marked when the manifest on disk is out of date."""
    unverified: list[tuple[Match, Track, str]] = field(default_factory=list)
    """Finished segments that have not been read back yet."""
    rates: Rates = field(default_factory=Rates)
    """Rates at which the cameras fill the disk."""
    _save_lock: anyio.Lock = field(default_factory=anyio.Lock)

    def read_clock(self) -> tuple[Reading, Trust]:
        """Return the current clock readings, and the trust in the date."""
        now = self.clocks()
        newest_ns = self.record.newest_unix_ns
        trust = trust_of(now.unix_ns, synchronised=now.synchronised, newest_unix_ns=newest_ns)
        return now, trust

    def unix_s(self) -> float:
        """Return the date in Unix seconds."""
        return self.clocks().unix_ns / 1e9

    def note(self, kind: EventType, category: EventCategory, message: str, **details: Any) -> None:
        """Record an event.

        Never raises: a recording does not depend on its events.
        """
        try:
            self.events.record(kind, category, message, **details)
        except Exception:
            log.exception("an event could not be recorded: %s", message)

    def note_changed(self) -> None:
        """Mark the published state of the recording as out of date. Never raises."""
        _mark(self.changed)

    def note_unsaved(self) -> None:
        """Mark the manifest to be saved soon. Never raises."""
        _mark(self.unsaved)

    def send_alert(self, raised: alert.Alert) -> None:
        """Send an alert. Never raises."""
        try:
            self.alerts.send(raised)
        except Exception:
            log.exception("an alert could not be sent: %s", raised.message)

    def spawn(
        self, work: Callable[..., Coroutine[Any, Any, None]], *arguments: Any, name: str
    ) -> None:
        """Run a background task while the capture half is open.

        Its failure is recorded.
        """
        # A failed background task (a missing disk) must not end the server and the match.
        self.tasks.start_soon(work, *arguments, name=name)

    def keep(self, name: str, once: Callable[[], Awaitable[None]], *, every_s: float) -> None:
        """Repeat a task while the capture half is open, even if a single run fails."""
        self.tasks.keep(name, once, every_s=every_s)

    async def save(self, match: Match, state: State) -> None:
        """Write the match's manifest. Raises OSError.

        While a match is being stopped only the stop may write it, and nothing writes it while a
        newer recording has the same id.
        """
        async with self._save_lock:
            if state == "recording" and match.phase == "stopping":
                return
            running = self.current.running
            if (
                running is not None
                and running.match is not match
                and self.current.is_running(match.match_id)
            ):
                return
            manifest = match.manifest(state)
            await to_thread.run_sync(manifestfile.save, match.folder, manifest)

    async def restore(self, folder: Path, manifest: Manifest) -> None:
        """Restore an earlier manifest. Raises OSError."""
        async with self._save_lock:
            await to_thread.run_sync(manifestfile.save, folder, manifest)

    async def repair_segments(
        self, match: Match, track: Track, *, closed: Collection[str] = ()
    ) -> None:
        """Finish the segments that a lost worker left open.

        Segments of other cameras, and `closed` ones, which their worker has finished, are not
        touched. Calls for one camera are serialised: a concurrent call finds the files already
        repaired. Raises OSError.
        """
        async with track.mending:
            await self._repair_segments(match, track, closed)

    async def _repair_segments(self, match: Match, track: Track, closed: Collection[str]) -> None:
        open_ones = {
            name
            for other in match.tracks.values()
            if other is not track
            for name, segment in other.segments.items()
            if not segment.finalized
        }
        manifest = match.manifest("recording")

        def salvage_own() -> recovery.Salvage:
            # A file that its worker has just created is open, but not listed yet.
            others = {
                path.name
                for path in segment_files(match.folder)
                if camera_of(path.name) != track.camera.name and manifest.segment(path.name) is None
            }
            return recovery.salvage_match(
                match.folder, manifest, skip={*open_ones, *others, *closed}
            )

        salvage = await to_thread.run_sync(salvage_own)
        for segment in salvage.manifest.segments:
            match.note_mended(segment)
        if salvage.cut_bytes:
            self.alerts.send(alert.recording_salvaged(match.match_id, salvage.cut_bytes))
        for name, reason in salvage.failed.items():
            log.warning("%s could not be repaired: %s", name, reason)
        self.note_unsaved()

    async def make_space(self) -> None:
        """Empty the trash, then delete the oldest unprotected matches, until there is room.

        Matches outside the trash are deleted only with `capture.delete_oldest_when_full`.
        """
        await self.space.make(self.current.is_running, self._is_refused)

    async def empty_trash_early(self) -> None:
        """Empty the trash where the disk will soon be full."""
        free, floor = self.host.disk_free_bytes, self.settings.min_free_bytes
        if free is not None and free < floor + RECLAIM_BYTES:
            await self.space.reclaim(self._is_refused)

    def _is_refused(self) -> bool:
        """Return whether a connected worker reports that the disk is full."""
        running = self.current.running
        return running is not None and any(
            track.disk == FULL and track.camera.link.connected
            for track in running.match.tracks.values()
        )

    async def disk_fault(self) -> DiskFault | None:
        """Return why recording is not possible now, apart from lack of space.

        Creates the recordings folder.
        """
        try:
            return await to_thread.run_sync(self.disk.prepare)
        except OSError as error:
            message = f"The recordings directory cannot be created: {error.strerror or error}"
            return DiskFault(ERROR, message, f"ls -ld {self.root.parent}")

    async def free_bytes(self) -> int:
        """Return the bytes that may still be written below the recordings folder, read now."""
        return (await to_thread.run_sync(read_space, self.root)).free_bytes

    def disk_minutes(self) -> float | None:
        """Return how long the disk lasts at the cameras' bit rates.

        None until each camera has been measured for some seconds, and while the free space is
        unknown: an alert depends on it, so nothing is guessed.
        """
        disk, bitrate_bps = self.host.disk, self.bitrate_bps()
        if disk is None:
            return None
        minutes = disk.minutes_left(self.settings.min_free_bytes, bitrate_bps)
        return None if minutes is None else round(minutes, 1)

    def bitrate_bps(self) -> float | None:
        """Return the smoothed bit rate of all cameras together.

        None until each has been measured.
        """
        return self.rates.total_bps(self.cameras)


def _mark(changed: Changed) -> None:
    """Set a mark.

    A failure, such as lack of memory, is retried once and never propagated.
    """
    try:
        changed.mark()
    except Exception:
        log.exception("a change could not be published")
        with suppress(Exception):
            changed.mark()
