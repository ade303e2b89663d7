//! The stand-in of S3 and CloudFront on a port, for benches and for hands:
//! `s3 PORT [--latency MILLISECONDS] [--slow-every N] [--compatible] [--edge BUCKET]`.
//!
//! It takes the keys `test` and `test12345` in `us-east-1`, goes with the real time, and ends by itself after four hours.

use std::error::Error;
use std::io::Write as _;
use std::time::Duration;

use sandbox::stand_ins::aws::{Clock, Conditions, Distribution, Fault, Hosting, Turn};

/// What is to be read back whole, in bytes.
const KEEP: u64 = 256 * 1024 * 1024;

#[expect(
    clippy::disallowed_methods,
    reason = "clients compare the times of objects with those of their files"
)]
fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let port = words.next().ok_or("a port is missing")?.parse()?;
    let hosting = Hosting::open_at(Clock::compressed(1), port)?;
    let began = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    hosting
        .cloud()
        .world(|world| world.home.began = began.as_secs_f64());
    hosting.settings(|settings| {
        "us-east-1".clone_into(&mut settings.region);
        settings.keep = KEEP;
    });
    hosting.allow("test", "test12345");
    let mut out = std::io::stdout();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("`{word}` has no value"));
        match word.as_str() {
            "--latency" => {
                let latency = Duration::from_millis(value()?.parse()?);
                hosting.settings(|settings| settings.latency = latency);
            }
            "--slow-every" => hosting.fault("s3:writes", Turn::EveryNth(value()?.parse()?), Fault::Throttled),
            "--compatible" => hosting.settings(|settings| {
                settings.compatible = true;
                settings.conditions = Conditions::Refused;
            }),
            "--edge" => {
                let bucket = value()?;
                let id = hosting.stock(|stock| {
                    stock.s3.create(&bucket);
                    stock.cloudfront.add(
                        Distribution::of(&bucket)
                            .root("index.html")
                            .alias("www.localhost"),
                    )
                });
                writeln!(out, "distribution {id} of {bucket}: http://www.localhost:{port}/")?;
            }
            other => return Err(format!("`{other}` is not known").into()),
        }
    }
    writeln!(out, "{}", hosting.url())?;
    out.flush()?;
    std::thread::park_timeout(Duration::from_hours(4));
    Ok(())
}
