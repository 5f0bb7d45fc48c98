//! Recorded devices: what a phone said over a day, as JSON Lines.

use serde::{Deserialize, Serialize};

use super::{DeviceReading, UserMode};
use crate::error::{Error, ErrorKind, Result};

/// The version of the format that is read and written.
const FORMAT_VERSION: u32 = 1;
/// The longest recording, in bytes: readings at 1 Hz for a week.
const MAX_BYTES: usize = 64 << 20;

/// A recorded device: a [`TraceHeader`] on the first line, then one
/// [`TraceEvent`] a line, in the order in which they happened. Times may jump
/// back, as clocks of phones do.
///
/// Replaying one is a loop over [`DeviceTrace::events`]: readings and modes go
/// where an app would push them.
///
/// ```
/// # fn main() -> biglittle::Result<()> {
/// use biglittle::device::{DeviceTrace, TraceEvent};
///
/// let trace = DeviceTrace::parse(
///     r#"{"format_version":1,"name":"cold","description":"a cool phone"}
/// {"reading":{"at_ms":0,"battery_percent":80,"thermal_level":"none"}}
/// {"mode":{"at_ms":5000,"mode":"saver"}}
/// "#,
/// )?;
/// assert!(matches!(trace.events[0], TraceEvent::Reading(_)));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceTrace {
    /// What was recorded.
    pub header: TraceHeader,
    /// What happened, in order.
    pub events: Vec<TraceEvent>,
}

/// The first line of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceHeader {
    /// The version of this format: 1.
    pub format_version: u32,
    /// A short name.
    pub name: String,
    /// What happens in it, in a sentence.
    pub description: String,
}

/// One line of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceEvent {
    /// The app pushed a reading.
    Reading(DeviceReading),
    /// The user chose a mode.
    Mode {
        /// When.
        at_ms: u64,
        /// The mode from then on.
        mode: UserMode,
    },
    /// The app was started again: what it had saved comes back, everything else
    /// is gone. After a reboot the clock begins anew.
    Restart {
        /// When, on the new clock.
        at_ms: u64,
    },
}

impl TraceEvent {
    /// When it happened.
    #[must_use]
    pub fn at_ms(&self) -> u64 {
        match self {
            TraceEvent::Reading(reading) => reading.at_ms,
            TraceEvent::Mode { at_ms, .. } | TraceEvent::Restart { at_ms } => *at_ms,
        }
    }
}

impl DeviceTrace {
    /// A recording of these events.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        description: impl Into<String>,
        events: Vec<TraceEvent>,
    ) -> Self {
        let (name, description) = (name.into(), description.into());
        let header = TraceHeader { format_version: FORMAT_VERSION, name, description };
        DeviceTrace { header, events }
    }

    /// Reads a recording. Empty lines are skipped.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] with the number of the line that is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > MAX_BYTES {
            return Err(invalid(format!(
                "the recording has {} bytes: at most {MAX_BYTES} are read",
                text.len()
            )));
        }
        let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let (number, line) =
            lines.next().ok_or_else(|| invalid("the recording is empty".into()))?;
        let header: TraceHeader = parse_line(number, line)?;
        if header.format_version != FORMAT_VERSION {
            return Err(invalid(format!(
                "format_version is {}, but this library reads {FORMAT_VERSION}: record again, or \
                 use a matching version",
                header.format_version
            )));
        }
        let events = lines.map(|(number, line)| parse_line(number, line)).collect::<Result<_>>()?;
        Ok(DeviceTrace { header, events })
    }

    /// The recording as text, as [`DeviceTrace::parse`] reads it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = to_line(&self.header);
        for event in &self.events {
            text.push_str(&to_line(event));
        }
        text
    }
}

fn parse_line<'a, T: Deserialize<'a>>(number: usize, line: &'a str) -> Result<T> {
    serde_json::from_str(line)
        .map_err(|error| invalid(format!("line {number}: {error}")).with_source(error))
}

fn to_line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data has no failing serialisers") + "\n"
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"format_version":1,"name":"n","description":"d"}"#;

    #[test]
    fn comes_back_as_it_was() {
        let text = format!(
            "{HEADER}\n{}\n{}\n{}\n",
            r#"{"reading":{"at_ms":7,"battery_percent":55.5,"charging":false,"low_power_mode":true,"thermal_level":"severe","thermal_headroom":0.75}}"#,
            r#"{"mode":{"at_ms":3,"mode":"precise"}}"#,
            r#"{"restart":{"at_ms":0}}"#,
        );
        let trace = DeviceTrace::parse(&text).unwrap();
        assert_eq!(trace.to_text(), text);
        assert_eq!(trace.events.iter().map(TraceEvent::at_ms).collect::<Vec<_>>(), [7, 3, 0]);
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, part) in [
            (String::new(), "is empty"),
            ("{}".into(), "line 1"),
            (HEADER.replace(":1", ":2"), "format_version is 2"),
            (format!("{HEADER}\n\n{{\"reading\":{{}}}}"), "line 3"),
            (format!("{HEADER}\n{{\"mode\":{{\"at_ms\":1,\"mode\":\"fast\"}}}}"), "line 2"),
        ] {
            let error = DeviceTrace::parse(&text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
