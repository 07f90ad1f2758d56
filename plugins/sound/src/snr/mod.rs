//! The ratio of signal to noise of audio, by a factorisation of its spectrum.

mod decode;
mod factors;
mod random;
mod spectrum;

use djhost_media_files::{MOST_BYTES, Media};
use spectrum::{Analysis, BINS};

/// The ratio in decibels: of the first of two parts of the spectrum to the second. If there is no
/// noise at all, as in silence, the greatest number.
///
/// # Errors
/// When the file cannot be decoded, or is too short or too long.
pub(crate) fn ratio(file: &Media<'_>, steps: u32) -> Result<f64, String> {
    let mut analysis = Analysis::new(MOST_BYTES / (4 * BINS));
    decode::decode(file, |samples| analysis.add(samples))?;
    let spectrum = analysis.finish()?;
    let factors = factors::factorise(&spectrum, steps);
    drop(spectrum);
    let power = |part: usize| {
        let power = spectrum::power(&factors.magnitudes[part], &factors.weights[part]);
        power.ok_or_else(|| {
            "it has less than 512 samples: too few to tell signal from noise".to_owned()
        })
    };
    let (signal, noise) = (power(0)?, power(1)?);
    // In single precision, as the samples are.
    let (signal, noise) = (f64::from(signal as f32), f64::from(noise as f32));
    let ratio = match noise {
        0.0 => f64::MAX,
        // No signal is the least number.
        noise => (10.0 * (signal / noise).log10()).max(f64::MIN),
    };
    Ok(ratio)
}
