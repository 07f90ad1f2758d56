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
