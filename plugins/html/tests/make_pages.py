"""Writes pages.jsonl: pages made up here, with the shapes that extraction looks at, the same every time.

    python plugins/html/tests/make_pages.py
"""

import html
import json
import pathlib
import random

HERE = pathlib.Path(__file__).resolve().parent
WORDS = """the a be to of and that have with it was for on are as at this from or had by but some what there we can out other were all your when use
how said each she which their time will way about many then them would write like these her long make thing see him two has look more day could go come
did number sound no most people over know water than call first who may down side been now find harbour river garden letter winter bridge lantern
kitchen mountain story question answer market teacher window""".split()
OTHER = "naïve café über straße дом вода река письмо 日本語 河 橋 🙂 ½ don't e.g. 3.14 1,000 20°C x=y C++ http://example.org/a?b=c".split()
CLASSES = """post entry content main-content article-body sidebar nav menu footer share social comment comments meta related widget caption teaser
highlight w3-code breadcrumb tags hidden hljs page-content author byline date banner cookie-banner text cell story wrapper row""".split()
INLINE = ["b", "i", "em", "strong", "u", "code", "kbd", "sub", "sup", "del", "s", "span", "small", "font", "q", "cite", "mark"]
REFERENCES = ["&amp;", "&lt;b&gt;", "&nbsp;", "&copy;", "&#8212;", "&notit;", "&unknown;", "&"]


def sentence(rng: random.Random) -> str:
    words = [rng.choice(WORDS if rng.random() < 0.95 else OTHER) for _ in range(rng.randint(3, 14))]
    return " ".join(words).capitalize() + rng.choice([".", ".", "!", "?", "...", ",", ""])


def words(rng: random.Random, inline: bool = True) -> str:
    """Sentences, with elements within the line."""
    parts = []
    for _ in range(rng.randint(1, 3)):
        part = html.escape(sentence(rng), quote=False)
        if inline and rng.random() < 0.3:
            tag = rng.choice(INLINE)
            part = f"{part} <{tag}>{html.escape(sentence(rng), quote=False)}</{tag}>"
        if inline and rng.random() < 0.2:
            part += f' <a href="{rng.choice(["/a", "#top", "http://example.org/x_(y)", ""])}">{sentence(rng)[: rng.randint(3, 60)]}</a>'.replace("&", "")
        if rng.random() < 0.1:
            part += rng.choice(["<br>", "<br/><br/>", f" {rng.choice(REFERENCES)} ", "<!-- note -->", "\n", "<hr>", "<wbr>"])
        parts.append(part)
    return rng.choice([" ", "\n"]).join(parts)


def attributes(rng: random.Random) -> str:
    found = ""
    if rng.random() < 0.5:
        found += f' class="{" ".join(rng.choices(CLASSES, k=rng.randint(1, 2)))}"'
    if rng.random() < 0.2:
        found += f' id="{rng.choice(CLASSES)}"'
    if rng.random() < 0.05:
        found += rng.choice([' style="display:none"', ' aria-hidden="true"', ' role="main"', " hidden", ' role="navigation"', ' itemprop="articleBody"'])
    return found


def items(rng: random.Random, depth: int) -> str:
    kind = rng.choice(["ul", "ol", "dl"])
    found = []
    for _ in range(rng.randint(1, 6)):
        inner = words(rng) if rng.random() < 0.7 else f"<p>{words(rng)}</p>"
        if depth < 3 and rng.random() < 0.15:
            inner += items(rng, depth + 1) + rng.choice(["", words(rng)])
        found.append(f"<dt>{sentence(rng)}<dd>{inner}" if kind == "dl" else f"<li>{inner}{rng.choice(['', '</li>'])}")
    return f"<{kind}{attributes(rng) if rng.random() < 0.2 else ''}>{''.join(found)}</{kind}>"


def table(rng: random.Random, depth: int) -> str:
    rows = []
    columns = rng.randint(1, 4)
    for row in range(rng.randint(1, 5)):
        cells = []
        for _ in range(columns):
            tag = "th" if row == 0 and rng.random() < 0.7 else "td"
            span = rng.choice(["", "", "", ' colspan="2"', ' rowspan="2"', ' colspan="x"'])
            inner = rng.choice(["", sentence(rng), words(rng), f"<p>{words(rng)}</p><p>{words(rng)}</p>"])
            if depth < 2 and rng.random() < 0.05:
                inner += table(rng, depth + 1)
            cells.append(f"<{tag}{span}>{inner}</{tag}>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    caption = f"<caption>{sentence(rng)}</caption>" if rng.random() < 0.3 else ""
    body = "".join(rows)
    return f"<table>{caption}{rng.choice([body, f'<tbody>{body}</tbody>'])}</table>"


def links(rng: random.Random) -> str:
    found = "".join(f'<li><a href="/{i}">{" ".join(rng.choices(WORDS, k=rng.randint(1, 5)))}</a></li>' for i in range(rng.randint(2, 12)))
    return rng.choice([f"<ul>{found}</ul>", f"<nav><ul>{found}</ul></nav>", f'<div class="{rng.choice(CLASSES)}">{found.replace("li>", "span>")}</div>'])


def block(rng: random.Random, depth: int) -> str:
    kind = rng.randrange(16)
    if kind < 6:
        return f"<p{attributes(rng) if rng.random() < 0.1 else ''}>{words(rng)}{rng.choice(['</p>', '</p>', '', '</p> loose text'])}"
    if kind == 6:
        level = rng.randint(1, 6)
        return f"<h{level}>{rng.choice([sentence(rng), words(rng)])}</h{level}>"
    if kind == 7:
        return items(rng, 0)
    if kind == 8:
        return table(rng, 0)
    if kind == 9:
        return links(rng)
    if kind == 10:
        return rng.choice(
            [
                f"<pre>{sentence(rng)}\n    {sentence(rng)}</pre>",
                f"<pre><code>{sentence(rng)}\n{{ }}</code></pre>",
                f"<pre><span>{sentence(rng)}</span></pre>",
                f'<div class="highlight"><pre>{sentence(rng)}</pre></div>',
            ]
        )
    if kind == 11:
        return f"<blockquote>{rng.choice([words(rng), f'<p>{words(rng)}</p><p>{words(rng)}</p>'])}</blockquote>"
    if kind == 12:
        return rng.choice(
            [
                "<script>if (a < b && c > d) { f('</p>'); }</script>",
                "<style>p { color: red }</style>",
                f"<noscript><p>{sentence(rng)}</p></noscript>",
                f"<form><label>{sentence(rng)}</label><input type=text><textarea>{sentence(rng)}</textarea></form>",
                f"<figure><img src='a.png' alt='{' '.join(rng.choices(WORDS, k=3))}'><figcaption>{sentence(rng)}</figcaption></figure>",
                f"<details><summary>{sentence(rng)}</summary><p>{words(rng)}</p></details>",
                f'<math alttext="a_1^2"><mi>a</mi></math> <iframe src="x">{sentence(rng)}</iframe>',
                f"<aside>{words(rng)}</aside>",
                f"<button>{sentence(rng)}</button> Facebook",
            ]
        )
    if depth > 5:
        return words(rng)
    inner = "".join(block(rng, depth + 1) for _ in range(rng.randint(1, 4)))
    tag = rng.choice(["div", "div", "div", "section", "article", "main", "center", "header", "span", "form"])
    return f"<{tag}{attributes(rng)}>{rng.choice(['', '', words(rng)])}{inner}{rng.choice(['', '', words(rng, False)])}{rng.choice([f'</{tag}>'] * 9 + [''])}"


def page(rng: random.Random) -> str:
    head = f"<title>{sentence(rng)[:40]} {rng.choice(['|', '-', '–', ''])} The Harbour</title>"
    if rng.random() < 0.3:
        head += f'<meta name="author" content="{rng.choice(["Ada Ferry", "by Tom Bridge", "harbour"])}">'
    if rng.random() < 0.3:
        head += f'<meta property="og:title" content="{sentence(rng)[:30]}">'.replace("&", "")
    if rng.random() < 0.3:
        head += '<meta property="article:published_time" content="2021-03-04T10:00:00Z">'
    body = "\n".join(block(rng, 0) for _ in range(rng.randint(1, 8)))
    if rng.random() < 0.3:
        body += f'<div id="comments"><div class="comment-list"><p>{words(rng)}</p><p>{words(rng)}</p></div></div>'
    if rng.random() < 0.1:
        body += f'<script type="application/ld+json">{json.dumps({"@context": "https://schema.org", "@type": "Article", "headline": "Linked", "articleBody": words(rng, False)})}</script>'
    if rng.random() < 0.4:
        body = f"<article{attributes(rng)}>{body}</article>"
    body += rng.choice(["", f"<footer>{sentence(rng)}</footer>"])
    kind = rng.randrange(12)
    if kind == 0:
        return rng.choice(["", " ", "text", "<p>one</p>", "<html><body></body></html>", "a < b & c > d", "<<<>>>", "</p></div>", "<!DOCTYPE html>"])
    if kind == 1:
        return body
    doctype = rng.choice(["<!DOCTYPE html>", "<!doctype HTML>\n", "", '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>'])
    return f'{doctype}<html lang="{rng.choice(["en", "de-AT", "fr"])}"><head>{head}</head><body{attributes(rng) if rng.random() < 0.1 else ""}>{body}</body></html>'


def main() -> None:
    rng = random.Random(20)
    with (HERE / "pages.jsonl").open("w", encoding="utf-8") as file:
        for _ in range(80):
            file.write(json.dumps({"html": page(rng)}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
