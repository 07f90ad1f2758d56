//! Axes as operators name them: negative ones count from the end.

/// The axis of a shape with so many dimensions.
pub(super) fn axis(axis: i64, dimensions: usize) -> Result<usize, String> {
    let count = dimensions as i64;
    if (-count..count).contains(&axis) {
        Ok(if axis < 0 { axis + count } else { axis } as usize)
    } else {
        Err(format!(
            "there is no axis {axis} in a value of {dimensions} dimensions"
        ))
    }
}

/// Several axes, each once, as flags of all dimensions.
pub(super) fn axes(axes: &[i64], dimensions: usize) -> Result<Vec<bool>, String> {
    let mut flags = vec![false; dimensions];
    for wanted in axes {
        if std::mem::replace(&mut flags[axis(*wanted, dimensions)?], true) {
            return Err(format!("the axis {wanted} is named twice"));
        }
    }
    Ok(flags)
}

/// A number of the network as a size.
pub(super) fn size(value: i64) -> Result<usize, String> {
    usize::try_from(value).map_err(|_| format!("{value} is no size"))
}

/// The product of sizes that belong to one value, so that it does not overflow unless another one
/// is 0.
pub(super) fn product(sides: &[usize]) -> usize {
    sides.iter().fold(1, |all, side| all.saturating_mul(*side))
}

/// The sizes before, at and after an axis.
pub(super) fn around(shape: &[usize], axis: usize) -> (usize, usize, usize) {
    (
        product(&shape[..axis]),
        shape[axis],
        product(&shape[axis + 1..]),
    )
}
