//! Unpacks a WARC file that is packed as a whole.

use super::head::MAX_HEAD;
use super::unit::Limit;
use super::window::Window;
use super::zstd_unit::Frames;
use crate::data::input::file::{Compression, InputFile};
use crate::data::input::handle::FileAt;
use crate::data::input::packing::open_unpacked;
use anyhow::{Context, Result};
use std::io::{Read, Write};

/// The type of the record that stands for what could not be unpacked.
pub(super) const DAMAGE: &str = "djhost-damage";

/// Writes the records of `input` to `out`. Where its data are damaged, the rest of it is one record,
/// which goes to quarantine.
pub(crate) fn copy(input: &InputFile, zstd_window: u64, out: &mut impl Write) -> Result<()> {
    let mut file =
        Window::open(input).with_context(|| format!("cannot read `{}`", input.path.display()))?;
    let has_dictionary = input.compression == Compression::Zstd
        && FileAt::from(input).gives_parts()
        && file.at(0, 4)?.starts_with(&[0x5d, 0x2a]);
    let (done, fault) = if has_dictionary {
        copy_frames(&mut file, zstd_window, out)?
    } else {
        let mut from = open_unpacked(input, input.compression, zstd_window)?;
        let (mut piece, mut done) = (vec![0; MAX_HEAD], 0u64);
        loop {
            match from.read(&mut piece) {
                Ok(0) => break (done, None),
                Ok(got) => {
                    out.write_all(&piece[..got])?;
                    done += got as u64;
                }
                // Not damage: the user can allow larger windows.
                Err(error) if error.kind() == std::io::ErrorKind::Unsupported => {
                    return Err(anyhow::anyhow!("{error}"));
                }
                Err(error) => break (done, Some(error.to_string())),
            }
        }
    };
    if let Some(fault) = fault {
        let fault = fault.replace(['\r', '\n'], " ");
        write!(
            out,
            "\r\n\r\nWARC/1.1\r\nWARC-Type: {DAMAGE}\r\nContent-Length: 0\r\nReason: the packed data are cut or damaged \
             ({fault}), after {done} unpacked bytes: the records behind this place are lost\r\n\r\n\r\n\r\n"
        )?;
    }
    Ok(())
}

/// Copies all frames, which need the dictionary that the file begins with.
fn copy_frames(
    file: &mut Window,
    zstd_window: u64,
    out: &mut impl Write,
) -> Result<(u64, Option<String>)> {
    let mut frames = Frames::new(file, zstd_window)?;
    let (mut at, mut done, mut bytes) = (0, 0, Vec::new());
    while at < file.size {
        let Some(unit) = frames.unpack(file, at, Limit::of_records(1 << 30), bytes)? else {
            return Ok((done, Some("this is no zstd frame".to_owned())));
        };
        out.write_all(&unit.bytes)?;
        done += unit.bytes.len() as u64;
        if unit.more_than.is_some() {
            let fault = "a frame has more than 1 GB unpacked".to_owned();
            return Ok((done, Some(fault)));
        }
        match (unit.fault, unit.end) {
            (None, Some(end)) => at = end,
            (fault, _) => return Ok((done, fault)),
        }
        bytes = unit.bytes;
    }
    Ok((done, None))
}
