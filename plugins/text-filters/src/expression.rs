//! The language of `general_field_filter`: the part of Python's expressions that Data-Juicer
//! evaluates. Text in, tree out.

mod literals;

use djhost_sdk::json::Value;

/// An expression.
#[derive(Debug, Clone)]
pub(crate) enum Expr {
    /// A constant that is not a list.
    Constant(Value<'static>),
    /// The field with this number in [`Parsed::fields`].
    Field(usize),
    /// `-x`
    Minus(Box<Expr>),
    /// `+x`
    Plus(Box<Expr>),
    /// `not x`
    Not(Box<Expr>),
    /// `x and y and …`
    All(Vec<Expr>),
    /// `x or y or …`
    Any(Vec<Expr>),
    /// `x < y <= …`
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    /// `[…]`, `(…,)` or `{…}`
    Items(Bracket, Vec<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    In,
    NotIn,
}

/// The brackets around several items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bracket {
    List,
    Tuple,
    Set,
}

/// A condition and the paths of the fields that it reads.
#[derive(Debug, Clone)]
pub(crate) struct Parsed {
    pub root: Expr,
    pub fields: Vec<String>,
}

/// How deep brackets and prefixes may be nested.
const DEPTH: usize = 100;

/// Python's keywords, which cannot name a field.
const RESERVED: [&str; 30] = [
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
    "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda",
    "nonlocal", "not", "or", "pass", "raise", "return", "while", "with",
];

/// Reads a condition.
///
/// # Errors
/// Where it cannot go on, and what it expected.
pub(crate) fn parse(text: &str) -> Result<Parsed, String> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
        fields: Vec::new(),
    };
    let root = parser.tuple()?;
    parser.space();
    match parser.rest() {
        "" => Ok(Parsed {
            root,
            fields: parser.fields,
        }),
        _ => Err(parser.error("expected `and`, `or`, a comparison or the end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    fields: Vec<String>,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn error(&self, what: &str) -> String {
        let rest: String = self.rest().chars().take(20).collect();
        let column = self.text[..self.at].chars().count() + 1;
        match rest.is_empty() {
            true => format!("at its end: {what}"),
            false => format!("at character {column}, `{rest}`: {what}"),
        }
    }

    fn space(&mut self) {
        self.at = self.text.len()
            - self
                .rest()
                .trim_start_matches([' ', '\t', '\n', '\r', '\x0c'])
                .len();
    }

    /// Consumes a sign, if it comes next.
    fn sign(&mut self, sign: &str) -> bool {
        self.space();
        let here = self.rest().starts_with(sign);
        self.at += if here { sign.len() } else { 0 };
        here
    }

    /// The next name or keyword, without consuming it.
    fn word(&mut self) -> &'a str {
        self.space();
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        if rest.starts_with(|c: char| c.is_numeric()) {
            ""
        } else {
            &rest[..end]
        }
    }

    /// Consumes a keyword, if it comes next.
    fn keyword(&mut self, keyword: &str) -> bool {
        let here = self.word() == keyword;
        self.at += if here { keyword.len() } else { 0 };
        here
    }

    fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.error("nested too deeply"));
        }
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// An expression, or several separated by commas.
    fn tuple(&mut self) -> Result<Expr, String> {
        let first = self.or()?;
        if !self.sign(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while !self.at_end_of_items() {
            items.push(self.or()?);
            if !self.sign(",") {
                break;
            }
        }
        Ok(Expr::Items(Bracket::Tuple, items))
    }

    fn at_end_of_items(&mut self) -> bool {
        self.space();
        self.rest().is_empty() || self.rest().starts_with([')', ']', '}'])
    }

    fn or(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.and()?];
        while self.keyword("or") {
            parts.push(self.and()?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Expr::Any(parts)
        })
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.not()?];
        while self.keyword("and") {
            parts.push(self.not()?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Expr::All(parts)
        })
    }

    fn not(&mut self) -> Result<Expr, String> {
        match self.keyword("not") {
            true => self.nested(|parser| Ok(Expr::Not(Box::new(parser.not()?)))),
            false => self.comparison(),
        }
    }

    fn comparison(&mut self) -> Result<Expr, String> {
        let first = self.prefixed()?;
        let mut others = Vec::new();
        while let Some(comparison) = self.operator()? {
            others.push((comparison, self.prefixed()?));
        }
        Ok(if others.is_empty() {
            first
        } else {
            Expr::Compare(Box::new(first), others)
        })
    }

    fn operator(&mut self) -> Result<Option<Comparison>, String> {
        use Comparison::*;
        let signs = [
            ("<=", LessEqual),
            (">=", GreaterEqual),
            ("==", Equal),
            ("!=", NotEqual),
            ("<<", Less),
            (">>", Greater),
            ("<", Less),
            (">", Greater),
        ];
        self.space();
        for (sign, comparison) in signs {
            if self.rest().starts_with(sign) {
                if matches!(sign, "<<" | ">>") {
                    return Err(self.error("shifts are not supported"));
                }
                self.at += sign.len();
                return Ok(Some(comparison));
            }
        }
        let before = self.at;
        Ok(match self.word() {
            "in" => self.keyword("in").then_some(In),
            "not" => {
                self.keyword("not");
                if !self.keyword("in") {
                    self.at = before;
                    return Err(self.error("expected `not in`"));
                }
                Some(NotIn)
            }
            "is" => {
                return Err(self.error(
                    "`is` is not supported; a field that is missing is not equal to anything",
                ));
            }
            _ => None,
        })
    }

    fn prefixed(&mut self) -> Result<Expr, String> {
        if self.sign("-") {
            return self.nested(|parser| Ok(Expr::Minus(Box::new(parser.prefixed()?))));
        }
        if self.sign("+") {
            return self.nested(|parser| Ok(Expr::Plus(Box::new(parser.prefixed()?))));
        }
        let value = self.nested(Self::operand)?;
        self.space();
        match self.rest().chars().next() {
            Some('+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '@' | '(' | '[' | '.') => {
                Err(self.error(
                    "arithmetic, calls, subscripts and attributes of values are not supported",
                ))
            }
            _ => Ok(value),
        }
    }

    fn operand(&mut self) -> Result<Expr, String> {
        self.space();
        match self.rest().chars().next() {
            Some('(') => {
                self.at += 1;
                let inner = if self.at_end_of_items() {
                    Expr::Items(Bracket::Tuple, Vec::new())
                } else {
                    self.tuple()?
                };
                self.close(")")?;
                Ok(inner)
            }
            Some('[') => self.items(Bracket::List, "]"),
            Some('{') => self.items(Bracket::Set, "}"),
            Some('"' | '\'') => self.strings(),
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            _ => self.name(),
        }
    }

    fn close(&mut self, bracket: &str) -> Result<(), String> {
        match self.sign(bracket) {
            true => Ok(()),
            false => Err(self.error(&format!("expected `{bracket}`"))),
        }
    }

    fn items(&mut self, bracket: Bracket, end: &str) -> Result<Expr, String> {
        self.at += 1;
        let mut items = Vec::new();
        while !self.at_end_of_items() {
            items.push(self.or()?);
            if !self.sign(",") {
                break;
            }
        }
        self.space();
        if bracket == Bracket::Set && (items.is_empty() || self.rest().starts_with(':')) {
            return Err(self.error("dictionaries are not supported"));
        }
        self.close(end)?;
        Ok(Expr::Items(bracket, items))
    }

    /// A constant by name, or a field: names separated by dots.
    fn name(&mut self) -> Result<Expr, String> {
        let word = self.word();
        if matches!(self.rest()[word.len()..].chars().next(), Some('"' | '\'')) {
            return match word {
                "r" | "R" | "u" | "U" => self.strings(),
                _ => Err(self.error("strings with this prefix are not supported")),
            };
        }
        let constant = match word {
            "" => {
                return Err(self.error(
                    "expected a field, a number, a string, or a list of these in brackets",
                ));
            }
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            "None" => Some(Value::Null),
            word if RESERVED.contains(&word) => {
                return Err(self.error(&format!("`{word}` is not supported here")));
            }
            _ => None,
        };
        self.at += word.len();
        if let Some(constant) = constant {
            return Ok(Expr::Constant(constant));
        }
        let mut path = word.to_owned();
        while self.sign(".") {
            let name = self.word();
            if name.is_empty() {
                return Err(self.error("expected a name after the dot"));
            }
            path.push('.');
            path.push_str(name);
            self.at += name.len();
        }
        let known = self.fields.iter().position(|field| *field == path);
        Ok(Expr::Field(known.unwrap_or_else(|| {
            self.fields.push(path);
            self.fields.len() - 1
        })))
    }
}

fn constant(value: impl Into<serde_json::Value>) -> Expr {
    Expr::Constant(Value::from(&value.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text).unwrap_err()
    }

    #[test]
    fn fields_are_paths_and_come_once() {
        let parsed = parse("10 < num <= 30 and text != 'x' and __dj__meta__.a == num").unwrap();
        assert_eq!(parsed.fields, ["num", "text", "__dj__meta__.a"]);
    }

    #[test]
    fn strings_and_numbers_are_pythons() {
        let constant = |text: &str| match parse(text).unwrap().root {
            Expr::Constant(Value::Null) => "null".into(),
            Expr::Constant(Value::Number(number)) => number.as_str().to_owned(),
            Expr::Constant(Value::String(text)) => {
                serde_json::Value::from(text.as_str()).to_string()
            }
            other => panic!("{other:?}"),
        };
        for (text, json) in [
            (r#"'a\'b' "c\n" r'\d' """x"y""" "#, r#""a'bc\n\\dx\"y""#),
            (r"'\u65e5\x41\q'", r#""日A\\q""#),
            ("0x1f", "31"),
            ("1_000", "1000"),
            ("1e3", "1000.0"),
            (".5", "0.5"),
            ("None", "null"),
        ] {
            assert_eq!(constant(text), json, "{text}");
        }
    }

    #[test]
    fn what_is_not_supported_is_refused_with_its_place() {
        assert_eq!(
            error("a =="),
            "at its end: expected a field, a number, a string, or a list of these in brackets"
        );
        assert!(
            error("len(text) > 3").starts_with("at character 4, `(text) > 3`: arithmetic, calls"),
            "{}",
            error("len(text) > 3")
        );
        assert!(error("a + 1 == 2").contains("arithmetic, calls"));
        assert!(error("a[0] == 2").contains("subscripts"));
        assert!(error("a is None").contains("`is` is not supported"));
        assert!(error("'x").contains("`'x`: the string has no end"));
        assert!(error("f'{x}'").contains("this prefix"));
        assert!(error("{'a': 1}").contains("dictionaries"));
        assert!(error("012").contains("not a number"));
        assert!(error("x if y else z").contains("expected `and`, `or`"));
        assert!(error("lambda").contains("`lambda` is not supported"));
        assert!(error("[1, 2").contains("expected `]`"));
        for deep in ["(", "not ", "-", "["] {
            assert!(error(&deep.repeat(100_000)).contains("nested too deeply"));
        }
    }
}
