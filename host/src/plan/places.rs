//! Checks that the columns of the dataset have a place for what operators write.

use arrow::datatypes::{DataType, Fields, Schema};

use super::Plan;
use crate::error::{UserError, UserErrors};

/// Fails if an op writes `text.x` but the dataset has a column `text` that is not a struct. After
/// the first op that makes new rows, rows are JSON and each is checked when it comes.
pub(crate) fn check_places(plan: &Plan, schema: &Schema) -> Result<(), UserErrors> {
    let mut errors = Vec::new();
    for op in plan.ops.iter().take_while(|op| !op.changes_shape()) {
        for write in op
            .pool
            .signature()
            .writes
            .iter()
            .filter(|write| schema.fields().find(&write.path).is_none())
        {
            if let Some((around, ty)) = obstacle(schema.fields(), &write.path) {
                let message = format!(
                    "this op writes `{}`, but the column `{around}` of the dataset is {ty} and has no fields",
                    write.path
                );
                errors.push(
                    UserError::new(&op.place, message)
                        .hint("let it write to another field, or rename the column"),
                );
            }
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(UserErrors(errors))
    }
}

/// Returns the column or field on the way to `path` that cannot hold fields, with its type.
fn obstacle<'a>(fields: &'a Fields, path: &'a str) -> Option<(&'a str, &'a DataType)> {
    let mut fields = fields;
    for (dot, _) in path.match_indices('.') {
        let name = path[..dot].rsplit('.').next().unwrap_or_default();
        match fields.find(name)?.1.data_type() {
            DataType::Struct(inner) => fields = inner,
            DataType::Null => return None,
            ty => return Some((&path[..dot], ty)),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;

    use super::*;

    #[test]
    fn only_structs_have_fields() {
        let inner = Fields::from(vec![Field::new("lang", DataType::Utf8, true)]);
        let fields = Fields::from(vec![
            Field::new("text", DataType::Utf8, true),
            Field::new("meta", DataType::Struct(inner), true),
            Field::new("nothing", DataType::Null, true),
        ]);
        for (path, expected) in [
            ("text", None),
            ("text.x", Some("text")),
            ("text.x.y", Some("text")),
            ("meta.lang", None),
            ("meta.new.deep", None),
            ("meta.lang.x", Some("meta.lang")),
            ("nothing.x", None),
            ("new.x", None),
        ] {
            assert_eq!(obstacle(&fields, path).map(|o| o.0), expected, "{path}");
        }
    }
}
