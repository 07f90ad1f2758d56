//! What is redacted, and that neither hostile texts nor mistakes go unnoticed.

use super::*;
use djhost_sdk::operator;

fn redact(params: &str, text: &str) -> String {
    Runner::new(operator!(PiiRedactionMapper), params)
        .unwrap()
        .map(&[text])
        .remove(0)
}

#[test]
fn placeholders_take_the_place_of_personal_data() {
    for (text, expected) in [
        (
            "see /home/me/x.txt and C:\\a\\b",
            "see [PATH_REDACTED] and [PATH_REDACTED]",
        ),
        ("mail a.b@c.org!", "mail [EMAIL_REDACTED]!"),
        (
            "Password = 'x' token:y",
            "Password = '[REDACTED]' token:[REDACTED]",
        ),
        ("user_id: ou_1, x", "user_id[ID_REDACTED], x"),
        (
            "at 10.0.0.1:80, 1.2.3.4.5, [::1:2]:80",
            "at [IP_REDACTED]:80, [IP_REDACTED].5, [IP_REDACTED]",
        ),
        (
            "当前的channel：飞书",
            "当前的channel：[CHANNEL_ID_REDACTED]",
        ),
        (
            "call 13800138000 or +49 1234567",
            "call [PHONE_REDACTED] or [PHONE_REDACTED]",
        ),
        ("aa:bb:cc:dd:ee:ff", "[MAC_REDACTED]"),
        (
            "-----BEGIN A KEY-----\nx\n-----END A KEY-----.",
            "[PEM_REDACTED].",
        ),
        ("eyJa.b.c-", "[JWT_REDACTED]-"),
        ("u_aaaaaaaaaaaaaaaaé", "u_aaaaaaaaaaaaaaaaé"),
        ("https://a.b nothing", "https://a.b nothing"),
    ] {
        assert_eq!(redact("{}", text), expected);
    }
    assert_eq!(
        redact(
            r#"{"mask_urls": true, "mask_emails": false}"#,
            "http://x.y a@b.cd"
        ),
        "[URL_REDACTED] a@b.cd"
    );
    assert_eq!(
        redact(r#"{"extra_patterns": [["N(\\d)", "<\\1>"]]}"#, "N1 N2"),
        "<1> <2>"
    );
}

#[test]
fn messages_and_nested_fields() {
    let mut runner = Runner::new(operator!(PiiRedactionMapper), "{}").unwrap();
    let out = runner.map_json(&[
        r#"{"text":"t","messages":[{"role":"user","content":"I am a@b.cd","n":1.5},{"tool_calls":[{"function":{"arguments":{"path":"/tmp/x","y":"/tmp/y"}}}]}]}"#,
        r#"{"text":"t","query":"a@b.cd","dialog_history":[["a@b.cd","ok"]],"file_path":"/home/x","other":"a@b.cd"}"#,
    ]);
    assert_eq!(
        out,
        [
            r#"{"text":"t","messages":[{"role":"user","content":"I am [EMAIL_REDACTED]","n":1.5},{"tool_calls":[{"function":{"arguments":{"path":"[PATH_REDACTED]","y":"/tmp/y"}}}]}]}"#,
            r#"{"text":"t","query":"[EMAIL_REDACTED]","dialog_history":[["[EMAIL_REDACTED]","ok"]],"file_path":"[PATH_REDACTED]","other":"a@b.cd"}"#,
        ]
    );
}

/// What becomes of the JSON texts of one field, and of which rows the reason.
fn redact_json(field: &str, rows: &[&str]) -> (Vec<String>, Vec<(u32, String)>) {
    let mut runner = Runner::new(operator!(PiiRedactionMapper), "{}").unwrap();
    let fields = runner.signature().reads.iter().map(|read| {
        let texts: Texts = rows
            .iter()
            .map(|row| (read.path == field).then_some(*row))
            .collect();
        Field {
            path: read.path.clone(),
            values: match read.column_type {
                ColumnType::Utf8 => Column::Utf8(texts),
                _ => Column::Json(texts),
            },
        }
    });
    let batch = Batch {
        row_ids: (0..rows.len() as u64).collect(),
        fields: fields.collect(),
    };
    let Ok(Output::Updated { updates, rejected }) = runner.process(&batch) else {
        panic!("it answers with updates");
    };
    let mut made: Vec<String> = rows.iter().map(|row| (*row).to_owned()).collect();
    for update in updates {
        assert_eq!(update.path, field);
        let texts = update.values.texts().unwrap();
        for (i, row) in update.rows.unwrap().into_iter().enumerate() {
            made[row as usize] = texts.value(i).to_owned();
        }
    }
    let rejected = rejected.into_iter().map(|r| (r.row, r.reason)).collect();
    (made, rejected)
}

#[test]
fn only_the_redacted_strings_change() {
    let odd = r#" "id" : 123456789012345678901,"k":1,"k":2, "f":[0.10,1e5,1e400,NaN,-Infinity],"e":"\u00e9\/\ud800" "#;
    let mail = |mail: &str| format!(r#"[ {{{odd},"content":"{mail} \"q\""}} ]"#);
    let rows = [
        mail("a@b.co"),
        mail("none"),
        format!(r#"[{{"content":["a@b.co",{{"text":"c@d.co",{odd}}},NaN]}},null]"#),
        r#"[{"content":"a@b.co","\u0063ontent":"c@d.co"}]"#.to_owned(),
    ];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let expected: Vec<String> = rows
        .iter()
        .map(|row| {
            row.replace("a@b.co", "[EMAIL_REDACTED]")
                .replace("c@d.co", "[EMAIL_REDACTED]")
        })
        .collect();
    assert_eq!(redact_json("messages", &rows), (expected, vec![]));
    // All members of a turn stay, and none of them tells.
    let (made, _) = redact_json("dialog_history", &[r#"[["a@b.co","b","c@d.co"],[1]]"#]);
    assert_eq!(
        made,
        [r#"[["[EMAIL_REDACTED]","b","[EMAIL_REDACTED]"],[1]]"#]
    );
}

#[test]
fn what_cannot_be_looked_at_is_rejected() {
    let rows = [
        r#""a@b.co \ud800""#,
        r#""a@b.co""#,
        r#"["a@b.co \udc00", "x"]"#,
        r#"{"other": "a@b.co \ud800", "n": 1e400, "path": "/home/x"}"#,
    ];
    let (made, rejected) = redact_json("query", &rows);
    assert_eq!(made[1], r#""[EMAIL_REDACTED]""#);
    // Nobody looks at this string.
    assert_eq!(
        made[3],
        r#"{"other": "a@b.co \ud800", "n": 1e400, "path": "[PATH_REDACTED]"}"#
    );
    let reason = "`query` holds a lone surrogate".to_owned();
    assert_eq!(rejected, [(0, reason.clone()), (2, reason)]);
    assert_eq!((&made[0][..], &made[2][..]), (rows[0], rows[2]));
}

#[test]
fn hostile_texts_take_linear_time() {
    for piece in [
        "-eyJ",
        "eyJ.a.",
        "1.1.1.",
        "a@",
        "-----BEGIN A-----",
        "u_aaaaaaaaaaaaaaaa-",
        "[::::",
        "token ",
        "+1",
        "/home/",
    ] {
        redact("{}", &piece.repeat(200_000));
    }
}

#[test]
fn mistakes_are_named() {
    for (params, name) in [
        (r#"{"extra_patterns": [["(?=a)", ""]]}"#, "`extra_patterns`"),
        (r#"{"id_replacement": "\\1"}"#, "`id_replacement`"),
        (r#"{"ip_replacement": "\\q"}"#, "`ip_replacement`"),
    ] {
        let error = Runner::new(operator!(PiiRedactionMapper), params).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}
