//! Properties that hold for any bytes given as a recipe.

use super::resolve::resolve_text;

/// Reads a recipe. It is either understood or refused with a message that a terminal can show; one
/// that is understood means the same when it is written out in full.
pub fn recipe(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let resolved = match resolve_text(text) {
        Ok(resolved) => resolved,
        Err(error) => {
            let message = format!("{error:#}");
            assert!(!message.is_empty());
            assert!(
                message.chars().all(|c| c == '\n' || !c.is_control()),
                "control characters in {message:?}"
            );
            return;
        }
    };
    let all = resolved.config.to_json();
    let again = resolve_text(&all.to_string()).unwrap_or_else(|error| panic!("{error:#}\n{all:#}"));
    assert_eq!(again.config.to_json(), all);
    assert_eq!(
        format!(
            "{:?}",
            again
                .ops
                .iter()
                .map(|op| (&op.name, &op.params))
                .collect::<Vec<_>>()
        ),
        format!(
            "{:?}",
            resolved
                .ops
                .iter()
                .map(|op| (&op.name, &op.params))
                .collect::<Vec<_>>()
        )
    );
}
