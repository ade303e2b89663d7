//! A block of lines that is drawn again in place on a terminal: progress, tables. Text in, escape sequences out; the
//! writer prints them.
//!
//! A line never wraps and the block is never taller than the screen, because the cursor could not go back to where the
//! block began.

use std::time::Duration;

use tokio::time::Instant;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::text;

/// The shortest time from one drawing to the next: more often nobody can read.
const PACE: Duration = Duration::from_millis(100);

/// The widest line; longer ones are hard to follow.
const WIDEST: usize = 160;

/// What a line says, for its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// No colour.
    #[default]
    Plain,
    /// Of less weight.
    Faint,
    /// All is well.
    Good,
    /// It may need a look.
    Unsure,
    /// Something is wrong.
    Bad,
}

/// A line of a block. Its text may be foreign. The first word gets the colour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// What it says.
    pub tone: Tone,
    /// The text.
    pub text: String,
}

/// The columns and rows of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Characters in a row.
    pub columns: usize,
    /// Rows on the screen.
    pub rows: usize,
}

impl Size {
    /// What is taken where a terminal does not say.
    pub(crate) const USUAL: Self = Self {
        columns: 80,
        rows: 24,
    };

    /// The size of the terminal at standard error.
    pub(crate) fn of_stderr() -> Self {
        let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok();
        size.filter(|size| size.ws_col > 0 && size.ws_row > 0)
            .map_or(Self::USUAL, |size| Self {
                columns: size.ws_col.into(),
                rows: size.ws_row.into(),
            })
    }
}

/// What stands on the screen now.
#[derive(Debug, Default)]
pub(crate) struct Block {
    widths: Vec<usize>,
    drawn: Option<Instant>,
}

impl Block {
    /// Whether enough time has passed since the last drawing. A block that was cleared may be drawn at once.
    pub(crate) fn is_due(&self) -> bool {
        self.widths.is_empty() || self.drawn.is_none_or(|drawn| drawn.elapsed() >= PACE)
    }

    /// What replaces the block on the screen by these lines.
    pub(crate) fn draw(&mut self, lines: &[Line], size: Size, colour: bool) -> String {
        let mut drawn = self.clear(size);
        let room = size.columns.saturating_sub(1).clamp(1, WIDEST);
        let most = size.rows.saturating_sub(1).max(1);
        let mut shown: Vec<Line> = lines.iter().take(most).cloned().collect();
        if lines.len() > most {
            shown[most - 1] = Line {
                tone: Tone::Faint,
                text: format!("… {} more lines", lines.len() - most + 1),
            };
        }
        for (index, line) in shown.iter().enumerate() {
            let text = fit(&text::line(&line.text), room);
            self.widths.push(text.width());
            if index > 0 {
                drawn.push_str("\r\n");
            }
            drawn.push_str(&if colour { coloured(&text, line.tone) } else { text });
        }
        self.drawn = Some(Instant::now());
        drawn
    }

    /// What removes the block from the screen. Lines that have wrapped since, because the window became narrower, are
    /// counted as they stand there now.
    pub(crate) fn clear(&mut self, size: Size) -> String {
        let columns = size.columns.max(1);
        let rows: usize = self
            .widths
            .iter()
            .map(|width| width.div_ceil(columns).max(1))
            .sum();
        self.widths.clear();
        match rows {
            0 => String::new(),
            1 => "\r\u{1b}[J".to_owned(),
            _ => format!("\r\u{1b}[{}A\u{1b}[J", rows - 1),
        }
    }
}

/// The beginning of a line that takes at most so many columns.
fn fit(line: &str, columns: usize) -> String {
    if line.width() <= columns {
        return line.to_owned();
    }
    let (mut shown, mut taken) = (String::new(), 1);
    for c in line.chars() {
        taken += c.width().unwrap_or_default();
        if taken > columns {
            break;
        }
        shown.push(c);
    }
    shown + "…"
}

/// The line with its first word in the tone's colour; a faint line is faint as a whole.
fn coloured(line: &str, tone: Tone) -> String {
    let code = match tone {
        Tone::Plain => return line.to_owned(),
        Tone::Faint => return format!("\u{1b}[2m{line}\u{1b}[0m"),
        Tone::Good => "32",
        Tone::Unsure => "33",
        Tone::Bad => "31",
    };
    let start = line.len() - line.trim_start().len();
    let end = line[start..]
        .find(' ')
        .map_or(line.len(), |length| start + length);
    format!(
        "{}\u{1b}[{code}m{}\u{1b}[0m{}",
        &line[..start],
        &line[start..end],
        &line[end..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn lines(texts: &[&str]) -> Vec<Line> {
        texts
            .iter()
            .map(|text| Line {
                tone: Tone::Bad,
                text: (*text).to_owned(),
            })
            .collect()
    }

    fn size(columns: usize, rows: usize) -> Size {
        Size { columns, rows }
    }

    #[tokio::test]
    async fn a_block_is_replaced_where_it_began() {
        let mut block = Block::default();
        assert_eq!(
            block.draw(&lines(&["one", "two"]), size(80, 24), false),
            "one\r\ntwo"
        );
        assert_eq!(
            block.draw(&lines(&["three"]), size(80, 24), false),
            "\r\u{1b}[1A\u{1b}[Jthree"
        );
        assert_eq!(block.clear(size(80, 24)), "\r\u{1b}[J");
        assert_eq!(block.clear(size(80, 24)), "", "nothing stands there any more");
    }

    #[tokio::test]
    async fn lines_that_wrapped_since_are_counted() {
        let mut block = Block::default();
        block.draw(&lines(&[&"x".repeat(70), "two"]), size(80, 24), false);
        assert_eq!(
            block.clear(size(30, 24)),
            "\r\u{1b}[3A\u{1b}[J",
            "70 columns are three rows of 30"
        );
    }

    #[tokio::test]
    async fn a_block_is_no_wider_and_no_taller_than_the_screen() {
        let mut block = Block::default();
        let shown = block.draw(
            &lines(&["abcdefgh", "漢字漢字", "3", "4", "5"]),
            size(6, 4),
            false,
        );
        assert_eq!(shown, "abcd…\r\n漢字…\r\n… 3 …");
    }

    #[tokio::test]
    async fn the_first_word_has_the_colour() {
        let mut block = Block::default();
        assert_eq!(
            block.draw(&lines(&["✗ api down"]), size(80, 24), true),
            "\u{1b}[31m✗\u{1b}[0m api down"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_not_drawn_more_often_than_anyone_can_read() {
        let mut block = Block::default();
        assert!(block.is_due());
        block.draw(&lines(&["one"]), size(80, 24), false);
        assert!(!block.is_due());
        tokio::time::advance(PACE).await;
        assert!(block.is_due());
        block.draw(&lines(&["one"]), size(80, 24), false);
        block.clear(size(80, 24));
        assert!(block.is_due(), "a line of the log has removed it");
    }

    proptest! {
        #[test]
        fn foreign_text_steers_no_terminal(text in any::<String>(), columns in 0usize..200) {
            let shown = Block::default().draw(&lines(&[&text]), size(columns, 3), false);
            assert!(!shown.chars().any(char::is_control), "{shown:?}");
            assert!(shown.width() <= columns.max(2));
        }
    }
}
