//! Takes out of a mapper's answer the rows that say why there is none.

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::compute::filter;
use arrow::datatypes::UInt32Type;

use super::contract::{DROPPED, Output, Rejection, Reply, Update};

/// Moves rows that have a text in the field [`DROPPED`] from the new rows of `reply` to those that
/// the mapper dropped, and removes the field.
///
/// # Errors
/// A row that is dropped and made at once.
pub(super) fn take_out(reply: &mut Reply) -> Result<(), String> {
    let Output::Rows { origins, fields } = &mut reply.output else {
        return Ok(());
    };
    let Some(at) = fields.iter().position(|field| field.path == DROPPED) else {
        return Ok(());
    };
    let reasons = fields.remove(at).values;
    let Some(texts) = reasons.as_string_view_opt() else {
        return Err(format!("`{DROPPED}` that is not a text"));
    };
    if texts.null_count() == texts.len() {
        return Ok(());
    }
    let stays: BooleanArray = texts.iter().map(|text| Some(text.is_none())).collect();
    for (i, reason) in texts.iter().enumerate() {
        let row = origins.value(i);
        let same = |other: Option<usize>| {
            other.is_some_and(|other| other < origins.len() && origins.value(other) == row)
        };
        let Some(reason) = reason else { continue };
        if same(i.checked_sub(1)) || same(Some(i + 1)) {
            return Err(format!(
                "row {row} is dropped, and there are other rows of it"
            ));
        }
        reply.dropped.push(Rejection {
            row,
            reason: reason.to_owned(),
        });
    }
    let kept = |values: &dyn Array| filter(values, &stays).map_err(|error| error.to_string());
    *origins = kept(origins)?.as_primitive::<UInt32Type>().clone();
    for Update { values, .. } in fields {
        let of_rows = kept(values)?;
        *values = of_rows;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::StringViewArray;
    use std::sync::Arc;

    fn reply(origins: Vec<u32>, reasons: Vec<Option<&str>>) -> Reply {
        let texts: Vec<String> = origins.iter().map(|row| format!("text {row}")).collect();
        let field = |path: &str, values: StringViewArray| Update {
            path: path.into(),
            rows: None,
            values: Arc::new(values),
            json: false,
        };
        let texts = StringViewArray::from_iter_values(texts);
        let reasons = StringViewArray::from(reasons);
        Reply {
            output: Output::Rows {
                origins: origins.into(),
                fields: vec![field("text", texts), field(DROPPED, reasons)],
            },
            rejected: Vec::new(),
            dropped: Vec::new(),
            beyond: 0,
        }
    }

    #[test]
    fn rows_with_a_reason_are_dropped() {
        let mut reply = reply(vec![0, 2, 4, 4], vec![None, Some("short"), None, None]);
        take_out(&mut reply).unwrap();
        let Output::Rows { origins, fields } = &reply.output else {
            panic!("still rows")
        };
        assert_eq!(origins.values(), &[0, 4, 4]);
        let texts = fields[0].values.as_string_view();
        assert_eq!((fields.len(), texts.value(1)), (1, "text 4"));
        assert_eq!(reply.dropped.len(), 1);
        assert_eq!(
            (reply.dropped[0].row, &*reply.dropped[0].reason),
            (2, "short")
        );
    }

    #[test]
    fn a_row_is_not_dropped_and_made_at_once() {
        for reasons in [
            vec![Some("a"), None],
            vec![None, Some("a")],
            vec![Some("a"); 2],
        ] {
            assert!(take_out(&mut reply(vec![3, 3], reasons)).is_err());
        }
    }
}
