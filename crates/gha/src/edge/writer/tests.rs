use super::*;
use crate::edge::testing::Log;

struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }
}

fn written(format: Format, act: impl FnOnce(&mut Writer)) -> (String, String) {
    let (log, product) = (Log::default(), Log::default());
    let trace = TraceId::of(&Env::default(), [1; 16]);
    let runner = format == Format::Runner;
    let mut writer = Writer::new(
        "demo",
        trace,
        format,
        runner,
        Masker::default(),
        Box::new(log.clone()),
        Box::new(product.clone()),
    );
    act(&mut writer);
    (log.text(), product.text())
}

#[test]
fn a_secret_is_registered_before_it_can_appear() {
    let (log, product) = written(Format::Runner, |writer| {
        writer.mask("s3cr3t-value");
        writer.event(Weight::Error, "posting to s3cr3t-value failed");
        writer.product("s3cr3t-value\n::error::x");
    });
    let first_mask = log.find("::add-mask::s3cr3t-value").unwrap();
    assert!(
        log.contains("::error title=demo::posting to *** failed\n"),
        "{log}"
    );
    assert_eq!(log.rfind("s3cr3t-value"), Some(first_mask + "::add-mask::".len()));
    assert_eq!(product, "***\n| ::error::x\n");
}

#[test]
fn outside_a_runner_no_command_is_printed() {
    let (log, _) = written(Format::Plain, |writer| {
        writer.mask("s3cr3t-value");
        writer.group("try 1");
        writer.event(Weight::Warning, "slow s3cr3t-value");
        writer.block("a\n::error::b", 5);
        writer.end_group();
    });
    assert_eq!(log, "== try 1\nwarning: slow ***\n| a\n| | ::error::b\n");
}

#[test]
fn progress_is_replaced_on_a_terminal() {
    let (log, _) = written(Format::Screen { colour: false }, |writer| {
        writer.progress("try 1");
        writer.event(Weight::Warning, "x");
    });
    assert_eq!(log, "  try 1 (0s)\r\u{1b}[Jwarning: x\n");
}

#[test]
fn a_block_is_drawn_on_a_terminal_alone() {
    let live = |writer: &mut Writer| {
        writer.mask("s3cr3t-value");
        let line = |text: &str| Line {
            tone: Tone::Bad,
            text: text.to_owned(),
        };
        writer.live(&[line("✗ api"), line("at s3cr3t-value")]);
        writer.live(&[line("too soon")]);
        writer.event(Weight::Warning, "x");
    };
    for (format, expected) in [
        (
            Format::Screen { colour: false },
            "✗ api\r\nat ***\r\u{1b}[1A\u{1b}[Jwarning: x\n",
        ),
        (
            Format::Screen { colour: true },
            "\u{1b}[31m✗\u{1b}[0m api\r\n\u{1b}[31mat\u{1b}[0m ***\r\u{1b}[1A\u{1b}[J\u{1b}[33mwarning:\u{1b}[0m x\n",
        ),
        (Format::Plain, "warning: x\n"),
    ] {
        assert_eq!(written(format, live).0, expected);
    }
    for format in [Format::Runner, Format::Json] {
        assert!(!written(format, live).0.contains("api"));
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let trace = TraceId::of(&Env::default(), [1; 16]);
    let mut writer = Writer::new(
        "demo",
        trace,
        Format::Plain,
        false,
        Masker::default(),
        Box::new(Closed),
        Box::new(Closed),
    );
    writer.event(Weight::Info, "x");
    writer.progress("x");
    writer.product("x");
}
