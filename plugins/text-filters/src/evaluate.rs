//! Evaluates the conditions of `general_field_filter` as Data-Juicer does: Python's rules, but
//! comparisons with nothing are false.

use crate::expression::{Bracket, Comparison, Expr};
use crate::field::equal;
use djhost_sdk::json::Value;
use std::borrow::Cow;
use std::cmp::Ordering;

/// A value of an expression: of a field or a constant, or items in brackets.
enum Operand<'a> {
    Json(Cow<'a, Value<'a>>),
    Items(Bracket, Vec<Operand<'a>>),
}

use Operand::{Items, Json};

/// Whether the condition holds for the row with these fields.
///
/// # Errors
/// Where Python has no answer, such as for a string being less than a number.
pub(crate) fn holds(root: &Expr, fields: &[Value<'_>]) -> Result<bool, String> {
    truth(root, fields)
}

fn truth(expr: &Expr, fields: &[Value<'_>]) -> Result<bool, String> {
    match expr {
        Expr::All(parts) => {
            for part in parts {
                if !truth(part, fields)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Expr::Any(parts) => {
            for part in parts {
                if truth(part, fields)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Expr::Not(inner) => Ok(!truth(inner, fields)?),
        Expr::Compare(first, others) => chain(first, others, fields),
        other => Ok(match operand(other, fields)? {
            Items(_, items) => !items.is_empty(),
            Json(value) => match value.as_ref() {
                Value::Null => false,
                Value::String(text) => !text.as_str().is_empty(),
                Value::List(list) => !list.is_empty(),
                Value::Object(object) => !object.is_empty(),
                other => other.number().is_none_or(|number| !number.is_zero()),
            },
        }),
    }
}

fn operand<'a>(expr: &'a Expr, fields: &'a [Value<'_>]) -> Result<Operand<'a>, String> {
    Ok(match expr {
        Expr::Constant(value) => Json(Cow::Borrowed(value)),
        Expr::Field(field) => Json(Cow::Borrowed(&fields[*field])),
        Expr::Plus(inner) => signed(operand(inner, fields)?, "+")?,
        Expr::Minus(inner) => signed(operand(inner, fields)?, "-")?,
        Expr::Items(bracket, items) => {
            let items = items
                .iter()
                .map(|item| operand(item, fields))
                .collect::<Result<Vec<_>, _>>()?;
            if *bracket == Bracket::Set && !items.iter().all(hashable) {
                return Err("a list cannot be in a set".into());
            }
            Items(*bracket, items)
        }
        Expr::All(_) | Expr::Any(_) | Expr::Not(_) | Expr::Compare(..) => {
            Json(Cow::Owned(Value::Bool(truth(expr, fields)?)))
        }
    })
}

/// `+` or `-` before a number.
fn signed<'a>(value: Operand<'a>, sign: &str) -> Result<Operand<'a>, String> {
    let wrong = || format!("`{sign}` stands before what is not a number");
    let Json(json) = &value else {
        return Err(wrong());
    };
    // A flag becomes a number, too: one with two other signs is the same number.
    let number = json.number().ok_or_else(wrong)?.negated();
    let number = if sign == "-" {
        number
    } else {
        number.negated()
    };
    Ok(Json(Cow::Owned(Value::Number(number))))
}

/// A chain of comparisons. Evaluates all its parts before it compares any.
fn chain(
    first: &Expr,
    others: &[(Comparison, Expr)],
    fields: &[Value<'_>],
) -> Result<bool, String> {
    let mut left = operand(first, fields)?;
    let rights = others
        .iter()
        .map(|(_, expr)| operand(expr, fields))
        .collect::<Result<Vec<_>, _>>()?;
    for (&(comparison, _), right) in others.iter().zip(rights) {
        if nothing(&left) || nothing(&right) {
            return Ok(comparison == Comparison::NotIn);
        }
        if !related(comparison, &left, &right)? {
            return Ok(false);
        }
        left = right;
    }
    Ok(true)
}

fn nothing(value: &Operand<'_>) -> bool {
    matches!(value, Json(value) if value.is_null())
}

fn hashable(value: &Operand<'_>) -> bool {
    match value {
        Json(value) => !matches!(value.as_ref(), Value::List(_) | Value::Object(_)),
        Items(bracket, items) => *bracket == Bracket::Tuple && items.iter().all(hashable),
    }
}

fn related(
    comparison: Comparison,
    left: &Operand<'_>,
    right: &Operand<'_>,
) -> Result<bool, String> {
    Ok(match comparison {
        Comparison::Equal => same(left, right),
        Comparison::NotEqual => !same(left, right),
        Comparison::In => within(left, right)?,
        Comparison::NotIn => !within(left, right)?,
        Comparison::Less => order(left, right)?.is_some_and(Ordering::is_lt),
        Comparison::LessEqual => order(left, right)?.is_some_and(Ordering::is_le),
        Comparison::Greater => order(left, right)?.is_some_and(Ordering::is_gt),
        Comparison::GreaterEqual => order(left, right)?.is_some_and(Ordering::is_ge),
    })
}

/// The elements of a list, a tuple or a set, with its kind.
fn elements<'a>(value: &'a Operand<'_>) -> Option<(Bracket, Vec<Operand<'a>>)> {
    match value {
        Json(value) => match value.as_ref() {
            Value::List(list) => Some((
                Bracket::List,
                list.iter()
                    .map(|element| Json(Cow::Borrowed(element)))
                    .collect(),
            )),
            _ => None,
        },
        Items(bracket, items) => Some((*bracket, items.iter().map(borrowed).collect())),
    }
}

fn borrowed<'a>(value: &'a Operand<'_>) -> Operand<'a> {
    match value {
        Json(value) => Json(Cow::Borrowed(value.as_ref())),
        Items(bracket, items) => Items(*bracket, items.iter().map(borrowed).collect()),
    }
}

fn same(left: &Operand<'_>, right: &Operand<'_>) -> bool {
    if let (Json(left), Json(right)) = (left, right) {
        return equal(left, right);
    }
    match (elements(left), elements(right)) {
        (Some((Bracket::Set, left)), Some((Bracket::Set, right))) => {
            subset(&left, &right) && subset(&right, &left)
        }
        (Some((a, left)), Some((b, right))) => {
            a == b && left.len() == right.len() && left.iter().zip(&right).all(|(l, r)| same(l, r))
        }
        _ => false,
    }
}

fn subset(left: &[Operand<'_>], right: &[Operand<'_>]) -> bool {
    left.iter()
        .all(|element| right.iter().any(|other| same(element, other)))
}

fn within(left: &Operand<'_>, right: &Operand<'_>) -> Result<bool, String> {
    if let Json(value) = right {
        match (value.as_ref(), left) {
            (Value::String(text), Json(part)) => {
                return match part.as_ref() {
                    Value::String(part) => Ok(text.as_str().contains(part.as_str())),
                    _ => Err(format!("{} cannot be in a string", kind(left))),
                };
            }
            (Value::Object(object), Json(key)) if hashable(left) => {
                let is_key = |key: &str| object.iter().any(|(name, _)| name.as_str() == key);
                return Ok(matches!(key.as_ref(), Value::String(key) if is_key(key.as_str())));
            }
            _ => {}
        }
    }
    match elements(right) {
        Some((Bracket::Set, _)) if !hashable(left) => {
            Err(format!("{} cannot be in a set", kind(left)))
        }
        Some((_, items)) => Ok(items.iter().any(|item| same(left, item))),
        None => Err(format!("{} cannot be in {}", kind(left), kind(right))),
    }
}

/// The order of two values; None for sets of which neither contains the other.
fn order(left: &Operand<'_>, right: &Operand<'_>) -> Result<Option<Ordering>, String> {
    if let (Json(left), Json(right)) = (left, right) {
        if let (Some(left), Some(right)) = (left.number(), right.number()) {
            return Ok(left.compare(&right));
        }
        if let (Value::String(left), Value::String(right)) = (left.as_ref(), right.as_ref()) {
            return Ok(Some(left.as_str().cmp(right.as_str())));
        }
    }
    match (elements(left), elements(right)) {
        (Some((Bracket::Set, left)), Some((Bracket::Set, right))) => {
            Ok(match (subset(&left, &right), subset(&right, &left)) {
                (true, true) => Some(Ordering::Equal),
                (true, false) => Some(Ordering::Less),
                (false, true) => Some(Ordering::Greater),
                (false, false) => None,
            })
        }
        (Some((a, left)), Some((b, right))) if a == b => match left
            .iter()
            .zip(&right)
            .find(|(left, right)| !same(left, right))
        {
            Some((left, right)) => order(left, right),
            None => Ok(Some(left.len().cmp(&right.len()))),
        },
        _ => Err(format!(
            "{} cannot be compared with {}",
            kind(left),
            kind(right)
        )),
    }
}

fn kind(value: &Operand<'_>) -> &'static str {
    match value {
        Json(value) => match value.as_ref() {
            Value::Null => "nothing",
            Value::Bool(_) => "a flag",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        },
        Items(Bracket::List, _) => "a list",
        Items(Bracket::Tuple, _) => "a tuple",
        Items(Bracket::Set, _) => "a set",
    }
}
