//! From planes to pixels: scales up planes that were stored smaller, then computes the colours.

use super::{Component, Decoder};
use crate::pixels::Pixels;

/// How the planes represent colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Space {
    Grey,
    Rgb,
    YCbCr,
    Cmyk,
    Ycck,
}

fn space(decoder: &Decoder) -> Space {
    let ids: Vec<u8> = decoder.components.iter().map(|c| c.id).collect();
    match (ids.len(), decoder.adobe) {
        (1, _) => Space::Grey,
        (4, Some(2)) => Space::Ycck,
        (4, _) => Space::Cmyk,
        _ if decoder.has_jfif => Space::YCbCr,
        (_, Some(0)) => Space::Rgb,
        (_, None) if ids == *b"RGB" => Space::Rgb,
        _ => Space::YCbCr,
    }
}

pub(super) fn pixels(decoder: &Decoder) -> Result<Pixels, String> {
    let (width, height, space) = (decoder.width, decoder.height, space(decoder));
    let mut rgb = Vec::with_capacity(width * height * 3);
    let tables = Tables::new();
    let mut rows: Vec<Vec<u8>> = decoder.components.iter().map(|_| Vec::new()).collect();
    for y in 0..height {
        for (c, row) in decoder.components.iter().zip(&mut rows) {
            full_row(c, decoder.most_h, decoder.most_v, y, row)?;
        }
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| rows.get(i).map_or(&[][..], |row| &row[..width]));
        match space {
            Space::Grey => rgb.extend(a.iter().flat_map(|v| [*v; 3])),
            Space::Rgb => rgb.extend(a.iter().zip(b).zip(c).flat_map(|((r, g), b)| [*r, *g, *b])),
            Space::YCbCr => rgb.extend(
                a.iter()
                    .zip(b)
                    .zip(c)
                    .flat_map(|((y, cb), cr)| tables.rgb(*y, *cb, *cr)),
            ),
            Space::Cmyk | Space::Ycck => {
                for x in 0..width {
                    // Both are stored inverted, and the result of YCCK must be inverted once more.
                    let inks = match space {
                        Space::Cmyk => [255 - a[x], 255 - b[x], 255 - c[x]],
                        _ => tables.rgb(a[x], b[x], c[x]),
                    };
                    let light = u32::from(d[x]);
                    rgb.extend(inks.map(|ink| {
                        let product = u32::from(ink) * light + 128;
                        (light - (((product >> 8) + product) >> 8)) as u8
                    }));
                }
            }
        }
    }
    Ok(Pixels { width, height, rgb })
}

/// What to add to a brightness for a colour difference.
struct Tables {
    red: [i32; 256],
    green_of_red: [i32; 256],
    green_of_blue: [i32; 256],
    blue: [i32; 256],
}

impl Tables {
    fn new() -> Self {
        const HALF: i32 = 1 << 15;
        let fixed = |value: f64| (value * 65536.0 + 0.5) as i32;
        let table = |f: &dyn Fn(i32) -> i32| std::array::from_fn(|i| f(i as i32 - 128));
        Self {
            red: table(&|x| (fixed(1.402) * x + HALF) >> 16),
            green_of_red: table(&|x| -fixed(0.71414) * x),
            green_of_blue: table(&|x| -fixed(0.34414) * x + HALF),
            blue: table(&|x| (fixed(1.772) * x + HALF) >> 16),
        }
    }

    #[inline(always)]
    fn rgb(&self, y: u8, cb: u8, cr: u8) -> [u8; 3] {
        let (y, cb, cr) = (i32::from(y), usize::from(cb), usize::from(cr));
        let green = (self.green_of_blue[cb] + self.green_of_red[cr]) >> 16;
        [y + self.red[cr], y + green, y + self.blue[cb]].map(|v| v.clamp(0, 255) as u8)
    }
}

/// Row `y` of the image, from one plane, at least as long as the image is wide. Planes of half the
/// size are interpolated: a sample counts three quarters, its neighbour one.
fn full_row(
    c: &Component,
    most_h: usize,
    most_v: usize,
    y: usize,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    if !most_h.is_multiple_of(c.h) || !most_v.is_multiple_of(c.v) {
        return Err("it is a JPEG of a rare kind (planes of odd sizes)".into());
    }
    let (across, down) = (most_h / c.h, most_v / c.v);
    out.clear();
    let near = c.row(y / down);
    // The other row of the interpolation: above for the upper half of a sample, below for the
    // lower.
    let far = || {
        c.row(if y.is_multiple_of(2) {
            (y / 2).saturating_sub(1)
        } else {
            (y / 2 + 1).min(c.height - 1)
        })
    };
    match (across, down) {
        (1, 1) => out.extend_from_slice(near),
        (2, 1) if c.width > 2 => {
            let value = |x: usize| u32::from(near[x]);
            wider(
                c.width,
                value,
                |near, other, is_right| {
                    (near * 3 + other.unwrap_or(near) + 1 + u32::from(is_right)) >> 2
                },
                out,
            );
        }
        (1, 2) => {
            let bias = if y.is_multiple_of(2) { 1 } else { 2 };
            out.extend(
                near.iter().zip(far()).map(|(near, far)| {
                    ((u32::from(*near) * 3 + u32::from(*far) + bias) >> 2) as u8
                }),
            );
        }
        (2, 2) if c.width > 2 => {
            let far = far();
            let value = |x: usize| u32::from(near[x]) * 3 + u32::from(far[x]);
            wider(
                c.width,
                value,
                |near, other, is_right| {
                    (near * 3 + other.unwrap_or(near) + 8 - u32::from(is_right)) >> 4
                },
                out,
            );
        }
        _ => near
            .iter()
            .for_each(|v| out.extend(std::iter::repeat_n(*v, across))),
    }
    Ok(())
}

/// Makes two samples of each: `mix` gets a value and its neighbour on the side of the new sample,
/// if it has one there.
#[inline(always)]
fn wider(
    width: usize,
    value: impl Fn(usize) -> u32,
    mix: impl Fn(u32, Option<u32>, bool) -> u32,
    out: &mut Vec<u8>,
) {
    let mut last = None;
    let mut this = value(0);
    for x in 0..width {
        let next = (x + 1 < width).then(|| value(x + 1));
        out.push(mix(this, last, false) as u8);
        out.push(mix(this, next, true) as u8);
        last = Some(this);
        this = next.unwrap_or_default();
    }
}
