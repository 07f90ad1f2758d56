//! The magnitudes of a short-time Fourier transform, and the power of what a transform back makes of
//! one that is a product: both as librosa does, with a Hann window of 2048 samples every 512, zeros
//! beyond the ends, and the first frame around the first sample.

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::sync::Arc;

const WINDOW: usize = 2048;
const HOP: usize = 512;
/// Frequencies of a frame.
pub(super) const BINS: usize = WINDOW / 2 + 1;
/// Frames that are stored together, so that memory grows without being copied.
const BLOCK: usize = 64;

/// Magnitudes by frame and frequency.
#[derive(Default)]
pub(super) struct Spectrum {
    /// [`BLOCK`] frames each, the last one fewer.
    blocks: Vec<Vec<f32>>,
    frames: usize,
}

impl Spectrum {
    pub(super) fn frames(&self) -> usize {
        self.frames
    }

    /// The frames in their order, in blocks of some.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &[f32]> {
        self.blocks.iter().map(Vec::as_slice)
    }

    fn push(&mut self, magnitudes: impl Iterator<Item = f32>) {
        if self.frames.is_multiple_of(BLOCK) {
            self.blocks.push(Vec::with_capacity(BLOCK * BINS));
        }
        if let Some(last) = self.blocks.last_mut() {
            last.extend(magnitudes);
        }
        self.frames += 1;
    }

    #[cfg(test)]
    pub(super) fn of(frames: &[[f32; BINS]]) -> Self {
        let mut spectrum = Self::default();
        for frame in frames {
            spectrum.push(frame.iter().copied());
        }
        spectrum
    }
}

/// Hann's window, of which one more sample would be 0 again.
fn hann() -> Vec<f64> {
    let turn = |i: usize| 2.0 * std::f64::consts::PI * i as f64 / WINDOW as f64;
    (0..WINDOW).map(|i| 0.5 - 0.5 * turn(i).cos()).collect()
}

/// Makes a spectrum of samples that come piece by piece.
pub(super) struct Analysis {
    forward: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    /// The samples from the start of the next frame on.
    pending: Vec<f32>,
    /// All samples so far.
    samples: usize,
    /// One frame, windowed, its transform, and room for that.
    frame: Vec<f32>,
    transformed: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    spectrum: Spectrum,
    most_frames: usize,
}

impl Analysis {
    /// `most_frames` is the most that the spectrum may have.
    pub(super) fn new(most_frames: usize) -> Self {
        let forward = RealFftPlanner::<f32>::new().plan_fft_forward(WINDOW);
        Self {
            window: hann().into_iter().map(|x| x as f32).collect(),
            // Zeros before the first sample.
            pending: vec![0.0; WINDOW / 2],
            samples: 0,
            frame: forward.make_input_vec(),
            transformed: forward.make_output_vec(),
            scratch: forward.make_scratch_vec(),
            forward,
            spectrum: Spectrum::default(),
            most_frames,
        }
    }

    /// Adds samples.
    ///
    /// # Errors
    /// When a sample is no number, or there are too many.
    pub(super) fn add(&mut self, samples: &[f32]) -> Result<(), String> {
        if !samples.iter().all(|x| x.is_finite()) {
            return Err("it has a sample that is no finite number".into());
        }
        self.samples += samples.len();
        self.pending.extend_from_slice(samples);
        self.transform()
    }

    /// The spectrum of all samples.
    ///
    /// # Errors
    /// When there are too many.
    pub(super) fn finish(mut self) -> Result<Spectrum, String> {
        self.pending.resize(self.pending.len() + WINDOW / 2, 0.0);
        self.transform()?;
        Ok(self.spectrum)
    }

    /// Transforms all frames of which the samples are there.
    fn transform(&mut self) -> Result<(), String> {
        let mut start = 0;
        while start + WINDOW <= self.pending.len() {
            if self.spectrum.frames == self.most_frames {
                return Err(format!(
                    "it has more than {} samples, for which memory would not suffice",
                    self.most_frames * HOP
                ));
            }
            let samples = self.pending[start..start + WINDOW].iter();
            for ((to, x), w) in self.frame.iter_mut().zip(samples).zip(&self.window) {
                *to = x * w;
            }
            self.forward
                .process_with_scratch(&mut self.frame, &mut self.transformed, &mut self.scratch)
                .map_err(|error| error.to_string())?;
            let magnitudes = self.transformed.iter().map(|c| c.re.hypot(c.im));
            self.spectrum.push(magnitudes);
            start += HOP;
        }
        self.pending.drain(..start);
        Ok(())
    }
}

/// One frame of the wave of a spectrum whose phases are 0, windowed. A sum over all frequencies, as it is
/// needed twice for a file.
fn wave(magnitudes: &[f32], window: &[f64]) -> Vec<f64> {
    let turn = |i: usize| 2.0 * std::f64::consts::PI * i as f64 / WINDOW as f64;
    let cosines: Vec<f64> = (0..WINDOW).map(|i| turn(i).cos()).collect();
    let sample = |(at, window): (usize, &f64)| {
        // All but the first and the last frequency stand for two.
        let both = magnitudes.iter().enumerate().map(|(k, magnitude)| {
            let share = if k == 0 || k == BINS - 1 { 1.0 } else { 2.0 };
            share * f64::from(*magnitude) * cosines[k * at % WINDOW]
        });
        both.sum::<f64>() / WINDOW as f64 * window
    };
    window.iter().enumerate().map(sample).collect()
}

/// The mean square of the samples that belong to the spectrum whose magnitude is, in each frame, that
/// frame's `weights` times `magnitudes`, and whose phases are 0: each frame's wave is the same but for
/// the weight. None without samples, that is with less than two frames.
pub(super) fn power(magnitudes: &[f32], weights: &[f32]) -> Option<f64> {
    let window = hann();
    let wave = wave(magnitudes, &window);
    let samples = weights.len().saturating_sub(1) * HOP;
    let mut sum = 0.0;
    for at in WINDOW / 2..WINDOW / 2 + samples {
        // The frames that reach here: `at` lies within WINDOW samples after their starts.
        let first = (at + 1).saturating_sub(WINDOW).div_ceil(HOP);
        let last = (at / HOP).min(weights.len() - 1);
        let (mut value, mut squares) = (0.0, 0.0);
        for (frame, weight) in (first..=last).zip(&weights[first..=last]) {
            let place = at - frame * HOP;
            value += f64::from(*weight) * wave[place];
            squares += window[place] * window[place];
        }
        if squares > f64::from(f32::MIN_POSITIVE) {
            value /= squares;
        }
        sum += value * value;
    }
    (samples > 0).then(|| sum / samples as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_has_its_power_at_its_frequency() {
        let mut analysis = Analysis::new(100);
        let tone: Vec<f32> = (0..8192)
            .map(|i| (f64::from(i) * 64.0 * std::f64::consts::TAU / WINDOW as f64).cos() as f32)
            .collect();
        // However it is cut into pieces.
        for piece in tone.chunks(777) {
            analysis.add(piece).unwrap();
        }
        let spectrum = analysis.finish().unwrap();
        assert_eq!(spectrum.frames(), 17);
        let frames: Vec<f32> = spectrum.blocks().flatten().copied().collect();
        let middle = &frames[8 * BINS..9 * BINS];
        assert!(
            (middle[64] - WINDOW as f32 / 4.0).abs() < 0.01,
            "{}",
            middle[64]
        );
        assert!(middle[70] < 0.01 && middle[0] < 0.01);
    }

    #[test]
    fn a_wave_comes_back_from_its_spectrum() {
        // A cosine of amplitude 1 whose phase is 0 at the start of each frame.
        let mut magnitudes = [0.0f32; BINS];
        magnitudes[64] = WINDOW as f32 / 4.0;
        let power_of = |weights: &[f32]| power(&magnitudes, weights);
        // The window is applied once here, and divided out twice.
        let found = power_of(&[1.0; 40]).unwrap();
        assert!(found > 0.1 && found < 0.5, "{found}");
        assert_eq!(power_of(&[1.0]), None);
        assert_eq!(power_of(&[0.0; 5]), Some(0.0));
        let twice = power_of(&[2.0; 40]).unwrap();
        assert!((twice - 4.0 * found).abs() < 1e-9);
    }

    #[test]
    fn too_much_is_refused() {
        let mut analysis = Analysis::new(2);
        let error = analysis.add(&[0.0; 4000]).unwrap_err();
        assert!(error.contains("1024 samples"), "{error}");
        assert!(Analysis::new(9).add(&[f32::NAN]).is_err());
    }
}
