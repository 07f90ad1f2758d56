"""Writes cases.jsonl: texts and URLs made up here, with the shapes that the rules look for, the same every time.

    python plugins/corpus/tests/make_cases.py
"""

import json
import pathlib
import random

HERE = pathlib.Path(__file__).resolve().parent
PLAIN = """the a be to of and that have with it was for on are as at this from or had by but some what there we can out other were all your when use
how said each she which their time will way about many then them would write like these her long make thing see him two has look more day could go come
did number sound no most people over know water than call first who may down side been now find harbour river garden letter winter bridge lantern
kitchen mountain story question answer market teacher window""".split()
ODD = """don't can't we'll I'm it's o'clock e.g. i.e. U.S. p.m. Mr. Dr. 3.14 1,000 $5 10% 5km 20°C 3rd 10am well-known state-of-the-art and/or
x=y a:b foo.Bar C++ #tag @user :) :-( ;) http://example.org/a?b=c www.example.com me@example.com file.txt ... … — – -- “quoted” ‘single’ (aside)
[1] [edit] [23] naïve café über straße дом вода 日本語 🙂 ½ II. Ph.D. rock'n'roll 'tis y'all gonna wanna cannot dont Im theyre US$5 5US$ 5% 12kg
1990s 7-8 -5 +5 a+b 3*4 _under_ `code` «guillemets» „tief“ ¿qué? ¡hola! <b> </p> & * ^ ~ | \\ 100,000.00 192.168.0.1 8.8.8.8 10:30 5:""".split()
ENDS = [".", ".", ".", ".", "!", "?", "...", "…", '."', ".'", "?!", "。", "", ""]
LINES = ["- ", "• ", "* ", "1. ", "# ", "", "", ""]
MENU = "Home|About us|Contact|Login|3 likes|12 comments|Read more...|Sign-in|2 items in cart|1,204 views|SHARE THIS|12345|2019 2020|Next »".split("|")
POLICY = ["terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies", "JavaScript", "Lorem ipsum", "{ code }"]
HOSTS = """example.com www.example.com shop.example.com example.co.uk news.example.co.uk a.b.example.org casino.example.net x.example.xn--p1ai
blog.example.github.io example.github.io EXAMPLE.com Shop.Example.COM localhost intranet 10.0.0.1 8.8.8.8 [2001:db8::1] city.kawasaki.jp
a.b.kawasaki.jp www.ck b.test.ck example.unknowntld bücher.example.de xn--bcher-kva.example.de example.com. 例え.テスト example。com co.uk example.museum
poker-casino.example.info spam.example.biz""".split()
SCHEMES = ["http://", "https://", "https://", "//", "", "ftp://user:pw@", "HTTPS://", "x:/", "mailto:me@", "1http://"]
PATHS = """/ /index.html /free/casino/games /casino-bonus /poker_night /sexy-hats /Adult/index /blog/2020/adult-education?cheap=1&dating=2 /%20/cheap
/essex/tourism :8080/a /a?x=http://example.org/ #top /loan+loan /cheap/cheap""".split()


def url(rng: random.Random) -> str:
    return rng.choice(SCHEMES) + rng.choice(HOSTS) + rng.choice(["", *PATHS]) + rng.choice(["", "", *PATHS])


def sentence(rng: random.Random, odd: float) -> str:
    words = [rng.choice(ODD if rng.random() < odd else PLAIN) for _ in range(rng.randint(1, 18))]
    if rng.random() < 0.2:
        words[rng.randrange(len(words))] += rng.choice(",;:")
    words[0] = words[0].capitalize()
    return " ".join(words) + rng.choice(ENDS)


def paragraph(rng: random.Random, odd: float) -> str:
    return rng.choice([" ", " ", "  "]).join(sentence(rng, odd) for _ in range(rng.randint(1, 6)))


def text(rng: random.Random) -> str:
    odd = rng.choice([0.0, 0.02, 0.1, 0.5, 1.0])
    kind = rng.randrange(12)
    if kind == 0:
        return rng.choice(["", " ", "\n", "\n\n \n", "word", "a b", "...", "#" * 40, "日本語" * 30, "x" * 1200, "\u2028\u0085", "- - -", "[1] [2] [3]"])
    lines = [paragraph(rng, odd) for _ in range(rng.randint(1, 6))]
    if kind == 1:  # lists
        mark = rng.choice(LINES)
        lines = [mark + sentence(rng, odd)[: rng.randint(5, 60)] for _ in range(rng.randint(2, 20))]
    elif kind == 2:  # lines again
        lines += rng.choices(lines, k=rng.randint(1, 6))
        rng.shuffle(lines)
    elif kind == 3:  # words again
        phrase = " ".join(rng.choices(PLAIN, k=rng.randint(2, 12)))
        lines[0] += f" {phrase}" * rng.randint(2, 12)
    elif kind == 4:  # words again, cut otherwise
        lines[0] += " ab c d e f g abc d e f g a bcd e f g" * rng.randint(1, 6)
    elif kind == 5:
        lines = [line for old in lines for line in (old, *rng.sample(MENU, rng.randint(0, 2)))]
    elif kind == 6:
        lines[rng.randrange(len(lines))] += f" {rng.choice(POLICY)} and more."
    elif kind == 7:
        lines = [line[: rng.randint(1, 45)] + rng.choice(["...", "…", " ", ""]) for line in lines]
    elif kind == 8:
        lines = [line.upper() if rng.random() < 0.4 else line for line in lines]
    elif kind == 9:
        lines[0] += " " + rng.choice("#…ab") * rng.randint(1, 1100)
    separator = rng.choice(["\n", "\n", "\n\n", "\n\n\n", "\r\n", "\u2028"])
    return rng.choice(["", "\n", " "]) * rng.randint(0, 1) + separator.join(lines) + rng.choice(["", "", "\n", "\n\n"])


def main() -> None:
    rng = random.Random(20)
    with (HERE / "cases.jsonl").open("w") as out:
        for _ in range(600):
            print(json.dumps({"text": text(rng), "url": url(rng)}, ensure_ascii=False), file=out)


if __name__ == "__main__":
    main()
