"""Writes audio for `audio_nmf_snr_filter` into media/, tones and noise made up here, and rows that name it: sounds.jsonl.

Needs `numpy` and `soundfile`. The files are committed, as another version of an encoder makes others.
"""

import json
import pathlib

import numpy as np
import soundfile

HERE = pathlib.Path(__file__).resolve().parent
random = np.random.default_rng(17)


def times(rate, seconds):
    return np.arange(int(rate * seconds)) / rate


def tones(rate, seconds, *frequencies):
    return sum(np.sin(2 * np.pi * f * times(rate, seconds)) for f in frequencies) / len(frequencies) * 0.4


def noise(rate, seconds, level):
    return random.normal(size=int(rate * seconds)) * level


def pulses(rate, seconds, each):
    """Tones that come and go, as syllables do."""
    t = times(rate, seconds)
    return 0.4 * np.sin(2 * np.pi * (300 + 200 * np.sin(3 * t)) * t) * (np.sin(2 * np.pi * each * t) > 0)


def write(name, samples, rate, **how):
    soundfile.write(HERE / "media" / f"snr-{name}", np.asarray(samples), rate, **how)
    return f"media/snr-{name}"


names = [
    write("8k.wav", tones(8000, 1.5, 440) + noise(8000, 1.5, 0.05), 8000, subtype="PCM_16"),
    write("16k.wav", pulses(16000, 1, 4) + noise(16000, 1, 0.02), 16000, subtype="PCM_16"),
    write("44k.wav", np.stack([tones(44100, 0.4, 300, 900), noise(44100, 0.4, 0.1)], 1), 44100, subtype="PCM_16"),
    write("pure.flac", tones(8000, 1, 250, 500, 1000), 8000),
    write("noise.flac", noise(8000, 0.8, 0.2), 8000),
    write("falling.wav", noise(8000, 1, 0.2) * np.exp(-4 * times(8000, 1)), 8000, subtype="PCM_U8"),
    write("silent.flac", np.zeros(12000), 8000),
    write("then.flac", np.concatenate([np.zeros(4000), tones(8000, 0.6, 700)]), 8000),
    write("few.wav", tones(8000, 0.125, 600) + noise(8000, 0.125, 0.1), 8000, subtype="PCM_16"),
    write("float.wav", pulses(8000, 0.6, 6) + noise(8000, 0.6, 0.01), 8000, subtype="FLOAT"),
    write("deep.flac", pulses(16000, 0.7, 5) + noise(16000, 0.7, 0.05), 16000, subtype="PCM_24"),
    write("lossy.ogg", pulses(16000, 1.2, 4) + noise(16000, 1.2, 0.05), 16000),
    write("lossy.mp3", pulses(16000, 1.2, 3) + noise(16000, 1.2, 0.05), 16000),
    write("stereo.mp3", np.stack([pulses(44100, 0.8, 3), noise(44100, 0.8, 0.1)], 1), 44100),
]
short = write("short.wav", tones(8000, 0.02, 600), 8000, subtype="PCM_16")
rows = [{"text": f"A file: {name}", "audios": [name]} for name in [*names, short]]
rows += [{"text": f"Three files from {i}", "audios": names[i : i + 3]} for i in range(0, len(names) - 3, 2)]
rows += [
    {"text": "Twice the same", "audios": [names[0], names[0]]},
    {"text": "One good and one that is not there", "audios": [names[0], "media/missing.wav"]},
    {"text": "No sound", "audios": ["media/text.wav"]},
    {"text": "None", "audios": []},
    {"text": "Nothing"},
]
(HERE / "sounds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
