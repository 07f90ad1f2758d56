//! Names of ops that options refer to.

use crate::error::{UserError, did_you_mean};

/// The error for `given` at `place`, which is none of the `names` of the recipe's ops.
pub(crate) fn unknown_op(place: &str, given: &str, names: &[&str]) -> UserError {
    let error = UserError::new(place, format!("`{given}` is not an op of this recipe"));
    match did_you_mean(given, names.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if names.is_empty() => error.hint("it has none"),
        None => error.hint(format!("its ops are `{}`", names.join("`, `"))),
    }
}
