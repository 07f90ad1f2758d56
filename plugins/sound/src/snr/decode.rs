//! Decodes audio to one channel.

use djhost_media_files::Media;
use std::fs::File;
use std::io::Cursor;
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;

/// Packets without a sample that may follow each other; a file with more is hostile.
const MOST_EMPTY: u32 = 100_000;

/// Hands the samples of the first audio track to `each`, from -1 to 1, piece by piece; several channels
/// become their mean, and the sample rate stays.
///
/// # Errors
/// When the file cannot be read or decoded, has no audio in it, or `each` refuses a piece.
pub(super) fn decode(
    file: &Media<'_>,
    mut each: impl FnMut(&[f32]) -> Result<(), String>,
) -> Result<(), String> {
    let source: Box<dyn MediaSource> = match (file.bytes(), file.path()) {
        (None, Some(path)) => {
            file.size()?;
            Box::new(File::open(path).map_err(|error| format!("it cannot be opened: {error}"))?)
        }
        (bytes, _) => Box::new(Cursor::new(bytes.unwrap_or_default().to_vec())),
    };
    let stream = MediaSourceStream::new(source, Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(
            &Hint::new(),
            stream,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(unknown)?;
    let track = format
        .default_track(TrackType::Audio)
        .ok_or("it has no audio in it")?;
    let id = track.id;
    let params = track
        .codec_params
        .as_ref()
        .and_then(|params| params.audio());
    let params = params.ok_or("it does not say how its audio is encoded")?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(params, &AudioDecoderOptions::default())
        .map_err(unknown)?;
    let (mut several, mut mono): (Vec<f32>, Vec<f32>) = Default::default();
    let (mut decoded, mut empty) = (false, 0);
    while let Some(packet) = format.next_packet().map_err(damaged)? {
        empty += 1;
        if empty > MOST_EMPTY {
            return Err("its packets have no sound in them".into());
        }
        if packet.track_id != id {
            continue;
        }
        let audio = decoder.decode(&packet).map_err(damaged)?;
        let channels = audio.spec().channels().count();
        if channels == 0 || audio.frames() == 0 {
            continue;
        }
        several.clear();
        audio.copy_to_vec_interleaved(&mut several);
        mono.clear();
        mono.extend(several.chunks_exact(channels).map(mean));
        each(&mono)?;
        (decoded, empty) = (true, 0);
    }
    match decoded {
        true => Ok(()),
        false => Err("it has no sound in it".into()),
    }
}

fn mean(channels: &[f32]) -> f32 {
    channels.iter().sum::<f32>() / channels.len() as f32
}

fn unknown(error: Error) -> String {
    format!(
        "it cannot be decoded ({error}): WAV, AIFF, FLAC, MP3, AAC, ALAC, Ogg with Vorbis, and MP4 and Matroska with these can"
    )
}

fn damaged(error: Error) -> String {
    format!("its audio is damaged: {error}")
}
