"""Label Studio's brush: a bit stream of run lengths, in the format of `@thi.ng/rle-pack`.

The stream holds RGBA, four words a pixel. Label Studio draws the mask into the last of them, and fills the others alike.

    32 bits            number of words
     5 bits            bits of a word, less one
     4 x 4 bits        bits of a length, less one, for each of four classes
    then, until all words are there:
     1 bit             1: one word for all; 0: each word follows
     2 bits            class of the length
     (class) bits      number of words, less one
     (word) bits       the word, or each of the words
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import MaskUnreadable

if TYPE_CHECKING:
    from .regions import Size

_CHANNELS = 4


def decode(rle: bytes, size: Size, max_pixels: int) -> bytes:
    """One byte for each pixel of an image of this size. Raises `MaskUnreadable`."""
    pixels = size.width * size.height
    if pixels > max_pixels:
        raise MaskUnreadable(f"the mask would have {pixels} pixels, {max_pixels} are allowed")
    bits = _Bits(rle)
    words = bits.take(32)
    if words != pixels * _CHANNELS:
        raise MaskUnreadable(f"the mask has {words} words, an image of {size.width} x {size.height} has 4 a pixel")
    word_bits = bits.take(5) + 1
    if word_bits != 8:
        raise MaskUnreadable(f"the mask has words of {word_bits} bits, Label Studio writes 8")
    length_bits = [bits.take(4) + 1 for _ in range(4)]
    out = bytearray()
    done = 0
    while done < words:
        is_run = bits.take(1)
        length = bits.take(length_bits[bits.take(2)]) + 1
        if done + length > words:
            raise MaskUnreadable("the mask has more words than it says")
        # Of words `done` to `done + length`, those that are the last of a pixel.
        first = (_CHANNELS - 1 - done) % _CHANNELS
        if is_run:
            value = bits.take(8)
            out += bytes((value,)) * len(range(first, length, _CHANNELS))
        else:
            out += bits.take_bytes(length)[first::_CHANNELS]
        done += length
    return bytes(out)


class _Bits:
    """A stream of bits, the highest of each byte first."""

    __slots__ = ("_at", "_bytes")

    def __init__(self, data: bytes) -> None:
        self._bytes = data
        self._at = 0

    def take(self, count: int) -> int:
        """The next bits, up to 32, as a number."""
        end = self._at + count
        window = self._window(end)
        self._at = end
        return window >> (-end % 8) & ((1 << count) - 1)

    def take_bytes(self, count: int) -> bytes:
        """The next `count` whole bytes."""
        end = self._at + 8 * count
        window = self._window(end)
        self._at = end
        return (window >> (-end % 8) & ((1 << 8 * count) - 1)).to_bytes(count, "big")

    def _window(self, end: int) -> int:
        if end > 8 * len(self._bytes):
            raise MaskUnreadable("the mask ends too early")
        return int.from_bytes(self._bytes[self._at // 8 : (end + 7) // 8], "big")
