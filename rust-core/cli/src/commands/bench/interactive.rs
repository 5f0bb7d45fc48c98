//! Runs on command, so that another process can interleave several runtimes on
//! one core.
//!
//! Once the network is open, one line of JSON says what it is ([`Loaded`]).
//! Then each line `run N` on standard input is answered by one line of N pairs
//! `wall_ns:cpu_ns`. Any other word, or the end of the input, ends it.

use std::fmt::Write as _;
use std::io::{self, BufRead, Read, Write};

use biglittle::{Error, ErrorKind, Result};
use serde::Serialize;

use super::subject::Subject;
use crate::output::cannot_write;

/// The most runs that one line may ask for.
const MAX_RUNS: usize = 1_000_000;
/// More than a command needs.
const MAX_LINE_BYTES: u64 = 100;

/// The line that is printed first.
#[derive(Debug, Serialize)]
struct Loaded<'a> {
    network: &'a str,
    /// What runs it, and why if it is not the kernels.
    runtime: String,
    /// The kernels' instruction set.
    instruction_set: Option<&'static str>,
    macs: u64,
    open_ns: u64,
}

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Request {
    Run(usize),
    End,
}

pub fn serve(mut subject: Subject) -> Result<()> {
    let loaded = Loaded {
        network: &subject.name,
        runtime: subject.model.runtime().to_string(),
        instruction_set: subject.model.isa().map(|isa| isa.name()),
        macs: subject.model.summary().macs,
        open_ns: subject.open.wall_ns,
    };
    let mut out = io::stdout().lock();
    let mut say = |line: &str| writeln!(out, "{line}").and_then(|()| out.flush());
    let line = serde_json::to_string(&loaded).map_err(io::Error::from).map_err(cannot_write)?;
    say(&line).map_err(cannot_write)?;
    let mut input = io::stdin().lock();
    while let Request::Run(runs) = next(&mut input)? {
        let mut answer = String::new();
        for _ in 0..runs {
            let took = subject.run()?;
            let gap = if answer.is_empty() { "" } else { " " };
            let _ = write!(answer, "{gap}{}:{}", took.wall_ns, took.cpu_ns);
        }
        say(&answer).map_err(cannot_write)?;
    }
    Ok(())
}

/// Reads a line and understands it.
fn next(input: &mut impl BufRead) -> Result<Request> {
    let mut line = Vec::new();
    input.take(MAX_LINE_BYTES).read_until(b'\n', &mut line).map_err(|error| {
        Error::new(ErrorKind::Io, format!("cannot read the next command: {error}"))
            .with_source(error)
    })?;
    let line = String::from_utf8_lossy(&line);
    let mut words = line.split_ascii_whitespace();
    if words.next() != Some("run") {
        return Ok(Request::End);
    }
    match (words.next().map(str::parse), words.next()) {
        (Some(Ok(runs @ 1..=MAX_RUNS)), None) => Ok(Request::Run(runs)),
        _ => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "the line {:?} is no command: write `run N` with N from 1 to {MAX_RUNS}",
                line.trim_end()
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood_or_refused_in_a_sentence() {
        let next = |mut line: &[u8]| next(&mut line);
        assert_eq!(next(b"run 3\n").unwrap(), Request::Run(3));
        assert_eq!(next(b" run  1000000 \r\n").unwrap(), Request::Run(1_000_000));
        for end in ["", "\n", "quit\n", "runs 3\n", "\u{ff}\n"] {
            assert_eq!(next(end.as_bytes()).unwrap(), Request::End, "{end:?}");
        }
        let long = format!("run {}", "1".repeat(1000));
        for bad in ["run\n", "run 0\n", "run -1\n", "run x\n", "run 1000001\n", "run 1 2\n", &long]
        {
            let error = next(bad.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().contains("`run N` with N from 1 to 1000000"), "{error}");
        }
    }
}
