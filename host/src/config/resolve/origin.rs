//! Where values come from.

/// Where a value comes from; later variants take precedence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The default in the declaration.
    Default,
    /// The recipe.
    File {
        /// Name of the file.
        name: String,
        /// Line of the value, if known.
        line: Option<usize>,
    },
    /// A recipe that a program gave as data.
    Data,
    /// An environment variable.
    Env(String),
    /// An option on the command line.
    CommandLine(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File {
                name,
                line: Some(line),
            } => write!(f, "{name}:{line}"),
            Self::File { name, line: None } => f.write_str(name),
            Self::Data => f.write_str("recipe"),
            Self::Env(name) => write!(f, "environment {name}"),
            Self::CommandLine(name) => write!(f, "command line {name}"),
        }
    }
}
