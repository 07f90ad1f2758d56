//! Decodes the coefficients of a scan.

use super::bits::{Bits, Codes};
use super::{DAMAGED, Decoder, MOST_SCANS, NATURAL, transform};

/// What a scan contains, from its header.
#[derive(Debug, Clone, Copy, Default)]
struct Pass {
    /// The first and the last coefficient.
    first: usize,
    last: usize,
    /// Whether it adds a bit to the results of earlier scans.
    refines: bool,
    /// Position of the lowest bit.
    low: u32,
}

/// A component in a scan.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    component: usize,
    dc: usize,
    ac: usize,
    last_dc: i32,
}

impl Decoder {
    /// Decodes the scan whose data begin at `at`; returns their end.
    pub(super) fn scan(&mut self, header: &[u8], data: &[u8], at: usize) -> Result<usize, String> {
        let count = usize::from(*header.first().ok_or(DAMAGED)?);
        if header.len() < 4 + 2 * count || !(1..=4).contains(&count) {
            return Err(DAMAGED.into());
        }
        let mut parts = Vec::with_capacity(count);
        for part in header[1..].chunks_exact(2).take(count) {
            let component = self
                .components
                .iter()
                .position(|c| c.id == part[0])
                .ok_or(DAMAGED)?;
            parts.push(Part {
                component,
                dc: usize::from(part[1] >> 4) & 3,
                ac: usize::from(part[1] & 3),
                last_dc: 0,
            });
        }
        let [first, last, approximation] = [0, 1, 2].map(|i| header[1 + 2 * count + i]);
        let pass = match self.is_progressive {
            true => Pass {
                first: first.into(),
                last: last.into(),
                refines: approximation >> 4 != 0,
                low: u32::from(approximation & 15).min(13),
            },
            false => Pass {
                last: 63,
                ..Pass::default()
            },
        };
        let is_sound = pass.last < 64 && pass.first <= pass.last && (pass.first == 0 || count == 1);
        self.scans += if self.is_progressive { 1 } else { count };
        if !is_sound || self.scans > MOST_SCANS {
            return Err(DAMAGED.into());
        }
        let mut bits = Bits::new(data, at);
        self.units(&mut bits, &mut parts, pass)?;
        Ok(bits.end())
    }

    fn units(&mut self, bits: &mut Bits<'_>, parts: &mut [Part], pass: Pass) -> Result<(), String> {
        let is_single = parts.len() == 1;
        let (across, down) = match is_single {
            // A scan of one component has no blocks that only fill units.
            true => {
                let c = &self.components[parts[0].component];
                (c.width.div_ceil(8), c.height.div_ceil(8))
            }
            false => (
                self.width.div_ceil(8 * self.most_h),
                self.height.div_ceil(8 * self.most_v),
            ),
        };
        let (mut until_restart, mut zeros) = (self.restart_interval, 0);
        for unit in 0..across * down {
            if self.restart_interval > 0 {
                if until_restart == 0 {
                    bits.restart();
                    (until_restart, zeros) = (self.restart_interval, 0);
                    parts.iter_mut().for_each(|part| part.last_dc = 0);
                }
                until_restart -= 1;
            }
            let (x, y) = (unit % across, unit / across);
            for part in parts.iter_mut() {
                let c = &self.components[part.component];
                let (h, v) = if is_single { (1, 1) } else { (c.h, c.v) };
                for i in 0..h * v {
                    self.block(bits, part, pass, (x * h + i % h, y * v + i / h), &mut zeros)?;
                }
            }
        }
        Ok(())
    }

    fn block(
        &mut self,
        bits: &mut Bits<'_>,
        part: &mut Part,
        pass: Pass,
        (x, y): (usize, usize),
        zeros: &mut u32,
    ) -> Result<(), String> {
        let c = &mut self.components[part.component];
        let (dc, ac) = (&self.dc[part.dc], &self.ac[part.ac]);
        if !self.is_progressive {
            let mut block = [0; 64];
            sequential(bits, dc, ac, &mut part.last_dc, &mut block)?;
            let stride = c.stride();
            transform::inverse(
                &block,
                &self.quantization[c.table],
                &mut c.plane[y * 8 * stride + x * 8..],
                stride,
            );
            return Ok(());
        }
        let block = &mut c.coefficients[(y * c.across + x) * 64..][..64];
        match (pass.first, pass.refines) {
            (0, false) => {
                part.last_dc = part.last_dc.wrapping_add(
                    bits.symbol(dc)
                        .and_then(|n| bits.number(u32::from(n).min(16)))?,
                );
                block[0] = (part.last_dc << pass.low) as i16;
                Ok(())
            }
            (0, true) => {
                block[0] |= (bits.take(1)? << pass.low) as i16;
                Ok(())
            }
            (_, false) => first_pass(bits, ac, pass, block, zeros),
            (_, true) => refine(bits, ac, pass, block, zeros),
        }
    }
}

fn sequential(
    bits: &mut Bits<'_>,
    dc: &Codes,
    ac: &Codes,
    last_dc: &mut i32,
    block: &mut [i16; 64],
) -> Result<(), String> {
    let n = u32::from(bits.symbol(dc)?).min(16);
    *last_dc = last_dc.wrapping_add(bits.number(n)?);
    block[0] = *last_dc as i16;
    let mut k = 1;
    while k < 64 {
        let symbol = bits.symbol(ac)?;
        let (run, n) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        if n == 0 {
            if run != 15 {
                break;
            }
            k += 16;
            continue;
        }
        k += run;
        let value = bits.number(n)?;
        if let Some(place) = NATURAL.get(k) {
            block[usize::from(*place)] = value as i16;
        }
        k += 1;
    }
    Ok(())
}

fn first_pass(
    bits: &mut Bits<'_>,
    ac: &Codes,
    pass: Pass,
    block: &mut [i16],
    zeros: &mut u32,
) -> Result<(), String> {
    if *zeros > 0 {
        *zeros -= 1;
        return Ok(());
    }
    let mut k = pass.first;
    while k <= pass.last {
        let symbol = bits.symbol(ac)?;
        let (run, n) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        match (run, n) {
            (15, 0) => k += 16,
            (run, 0) => {
                *zeros = (1 << run) + bits.take(run)? - 1;
                break;
            }
            _ => {
                k += run as usize;
                let value = bits.number(n)? << pass.low;
                if let Some(place) = NATURAL.get(k) {
                    block[usize::from(*place)] = value as i16;
                }
                k += 1;
            }
        }
    }
    Ok(())
}

/// Adds a bit to a nonzero coefficient.
fn add_bit(bits: &mut Bits<'_>, coefficient: &mut i16, low: u32) -> Result<(), String> {
    let bit = 1i16 << low;
    if bits.take(1)? == 1 && *coefficient & bit == 0 {
        *coefficient = coefficient.wrapping_add(if *coefficient >= 0 { bit } else { -bit });
    }
    Ok(())
}

fn refine(
    bits: &mut Bits<'_>,
    ac: &Codes,
    pass: Pass,
    block: &mut [i16],
    zeros: &mut u32,
) -> Result<(), String> {
    let mut k = pass.first;
    while *zeros == 0 && k <= pass.last {
        let symbol = bits.symbol(ac)?;
        let (mut run, n) = (u32::from(symbol >> 4), symbol & 15);
        let mut value = 0;
        if n != 0 {
            value = if bits.take(1)? == 1 {
                1i16 << pass.low
            } else {
                -(1i16 << pass.low)
            };
        } else if run != 15 {
            *zeros = (1 << run) + bits.take(run)?;
            break;
        }
        // Skips `run` zeros; nonzero coefficients on the way get a bit.
        while k <= pass.last {
            let coefficient = &mut block[usize::from(NATURAL[k])];
            if *coefficient != 0 {
                add_bit(bits, coefficient, pass.low)?;
            } else if run == 0 {
                break;
            } else {
                run -= 1;
            }
            k += 1;
        }
        if value != 0 && k <= pass.last {
            block[usize::from(NATURAL[k])] = value;
        }
        k += 1;
    }
    if *zeros > 0 {
        for place in NATURAL.get(k..=pass.last).unwrap_or_default() {
            let coefficient = &mut block[usize::from(*place)];
            if *coefficient != 0 {
                add_bit(bits, coefficient, pass.low)?;
            }
        }
        *zeros -= 1;
    }
    Ok(())
}
