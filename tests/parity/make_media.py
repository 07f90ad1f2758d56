"""Writes media/ and media.jsonl: small images, audio files and videos, made up for this purpose, and rows that name them.

Needs `pillow`, `numpy` and the program `ffmpeg`. The files are committed, as another version of an encoder makes others.
"""

import io
import json
import pathlib
import shutil
import struct
import subprocess
import zlib

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
MEDIA = HERE / "media"


def photo(seed, width=96, height=64):
    """Clouds of several sizes with a few rectangles: what a photo looks like to a hash."""
    rng = np.random.default_rng(seed)
    out = np.zeros((height, width, 3))
    for octave in range(1, 6):
        n = 2**octave + 1
        grid = rng.normal(size=(n, n, 3)) * 0.4 + rng.normal(size=(n, n, 1))
        layers = [np.array(Image.fromarray(grid[:, :, c].astype("float32")).resize((width, height), Image.BICUBIC)) for c in range(3)]
        out += np.stack(layers, axis=2) / 1.7**octave
    out = (out - out.min()) / (out.max() - out.min()) * 255
    for _ in range(3):
        x, y, w, h = rng.integers(0, width), rng.integers(0, height), rng.integers(5, width // 2), rng.integers(5, height // 2)
        out[y : y + h, x : x + w] = out[y : y + h, x : x + w] * 0.5 + rng.integers(0, 255, 3) * 0.5
    return Image.fromarray(np.clip(out, 0, 255).astype("uint8"))


def save(image, name, **options):
    image.save(MEDIA / name, **options)
    return name


def oriented(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def write(name, content):
    (MEDIA / name).write_bytes(content)
    return name


def read(name):
    return (MEDIA / name).read_bytes()


def png_of(width, height):
    """A PNG that says it is that large, with hardly any pixels."""
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def images():
    a, b = photo(1), photo(2)
    # Grey values from dark to light: several palettes and depths.
    ramp = Image.fromarray(np.add.outer(np.arange(64) * 2, np.arange(96)).astype("uint8"))
    clear = a.copy()
    clear.putalpha(ramp)
    paletted = a.quantize(32)
    deep = Image.fromarray((np.array(ramp).astype("uint16") * 257))
    spliced = io.BytesIO()
    a.save(spliced, "GIF")
    small = photo(3, 30, 20)
    names = [
        save(a, "a.png"), save(a, "a.jpg", quality=90), save(a, "a.webp", quality=80), save(a, "a-lossless.webp", lossless=True),
        save(a, "a.gif"), save(a, "a.bmp"), save(a, "a.tif", compression="tiff_lzw"), save(a, "a.avif", quality=60),
        save(a.resize((48, 48)), "a.ico", sizes=[(16, 16), (48, 48)]), save(a.resize((192, 128), Image.BICUBIC), "a-large.jpg", quality=85),
        save(a, "a-444.jpg", quality=95, subsampling=0), save(a, "a-422.jpg", quality=70, subsampling=1), save(a, "a-low.jpg", quality=40),
        save(a, "a-progressive.jpg", quality=80, progressive=True), save(a, "a-restarts.jpg", quality=80, restart_marker_blocks=3),
        save(a.convert("L"), "grey.jpg"), save(a.convert("CMYK"), "cmyk.jpg"), save(a.convert("L"), "grey.png"), save(clear, "clear.png"),
        save(clear.convert("LA"), "grey-clear.png"), save(paletted, "palette.png", transparency=3), save(paletted, "palette.bmp"),
        save(a.convert("1"), "bits.png"), save(a.convert("1"), "bits.bmp"), save(deep, "deep.png"), save(clear, "clear.webp", lossless=True),
        save(clear.crop((0, 0, 40, 30)), "clear.bmp"), save(a.crop((0, 0, 37, 29)), "odd.jpg", quality=85), save(a.crop((0, 0, 37, 29)), "odd-422.jpg", subsampling=1),
        save(b, "b.png"), save(b, "b.jpg", quality=75), save(photo(4), "c.png"), save(photo(5, 300, 16), "wide.png"), save(photo(6, 16, 200), "tall.png"),
        save(Image.new("RGB", (1, 1), (200, 30, 30)), "one.png"), save(Image.new("RGB", (50, 40), (200, 30, 30)), "plain.png"),
        save(a, "animated.gif", save_all=True, append_images=[b, small], duration=100), save(clear, "clear.gif"),
        save(a, "turned-6.jpg", exif=oriented(6)), save(a, "turned-3.jpg", exif=oriented(3)), save(a, "turned-7.png", exif=oriented(7)),
        save(a, "turned-8.webp", exif=oriented(8)), save(a, "turned-5.tif", exif=oriented(5)), save(a, "turned-2.jpg", exif=oriented(2)),
    ]
    # A first frame that is smaller than the screen and lies inside of it.
    frame = io.BytesIO()
    small.save(frame, "GIF")
    gif = bytearray(frame.getvalue())
    gif[6:10] = struct.pack("<HH", 60, 50)
    at = 13 + 3 * 2 ** ((gif[10] & 7) + 1)
    while gif[at] != 0x2C:
        at += 1
    gif[at + 1 : at + 5] = struct.pack("<HH", 10, 20)
    names.append(write("inside.gif", bytes(gif)))
    names.append(write("really-jpeg.png", read("a.jpg")))
    broken = [
        write("text.png", b"This is no image.\n"), write("empty.jpg", b""), write("cut-header.png", read("a.png")[:20]),
        write("cut-header.jpg", read("a.jpg")[:100]), write("bomb.png", png_of(60_000, 60_000)), write("flat.png", png_of(0, 10)),
        write("cut-pixels.jpg", read("a.jpg")[:1500]), "missing.png", "",
    ]
    return names, broken


def ffmpeg(name, *arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments, "-fflags", "+bitexact", "-flags", "+bitexact", MEDIA / name], check=True)
    return name


def tone(seconds, rate=16000, channels=1):
    return ["-f", "lavfi", "-i", f"sine=frequency=330:sample_rate={rate}:duration={seconds}", "-ac", str(channels)]


def audios():
    names = [
        ffmpeg("tone.wav", *tone(0.7, 8000)), ffmpeg("float.wav", *tone(0.03, 22050, 2), "-c:a", "pcm_f32le"), ffmpeg("alaw.wav", *tone(0.5, 8000), "-c:a", "pcm_alaw"),
        ffmpeg("adpcm.wav", *tone(0.5), "-c:a", "adpcm_ima_wav"), ffmpeg("tone.aiff", *tone(0.3, 8000)), ffmpeg("tone.flac", *tone(0.65, 8000)),
        ffmpeg("tone.mp3", *tone(1.5), "-b:a", "32k"), ffmpeg("variable.mp3", *tone(2.1, 44100, 2), "-q:a", "9"),
        ffmpeg("plain.mp3", *tone(1.1), "-b:a", "24k", "-write_xing", "0", "-id3v2_version", "0"), ffmpeg("tone.ogg", *tone(1.3), "-c:a", "libvorbis", "-q:a", "0"),
        ffmpeg("tone.opus", *tone(1.7), "-c:a", "libopus", "-b:a", "8k"), ffmpeg("flac.ogg", *tone(0.4), "-c:a", "flac"),
        ffmpeg("tone.m4a", *tone(1.9), "-c:a", "aac", "-b:a", "16k"), ffmpeg("tone.aac", *tone(1.2), "-c:a", "aac", "-b:a", "16k"),
        ffmpeg("alac.m4a", *tone(0.6), "-c:a", "alac"), ffmpeg("tone.mka", *tone(0.9), "-c:a", "libopus", "-b:a", "8k"),
        ffmpeg("tone.3gp", *tone(0.8, 8000), "-c:a", "aac", "-b:a", "8k", "-f", "3gp"),
    ]
    names.append(write("wave.mp3", read("tone.wav")))
    # The length of streams that were written to a pipe.
    names.append(write("piped.wav", read("tone.wav")[:40] + b"\xff\xff\xff\xff" + read("tone.wav")[44:5000]))
    names.append(write("cut.mp3", read("tone.mp3")[:4000]))
    broken = [write("text.wav", b"This is no sound.\n" * 30), write("empty.mp3", b""), write("cut-header.flac", read("tone.flac")[:15]), "missing.wav"]
    return names, broken


def moving(seconds=0.8, size="64x48", rate=10):
    return ["-f", "lavfi", "-i", f"testsrc=size={size}:rate={rate}:duration={seconds},format=yuv420p"]


def videos():
    x264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "40"]
    names = [
        ffmpeg("clip.mp4", *moving(1.5), *x264, "-bf", "2"), ffmpeg("clip.mov", *moving(0.9, "80x48"), "-c:v", "mjpeg", "-q:v", "31"),
        ffmpeg("clip.m4v", *moving(1.2, "48x64"), "-c:v", "mpeg4", "-q:v", "31"), ffmpeg("clip.3gp", *moving(0.6, "176x144"), "-c:v", "h263", "-q:v", "31"),
        ffmpeg("clip.mkv", *moving(1.4, "96x54", 24), *x264), ffmpeg("clip.webm", *moving(1.1, "160x90", 25), "-c:v", "libvpx", "-b:v", "20k"),
        ffmpeg("clip.avi", *moving(1.3, "72x96", 12), "-c:v", "mpeg4", "-q:v", "31"), ffmpeg("wide.mp4", *moving(0.5, "256x32"), *x264),
        ffmpeg("sixteen-nine.mp4", *moving(0.4, "64x36", 5), *x264), ffmpeg("twenty-one-nine.mp4", *moving(0.4, "84x36", 5), *x264),
        ffmpeg("fragments.mp4", *moving(2.0), *x264, "-movflags", "frag_keyframe+empty_moov", "-g", "5"),
        ffmpeg("sound.mp4", *moving(1.0), *tone(1.6)[:4], *x264, "-c:a", "aac", "-b:a", "16k"),
        ffmpeg("fast-start.mp4", *moving(1.0), *x264, "-movflags", "+faststart"),
        ffmpeg("late.mp4", "-itsoffset", "0.5", *moving(1.0), *x264), ffmpeg("pixels.mp4", *moving(0.5), "-vf", "setsar=4/3", *x264),
    ]
    names.append(ffmpeg("rotated.mp4", "-i", MEDIA / "clip.m4v", "-c", "copy", "-metadata:s:v", "rotate=90"))
    names.append(ffmpeg("trimmed.mp4", "-ss", "0.45", "-i", MEDIA / "clip.mp4", "-c", "copy"))
    names.append(write("cut-frames.mp4", read("fast-start.mp4")[:-300]))
    names.append(write("movie.txt", read("clip.mp4")))
    broken = [
        write("text.mp4", b"This is no video.\n"), write("empty.mkv", b""), write("cut-header.mp4", read("clip.mp4")[:1000]),
        ffmpeg("only-sound.mp4", *tone(0.3), "-c:a", "aac", "-b:a", "16k"), "missing.mp4",
    ]
    return names, broken


def rows():
    """One file each, then several in a row, of one kind and of several."""
    for key, (good, broken) in [("images", images()), ("audios", audios()), ("videos", videos())]:
        place = [f"media/{name}" if name else name for name in good + broken]
        for name in place:
            yield {"text": f"A file: {name}", key: [name]}
        fine = place[: len(good)]
        for i in range(0, len(fine) - 3, 3):
            yield {"text": f"Three files from {i}", key: fine[i : i + 3]}
        yield {"text": "Twice the same", key: [fine[0], fine[0]]}
        yield {"text": "Once the same", key: [fine[0]]}
        yield {"text": "One good and one that is not there", key: [fine[0], "media/missing"]}
        yield {"text": "None", key: []}
    yield {"text": "Nothing"}
    yield {"text": "null", "images": None, "audios": None, "videos": None}
    yield {"text": "All kinds", "images": ["media/a.png", "media/b.jpg"], "audios": ["media/tone.wav"], "videos": ["media/clip.mp4"]}
    yield {"text": "A file: media/a.png", "images": ["media/a.png"]}
    yield {"text": "None"}


if __name__ == "__main__":
    shutil.rmtree(MEDIA, ignore_errors=True)
    MEDIA.mkdir()
    lines = [json.dumps(row, ensure_ascii=False) for row in rows()]
    (HERE / "media.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sizes = [file.stat().st_size for file in MEDIA.iterdir()]
    print(len(lines), "rows", len(sizes), "files", sum(sizes), "bytes, the largest", max(sizes))
