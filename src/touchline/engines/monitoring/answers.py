"""Answers about the resource usage of engines."""

from __future__ import annotations

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER


@with_config(ANSWER)
class EngineUsage(TypedDict):
    """Resource usage of an engine."""

    container_id: str
    cpu_percent: float
    """CPU load in percent of one core; two busy cores are 200."""
    memory_usage: int
    """Bytes."""
    memory_limit: int
    """Memory limit in bytes; without a limit, the memory of the machine."""
    memory_percent: float
    """Memory usage in percent of the limit."""
    network_rx_bytes: int
    """Received bytes; 0 behind a VPN."""
    network_tx_bytes: int
    """Sent bytes; 0 behind a VPN."""
    block_read_bytes: int
    """Bytes read from disk."""
    block_write_bytes: int
    """Bytes written to disk."""


@with_config(ANSWER)
class EngineUsageTotal(TypedDict):
    """Resource usage summed over all engines."""

    total_cpu_percent: float
    total_memory_usage: int
    total_network_rx_bytes: int
    total_network_tx_bytes: int
    total_block_read_bytes: int
    total_block_write_bytes: int
    container_count: int
