from __future__ import annotations

from itertools import pairwise

from touchline.sim.rtsp.media.tone import PACKET, RATE, alaw, packet


def decoded(code: int) -> int:
    """A sample from its code, as ITU-T G.711 has it."""
    code ^= 0x55
    exponent, step = code >> 4 & 7, code & 0x0F
    value = (step << 4) + 8 if exponent == 0 else ((step << 4) + 0x108) << (exponent - 1)
    return value if code & 0x80 else -value


def test_a_sample_comes_out_of_its_code_nearly_as_it_was() -> None:
    for sample in range(-32_000, 32_000, 17):
        assert abs(decoded(alaw(sample)) - sample) <= max(16, abs(sample) / 16)
    assert len({alaw(sample) for sample in range(-32_768, 32_768)}) == 256


def test_a_tone_goes_on_for_ever_in_packets_of_twenty_milliseconds() -> None:
    assert PACKET * 50 == RATE
    assert all(len(packet(number)) == PACKET for number in range(60))
    assert packet(3) == packet(53)
    sound = [decoded(code) for number in range(50) for code in packet(number)]
    crossings = sum(1 for a, b in pairwise(sound) if a < 0 <= b)
    assert crossings in {439, 440, 441}
