#!/usr/bin/env python3
"""Makes `crawl.warc.gz`, the small crawl that the recipes of web corpora run on: python3 configs/data/crawl/make.py

Each page has a path that says what is wrong with it, if anything is; all are made up. The standard library is enough.
"""

import gzip
import io
import uuid
from pathlib import Path

FERRY = [
    "The old ferry crosses the river twice a day, in the morning with the milk and in the evening with the school children. "
    "Nobody has ever printed a timetable for it. The captain looks at the sky, rings the bell that hangs beside the door, and "
    "waits until the last bicycle is on board before he takes the rope from the post.",
    "In winter, when the ice comes down from the hills, the boat stays on its side of the bay for weeks. Then the people of the "
    "village walk over the bridge, which is an hour away, and bring back letters for their neighbours. They have done so since "
    "the bridge was built, and they speak of it as if it were a holiday.",
    "A new ship was promised to them once. It was to be larger and faster, and it would have had a room with windows for the days "
    "on which it rains. But the village voted for the old one, because the old one waits.",
]

LIBRARY = [
    "When the library moved to the former brewery, the shelves were built from the oak of the vats. On damp days the reading room "
    "still smells of malt. Visitors ask about it at the desk so often that the staff have written a short history of the house, "
    "which is the most borrowed leaflet of the whole collection.",
    "The copper kettles were too heavy to be taken away. One of them stands in the room for children, who sit inside it and read. "
    "It holds seven of them, or four with a dog. The other one is the roof of the entrance, and when it rains it sounds like a drum.",
    "Every spring the librarians open the cellar, where the barrels were kept, and sell the books that nobody has asked for in ten "
    "years. Most of them are bought by people who want to give them back, so that they will not be sold again.",
]

BIENEN = [
    "Im Frühjahr, wenn die Kirschen blühen, stellt der Imker seine Kästen an den Rand des Gartens und wartet. Die Bienen kennen den "
    "Weg, denn sie waren schon im letzten Jahr hier. Am Abend kommt der Nachbar an den Zaun und fragt, ob es ein gutes Jahr wird.",
    "Niemand weiß das so früh. Es kann noch einmal frieren, und dann bleiben die Blüten leer. Aber wenn es warm bleibt und nicht zu "
    "viel regnet, dann gibt es im Juni so viel Honig, dass die Gläser nicht reichen. Die Kinder des Dorfes sammeln deshalb das ganze "
    "Jahr über leere Gläser und bringen sie dem Imker, der ihnen dafür etwas von der Ernte gibt.",
    "Im Herbst werden die Kästen mit Stroh bedeckt. Der Imker schreibt in ein Buch, wie schwer jeder von ihnen ist, und im Frühjahr "
    "vergleicht er. Er sagt, dass man daran erkennt, wie der Winter war, auch wenn man ihn selbst schon vergessen hat.",
]

GARDEN = [
    "The garden behind the station belongs to nobody in particular. Anyone who waits for a train may pull some weeds, and there is "
    "a can for those who want to water the beans. The tools hang on a wall, and in all these years only one rake has been stolen.",
    "It began with a sack of potatoes that fell from a cart. The station master planted them between the rails that were not in use "
    "any more, and in August he had enough for everybody who worked there. After that, people brought seeds when they came to travel.",
    "Write to the gardener at beans@station-garden.org if you have seeds to give away. He answers all letters, but he is slow with it "
    "in the months in which the sun shines. The next train leaves at noon, and there is still room for a row of leeks.",
]


NOTE = (
    "The library is closed on Monday. On Tuesday it opens at ten, with coffee for those who had to wait, and stays open until the lamps in the street "
    "are lit. Grandparents, schoolchildren, fishermen, musicians and gardeners are equally welcome. Telescopes remain available throughout."
)

MARKET = [
    "Apples from the orchards on the hill", "Bread with seeds that the miller sells", "Candles made of the wax of bees", "Dried beans in sacks",
    "Eggs, brown and white, by the dozen", "Flour for those who bake at home", "Garlic that hangs from the beams", "Honey in glasses of two sizes",
    "Ink and paper beside the post office", "Jam that was cooked last autumn", "Knives to be sharpened while you wait", "Lamps with shades of linen",
    "Milk before the clock strikes eight", "Nails and screws, sold by weight", "Onions in nets", "Plums when there are any",
]


def page(title: str, paragraphs: list[str], menu: bool = True, lang: str = "en") -> str:
    nav = '<nav><ul><li><a href="/">Home</a></li><li><a href="/news">News</a></li><li><a href="/contact">Contact</a></li></ul></nav>' if menu else ""
    body = "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    footer = "<footer><p>Copyright 2026. All rights reserved.</p></footer>" if menu else ""
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head><title>{title}</title></head>\n<body>\n{nav}\n<article>\n<h1>{title}</h1>\n{body}\n'
        f"</article>\n{footer}\n</body>\n</html>\n"
    )


FERRY_AGAIN = [FERRY[0].replace("twice a day", "two times a day"), *FERRY[1:]]

PAGES: list[tuple[str, str, str]] = [
    ("https://village.example.org/good/ferry", page("The old ferry", FERRY), "utf-8"),
    ("https://town.example.org/good/library", page("A library in a brewery", LIBRARY), "windows-1252"),
    ("https://mirror.example.net/copy/ferry", page("The old ferry", FERRY_AGAIN), "utf-8"),
    ("https://dorf.example.org/german/bienen", page("Bienen im Frühjahr", BIENEN, lang="de"), "iso-8859-1"),
    ("https://station.example.org/address/garden", page("The garden behind the station", GARDEN), "utf-8"),
    ("https://ads.example.com/url/garden", page("The garden behind the station, for sale", GARDEN), "utf-8"),
    ("https://town.example.org/short/note", page("A note", [NOTE]), "utf-8"),
    ("https://town.example.org/lorem/draft", page("A draft", [*LIBRARY[:2], "Lorem ipsum dolor sit amet. " + LIBRARY[2]]), "utf-8"),
    (
        "https://town.example.org/repeated/slogans",
        page("Slogans", [line for _ in range(8) for line in ("The best shoes of the town are sold here, and only here, all day long.", LIBRARY[2])]),
        "utf-8",
    ),
    ("https://town.example.org/list/market", page("What the market has", MARKET), "utf-8"),
    ("https://town.example.org/empty/page", "<html><head><title>Nothing here</title></head><body></body></html>\n", "utf-8"),
]


def record(kind: str, headers: list[tuple[str, str]], block: bytes) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    text = f"WARC/1.0\r\nWARC-Type: {kind}\r\n{head}Content-Length: {len(block)}\r\n\r\n"
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as member:
        member.write(text.encode() + block + b"\r\n\r\n")
    return packed.getvalue()


def named(name: str) -> str:
    return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}>"


def main() -> None:
    date = ("WARC-Date", "2026-01-02T03:04:05Z")
    warc = record("warcinfo", [date, ("WARC-Record-ID", named("info")), ("Content-Type", "application/warc-fields")], b"software: make.py\r\n")
    for url, html, charset in PAGES:
        body = html.encode(charset)
        asked = f"GET {url} HTTP/1.1\r\n\r\n".encode()
        http = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset={charset}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        about = [date, ("WARC-Target-URI", url)]
        warc += record("request", [*about, ("WARC-Record-ID", named("ask " + url)), ("Content-Type", "application/http; msgtype=request")], asked)
        warc += record(
            "response",
            [*about, ("WARC-Record-ID", named(url)), ("WARC-Identified-Payload-Type", "text/html"), ("Content-Type", "application/http; msgtype=response")],
            http + body,
        )
    (Path(__file__).parent / "crawl.warc.gz").write_bytes(warc)


if __name__ == "__main__":
    main()
