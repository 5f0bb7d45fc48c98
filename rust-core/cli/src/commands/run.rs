//! `run`: image files in, a line each out.

use std::io::Write;
use std::path::Path;

use biglittle::{
    AnswerStatus, Engine, EngineOptions, Error, ErrorKind, LevelReport, ModelBundle, Outcome,
    Result,
};
use serde::Serialize;

use super::table::duration;
use crate::args::RunArgs;
use crate::data::Picture;
use crate::output;

/// One file's answer.
#[derive(Debug, Serialize)]
struct Answer {
    file: String,
    label: Option<String>,
    label_index: Option<u32>,
    score: f32,
    level: String,
    status: &'static str,
    cpu_ns: u64,
    wall_ns: u64,
    macs: u64,
    /// The first error of a network that could not be run.
    failure: Option<String>,
    /// The levels that ran, in order.
    levels: Vec<LevelAnswer>,
}

/// What one level made of a file.
#[derive(Debug, Serialize)]
struct LevelAnswer {
    name: String,
    label: Option<String>,
    /// `None` where it has no usable answer.
    score: Option<f32>,
    /// Why its answer was not accepted.
    escalation: Option<String>,
    cpu_ns: u64,
    macs: u64,
}

pub fn run(args: &RunArgs) -> Result<()> {
    let out = args.out;
    let mut engine = Engine::open(ModelBundle::open(&args.bundle)?, &EngineOptions::default())
        .map_err(|error| error.context(args.bundle.display()))?;
    let mut answers = Vec::new();
    let mut failed = 0;
    let mut warned = false;
    for file in &args.files {
        match answer(&mut engine, file) {
            Ok(answer) => {
                if let (false, Some(failure)) = (warned, &answer.failure) {
                    warned = true;
                    output::print_warning(&format!(
                        "{}: a network failed: {failure}: this is said once, --json says it of \
                         every file",
                        answer.file
                    ));
                }
                if out.json {
                    answers.push(answer);
                } else {
                    out.print(&(), |out| write_line(out, &answer))?;
                }
            }
            Err(error) => {
                failed += 1;
                output::print_error(&error);
            }
        }
    }
    if out.json {
        out.print(&answers, |_| Ok(()))?;
    }
    if failed > 0 {
        let message = format!("{failed} of {} files could not be classified", args.files.len());
        return Err(Error::new(ErrorKind::InvalidData, message));
    }
    Ok(())
}

fn answer(engine: &mut Engine, file: &Path) -> Result<Answer> {
    let picture = Picture::open(file)?;
    let named = |error: Error| error.context(file.display());
    let frame = picture.frame().map_err(named)?;
    let Outcome {
        label,
        score,
        threshold: _,
        tier,
        status,
        levels,
        times,
        macs,
        failure,
        marks: _,
    } = engine.classify(&frame).map_err(named)?;
    let label_name =
        |label: Option<u32>| label.and_then(|label| engine.label(label)).map(str::to_owned);
    let level_name = |tier: u8| engine.bundle().manifest().levels[usize::from(tier)].name.clone();
    let level = |report: LevelReport| LevelAnswer {
        name: level_name(report.tier),
        label: label_name(report.label),
        score: report.score.is_finite().then_some(report.score),
        escalation: report.escalation.map(|reason| reason.to_string()),
        cpu_ns: report.times.cpu_ns,
        macs: report.macs,
    };
    Ok(Answer {
        file: file.display().to_string(),
        label: label_name(label),
        label_index: label,
        score,
        level: level_name(tier),
        status: match status {
            AnswerStatus::Accepted => "accepted",
            AnswerStatus::Unsure => "unsure",
            AnswerStatus::Fallback => "fallback",
            AnswerStatus::Dropped => "dropped",
        },
        cpu_ns: times.cpu_ns,
        wall_ns: times.wall_ns,
        macs,
        failure: failure.map(|error| error.to_string()),
        levels: levels.into_iter().map(level).collect(),
    })
}

fn write_line(out: &mut dyn Write, answer: &Answer) -> std::io::Result<()> {
    let label = answer.label.as_deref().unwrap_or("(no label)");
    let mark = if answer.status == "accepted" { "" } else { answer.status };
    writeln!(
        out,
        "{}: {label}  score {:.3}  {}  {}  {mark}",
        answer.file,
        answer.score,
        answer.level,
        duration(answer.wall_ns as f64),
    )
}
