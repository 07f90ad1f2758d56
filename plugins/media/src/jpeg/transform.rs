//! The inverse discrete cosine transform in integers: the algorithm of Loeffler, Ligtenberg and
//! Moschytz with 11 multiplications (ICASSP 1989), constants of 13 bits, and 2 more bits kept
//! between the two passes, as in libjpeg's slow and exact method.

const BITS: u32 = 13;
const KEPT: u32 = 2;

const fn fixed(value: f64) -> i32 {
    (value * (1 << BITS) as f64 + 0.5) as i32
}

const C0_298: i32 = fixed(0.298631336);
const C0_390: i32 = fixed(0.390180644);
const C0_541: i32 = fixed(0.541196100);
const C0_765: i32 = fixed(0.765366865);
const C0_899: i32 = fixed(0.899976223);
const C1_175: i32 = fixed(1.175875602);
const C1_501: i32 = fixed(1.501321110);
const C1_847: i32 = fixed(1.847759065);
const C1_961: i32 = fixed(1.961570560);
const C2_053: i32 = fixed(2.053119869);
const C2_562: i32 = fixed(2.562915447);
const C3_072: i32 = fixed(3.072711026);

/// One line of eight, not yet scaled down.
#[inline(always)]
fn line(v: [i32; 8]) -> [i32; 8] {
    let times = i32::wrapping_mul;
    // Even part.
    let z1 = times(v[2].wrapping_add(v[6]), C0_541);
    let (t2, t3) = (
        z1.wrapping_sub(times(v[6], C1_847)),
        z1.wrapping_add(times(v[2], C0_765)),
    );
    let (t0, t1) = (
        v[0].wrapping_add(v[4]) << BITS,
        v[0].wrapping_sub(v[4]) << BITS,
    );
    let even = [
        t0.wrapping_add(t3),
        t1.wrapping_add(t2),
        t1.wrapping_sub(t2),
        t0.wrapping_sub(t3),
    ];
    // Odd part.
    let [t0, t1, t2, t3] = [v[7], v[5], v[3], v[1]];
    let (z1, z2, z3, z4) = (
        t0.wrapping_add(t3),
        t1.wrapping_add(t2),
        t0.wrapping_add(t2),
        t1.wrapping_add(t3),
    );
    let z5 = times(z3.wrapping_add(z4), C1_175);
    let (z1, z2) = (times(z1, -C0_899), times(z2, -C2_562));
    let (z3, z4) = (
        z5.wrapping_sub(times(z3, C1_961)),
        z5.wrapping_sub(times(z4, C0_390)),
    );
    let odd = [
        times(t3, C1_501).wrapping_add(z1).wrapping_add(z4),
        times(t2, C3_072).wrapping_add(z2).wrapping_add(z3),
        times(t1, C2_053).wrapping_add(z2).wrapping_add(z4),
        times(t0, C0_298).wrapping_add(z1).wrapping_add(z3),
    ];
    std::array::from_fn(|i| {
        if i < 4 {
            even[i].wrapping_add(odd[i])
        } else {
            even[7 - i].wrapping_sub(odd[7 - i])
        }
    })
}

#[inline(always)]
fn scaled(value: i32, bits: u32) -> i32 {
    value.wrapping_add(1 << (bits - 1)) >> bits
}

/// Writes the samples of a block to the start of `out`, a plane with rows of `stride`.
pub(super) fn inverse(block: &[i16], table: &[u16; 64], out: &mut [u8], stride: usize) {
    let mut between = [0i32; 64];
    let value = |i: usize| i32::from(block[i]).wrapping_mul(table[i].into());
    for x in 0..8 {
        if (1..8).all(|y| block[y * 8 + x] == 0) {
            let flat = value(x) << KEPT;
            (0..8).for_each(|y| between[y * 8 + x] = flat);
            continue;
        }
        let column = line(std::array::from_fn(|y| value(y * 8 + x)));
        (0..8).for_each(|y| between[y * 8 + x] = scaled(column[y], BITS - KEPT));
    }
    for (y, row) in between.as_chunks::<8>().0.iter().enumerate() {
        let samples = line(*row).map(|v| (scaled(v, BITS + KEPT + 3) + 128).clamp(0, 255) as u8);
        out[y * stride..][..8].copy_from_slice(&samples);
    }
}
