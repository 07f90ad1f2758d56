//! Images as the networks take them, by the file `preprocessor_config.json` of transformers: as its
//! processors for CLIP and BLIP make them with PIL.

use super::Score;
use crate::pixels::{Pixels, afford};
use crate::resample::{Filter, resized};
use serde_json::Value;

/// The mean and the deviation of the three colours that both kinds of networks were trained with.
const MEAN: [f64; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const DEVIATION: [f64; 3] = [0.268_629_54, 0.261_302_58, 0.275_777_11];
/// Longest side of what a network is given.
const LONGEST: u64 = 4096;

/// An image for a network: by colour, row and column.
pub(super) struct Image {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) values: Vec<f32>,
}

/// How images are prepared.
#[derive(Debug, PartialEq)]
pub(super) struct Processor {
    resize: Option<(Size, Filter)>,
    crop: Option<(usize, usize)>,
    rescale: Option<f64>,
    normalize: Option<([f32; 3], [f32; 3])>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    Exactly { width: usize, height: usize },
    ShortestEdge(usize),
}

impl Processor {
    /// Reads the configuration; what it does not say is as by default for the kind of network.
    ///
    /// # Errors
    /// When it asks for something else than transformers' processors for CLIP and BLIP do.
    pub(super) fn new(config: &Value, score: Score) -> Result<Self, String> {
        let flag = |name: &str, default: bool| match &config[name] {
            Value::Null => Ok(default),
            Value::Bool(flag) => Ok(*flag),
            other => Err(format!("`{name}` is {other}, not true or false")),
        };
        let is_clip = score == Score::Similarity;
        let default = if is_clip { 224 } else { 384 };
        let size = match &config["size"] {
            Value::Null if is_clip => Size::ShortestEdge(default),
            Value::Null => Size::Exactly {
                width: default,
                height: default,
            },
            Value::Object(size) if size.contains_key("shortest_edge") => {
                Size::ShortestEdge(side(&size["shortest_edge"], "size")?)
            }
            Value::Number(edge) if is_clip => {
                Size::ShortestEdge(side(&Value::Number(edge.clone()), "size")?)
            }
            other => {
                let (width, height) = sides(other, "size")?;
                Size::Exactly { width, height }
            }
        };
        let filter = match config["resample"].as_u64() {
            None | Some(3) => Filter::Bicubic,
            Some(2) => Filter::Bilinear,
            Some(1) => Filter::Lanczos,
            Some(other) => {
                return Err(format!(
                    "`resample` is {other}: known are 1 (Lanczos), 2 (bilinear) and 3 (bicubic)"
                ));
            }
        };
        let crop = match &config["crop_size"] {
            Value::Null => (default, default),
            size => sides(size, "crop_size")?,
        };
        let colours = |name: &str, default: [f64; 3]| -> Result<[f32; 3], String> {
            let values = match &config[name] {
                Value::Null => default.to_vec(),
                value => serde_json::from_value::<Vec<f64>>(value.clone()).unwrap_or_default(),
            };
            let three: Result<[f64; 3], _> = values.try_into();
            let three = three.map_err(|_| format!("`{name}` does not have three numbers"))?;
            Ok(three.map(|x| x as f32))
        };
        let deviation = colours("image_std", DEVIATION)?;
        if deviation.contains(&0.0) {
            return Err("`image_std` has a 0".into());
        }
        let rescale = config["rescale_factor"].as_f64().unwrap_or(1.0 / 255.0);
        Ok(Self {
            resize: flag("do_resize", true)?.then_some((size, filter)),
            crop: flag("do_center_crop", is_clip)?.then_some(crop),
            rescale: flag("do_rescale", true)?.then_some(rescale),
            normalize: flag("do_normalize", true)?
                .then_some((colours("image_mean", MEAN)?, deviation)),
        })
    }

    /// Prepares an image.
    ///
    /// # Errors
    /// When it needs too much memory, or is smaller than what is cut out of it.
    pub(super) fn prepare(&self, pixels: &Pixels) -> Result<Image, String> {
        let new;
        let pixels = match self.resize {
            Some((size, filter)) => {
                let (width, height) = size.of(pixels.width, pixels.height);
                // The first pass may keep the longer side of both.
                let between = width
                    .max(pixels.width)
                    .saturating_mul(height.max(pixels.height));
                afford(pixels.rgb.len().saturating_add(between.saturating_mul(3)))?;
                new = resized(pixels, width, height, filter);
                &new
            }
            None => pixels,
        };
        let (width, height) = self.crop.unwrap_or((pixels.width, pixels.height));
        if width > pixels.width || height > pixels.height {
            return Err(format!(
                "{} × {} pixels are less than the {width} × {height} that the network takes",
                pixels.width, pixels.height
            ));
        }
        let (left, top) = ((pixels.width - width) / 2, (pixels.height - height) / 2);
        let (mean, deviation) = self.normalize.unwrap_or(([0.0; 3], [1.0; 3]));
        let mut values = Vec::with_capacity(3 * width * height);
        for colour in 0..3 {
            for y in top..top + height {
                for x in left..left + width {
                    let byte = f64::from(pixels.rgb[(y * pixels.width + x) * 3 + colour]);
                    let value = (byte * self.rescale.unwrap_or(1.0)) as f32;
                    values.push((value - mean[colour]) / deviation[colour]);
                }
            }
        }
        Ok(Image {
            width,
            height,
            values,
        })
    }
}

impl Size {
    fn of(self, width: usize, height: usize) -> (usize, usize) {
        match self {
            Self::Exactly { width, height } => (width, height),
            Self::ShortestEdge(edge) => {
                let long =
                    |long: usize, short: usize| (edge as f64 * long as f64 / short as f64) as usize;
                match width <= height {
                    true => (edge, long(height, width)),
                    false => (long(width, height), edge),
                }
            }
        }
    }
}

/// A number of pixels.
fn side(value: &Value, name: &str) -> Result<usize, String> {
    match value.as_u64() {
        Some(side @ 1..=LONGEST) => Ok(side as usize),
        _ => Err(format!(
            "`{name}` has {value}: sides have 1 to {LONGEST} pixels"
        )),
    }
}

/// Width and height: one number, or an object.
fn sides(value: &Value, name: &str) -> Result<(usize, usize), String> {
    match value {
        Value::Object(size) => match (size.get("width"), size.get("height")) {
            (Some(width), Some(height)) => Ok((side(width, name)?, side(height, name)?)),
            _ => Err(format!("`{name}` has no `width` and `height`")),
        },
        number => side(number, name).map(|side| (side, side)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(config: Value, score: Score) -> Result<Processor, String> {
        Processor::new(&config, score)
    }

    #[test]
    fn old_and_new_files_say_the_same() {
        let old = json!({"size": 224, "crop_size": 224, "resample": 3, "do_resize": true, "do_center_crop": true});
        let new =
            json!({"size": {"shortest_edge": 224}, "crop_size": {"height": 224, "width": 224}});
        let clip = of(old, Score::Similarity).unwrap();
        assert_eq!(clip, of(new, Score::Similarity).unwrap());
        assert_eq!(clip, of(json!({}), Score::Similarity).unwrap());
        let square = json!({"size": {"height": 384, "width": 384}});
        let blip = of(square, Score::Matching).unwrap();
        assert_eq!(blip, of(json!({"size": 384}), Score::Matching).unwrap());
        assert_eq!(blip, of(json!({}), Score::Matching).unwrap());
        assert!(blip.crop.is_none() && clip.crop == Some((224, 224)));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for (config, part) in [
            (json!({"resample": 0}), "`resample`"),
            (json!({"size": {"longest_edge": 3}}), "`size`"),
            (json!({"size": 0}), "`size`"),
            (json!({"crop_size": 1e9}), "`crop_size`"),
            (json!({"image_mean": [1, 2]}), "`image_mean`"),
            (json!({"image_std": [1, 0, 1]}), "`image_std`"),
            (json!({"do_resize": "yes"}), "`do_resize`"),
        ] {
            let error = of(config, Score::Similarity).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn the_middle_is_cut_out() {
        let config = json!({"size": 2, "crop_size": 2, "do_rescale": false, "do_normalize": false});
        let processor = of(config, Score::Similarity).unwrap();
        let rgb = (0..4 * 2 * 3).collect();
        let pixels = Pixels {
            width: 4,
            height: 2,
            rgb,
        };
        let image = processor.prepare(&pixels).unwrap();
        assert_eq!((image.width, image.height), (2, 2));
        assert_eq!(
            image.values,
            [3., 6., 15., 18., 4., 7., 16., 19., 5., 8., 17., 20.]
        );
        // A line of pixels would become a picture of a gigabyte.
        let line = Pixels {
            width: 50_000,
            height: 1,
            rgb: vec![0; 150_000],
        };
        let error = of(json!({}), Score::Similarity).unwrap().prepare(&line);
        assert!(error.err().unwrap().contains("MB"));
    }
}
