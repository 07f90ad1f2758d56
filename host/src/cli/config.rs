//! `djhost config`: the resolved configuration, each value with its origin.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::config::{Need, Override, resolve};
use crate::term::Style;

/// The file of a recipe, as the first argument or, as in Data-Juicer, with `--config`.
#[derive(Debug, Clone, clap::Args)]
pub struct RecipeArg {
    /// The recipe (YAML)
    #[arg(value_name = "CONFIG", conflicts_with = "option")]
    path: Option<PathBuf>,
    /// The recipe, in Data-Juicer's spelling
    #[arg(id = "option", long = "config", value_name = "CONFIG", hide = true)]
    option: Option<PathBuf>,
}

impl RecipeArg {
    /// Returns the file, if one is given.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref().or(self.option.as_deref())
    }
}

/// Show every option with its value and where the value comes from
///
/// Without a recipe: the defaults. Options of the recipe may be given as for `djhost run`.
#[derive(Debug, Clone, clap::Args)]
pub struct ConfigArgs {
    #[command(flatten)]
    recipe: RecipeArg,
    /// Print JSON: `config`, `origins`, `job`, `sources`, `notes`
    #[arg(long)]
    json: bool,
}

/// Prints the resolved configuration to standard output, or the defaults if there is no recipe.
pub fn config(args: &ConfigArgs, overrides: &[Override]) -> Result<()> {
    let resolved = resolve(
        args.recipe.path(),
        std::env::vars_os(),
        overrides,
        Need::Anything,
    )?;
    let text = if args.json {
        format!("{:#}\n", resolved.to_json())
    } else {
        resolved.to_yaml_in(Style::for_stdout().width.unwrap_or(usize::MAX))
    };
    super::print(&text)
}
