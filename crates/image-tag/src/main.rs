//! The program `image-tag`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gha::start(&image_tag::cli::INTERFACE, image_tag::run)
}
