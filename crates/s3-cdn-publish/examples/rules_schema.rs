//! Prints the JSON Schema of rules files: `docs/s3-rules.schema.json`.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    let schema = serde_json::to_string_pretty(&s3_cdn_publish::rules::schema())?;
    writeln!(io::stdout(), "{schema}")
}
