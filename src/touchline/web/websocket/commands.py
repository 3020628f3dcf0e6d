"""Commands of the WebSocket: each runs once, however often and on however many sockets it is sent.

A command belongs to the server and not to its socket: if that breaks, the command continues, and a
client that repeats its id within a minute gets its result.
"""

from __future__ import annotations

import logging
import math
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeGuard

from anyio import current_time
from pydantic import ValidationError

from touchline.core.errors import TouchlineError
from touchline.core.supervision import Tasks
from touchline.web.http.answers import encode_echo, encoded
from touchline.web.websocket.outbox import Outbox

log = logging.getLogger(__name__)

KEPT_S = 60.0
"""Time that a result is kept for repetitions of its id."""

KEPT_IDS = 200
"""Results kept for each owner; the oldest is removed first."""

OWNERS = 32
"""Clients whose results are kept; the one silent for longest is removed first."""

KEPT_READ_BYTES = 16 * 1024
"""Maximum size of a kept result of a reading command; a larger one is read again."""

RUNNING = 32
"""Commands of one owner that may run at the same time."""

LONGEST_ID = 256

TOO_MANY = "Too many commands are running"


@dataclass(frozen=True)
class Action:
    """Implementation of a command; one that only `reads` may run again, as no result is kept."""

    run: Callable[[Mapping[str, Any]], Awaitable[Any]]
    reads: bool = False
    refreshes: bool = False
    """Whether the command changes the channels `status` and `pipeline_state`."""


class CommandSender(Protocol):
    """The sender of a command."""

    @property
    def owner(self) -> str:
        """The client's identity; the same on each of its sockets."""

    outbox: Outbox


@dataclass
class _Entry:
    """One command, running until it has a `result`: JSON without its closing brace."""

    senders: list[CommandSender]
    result: str | None = None
    expires_s: float = math.inf


@dataclass
class _Ledger:
    """The commands of one owner by id, oldest first."""

    entries: OrderedDict[tuple[bool, str | float], _Entry] = field(default_factory=OrderedDict)

    @property
    def running(self) -> int:
        return sum(entry.result is None for entry in self.entries.values())

    def tidy(self, now_s: float) -> None:
        """Remove commands that are too old or too many, except running ones."""
        finished = [key for key, entry in self.entries.items() if entry.result is not None]
        surplus = len(self.entries) - KEPT_IDS
        for number, key in enumerate(finished):
            if number < surplus or self.entries[key].expires_s <= now_s:
                del self.entries[key]


class Commands:
    """Runner of commands that remembers their results, separately for each client.

    Clients count ids, and two of them may use the same: without owners the second one's command
    would not run, and it would get the first one's result.
    """

    def __init__(
        self,
        actions: Mapping[str, Action],
        *,
        refresh: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = current_time,
    ) -> None:
        self._actions = actions
        self._refresh = refresh
        self._clock = clock
        self._ledgers: OrderedDict[str, _Ledger] = OrderedDict()

    def receive(self, sender: CommandSender, message: Mapping[str, Any], tasks: Tasks) -> bool:
        """Acknowledge and run the command; return False if it has no valid id and action."""
        command_id, action = message.get("id"), message.get("action")
        if not _is_id(command_id) or not isinstance(action, str) or not action:
            return False
        ack = {"v": 1, "type": "command_ack", "id": command_id, "action": action}
        ledger = self._ledger(sender.owner)
        # 1 and 1.0 are one id, "1" is another.
        key = (isinstance(command_id, str), command_id)
        entry = ledger.entries.get(key)
        if entry is None:
            sender.outbox.reply(_text(ack))
            entry = _Entry([sender])
            if ledger.running >= RUNNING:
                # Not remembered: the same command may run when it is sent again.
                sender.outbox.reply(_failure(command_id, TOO_MANY, "too_busy") + "}")
                return True
            ledger.entries[key] = entry
            params = message.get("params", {})
            tasks.start_soon(self._run, ledger, key, action, params, name=f"command {action}")
        elif entry.result is None:
            sender.outbox.reply(_text({**ack, "deduplicated": True, "in_progress": True}))
            if sender not in entry.senders:
                entry.senders.append(sender)
        else:
            sender.outbox.reply(_mark_repeated(entry.result))
        return True

    def _ledger(self, owner: str) -> _Ledger:
        ledger = self._ledgers.setdefault(owner, _Ledger())
        self._ledgers.move_to_end(owner)
        ledger.tidy(self._clock())
        for other in [name for name in self._ledgers if name != owner]:
            if len(self._ledgers) <= OWNERS:
                break
            if not self._ledgers[other].running:
                del self._ledgers[other]
        return ledger

    async def _run(
        self, ledger: _Ledger, key: tuple[bool, str | float], action: str, params: Any
    ) -> None:
        entry, command_id = ledger.entries[key], key[1]
        known = self._actions.get(action)
        result = await _result(command_id, action, known, params)
        entry.result, entry.expires_s = result, self._clock() + KEPT_S
        if known is not None and known.reads and len(result) > KEPT_READ_BYTES:
            del ledger.entries[key]
        first, *others = entry.senders
        first.outbox.reply(result + "}")
        for other in others:
            # The id was repeated on a new socket while the command ran; the old one may be gone.
            other.outbox.reply(_mark_repeated(result))
        entry.senders.clear()
        if known is not None and known.refreshes:
            self._refresh()


async def _result(command_id: str | float, action: str, known: Action | None, params: Any) -> str:
    if known is None:
        return _failure(command_id, f"Unknown action: {action}", "unknown_action")
    if not isinstance(params, dict):
        return _failure(command_id, "params must be an object", "invalid_params")
    try:
        data = await known.run(params)
        body = data if isinstance(data, bytes) else encoded(data)
    except TouchlineError as error:
        return _failure(command_id, error.message, error.code)
    except ValidationError as error:
        return _failure(command_id, *_first_fault(error))
    except Exception:
        error_id = secrets.token_hex(4)
        log.exception("Internal error %s: command %s", error_id, action)
        text = f"Internal error; the server's log has it under {error_id}"
        return _failure(command_id, text, "internal_error")
    head = _text({"v": 1, "type": "command_result", "id": command_id, "success": True})
    return f'{head[:-1]},"data":{body.decode()}'


def _failure(command_id: str | float, text: str, code: str) -> str:
    """Build the result of a command that failed; `code` is that of the routes' error bodies."""
    head = {"v": 1, "type": "command_result", "id": command_id, "success": False}
    return _text({**head, "error": text, "code": code})[:-1]


def _mark_repeated(result: str) -> str:
    return f'{result},"deduplicated":true}}'


def _text(message: Mapping[str, Any]) -> str:
    return encode_echo(message).decode()


def _is_id(value: Any) -> TypeGuard[str | float]:
    if isinstance(value, str):
        return 0 < len(value) <= LONGEST_ID
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return value != 0 and abs(value) != math.inf


def _first_fault(error: ValidationError) -> tuple[str, str]:
    """Return the message and the code of the first value that is not valid."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, fault["loc"]))
    return (f"{place}: {fault['msg']}" if place else fault["msg"]), fault["type"]
