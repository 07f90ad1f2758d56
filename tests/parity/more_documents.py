"""Documents of special kinds for the fixture: mark-up with tables, LaTeX with macros, mojibake, personal data, tables in plain text, Chinese in
both scripts, repeated sentences and lines. All of it is made up here; addresses, numbers and keys belong to nobody.
"""

HTML = [
    "<table><thead><tr><th>Name</th><th>Age</th></tr></thead><tbody><tr><td>Ann</td><td> 31 </td></tr><tr><td>Bo</td><td></td></tr></tbody></table>",
    "<p>Two:</p><table border=1><tr><td>a<td>b<tr><td>c<td>d</table> and <TABLE><TR><TH>x</TH></TR></TABLE>",
    "<table><tr><th>Row</th><td>1</td></tr><tr><td>inner <table><tr><td>deep</td></tr></table> after</td></tr></table>",
    "<table></table><table><tr></tr></table><table><caption>Only words</caption></table>",
    "<table><tr><td>a &lt; b &amp;amp; c&nbsp;d</td><td><b>bold</b> and <i> it\nalic </i></td><td><br/>1<br>2</td></tr>",
    "<div><ul><li>one</li><li class=x>two</li></ul><ol><li>first</li><li>second</li></ol></div>",
    "<LI>upper</LI><ol start=3><li>three<li>four</ol>",
    "<html><head><title>T</title><style>p { color: red }</style><script>if (a < b) { x = '<p>'; }</script></head><body>Body <noscript>none</noscript></body></html>",
    "<p>un<b>clo<i>sed</b> tags</i> <span title='a > b'>kept</span><!-- a comment <p>not seen</p> --> end",
    "a < b and c > d, 1<2, <3, </>, < p>, <1a>, <>, <!>, <?php echo 'x'; ?>, <![CDATA[data]]> tail",
    "<textarea><b>raw</b></textarea><pre>\n  kept   space\n</pre><template><p>inside</p></template><select><option>o1<option>o2</select>",
    "&copy; &notit; &amp &#65;&#x42; &#0; &#128; &unknown; &hellip;&lt;p&gt; &Eacute; &eacute &nbsp;",
    "<p>Größe</p>\r\n<p>日本語<br>改行</p>\r<img src=x alt='no text'><svg><text>drawn</text><title>svg title</title></svg><math><mi>x</mi></math>",
    "<body><h1>Head</h1>\n\n<p>One\n<p>Two\n<hr>\n<form><input value=v><button>Go</button></form></body> trailing",
    "text only, no mark-up at all",
    "<iframe>framed <b>text</b></iframe><object>obj</object><frameset><frame></frameset><plaintext>rest <b>of it</b>",
]

LATEX = [
    "\\documentclass{article}\n\\newcommand{\\R}{\\mathbb{R}}\n\\newcommand*{\\eps}{\\varepsilon}\n\\def\\half{\\frac{1}{2}}\n\\begin{document}\n"
    "For $\\eps>0$ in \\R, \\Real, \\R{} and \\half. \\epsx \\R",
    "\\def \\name {Größe 日本 😀}\n\\def\\name{again}\nMy \\name, \\name1 \\name.\n",
    "\\newcommand{\\pair}[2]{(#1,#2)}\n\\newcommand{\\one}{\\two}\n\\newcommand{\\two}{2}\n\\one \\two \\pair{a}{b}\n\\oneb \\one\n",
    "\\newcommand{\\e}{}\n\\newcommand{\\dol}{$x_1^{2}$}\n\\e \\dol{} \\dol$ \\e\\e\\e\\dol\n",
    "\\newcommand{\\back}{a\\\\b \\1 \\g<0>\tt}\n\\back! \\back\n x",
    "\\newcommand{\\late}{spans\nlines}\n\\newcommand{\\ok}{fine} % comment\n\\newcommand{\\nb}{no blank}\r\n\\late. \\ok. \\nb.",
    "\\newcommand{\\nu1}{N}\n\\def\\nu{V}\n\\nu1 \\nu 1 \\nu1, \\nu, \\newcommand",
    "\\section{One}\nText % comment\n100\\% sure % yes\n\\begin{equation}\nE = mc^2\n\\end{equation}\n\\appendix\nMore\n\\bibliography{x}\n",
    "% head\n\\chapter*[s]{Long}\nA\n\\begin{references}\nB\n\\end{references}\n\\begin{thebibliography}{9}\nC\n",
]

CODE = [
    "#include <stdio.h>\n/* Copyright 2020 The Authors.\n   All rights reserved. */\nint main(void) {\n    // hello\n    return 0;\n}\n",
    "// Copyright A\n// more\n\nfn main() {\n    println!(\"{}\", 1 << 2);\n}\n",
    "# -*- coding: utf-8 -*-\n# (c) B\nimport os\n\nclass A:\n    def f(self):\n        return {'k': [1, 2, (3)]}\n",
    "<?xml version=\"1.0\"?>\n<a b='c'>\n  <d/>\n</a>\n",
    "SELECT a, b FROM t WHERE x = 'http://x.example//y' AND y <> 3; -- note\n",
]

TABLES = [
    "Intro\na b\nc d\ne f\nOutro",
    "Intro\na b c\nd e f\n\n\ng h i\nOutro line is longer than that\n",
    "\nname|size|kind\nfoo|12|x\nbar|9|y\n\nText follows here, in a sentence.\n",
    "x\n1\t2\t3\t4\n5\t6\t7\t8\nend\n1\t2\t3\t4\n",
    "x\none two\nthree four five\nsix seven eight\nnine ten\neleven twelve\n",
    "x\n" + "".join(" ".join(f"c{row}.{column}" for column in range(20)) + "\n" for row in range(3)) + "y",
    "x\n" + "".join(" ".join(f"c{row}.{column}" for column in range(21)) + "\n" for row in range(3)) + "y",
    "x\na  b\nc  d\n\ne | f\ng | h\n\n",
    "x\r\na b\r\nc d\r\ne\r\n",
    "x\n价格 数量\n十元 三个\n五元 一个\n完\n",
    "x\na b\n c d\ne f\ng h",
]

PERSONAL = [
    "Mail ann.lee+news@mail.example.org, bob@localhost, 王@例子.中国 or x@y.z; call +49 30123456789, +1-2025550143 or 13812345678.",
    "api_key=sk-abc123 password: 'hunter2' TOKEN = \"t0k/en\", Authorization: Bearer abc.def secret:x,y license-key: AAAA-BBBB passwd=",
    "session_id: 12ab-34, user-id=ou_0123456789abcdef0123456789abcdef traceId: x RequestID=\"r.1\" userid:7",
    "当前的channel: feishu, channel=dingtalk channel: '邮箱' 当前的 channel：企业微信 channel:emails",
    "ou_0123456789ABCDEF0123456789abcdef u_abcdefghij0123456789 uid_short uid_abcdefghijklmnop-qr_st",
    "ID 11010519491231002X, 440524188001010014, 110105194913310021 and 123456789012345678.",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD9\n-----END RSA PRIVATE KEY-----\nrest -----BEGIN X----- open",
    "jwt eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln- and eyJx.y.z, keyJa.b.c",
    "see https://u:p@host.example/a?token=1#x, http://1.2.3.4:80/p \"https://q.example/x'y\" <http://z.example>",
    "IPs 10.0.0.1, 256.1.1.1, 1.2.3.4.5, v1.2.3, 01.02.03.004, [::1]:8080 [2001:db8::7]x [fe80::1], 2001:0db8:0000:0000:0000:ff00:0042:8329",
    "MAC 00:1A:2b:3C:4d:5E, 00-1a-2b-3c-4d-5e, 00:1a:2b:3c:4d:5e:6f, 001a.2b3c.4d5e",
    "paths /home/ann/a.txt, (/Users/bo/x y) \"/tmp\" =/etc/passwd x/home/no /var/log/ C:\\Users\\Ann\\f.doc d:\\ \\\\server\\share\\f 'E:\\a b'",
    "日期 2024-01-02 电话：13912345678，邮箱：zhang@公司.example，路径：/opt/应用/日志 结束",
]

CHINESE = [
    "汉字简化方案，头发和发展，干净的干部，后面的皇后，里程与里面。",
    "漢字簡化方案，頭髮和發展，乾淨的幹部，後面的皇后，里程與裡面。",
    "鼠标里面的硅二极管坏了，导致光标分辨率降低。我们在老挝的服务器的硬盘需要使用互联网算法软件解决异步的问题。",
    "滑鼠裡面的矽二極體壞了，導致游標解析度降低。我們在寮國的伺服器的硬碟需要使用網際網路演算法軟體解決非同步的問題。",
    "為什麼要在床前貼著牆壁喫麪？一羣人說：「峯迴路轉」。臺灣的台階、裏與裡、衆與眾。",
    "爲什麼要在牀前貼着牆壁吃麵？一群人說：「峰迴路轉」。",
    "國語、學校、圖書館、廣東、澤、驛、櫻、榮、黑、步。芸術・藝術、欠・缺、弁・辯瓣辨、糸・絲。",
    "図書館で広い国の学校の桜を見た。芸術の予定、余り、欠点、弁当。",
    "干细胞 公里 一只鸟 只有 面条 表面 台风 周末 松树 范围 系统 关系 联系 制造 复习 重复 钟表 时钟 云说 白云 词典 字汇",
    "𠮷野家、𫝈、㑇、䲄；混合 English text 与 123 數字、数字 mixed.",
    "乾隆皇帝，乾坤，若干，干涉；太后，后天；發髮发；歷史曆法历；鐘鍾钟；\n复杂覆盖复兴。",
]

SENTENCES = [
    "Same thing again. Same thing again. Same thing, again! Other thing. SAME THING AGAIN.",
    "你好。你好。你好！世界很大？世界很大？“你好。”他说。“你好。”",
    "Wait...... what?! Wait...... what?! …… and …… and. He said “Stop.” He said “Stop.” Then ‘No!’ Then ‘No!’ x",
    "Line one. Line two.\nLine two. Line three.\n\nLine one.\n - a\n - a\n1. a. b. a. b.",
    "No stop\nNo stop\nno stop\n  No stop  \nNo\tstop\n!!!\n!!!\n日本\n日本\nａ。ａ。",
    "Dr. Smith went to Washington, D.C. on Jan. 5th. He paid $3.50 (approx. 3 euros). \"Really?\" she asked. Yes!",
    "M. Dupont est arrivé à 10 h. 30. Il a dit : « Bonjour. » O Sr. Silva chegou. El Sr. Pérez llegó a EE. UU. ayer.",
    "E.g. this, i.e. that; see p. 12, vol. 3. No. 5 is alive. J. R. R. Tolkien wrote it. The end...",
    "a. b. c. " * 30 + "a.b.c.a.b.c.",
]

WORDS = [
    "supercalifragilisticexpialidocious antidisestablishmentarianism a bb ccc dddd eeeee",
    "***averylongword*** ((short)) …… " + "w" * 130 + " (" + "v" * 128 + ") tail",
    "go to http://x.example now, www.y.example and <a href=x> or a//b z.com. .com, HTTP WWW https:// //",
    "tab\tseparated  double  space\t\ttabs\n\n\nlines \n \t \n end ",
    " lead and trail ",
    "\n\t \n",
    "日本語の長い単語がここにある 短い 。。。 ！！長い長い長い長い！！",
]

PARAGRAPHS = [
    "First paragraph, with a few words.\n\nSecond paragraph.\n\n\n\nThird one after a gap.\n\n  \n\nLast.",
    "\n\nstarts with a break\n\nand ends with one\n\n",
    "\n\n".join("Paragraph number %d has some words in it." % number for number in range(12)),
    "一二三四五六七八九十" * 12 + "\n\n" + "甲乙丙丁" * 9,
    "no break but many words " * 12,
]

MOJIBAKE_SOURCES = [
    "“Don’t panic,” she said — twice… for €5.", "L’été à la plage, où ça ? Garçon, naïve, cœur, Ça", "Größere Flüsse, ÜBUNG, Straße", "¿Mañana? ¡El niño!",
    "Zażółć gęślą jaźń", "Сегодня хорошая погода", "Ο Οδυσσέας ταξιδεύει", "İstanbul’da ılık bir gün", "日本語です。", "今天天气很好", "שלום עולם",
    "😀 👍 ❤️", "ņ ā ģ ķ ļ š ž", "100 °C ± 2 µm × ½ • ™ ®", "à la carte, voilà ", "árvíztűrő tükörfúrógép",
]
MOJIBAKE_ENCODINGS = ["latin-1", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "iso8859_2", "mac_roman", "cp437"]

FIXABLE = [
    "&lt;p&gt;R&amp;D &eacute;t&eacute; &Eacute;T&Eacute; &#233; &#x2014; &amp;amp; &nosuch; &copy",
    "<b>R&amp;D</b> stays, &lt; too",
    "ﬁne ﬂow oﬃce ﬄ ﬅ ﬆ ĳ Ĳ ŉ ǆ ǈ",
    "ＬＯＵＤ　ＮＯＩＳＥＳ！　１２３　ｶﾞｷﾞ ﾊﾟ ￥ ￦ ｡｢｣､･",
    "‘single’ ‚low‛ “double” „low‟ `tick´ «guillemets»",
    "\x1b[36;44mcolour\x1b[0m and \x1b[Kclear \x1b]0;title\x07",
    "ctrl \x00\x01\x08\x0b\x0c\x0e\x1f\x7f \x85 \x80\x93\x9f \u206a\u206f \ufff9\ufffa\ufffb \ufeffbom",
    "\ufeffstarts with a mark\r\nand has\rall\u2028line\u2029ends\x85here\n",
    "e\u0301 n\u0303 \u1100\u1161\u11a8 Å K Ω ² ½ ① ㌀ ﷺ \u0344 \u0958",
    "\x91quoted\x92 \x93double\x94 \x96 \x97 \x80 5 \x85",
    "sch\xc3\xb6n und sch\ufffd\ufffdn, caf\xc3\xa9\ufffd",
    "Ã  la carte, vÃ´tre, dÃ©jÃ\xa0 vu, Ã", "â€œquotedâ€ and â€™ â€“ â€¦ Â£5 Â©", "It’s fine, nothing is wrong with “this” — or â that",
    "ItÃ¢â‚¬â„¢s twice wrong, ÃƒÂ¼ber", "fine first line Größe\nsecond line GrÃ¶ÃŸe\nthird\n", "РќРµ РїР°РЅРёРєСѓР№", "ÐÐµ Ð¿Ð°Ð½Ð¸ÐºÑÐ¹",
    "CÔTE Á LA «MAISON» ÃO NÃO PÃES ÀÉÎÕÜ", "x² + y² = z², 5 µm, Âµ, Â°C, 20Â", "voilÃ le travail", "a\u00a0b\u202fc\u2009d\u3000e", "ÙØ±Ø­Ø¨Ø§", "å¤©å¤©",
]

FOOTER = ["All rights reserved by nobody.", "Home | About | Contact 2024", "# Heading", "}", "\\begin{center}", "</div>", "x"]


def mojibake(rng):
    """Texts read in a wrong encoding, once or twice; what that encoding cannot read is replaced or kept as Latin-1."""
    texts = []
    for encoding in MOJIBAKE_ENCODINGS:
        for _ in range(3):
            text = rng.choice(MOJIBAKE_SOURCES)
            for _ in range(rng.choice([1, 1, 2])):
                text = "".join(_read(bytes([byte]), encoding, rng) for byte in text.encode())
            texts.append(rng.choice(["", "", "Fine: ", "日本\n"]) + text)
    return texts


def _read(byte, encoding, rng):
    try:
        return byte.decode(encoding)
    except UnicodeDecodeError:
        return rng.choice(["\ufffd", byte.decode("latin-1"), byte.decode("latin-1")])


def boilerplate(rng):
    """Documents that share lines."""
    return ["\n".join(rng.sample(FOOTER, rng.randint(3, len(FOOTER))) + [f"Article number {i}."] + rng.sample(FOOTER, 2)) for i in range(12)]


def documents(rng):
    """All of them."""
    kinds = HTML + LATEX + CODE + TABLES + PERSONAL + CHINESE + SENTENCES + WORDS + PARAGRAPHS + FIXABLE
    mixed = ["\n\n".join(rng.sample(kinds, 3)) for _ in range(10)]
    return kinds + mojibake(rng) + boilerplate(rng) + mixed
