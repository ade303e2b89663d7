//! The program `s3-cdn-publish`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gha::start(&s3_cdn_publish::cli::INTERFACE, s3_cdn_publish::run)
}
