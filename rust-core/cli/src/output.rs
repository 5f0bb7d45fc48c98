//! What is printed, and how: text or JSON on standard output, errors on
//! standard error.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use biglittle::{Error, ErrorKind, Result};
use serde::Serialize;

/// How a command reports.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Output {
    /// Print one JSON document on standard output instead of text
    #[arg(long)]
    pub json: bool,
}

impl Output {
    /// Prints `value` as JSON, or what `text` writes.
    pub fn print<T: Serialize>(
        self,
        value: &T,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        let mut out = anstream::stdout().lock();
        let written = if self.json {
            serde_json::to_writer_pretty(&mut out, value)
                .map_err(io::Error::from)
                .and_then(|()| writeln!(out))
        } else {
            text(&mut out)
        };
        written.and_then(|()| out.flush()).map_err(cannot_write)
    }
}

/// Prints `bytes` as they are.
pub fn print_bytes(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(cannot_write)
}

/// The error of an output that takes no more.
pub fn cannot_write(error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot write the output: {error}")).with_source(error)
}

/// Whether the reader of the output went away, which is its right.
pub fn is_broken_pipe(error: &Error) -> bool {
    let source = std::error::Error::source(error);
    source
        .and_then(|source| source.downcast_ref::<io::Error>())
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// One line on standard error for what ended a command or a part of it.
pub fn print_error(error: &Error) {
    print_line(AnsiColor::Red, "error:", &error.to_string());
}

/// One line on standard error for what a command went on after.
pub fn print_warning(text: &str) {
    print_line(AnsiColor::Yellow, "warning:", text);
}

fn print_line(colour: AnsiColor, what: &str, text: &str) {
    let style = Style::new().bold().fg_color(Some(colour.into()));
    // Nothing can be done where standard error is gone too.
    let _ = writeln!(anstream::stderr(), "{style}{what}{style:#} {}", on_one_line(text));
}

/// What files are called and hold does not command the terminal.
fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_not_sent() {
        assert_eq!(on_one_line("é\u{1b}[31m\n\u{9b}x"), "é\\u{1b}[31m\\n\\u{9b}x");
    }
}
