//! What a network loses in int8, on images that its ranges were not taken from.

use biglittle::calibrate::clopper_pearson;
use biglittle::network::{Execution, Isa};
use biglittle::{ModelBundle, Result};
use serde::Serialize;

use super::Sets;
use super::advice::{mcnemar, reasons};
use super::runner::{Runner, median_ns};

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
    /// The medians of the times of a run on this machine, float32 and int8 in turn;
    /// null where it has no fast int8 and nothing can be said.
    pub median_ns: Option<[u64; 2]>,
    /// Why it should stay in float32: nothing where it should not.
    pub keep_float32: Vec<String>,
}

/// How right the two are; of pairs the first is float32.
#[derive(Debug, Serialize)]
pub struct Labelled {
    pub accuracy: [f64; 2],
    /// The exact 95 % intervals.
    pub accuracy_ci95: [[f64; 2]; 2],
    /// Images that only float32 answers right, and that only int8 does.
    pub only_right: [usize; 2],
    /// The probability that those two counts differ so much by chance, were both
    /// equally good: McNemar's exact test, two-sided.
    pub mcnemar_p: f64,
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
    let median_ns = match Isa::detect_int8() {
        Some(_) => Some(median_ns(&mut runners)?),
        None => None,
    };
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
        keep_float32: reasons(agreement, labelled.as_ref(), median_ns),
        median_ns,
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
        mcnemar_p: mcnemar(only_right),
        margin_auroc: right.each_ref().map(|side| auroc(side)),
    }
}

fn interval(count: usize, of: usize) -> [f64; 2] {
    clopper_pearson(count as u64, of as u64, 0.05)
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
}
