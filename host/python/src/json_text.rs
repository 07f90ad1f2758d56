//! Python objects as JSON text, exactly: what JSON cannot hold is refused.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

/// Deepest nesting. Also ends what contains itself.
const MAX_DEPTH: usize = 200;

/// Why an object is not written.
pub(crate) enum Unfit {
    /// A value in it, by its path from the object (`.meta.tags[2]`).
    Value { path: String, why: String },
    /// Python raised an exception.
    Raised(PyErr),
}

impl From<PyErr> for Unfit {
    fn from(raised: PyErr) -> Self {
        Self::Raised(raised)
    }
}

impl Unfit {
    fn because(why: impl Into<String>) -> Self {
        Self::Value {
            path: String::new(),
            why: why.into(),
        }
    }

    /// Seen from outside: the value is at `step` of an object.
    fn at(self, step: impl FnOnce() -> String) -> Self {
        match self {
            Self::Value { path, why } => Self::Value {
                path: step() + &path,
                why,
            },
            raised => raised,
        }
    }
}

/// Appends `object`: a dict, list, tuple, text, number, bool or None.
pub(crate) fn write(object: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Result<(), Unfit> {
    write_at(object, out, 0)
}

fn write_at(object: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) -> Result<(), Unfit> {
    if depth > MAX_DEPTH {
        let why = format!("nested more than {MAX_DEPTH} levels deep");
        return Err(Unfit::because(why));
    }
    if let Ok(text) = object.cast::<PyString>() {
        write_text(text, out)
    } else if object.is_none() {
        out.extend(b"null");
        Ok(())
    } else if let Ok(flag) = object.cast::<PyBool>() {
        out.extend(if flag.is_true() {
            &b"true"[..]
        } else {
            b"false"
        });
        Ok(())
    } else if let Ok(number) = object.cast::<PyInt>() {
        write_int(number, out)
    } else if let Ok(number) = object.cast::<PyFloat>() {
        let number = number.value();
        if !number.is_finite() {
            return Err(Unfit::because(format!(
                "{number}, which JSON has no number for"
            )));
        }
        serde_json::to_writer(out, &number).map_err(|e| Unfit::because(e.to_string()))
    } else if let Ok(dict) = object.cast::<PyDict>() {
        write_dict(dict, out, depth)
    } else if let Ok(list) = object.cast::<PyList>() {
        write_list(list.iter(), out, depth)
    } else if let Ok(tuple) = object.cast::<PyTuple>() {
        write_list(tuple.iter(), out, depth)
    } else {
        let ty = object.get_type().fully_qualified_name()?;
        Err(Unfit::because(format!("a `{ty}`, which JSON cannot hold")))
    }
}

fn write_text(text: &Bound<'_, PyString>, out: &mut Vec<u8>) -> Result<(), Unfit> {
    let text = text
        .to_cow()
        .map_err(|_| Unfit::because("a text with a lone surrogate, which is no Unicode text"))?;
    serde_json::to_writer(out, &*text).map_err(|e| Unfit::because(e.to_string()))
}

fn write_int(number: &Bound<'_, PyInt>, out: &mut Vec<u8>) -> Result<(), Unfit> {
    if let Ok(number) = number.extract::<i64>() {
        out.extend(number.to_string().bytes());
        return Ok(());
    }
    // An `int`, even if the number is of a class with a text of its own.
    let digits = number.call_method0("__index__")?.str()?;
    out.extend(digits.to_cow()?.bytes());
    Ok(())
}

fn write_dict(dict: &Bound<'_, PyDict>, out: &mut Vec<u8>, depth: usize) -> Result<(), Unfit> {
    out.push(b'{');
    for (i, (key, value)) in dict.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        let Ok(key) = key.cast::<PyString>() else {
            let ty = key.get_type().fully_qualified_name()?;
            let why = format!("the key `{key}` is a `{ty}`; keys in JSON are texts");
            return Err(Unfit::because(why));
        };
        write_text(key, out)?;
        out.push(b':');
        write_at(&value, out, depth + 1).map_err(|unfit| unfit.at(|| format!(".{key}")))?;
    }
    out.push(b'}');
    Ok(())
}

fn write_list<'py>(
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), Unfit> {
    out.push(b'[');
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_at(&item, out, depth + 1).map_err(|unfit| unfit.at(|| format!("[{i}]")))?;
    }
    out.push(b']');
    Ok(())
}
