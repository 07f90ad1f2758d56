//! Turns what the user wrote into a configuration without mistakes.
//!
//! [`options`] declares every option once. Values come from the command line, the environment, the
//! recipe and the defaults; earlier sources take precedence. Nothing here looks at the dataset or
//! at operators: [`check_params`] checks parameters once the operators are known.

mod carried;
pub mod choices;
mod data_juicer_options;
pub mod declare;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod home;
mod in_memory;
mod invalid_value;
mod job;
pub mod options;
mod overrides;
mod params;
mod ray;
mod recipe;
mod reference;
mod resolve;
mod s3_settings;
mod show;
mod sources;
pub mod units;
mod validators;
pub mod value;
mod yaml;

pub(crate) use carried::{carried, set_carried};
pub use choices::*;
pub use data_juicer_options::{is_field_key, is_filled_by_data_juicer};
pub use home::expand_home;
pub use in_memory::{check_entry, read_values};
pub(crate) use invalid_value::got_text;
pub use job::{JobDirs, check_job_id, new_job_id};
pub use options::*;
pub use overrides::{ENV_PREFIXES, Override, Split, env_overrides, split_overrides};
pub use params::{canonical_json, check_params};
pub use ray::{Chosen as ChosenPlace, Place};
pub use recipe::{COMMON_FLAGS, OpHost, OpSpec, common_params};
pub use reference::{options_help, reference_yaml};
pub use resolve::{Need, Origin, Recipe, Resolved, resolve, resolve_recipe};
pub use s3_settings::S3Settings;
pub use sources::Wanted;
pub use units::{Count, Size};
pub use validators::{RequiredField, RowCheck, Turns, Validator, ValueType};
