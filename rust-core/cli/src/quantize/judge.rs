//! What a network loses in int8, on images that its ranges were not taken from.

use biglittle::bundle::NetworkSpec;
use biglittle::calibrate::clopper_pearson;
use biglittle::decision::{Confidence, Scores, Threshold, judge};
use biglittle::engine::{open_network, takes_pixels};
use biglittle::network::{Execution, Isa, Session};
use biglittle::preprocess::Preprocessor;
use biglittle::{ModelBundle, Result};
use serde::Serialize;

use super::Sets;

/// The most points of accuracy that int8 may cost before it is advised against.
const MOST_LOST: f64 = 0.5;
/// The least agreement without labels, in percent.
const LEAST_AGREEMENT: f64 = 95.0;

/// A network in float32 and in int8 on the same images.
#[derive(Debug, Serialize)]
pub struct Judged {
    pub network: String,
    /// Of the ONNX files in float32 and in int8.
    pub bytes: [u64; 2],
    /// What runs it in int8 here.
    pub runtime: String,
    /// Whether the pixels of a frame are the network's input as they are.
    pub takes_pixels: bool,
    /// Images that ranges were taken from.
    pub range_images: usize,
    /// Images that it was judged on.
    pub images: usize,
    /// The share of them with the same answer.
    pub agreement: f64,
    /// The exact (Clopper-Pearson) 95 % interval of the agreement.
    pub agreement_ci95: [f64; 2],
    /// The mean absolute difference of an output value.
    pub mean_output_difference: f64,
    /// Where the images have labels.
    pub labelled: Option<Labelled>,
    /// Why it should stay in float32, if it should.
    pub keep_float32: Option<String>,
}

/// How right the two are; of pairs the first is float32.
#[derive(Debug, Serialize)]
pub struct Labelled {
    pub accuracy: [f64; 2],
    /// The exact 95 % intervals.
    pub accuracy_ci95: [[f64; 2]; 2],
    /// Images that only float32 answers right, and that only int8 does.
    pub only_right: [usize; 2],
    /// The area under the ROC curve of the score margin as a test for right
    /// answers: the probability that a right answer has a larger one than a wrong
    /// answer. Null where all answers are right or all wrong.
    pub margin_auroc: [Option<f64>; 2],
}

/// Runs the network of `before` and that of `after` with the number `number` on the
/// images for judging.
pub fn judged(
    before: &ModelBundle,
    after: &ModelBundle,
    number: usize,
    sets: &Sets<'_>,
) -> Result<Judged> {
    let [float, int8] = [before, after].map(|bundle| &bundle.manifest().networks[number]);
    let labels = before.labels().len();
    // The reference gives the same answers as any processor, but takes its time.
    let execution = match Isa::detect_int8() {
        Some(_) => Execution::Fastest,
        None => Execution::Kernels(Isa::Scalar),
    };
    let mut runners = [
        Runner::new(before, float, Execution::Fastest, labels)?,
        Runner::new(after, int8, execution, labels)?,
    ];
    let runtime = runners[1].runtime.clone();
    let takes_pixels = runners[1].takes_pixels;
    let (mut same, mut difference, mut values) = (0, 0.0, 0);
    let mut right: [Vec<(f32, bool)>; 2] = Default::default();
    let mut only_right = [0; 2];
    let data = sets.data();
    for &index in &sets.for_judging {
        let sample = data.sample(index)?;
        let frame = sample.frame().map_err(|error| error.context(data.name(index)))?;
        let answers = [runners[0].run(&frame)?, runners[1].run(&frame)?];
        same += usize::from(answers[0].0 == answers[1].0);
        let outputs = runners[0].output.iter().zip(&runners[1].output);
        difference += outputs.map(|(a, b)| f64::from((a - b).abs())).sum::<f64>();
        values += runners[0].output.len();
        if let Some(label) = data.label(index) {
            let is_right = answers.map(|(answer, _)| answer == Some(label));
            for (side, (_, score)) in answers.into_iter().enumerate() {
                right[side].push((score, is_right[side]));
            }
            only_right[0] += usize::from(is_right[0] && !is_right[1]);
            only_right[1] += usize::from(is_right[1] && !is_right[0]);
        }
    }
    let images = sets.for_judging.len();
    let agreement = same as f64 / images as f64;
    let labelled = (!right[0].is_empty()).then(|| labelled(&right, only_right));
    Ok(Judged {
        network: float.id.clone(),
        bytes: [float.file.bytes, int8.file.bytes],
        runtime,
        takes_pixels,
        range_images: sets.for_ranges.len(),
        images,
        agreement,
        agreement_ci95: interval(same, images),
        mean_output_difference: difference / values.max(1) as f64,
        keep_float32: advice(agreement, labelled.as_ref()),
        labelled,
    })
}

fn labelled(right: &[Vec<(f32, bool)>; 2], only_right: [usize; 2]) -> Labelled {
    let counts = right.each_ref().map(|side| side.iter().filter(|(_, right)| *right).count());
    let images = right[0].len();
    Labelled {
        accuracy: counts.map(|count| count as f64 / images as f64),
        accuracy_ci95: counts.map(|count| interval(count, images)),
        only_right,
        margin_auroc: right.each_ref().map(|side| auroc(side)),
    }
}

fn interval(count: usize, of: usize) -> [f64; 2] {
    clopper_pearson(count as u64, of as u64, 0.05)
}

/// Why the network should stay in float32, if it should.
fn advice(agreement: f64, labelled: Option<&Labelled>) -> Option<String> {
    match labelled {
        Some(labelled) => {
            let lost = 100.0 * (labelled.accuracy[0] - labelled.accuracy[1]);
            (lost > MOST_LOST)
                .then(|| format!("it loses {lost:.1} points of accuracy, more than {MOST_LOST}"))
        }
        None => {
            let percent = 100.0 * agreement;
            (percent < LEAST_AGREEMENT).then(|| {
                format!("only {percent:.1} % of the answers stay, less than {LEAST_AGREEMENT} %")
            })
        }
    }
}

/// The probability that a right answer has a larger score than a wrong one, equal
/// scores counted half: the Mann-Whitney statistic over the number of pairs.
fn auroc(scored: &[(f32, bool)]) -> Option<f64> {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let rights = sorted.iter().filter(|(_, right)| *right).count() as f64;
    let wrongs = sorted.len() as f64 - rights;
    if rights == 0.0 || wrongs == 0.0 {
        return None;
    }
    let (mut wins, mut wrong_below) = (0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        let right = tied.iter().filter(|(_, right)| *right).count() as f64;
        let wrong = tied.len() as f64 - right;
        wins += right * (wrong_below + wrong / 2.0);
        wrong_below += wrong;
    }
    Some(wins / (rights * wrongs))
}

/// A network of a bundle with all that it needs to answer.
struct Runner<'a> {
    spec: &'a NetworkSpec,
    session: Session,
    runtime: String,
    takes_pixels: bool,
    preprocessor: Preprocessor,
    values: biglittle::InputTensor,
    pixels: biglittle::InputTensor<u8>,
    output: Vec<f32>,
    scores: Scores,
    labels: usize,
}

impl<'a> Runner<'a> {
    fn new(
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
    fn run(&mut self, frame: &biglittle::FrameView<'_>) -> Result<(Option<u32>, f32)> {
        if self.takes_pixels {
            self.preprocessor.run_bytes(frame, &mut self.pixels)?;
            self.session.run(self.pixels.data(), &mut self.output)?;
        } else {
            self.preprocessor.run(frame, &mut self.values)?;
            self.session.run(self.values.data(), &mut self.output)?;
        }
        self.scores.read(&self.spec.output, self.labels, &self.output);
        let (confidence, threshold) = (Confidence::Margin, Threshold::NEVER_ESCALATE);
        let verdict = judge(&self.scores, &self.spec.output, confidence, threshold);
        Ok((verdict.label, verdict.score))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auroc_counts_pairs() {
        let scored = [(0.1, false), (0.2, true), (0.3, false), (0.4, true), (0.4, false)];
        // Of 2 x 3 pairs: 0.2 beats one; 0.4 beats two and ties with one.
        assert_eq!(auroc(&scored), Some(3.5 / 6.0));
        assert_eq!(auroc(&[(0.1, true), (0.2, true)]), None);
    }

    #[test]
    fn what_costs_more_than_half_a_point_should_stay() {
        let with = |float, int8| Labelled {
            accuracy: [float, int8],
            accuracy_ci95: [[0.0, 1.0]; 2],
            only_right: [0; 2],
            margin_auroc: [None; 2],
        };
        assert_eq!(advice(0.5, Some(&with(0.900, 0.896))), None);
        let said = advice(0.99, Some(&with(0.900, 0.880))).unwrap();
        assert!(said.contains("loses 2.0 points"), "{said}");
        assert_eq!(advice(0.951, None), None);
        assert!(advice(0.949, None).unwrap().contains("94.9 %"));
    }
}
