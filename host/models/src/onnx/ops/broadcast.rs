//! Values of different shapes side by side: dimensions of size 1 are repeated.

use crate::onnx::room::Room;
use crate::onnx::value::strides;

/// The shape to which all of these are repeated.
pub(super) fn shape_of(shapes: &[&[usize]]) -> Result<Vec<usize>, String> {
    let dimensions = shapes.iter().map(|shape| shape.len()).max().unwrap_or(0);
    let mut result = vec![1; dimensions];
    for shape in shapes {
        for (side, other) in result[dimensions - shape.len()..].iter_mut().zip(*shape) {
            *side = match (*side, *other) {
                (side, 1) => side,
                (1, other) => other,
                (side, other) if side == other => side,
                _ => return Err(format!("shapes that do not fit each other: {shapes:?}")),
            };
        }
    }
    Ok(result)
}

/// Strides that walk through a value of `shape` as if it had the shape `target`.
pub(super) fn repeating(shape: &[usize], target: &[usize]) -> Vec<usize> {
    let own = strides(shape);
    let mut all = vec![0; target.len()];
    let lacking = target.len() - shape.len();
    for (at, side) in shape.iter().enumerate() {
        if *side != 1 {
            all[lacking + at] = own[at];
        }
    }
    all
}

/// A walk through two values: dimensions in which both go on evenly are one.
struct Walk {
    sides: Vec<usize>,
    first: Vec<usize>,
    second: Vec<usize>,
}

impl Walk {
    fn new(target: &[usize], first: &[usize], second: &[usize]) -> Self {
        let mut walk = Self {
            sides: Vec::new(),
            first: Vec::new(),
            second: Vec::new(),
        };
        for at in (0..target.len()).filter(|at| target[*at] != 1) {
            let (side, one, two) = (target[at], first[at], second[at]);
            match walk.sides.last_mut() {
                Some(last)
                    if walk.first.last() == Some(&(one * side))
                        && walk.second.last() == Some(&(two * side)) =>
                {
                    *last *= side;
                    let end = walk.first.len() - 1;
                    (walk.first[end], walk.second[end]) = (one, two);
                }
                _ => {
                    walk.sides.push(side);
                    walk.first.push(one);
                    walk.second.push(two);
                }
            }
        }
        walk
    }
}

/// The results of a function of two values of any shapes that fit each other.
pub(super) fn both<A: Copy, B: Copy, R>(
    (a, a_shape): (&[A], &[usize]),
    (b, b_shape): (&[B], &[usize]),
    room: Room,
    f: impl Fn(A, B) -> R,
) -> Result<(Vec<usize>, Vec<R>), String> {
    let shape = shape_of(&[a_shape, b_shape])?;
    let count = room.of(&shape, size_of::<R>())?;
    let mut results = Vec::with_capacity(count);
    if count == 0 {
        return Ok((shape, results));
    }
    let walk = Walk::new(
        &shape,
        &repeating(a_shape, &shape),
        &repeating(b_shape, &shape),
    );
    let Some((&inner, outer)) = walk.sides.split_last() else {
        results.push(f(a[0], b[0]));
        return Ok((shape, results));
    };
    let (a_step, b_step) = (walk.first[outer.len()], walk.second[outer.len()]);
    let mut place = vec![0; outer.len()];
    let (mut at, mut bt) = (0, 0);
    loop {
        match (a_step, b_step) {
            (1, 1) => results.extend(
                a[at..at + inner]
                    .iter()
                    .zip(&b[bt..bt + inner])
                    .map(|(a, b)| f(*a, *b)),
            ),
            (1, 0) => {
                let b = b[bt];
                results.extend(a[at..at + inner].iter().map(|a| f(*a, b)));
            }
            (0, 1) => {
                let a = a[at];
                results.extend(b[bt..bt + inner].iter().map(|b| f(a, *b)));
            }
            _ => results.extend((0..inner).map(|i| f(a[at + i * a_step], b[bt + i * b_step]))),
        }
        // The next place of the outer dimensions, as an odometer shows it.
        let mut turned = outer.len();
        loop {
            if turned == 0 {
                return Ok((shape, results));
            }
            turned -= 1;
            place[turned] += 1;
            at += walk.first[turned];
            bt += walk.second[turned];
            if place[turned] < outer[turned] {
                break;
            }
            place[turned] = 0;
            at -= walk.first[turned] * outer[turned];
            bt -= walk.second[turned] * outer[turned];
        }
    }
}

/// A copy of values in another order: the value at a place is at `start` and the sum of `steps`,
/// which may be negative, times the place. All of these places must exist.
pub(super) fn walked<T: Copy>(
    values: &[T],
    shape: &[usize],
    steps: &[isize],
    start: usize,
) -> Vec<T> {
    let count: usize = shape.iter().product();
    let mut results = Vec::with_capacity(count);
    if count == 0 {
        return results;
    }
    let Some((&inner, outer)) = shape.split_last() else {
        results.push(values[start]);
        return results;
    };
    let step = steps[outer.len()];
    let mut place = vec![0; outer.len()];
    let mut at = start as isize;
    loop {
        let from = at as usize;
        match step {
            1 => results.extend_from_slice(&values[from..from + inner]),
            0 => results.extend(std::iter::repeat_n(values[from], inner)),
            _ => results.extend((0..inner as isize).map(|i| values[(at + i * step) as usize])),
        }
        let mut turned = outer.len();
        loop {
            if turned == 0 {
                return results;
            }
            turned -= 1;
            place[turned] += 1;
            at += steps[turned];
            if place[turned] < outer[turned] {
                break;
            }
            place[turned] = 0;
            at -= steps[turned] * outer[turned] as isize;
        }
    }
}
