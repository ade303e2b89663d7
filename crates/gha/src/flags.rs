//! The flags that every tool takes.

/// What goes to standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// The tool's own product, for people and pipes.
    #[default]
    Text,
    /// The result object alone, as one line of JSON.
    Json,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One line per event with time and elapsed time; on a terminal progress updates in place.
    #[default]
    Text,
    /// One JSON object per line, with the trace id.
    Json,
}

/// Flags common to all tools; flatten it into the tool's own.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Common {
    /// What to print on standard output: `text`, or `json` for the result object alone (the log then goes to
    /// standard error).
    #[arg(long, global = true, display_order = 900, value_enum, value_name = "FORMAT", default_value_t = Output::Text, hide_possible_values = true)]
    pub output: Output,
    /// How log lines look: `text`, or `json` for one object per line with the trace id.
    #[arg(long, global = true, display_order = 900, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text, hide_possible_values = true)]
    pub log_format: LogFormat,
}
