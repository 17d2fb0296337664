"""Small media of our own: images, sound, a series, a video. All of it is the same at every run."""

import io
import math
import os
import struct
import subprocess
import tempfile
import wave
import zlib

WIDTH, HEIGHT = 400, 300


def png(shade=0):
    """400 × 300: a light ground, and a dark square from (250, 100) to (350, 200) for the magic wand to find."""
    ground, square = (235, 235, 225 - shade), (40, 60, 120)
    rows = b""
    for y in range(HEIGHT):
        row = b"".join(bytes(square if 250 <= x < 350 and 100 <= y < 200 else ground) for x in range(WIDTH))
        rows += b"\0" + row

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def turned_jpeg(ffmpeg):
    """400 × 300 as stored; EXIF's orientation 6 says that it is to be shown turned by 90° clockwise."""
    plain = run(ffmpeg, ["-f", "image2pipe", "-i", "-", "-f", "mjpeg", "-q:v", "5"], png())
    tag = struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0)
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", 1) + tag + b"\0\0\0\0"
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]


def wav(channels=2, seconds=10, rate=8000):
    """A tone that is an octave higher in the second channel."""
    frames = b"".join(
        struct.pack("<h", int(9000 * math.sin(2 * math.pi * 220 * (channel + 1) * i / rate)))
        for i in range(seconds * rate)
        for channel in range(channels)
    )
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(frames)
    return file.getvalue()


def series():
    """CSV of 1,000 rows: `time` from 0 to 999, and two sensors."""
    rows = ("%d,%.4f,%.4f\n" % (i, math.sin(i / 50), math.cos(i / 30)) for i in range(1000))
    return ("time,one,two\n" + "".join(rows)).encode()


def video(ffmpeg, seconds=4, rate=25):
    """320 × 240, 25 frames a second. By way of a file: in a pipe it has no duration, and the editor fails at that."""
    source = "testsrc=size=320x240:rate=%d:duration=%d" % (rate, seconds)
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(folder, "video.webm")
        run(ffmpeg, ["-f", "lavfi", "-i", source, "-c:v", "libvpx", "-b:v", "200k", "-g", "10", name], b"", "-y")
        with open(name, "rb") as file:
            return file.read()


def run(ffmpeg, arguments, data, last="-"):
    command = [ffmpeg, "-v", "error", *arguments, last]
    return subprocess.run(command, input=data, capture_output=True, check=True, timeout=60).stdout


# Name, content type, and what makes it of the ffmpeg program.
FILES = {
    "a.png": ("image/png", lambda _: png()),
    "b.png": ("image/png", lambda _: png(60)),
    "turned.jpg": ("image/jpeg", turned_jpeg),
    "stereo.wav": ("audio/wav", lambda _: wav()),
    "series.csv": ("text/csv", lambda _: series()),
    "video.webm": ("video/webm", video),
}
