//! The one writer: every line that a tool prints goes through here, masked and inert.
//!
//! Writes never fail a run: after a cancel the runner closes the pipes while a tool may still be busy restoring
//! traffic, and a reader such as `head` may leave at any time.

use std::io::{IsTerminal as _, Write};

// The run time's clock, so that a test of the heartbeat need not wait for it.
use tokio::time::Instant;

use crate::command;
use crate::edge::environment;
use crate::edge::live::{Block, Line, Size, Tone};
use crate::env::Env;
use crate::flags::{Common, LogFormat, Output};
use crate::log_line::{Format, Moment, Weight, render};
use crate::mask::Masker;
use crate::text;
use crate::trace::TraceId;

/// Where lines go and how they look.
pub struct Writer {
    tool: &'static str,
    trace: TraceId,
    format: Format,
    runner: bool,
    log: Box<dyn Write + Send>,
    product: Box<dyn Write + Send>,
    started: Instant,
    last: Instant,
    block: Block,
    size: fn() -> Size,
    heartbeat: Option<String>,
    product_error: Option<String>,
    verbose: bool,
    masker: Masker,
}

impl Writer {
    /// The writer for this process. In a runner everything goes to standard output, because the runner reads both
    /// streams with two threads and mixes up their order; elsewhere the log goes to standard error. With
    /// `--output json` standard output belongs to the result alone.
    #[must_use]
    pub fn of_process(tool: &'static str, trace: TraceId, env: &Env, common: Common, masker: Masker) -> Self {
        let to_stdout = env.in_runner() && common.output == Output::Text;
        let log: Box<dyn Write + Send> = if to_stdout {
            Box::new(std::io::stdout())
        } else {
            Box::new(std::io::stderr())
        };
        let format = match common.log_format {
            LogFormat::Json => Format::Json,
            LogFormat::Text if env.in_runner() => Format::Runner,
            LogFormat::Text if std::io::stderr().is_terminal() => Format::Screen {
                colour: env.get("NO_COLOR").is_none() && env.get("TERM") != Some("dumb"),
            },
            LogFormat::Text => Format::Plain,
        };
        let mut writer = Self::new(
            tool,
            trace,
            format,
            env.in_runner(),
            masker,
            log,
            Box::new(std::io::stdout()),
        );
        writer.size = Size::of_stderr;
        // The runner sets this where debug logging is on (`JobRunner.cs` of actions/runner).
        writer.verbose = env.get("RUNNER_DEBUG") == Some("1");
        writer
    }

    /// A writer onto any two streams.
    pub fn new(
        tool: &'static str,
        trace: TraceId,
        format: Format,
        runner: bool,
        masker: Masker,
        log: Box<dyn Write + Send>,
        product: Box<dyn Write + Send>,
    ) -> Self {
        let now = Instant::now();
        Self {
            tool,
            trace,
            format,
            runner,
            log,
            product,
            started: now,
            last: now,
            block: Block::default(),
            size: || Size::USUAL,
            heartbeat: None,
            product_error: None,
            verbose: false,
            masker,
        }
    }

    /// One event.
    pub fn event(&mut self, weight: Weight, message: &str) {
        let moment = Moment {
            at: environment::now(),
            elapsed: self.started.elapsed(),
        };
        let message = self.masker.hide(message);
        let line = render(self.format, self.tool, self.trace, weight, moment, &message);
        self.log_line(&line);
        if self.runner && self.format == Format::Json {
            // The lines are for a machine; the run's page still has its annotations.
            match weight {
                Weight::Info => {}
                Weight::Warning => {
                    self.log_line(&command::annotation(command::Level::Warning, self.tool, &message));
                }
                Weight::Error => {
                    self.log_line(&command::annotation(command::Level::Error, self.tool, &message));
                }
            }
        }
    }

    /// Foreign text of several lines, such as the last lines of a body or a log.
    pub fn block(&mut self, content: &str, max_lines: usize) {
        let content = self.masker.hide(content);
        if self.format == Format::Json {
            return self.event(Weight::Info, &text::cut(&content, 4000));
        }
        for line in text::block(&content, max_lines) {
            self.log_line(&line);
        }
    }

    /// What is going on right now: updated in place on a terminal, one line elsewhere.
    pub fn progress(&mut self, message: &str) {
        let Format::Screen { .. } = self.format else {
            return self.event(Weight::Info, message);
        };
        let seconds = self.started.elapsed().as_secs();
        let message = text::cut(&self.masker.hide(message), 110);
        self.draw(&[Line {
            tone: Tone::Plain,
            text: format!("  {message} ({seconds}s)"),
        }]);
    }

    /// Whether a block of lines would be drawn now: on a terminal, and not too often.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.format, Format::Screen { .. }) && self.block.is_due()
    }

    /// A block of lines that is drawn in place of the one before, where [`Writer::is_live`] says so. The next line of
    /// the log, or the product, removes it.
    pub fn live(&mut self, lines: &[Line]) {
        if !self.is_live() {
            return;
        }
        let masked: Vec<Line> = lines
            .iter()
            .map(|line| Line {
                tone: line.tone,
                text: self.masker.hide(&line.text),
            })
            .collect();
        self.draw(&masked);
    }

    /// Draws lines in place of what stands there, with one write.
    fn draw(&mut self, lines: &[Line]) {
        let colour = matches!(self.format, Format::Screen { colour: true });
        let drawn = self.block.draw(lines, (self.size)(), colour);
        let _ = self
            .log
            .write_all(drawn.as_bytes())
            .and_then(|()| self.log.flush());
        self.last = Instant::now();
    }

    /// What the tool says of itself after a long silence.
    pub fn set_heartbeat(&mut self, text: String) {
        self.heartbeat = Some(text);
    }

    /// What the tool said of itself last, for a heartbeat.
    #[must_use]
    pub fn heartbeat(&self) -> Option<&str> {
        self.heartbeat.as_deref()
    }

    /// As [`Writer::progress`], but nothing where lines can't be replaced, unless debug logging is on.
    pub fn quiet_progress(&mut self, message: &str) {
        if matches!(self.format, Format::Screen { .. }) || self.verbose {
            self.progress(message);
        }
    }

    /// Opens a group in a runner's log; a heading elsewhere.
    pub fn group(&mut self, title: &str) {
        let title = self.masker.hide(title);
        match self.format {
            Format::Runner => self.log_line(&command::group(&title)),
            Format::Json => {}
            Format::Plain | Format::Screen { .. } => self.log_line(&format!("== {}", text::visible(&title))),
        }
    }

    /// Closes the group.
    pub fn end_group(&mut self) {
        if self.format == Format::Runner {
            self.log_line(&command::end_group());
        }
    }

    /// Registers the forms of a secret, with the runner too where there is one.
    pub fn mask(&mut self, secret: &str) {
        for form in self.masker.add(secret) {
            if self.runner {
                let _ = writeln!(self.log, "{}", command::add_mask(&form)).and_then(|()| self.log.flush());
            }
        }
    }

    /// The masks known so far.
    #[must_use]
    pub fn masker(&self) -> &Masker {
        &self.masker
    }

    /// The tool's own product on standard output, as it is but for masks and, in a runner, commands. A reader that has
    /// seen enough is no error; a disk that is full is one, and told at the end.
    pub fn product(&mut self, content: &str) {
        self.end_progress();
        let content = self.masker.hide(content);
        let lines: Vec<String> = content
            .lines()
            .map(|line| {
                if self.runner {
                    text::line(line)
                } else {
                    line.to_owned()
                }
            })
            .collect();
        // At once: thousands of lines would be thousands of writes.
        if !lines.is_empty() {
            self.write_product(&lines.join("\n"));
        }
    }

    /// The result object on standard output. It is masked already, and JSON has escapes of its own.
    pub fn object(&mut self, json: &str) {
        self.end_progress();
        let line = text::json_line(json);
        self.write_product(&line);
    }

    fn write_product(&mut self, line: &str) {
        match writeln!(self.product, "{line}").and_then(|()| self.product.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                self.product_error = Some(error.to_string());
            }
            _ => {}
        }
    }

    /// Why the product could not be written, if it could not.
    pub fn product_error(&mut self) -> Option<String> {
        self.product_error.take()
    }

    /// A line that a person copies, such as a command to run; no time stands before it.
    pub fn plain(&mut self, line: &str) {
        let line = text::line(&self.masker.hide(line));
        if self.format == Format::Json {
            self.event(Weight::Info, &line);
        } else {
            self.log_line(&line);
        }
    }

    /// How long nothing was printed.
    #[must_use]
    pub fn silence(&self) -> std::time::Duration {
        self.last.elapsed()
    }

    /// One line of the log. Ignores errors, see the module.
    fn log_line(&mut self, line: &str) {
        self.end_progress();
        let _ = writeln!(self.log, "{line}").and_then(|()| self.log.flush());
        self.last = Instant::now();
    }

    /// Removes what is drawn in place from the terminal.
    pub fn end_progress(&mut self) {
        let cleared = self.block.clear((self.size)());
        if !cleared.is_empty() {
            let _ = self
                .log
                .write_all(cleared.as_bytes())
                .and_then(|()| self.log.flush());
        }
    }
}

#[cfg(test)]
mod tests;
