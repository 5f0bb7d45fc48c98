//! The words of the guard's errors.
//!
//! Decides how a refusal and the names from a hostile file are written into
//! one sentence. It does not decide what is refused. Called by every file of
//! this folder and by `load`.

use std::fmt::Display;

use crate::{Error, ErrorKind};

/// What to do about a file that a correct exporter would not have written.
pub(super) const EXPORT_AGAIN: &str = "export the network again";

/// An error of the kind for malformed and hostile network files.
pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidModel, message)
}

/// A name from the file, safe to print: in backticks, escaped and at most 48
/// characters long.
pub(super) fn quote(name: &str) -> String {
    const LIMIT: usize = 48;
    let mut text: String = name.chars().take(LIMIT).flat_map(char::escape_debug).collect();
    if name.chars().nth(LIMIT).is_some() {
        text.push_str("...");
    }
    format!("`{text}`")
}

/// At most eight values of a list, in square brackets.
pub(super) fn list<T: Display>(values: &[T]) -> String {
    const LIMIT: usize = 8;
    let mut text: Vec<String> = values.iter().take(LIMIT).map(ToString::to_string).collect();
    if values.len() > LIMIT {
        text.push(format!("... {} in all", values.len()));
    }
    format!("[{}]", text.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_printable() {
        assert_eq!(quote("conv1"), "`conv1`");
        assert_eq!(quote("a\n\u{1b}"), "`a\\n\\u{1b}`");
        assert_eq!(quote(&"x".repeat(60)), format!("`{}...`", "x".repeat(48)));
    }

    #[test]
    fn lists_are_cut() {
        assert_eq!(list(&[1, 2]), "[1, 2]");
        assert_eq!(list(&[0; 9]), "[0, 0, 0, 0, 0, 0, 0, 0, ... 9 in all]");
    }
}
