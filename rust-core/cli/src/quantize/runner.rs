//! A network of a bundle that answers frames, and how long that takes it.

use std::time::Instant;

use biglittle::bundle::NetworkSpec;
use biglittle::decision::{Confidence, Scores, Threshold, judge};
use biglittle::engine::{open_network, takes_pixels};
use biglittle::network::{Execution, Session};
use biglittle::preprocess::Preprocessor;
use biglittle::{FrameView, InputTensor, ModelBundle, Result};

/// Runs of each network that a time is the median of.
pub const RUNS: usize = 51;

/// A network of a bundle with all that it needs to answer.
pub struct Runner<'a> {
    spec: &'a NetworkSpec,
    session: Session,
    pub runtime: String,
    pub takes_pixels: bool,
    preprocessor: Preprocessor,
    values: InputTensor,
    pixels: InputTensor<u8>,
    pub output: Vec<f32>,
    scores: Scores,
    labels: usize,
}

impl<'a> Runner<'a> {
    pub fn new(
        bundle: &ModelBundle,
        spec: &'a NetworkSpec,
        execution: Execution,
        labels: usize,
    ) -> Result<Self> {
        let model = open_network(bundle, spec, execution.into(), &mut |_| {})
            .map_err(|error| error.context(format!("network {:?}", spec.id)))?;
        Ok(Runner {
            spec,
            session: Session::new(&model)?,
            runtime: model.runtime().to_string(),
            takes_pixels: takes_pixels(&model, &spec.input),
            preprocessor: Preprocessor::new(&spec.input)?,
            values: spec.input.make_tensor()?,
            pixels: spec.input.make_tensor()?,
            output: Vec::new(),
            scores: Scores::new(),
            labels,
        })
    }

    /// The answer and its score margin.
    pub fn run(&mut self, frame: &FrameView<'_>) -> Result<(Option<u32>, f32)> {
        if self.takes_pixels {
            self.preprocessor.run_bytes(frame, &mut self.pixels)?;
        } else {
            self.preprocessor.run(frame, &mut self.values)?;
        }
        self.run_again()?;
        self.scores.read(&self.spec.output, self.labels, &self.output);
        let (confidence, threshold) = (Confidence::Margin, Threshold::NEVER_ESCALATE);
        let verdict = judge(&self.scores, &self.spec.output, confidence, threshold);
        Ok((verdict.label, verdict.score))
    }

    /// The network alone, on the input that it had last.
    fn run_again(&mut self) -> Result<()> {
        if self.takes_pixels {
            self.session.run(self.pixels.data(), &mut self.output)
        } else {
            self.session.run(self.values.data(), &mut self.output)
        }
    }
}

/// The medians of the times of two networks in nanoseconds, run in turn so that
/// both have the same share of whatever else the machine does.
pub fn median_ns(runners: &mut [Runner<'_>; 2]) -> Result<[u64; 2]> {
    let mut times = [[0; RUNS]; 2];
    for run in 0..RUNS {
        for (runner, times) in runners.iter_mut().zip(&mut times) {
            let start = Instant::now();
            runner.run_again()?;
            times[run] = start.elapsed().as_nanos() as u64;
        }
    }
    Ok(times.map(|mut times| {
        times.sort_unstable();
        times[RUNS / 2]
    }))
}
