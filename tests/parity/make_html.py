"""Writes html.jsonl: documents with tables of all kinds, on which `extract_tables_from_html_mapper` is compared with Data-Juicer's.

All of it is made up here, much of it broken on purpose. The same every time.

    python tests/parity/make_html.py
"""

import json
import pathlib
import random

HERE = pathlib.Path(__file__).resolve().parent
PLAIN = "<table><tr><th>Name</th><th>Price</th></tr><tr><td>Tea</td><td>3</td></tr></table>"
DOCUMENTS = [
    "", "no table", "a < b & c > d", "<table>", "<table></table>", "<table/>", "<table/><tr><td>x</td></tr></table>", "</table>", "<table><tr></table>", PLAIN, PLAIN * 3,
    PLAIN.upper(), PLAIN.replace("<", "\n  <"), PLAIN.replace("</td>", "").replace("</tr>", ""), PLAIN.replace("<t", "< t"), PLAIN.replace("</", "</ "),
    "<table><thead><tr><th>h</th></tr></thead><tbody><tr><th>row</th><td>1</td></tr></tbody><tfoot><tr><td>f</td></tr></tfoot></table>",
    "<table><caption>C</caption><colgroup><col><col span=2></colgroup><tr><td colspan=2 rowspan='3'>wide</td></tr></table>",
    "<table><tr><td>outer<table><tr><td>inner</td></tr></table>after</td><td>2</td></tr></table>",
    "<table><tr><td><table><tr><td><table><tr><td>deep</td></tr></table></td></tr></table></td></tr><tr><td>last</td></tr></table>",
    "<table><tr><td>1<td>2<tr><td>3</table>", "<table><td>no row</td></table>", "<tr><td>no table</td></tr>", "<tr><table><td>row outside</td></table></tr>",
    "<table><tr><div><td>in a div</td></div><td>not</td></tr></table>", "<table><tr>text <b>bold</b><td>x</td></tr></table>",
    "<table><tr><td>a<br>b<br/>c</br>d<hr>e<img src=x alt='y'>f</td></tr></table>", "<table><tr><td> a <b> b </b>\n c </td><td>\u00a0x\u2003</td><td>\u200by</td></tr></table>",
    "<table><tr><td>&amp;&lt;&gt;&quot;&nbsp;&eacute;&notit;&nosuch;&copy &AMP; &#65;&#x42;&#x1F600;&#128;&#0;&#xD800;&#1114112;&#xFFFE;&#13;</td></tr></table>",
    "<table><tr><td>&fjlig; &NotEqualTilde; &lt &a.b &a-b; R&D AT&T; &;& &1 &é;</td></tr></table>", "<table><tr><td>&#65a &#65é &#x41 &#X41;</td></tr></table>",
    "<table><tr><td>end &amp", "<table><tr><td>end &am-", "<table><tr><td>end <", "<table><tr><td>end <b", "<table><tr><td>end </td", "<table><tr><td>end <!-- c",
    "<table><tr><td>end <?pi", "<table><tr><td>end <!doctype", "<table><tr><td>a<!-- c --x--><!-- -- >b<!---->c<!-- <td>no</td> -->d</td></tr></table>",
    "<table><tr><td>a<![CDATA[ <b>c</b> ]]>d<![if x]>e<![endif]>f<![CDATA [g]]>h<!ELEMENT x>i<?php echo ?>j<!DOCTYPE html>k<!>l</>m</ >n</3>o</td></tr></table>",
    "<table><tr><td>a<script>if (x < 3) { '<td>' }</script>b<style>td > p {}</style>c<template>t</template>d</td></tr></table>",
    "<table><tr><td><script>never closed</td></tr></table>", "<table><tr><td><SCRIPT>x</sCript >y</td></tr></table>", "<table><tr><td><script/>x</td></tr></table>",
    "<table><tr><td><ruby>字<rp>(</rp><rt>zi</rt><rp>)</rp></ruby> <pre>  x\n </pre><textarea> \n</textarea><p> \n </p><p>\t</p></td></tr></table>",
    "<table class=' a  b ' id=x CLASS=c data-X='1' data-x=2 b><tr><td headers='a\tb' accesskey=' k ' rel='r  s' title='&quot;&lt;&amp;amp;&nbsp;&notin;x&notit;'>q</td></tr></table>",
    "<table border=1 border=2 a= b='c\"d' e=\"f'g\" h='\"i&#39;' j=k/l m /n/ o= 'p' q==r s = t><tr><td a='<b>'>x</td></tr></table>",
    "<table a='x'b=\"y\"c><tr><td =a>1</td><td a=>2</td><td a==>3</td><td/a/>4</td><td a/b>5</td><td 'a'>6</td><td \"b>7</td></tr></table>",
    "<table><tr><td a='never closed>1</td><td>2</td></tr></table>", "<table><tr><td a= 'never closed>1</td><td>2</td></tr></table>", "<table><tr><td a=='x>1</td></tr></table>",
    "<table><tr><td<b>1</td><td\0a>2</td><t\u212a>3</t\u212a></tr></table>", "<table><tr><td\u00a0a=1>1</td><td \u00a0a=1\u2003b>2</td></tr></table>",
    "<table><tr><td><a rel='x  y' rev=' z ' href=?a&b=c&copy=d&amp;e>l</a><form accept-charset='a  b' class=x></form><meta charset=latin1></td></tr></table>",
    "<table><tr><td><meta http-equiv=Content-Type content='text/html; charset=latin1; x'><meta http-equiv=x content='a; charset=b'></td></tr></table>",
    "<table><tr><td>1</td></tr></table></table></tr><table><tr><td>2</td></tr></table>", "<b><table></b><tr><td>closed from outside</td></tr></table>",
    "<p><table><tr><td><p>a<p>b</td></p><td>c</td></tr></table>", "<table><tr><td><i>a</td><td>b</i></td></tr></table>", "<table><table><tr><td>1</td></tr></table>",
    "<TABLE><TR><TD>Ünïcödé \U0001f600 \\ \" \x01 \x7f</TD></TR></TABLE>", "<table>\r\n<tr>\r\n<td>\r\nx\ry\r\n</td></tr></table>", "<tablet><tr><td>no</td></tr></tablet>",
    "<table-x><tr><td>no</td></tr></table-x>", "<x:table><tr><td>no</td></tr></x:table>", "<svg><table><tr><td>x</td></tr></table></svg>", "<table><tr><td><br><br></br></br>x</br>y",
    "<!-- <table><tr><td>comment</td></tr></table> -->", "<script><table><tr><td>script</td></tr></table></script>" + PLAIN, "<textarea>" + PLAIN + "</textarea>", "<!--" + PLAIN,
    "<title>t</title>" + PLAIN + "<table><tr><th>only</th></tr></table>", "<table>" + "".join(f"<tr><td>{i}</td><td>{i * i}</td></tr>" for i in range(60)) + "</table>",
    "<table><tr>" + "<td>x</td>" * 150 + "</tr></table>", "<table><tr><td>" * 12 + "x" + "</td></tr></table>" * 12, "<table><tr><td>" * 9 + "x",
    "<table>" + "<tr><td>a<b>" * 9 + "</table>", "<div>" * 40 + PLAIN + "</div>" * 30, "<table><tr>" + "<td><b><i>" * 9 + "</table>x",
]
PARTS = """<table> <table> <tr> <tr> <td> <td> <td> <th> </table> </tr> </td> </th> </td> <b> </b> <p> </p> <br> </br> <br/> <td/> <tr/> <table/> <div> </div> <script> </script>
<style></style> <template> </template> <pre> </pre> <!--c--> <!-- --> <![CDATA[d]]> <?e?> <rt> </rt> <td\tclass='x\ty'> <a\thref=u> </a> <TD> </TR> <Th\tb\ta=1> <unknown> </unknown>
&amp; &lt; &eacute; &#65; &zz; text word 日本 1 2 3 < > " ' / =""".split()


def soup(rng):
    """Tags and texts without order."""
    return "".join(rng.choice(PARTS) + rng.choice(["", "", " ", "\n"]) for _ in range(rng.randint(5, 60)))


def broken(rng):
    """A table of which pieces are missing or doubled."""
    rows = "".join("<tr>" + "".join(f"<t{rng.choice('dddh')}>{rng.choice(PARTS)} {i}</td>" for i in range(rng.randint(0, 4))) + "</tr>\n" for _ in range(rng.randint(1, 5)))
    chars = list(f"<table border='1'>{rows}</table>")
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(chars))
        chars[at : at + rng.randint(0, 3)] = rng.choice(["", "<", ">", "/", "'", '"', "=", " ", rng.choice(PARTS)])
    return "".join(chars)


if __name__ == "__main__":
    rng = random.Random(8)
    documents = DOCUMENTS + [soup(rng) for _ in range(60)] + [broken(rng) for _ in range(60)]
    with open(HERE / "html.jsonl", "w", encoding="utf-8") as file:
        for number, text in enumerate(documents):
            # Some have the field already.
            meta = {"html_tables": [number]} if number % 29 == 28 else {"source": "made up"}
            file.write(json.dumps({"text": text, "__dj__meta__": meta}, ensure_ascii=False) + "\n")
