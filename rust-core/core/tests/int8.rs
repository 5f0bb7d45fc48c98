//! Networks in int8: made from float32 with calibration images, and then the same to
//! the last bit on every instruction set.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

use biglittle::bundle::{NetworkSpec, sha256_hex};
use biglittle::cascade::{Cascade, Classifier, Level, Member};
use biglittle::decision::Confidence;
use biglittle::engine::{SystemClock, open_network, takes_pixels};
use biglittle::network::{
    CalibrationTable, Execution, Isa, Model, ModelLimits, OpenOptions, QuantizeOptions,
    QuantizedNetwork, RangeMethod, Runtime, Session, quantize,
};
use biglittle::preprocess::Preprocessor;
use biglittle::{ErrorKind, FrameView, InputTensor, ModelBundle, Outcome, PixelFormat, Threshold};
use flate2::read::GzDecoder;
use support::{logged, networks};

const IMAGES: usize = 16;

fn options() -> QuantizeOptions {
    QuantizeOptions {
        limits: ModelLimits::default(),
        method: RangeMethod::MinMax,
        input_range: [-1.0, 1.0],
    }
}

/// Image `number` of a network's input.
fn image(number: usize, values: usize) -> Vec<f32> {
    (0..values).map(|i| support::element(i + number * values)).collect()
}

fn try_quantize(bytes: &[u8], options: &QuantizeOptions) -> biglittle::Result<QuantizedNetwork> {
    let model = Model::open(bytes, &options.limits).unwrap();
    let values = model.summary().input_shape.iter().product();
    let mut images = |each: &mut dyn FnMut(&[f32]) -> biglittle::Result<()>| {
        (0..IMAGES).try_for_each(|number| each(&image(number, values)))
    };
    quantize(bytes, options, &mut images)
}

fn quantized(bytes: &[u8]) -> (QuantizedNetwork, CalibrationTable) {
    let quantized = try_quantize(bytes, &options()).unwrap();
    let table = CalibrationTable::new(
        sha256_hex(&quantized.network),
        sha256_hex(bytes),
        quantized.images,
        RangeMethod::MinMax,
        0.0,
        quantized.ranges.clone(),
    );
    (quantized, table)
}

fn open(network: &[u8], table: &CalibrationTable, isa: Isa) -> Model {
    let execution = Execution::Kernels(isa);
    let options = OpenOptions { table: Some(table), execution, ..OpenOptions::default() };
    Model::open_with(network, options).unwrap()
}

/// Outputs of some images that ranges were not taken from.
fn outputs(model: &Model) -> Vec<f32> {
    let values = model.summary().input_shape.iter().product();
    let mut session = Session::new(model).unwrap();
    let (mut all, mut output) = (Vec::new(), Vec::new());
    for number in IMAGES..IMAGES + 8 {
        session.run(&image(number, values), &mut output).unwrap();
        all.extend_from_slice(&output);
    }
    all
}

/// The cosine of the angle between two vectors.
fn likeness(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn well_known_networks_keep_their_outputs() {
    for (name, bytes) in [
        ("resnet", networks::resnet()),
        ("mobilenet_v2", networks::mobilenet_v2()),
        ("mobilenet_v3", networks::mobilenet_v3()),
        ("squeezenet", networks::squeezenet()),
        ("shufflenet_v2", networks::shufflenet_v2()),
        ("efficientnet", networks::efficientnet()),
    ] {
        let float = Model::open(&bytes, &ModelLimits::default()).unwrap();
        let (quantized, table) = quantized(&bytes);
        let expected = outputs(&float);
        // The file by itself is a network of float32, with rounded weights.
        let rounded = Model::open(&quantized.network, &ModelLimits::default()).unwrap();
        assert!(matches!(rounded.runtime(), Runtime::Kernels { .. }), "{name}");
        assert_eq!(rounded.summary().input_shape, float.summary().input_shape);
        assert_eq!(rounded.summary().output_shape, float.summary().output_shape);
        let cosine = likeness(&outputs(&rounded), &expected);
        assert!(cosine > 0.999, "{name}: {cosine} by rounding weights");
        let reference = outputs(&open(&quantized.network, &table, Isa::Scalar));
        let cosine = likeness(&reference, &expected);
        assert!(cosine > 0.99, "{name}: {cosine} in int8");
        for isa in Isa::available().into_iter().filter(|isa| isa.has_int8()) {
            let model = open(&quantized.network, &table, isa);
            assert!(model.runtime().to_string().contains("int8"), "{name}: {}", model.runtime());
            let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&outputs(&model)), bits(&reference), "{name} on {isa}");
        }
    }
}

#[test]
fn the_file_is_a_quarter_as_large() {
    let bytes = std::fs::read("../../models/mnist/bundle/big.onnx").unwrap();
    let (quantized, _) = quantized(&bytes);
    let share = quantized.network.len() as f64 / bytes.len() as f64;
    assert!(share < 0.3, "{} of {} bytes", quantized.network.len(), bytes.len());
}

#[test]
fn without_a_dot_product_it_runs_in_float_and_says_so() {
    let bytes = networks::resnet();
    let (quantized, table) = quantized(&bytes);
    for isa in Isa::available().into_iter().filter(|isa| !isa.has_int8()) {
        let model = open(&quantized.network, &table, isa);
        let said = model.runtime().to_string();
        assert!(said.contains("in float32 because"), "{said}");
        assert_eq!(model.input_quantization(), None);
        let plain = Model::open(&quantized.network, &ModelLimits::default()).unwrap();
        assert!(likeness(&outputs(&model), &outputs(&plain)) > 0.999_999);
    }
}

#[test]
fn bytes_are_taken_by_int8_networks_only() {
    let bytes = networks::resnet();
    let (quantized, table) = quantized(&bytes);
    let model = open(&quantized.network, &table, Isa::Scalar);
    let input = model.input_quantization().unwrap();
    let values: usize = model.summary().input_shape.iter().product();
    let pixels: Vec<u8> = (0..values).map(|i| (i * 37 % 256) as u8).collect();
    let floats: Vec<f32> = pixels.iter().map(|&pixel| input.real(pixel)).collect();
    let mut session = Session::new(&model).unwrap();
    let (mut by_bytes, mut by_floats) = (Vec::new(), Vec::new());
    session.run(&pixels[..], &mut by_bytes).unwrap();
    session.run(&floats, &mut by_floats).unwrap();
    assert_eq!(by_bytes, by_floats);
    let error = session.run(&pixels[1..], &mut by_bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");

    let float = Model::open(&bytes, &ModelLimits::default()).unwrap();
    let error = Session::new(&float).unwrap().run(&pixels[..], &mut by_bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert!(error.to_string().contains("give the values as floats"), "{error}");
}

#[test]
fn leaving_out_rare_values_narrows_ranges() {
    let bytes = networks::resnet();
    let all = try_quantize(&bytes, &options()).unwrap().ranges;
    let method = RangeMethod::LeaveOut(0.01);
    let narrow = try_quantize(&bytes, &QuantizeOptions { method, ..options() }).unwrap().ranges;
    assert_eq!(all.keys().collect::<Vec<_>>(), narrow.keys().collect::<Vec<_>>());
    assert_eq!((all["input"], narrow["input"]), ([-1.0, 1.0], [-1.0, 1.0]));
    let width = |ranges: &BTreeMap<String, [f32; 2]>| -> f32 {
        ranges.values().map(|[low, high]| high - low).sum()
    };
    assert!(width(&narrow) < 0.99 * width(&all), "{} {}", width(&narrow), width(&all));
    for (name, [low, high]) in &narrow {
        assert!(all[name][0] <= *low && low <= high && *high <= all[name][1], "{name}");
    }
}

#[test]
fn a_table_that_does_not_fit_is_refused() {
    let (quantized, table) = quantized(&networks::resnet());
    let open = |table: &CalibrationTable| {
        let options = OpenOptions { table: Some(table), ..OpenOptions::default() };
        Model::open_with(&quantized.network, options).map(|_| ())
    };
    open(&table).unwrap();
    let mut other = table.clone();
    let name = other.ranges.keys().next().unwrap().clone();
    other.ranges.remove(&name);
    let error = open(&other).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidBundle);
    assert!(error.to_string().contains(&format!("no range for {name:?}")), "{error}");
    let error = table.check(&"0".repeat(64)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidBundle);
}

#[test]
fn what_cannot_be_quantized_is_refused_by_name() {
    let bytes = networks::resnet();
    let none = &mut |_: &mut dyn FnMut(&[f32]) -> biglittle::Result<()>| Ok(());
    let error = quantize(&bytes, &options(), none).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("no calibration image"), "{error}");

    let one = &mut |each: &mut dyn FnMut(&[f32]) -> biglittle::Result<()>| each(&[0.0; 7]);
    let error = quantize(&bytes, &options(), one).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert!(error.to_string().contains("image 1 has 7 values"), "{error}");

    let values: usize = Model::open(&bytes, &ModelLimits::default())
        .unwrap()
        .summary()
        .input_shape
        .iter()
        .product();
    for bad in [f32::NAN, f32::INFINITY] {
        let one =
            &mut |each: &mut dyn FnMut(&[f32]) -> biglittle::Result<()>| each(&vec![bad; values]);
        let error = quantize(&bytes, &options(), one).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains("must be finite"), "{bad}: {error}");
    }

    let method = RangeMethod::LeaveOut(0.5);
    let error = try_quantize(&bytes, &QuantizeOptions { method, ..options() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);

    // A layer that the kernels leave to tract.
    let mut b = support::Builder::new(13, &[1, 16, 28, 28]);
    let x = b.conv("x", 16, 16, 3, 1, 1);
    let x = b.node("Erf", &[&x], vec![]);
    let x = b.conv(&x, 16, 16, 3, 1, 1);
    let bytes = b.finish(&x);
    let error = try_quantize(&bytes, &options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidModel);
    assert!(error.to_string().contains("(Erf)"), "{error}");
}

#[test]
fn an_offset_of_the_input_is_made_up_for_in_int8_only() {
    let bytes = networks::resnet();
    let (quantized, table) = quantized(&bytes);
    let offset = 0.05;
    let table = CalibrationTable { input_offset: offset, ..table };
    let float = Model::open(&bytes, &ModelLimits::default()).unwrap();
    let values: usize = float.summary().input_shape.iter().product();
    let run = |model: &Model, shift: f32| {
        let mut session = Session::new(model).unwrap();
        let (mut all, mut output) = (Vec::new(), Vec::new());
        for number in 0..8 {
            let input: Vec<f32> = image(number, values).iter().map(|v| 0.9 * v + shift).collect();
            session.run(&input, &mut output).unwrap();
            all.extend_from_slice(&output);
        }
        all
    };
    let expected = run(&float, 0.0);
    let with = run(&open(&quantized.network, &table, Isa::Scalar), offset);
    let plain = CalibrationTable { input_offset: 0.0, ..table.clone() };
    let without = run(&open(&quantized.network, &plain, Isa::Scalar), offset);
    let [with, without] = [with, without].map(|outputs| likeness(&outputs, &expected));
    assert!(with > 0.995 && with > without, "{with} with, {without} without");
    // In float32 the values are what they are meant to be.
    for isa in Isa::available().into_iter().filter(|isa| !isa.has_int8()) {
        let outputs = run(&open(&quantized.network, &table, isa), 0.0);
        assert!(likeness(&outputs, &expected) > 0.999, "{isa}");
    }
}

/// The first `count` test digits, each the bytes of a network's input.
fn digits(count: usize) -> Vec<Vec<u8>> {
    let file = File::open("../../models/mnist/t10k-images-idx3-ubyte.gz").unwrap();
    let mut bytes = vec![0; 16 + count * 784];
    GzDecoder::new(file).read_exact(&mut bytes).unwrap();
    bytes[16..].chunks_exact(784).map(<[u8]>::to_vec).collect()
}

/// These sums are of the outputs' bits: a phone has the same ones.
#[test]
fn digits_have_the_same_logits_on_every_machine() {
    if std::env::var_os("BIGLITTLE_EMULATED").is_some() {
        // Or nothing but the reference would be looked at.
        assert_eq!(Isa::detect_int8(), Some(Isa::Neon));
    }
    let bundle = ModelBundle::open("../../models/mnist/bundle-int8").unwrap();
    let digits = digits(200);
    for (id, expected) in [
        ("little", "df99f27b0a16adcb2abf482e68587890fa153535e7172e1071a614cf516d67e4"),
        ("big", "bcd4eb968d774c415aa512f224dcfefa0c8653343c91b437247307e3d7f141a6"),
    ] {
        let spec = bundle.manifest().network(id).unwrap();
        for isa in Isa::available().into_iter().filter(|isa| isa.has_int8()) {
            let execution = Execution::Kernels(isa);
            let model = open_network(&bundle, spec, execution.into(), &mut |_| {}).unwrap();
            assert!(takes_pixels(&model, &spec.input));
            let mut session = Session::new(&model).unwrap();
            let (mut bits, mut output) = (Vec::new(), Vec::new());
            for digit in &digits {
                session.run(&digit[..], &mut output).unwrap();
                bits.extend(output.iter().flat_map(|logit| logit.to_le_bytes()));
            }
            assert_eq!(sha256_hex(&bits), expected, "{id} on {isa}");
        }
    }
}

/// A network of a bundle on digits, on an instruction set of choice.
struct Stage {
    spec: NetworkSpec,
    session: Session,
    preprocessor: Preprocessor,
    values: InputTensor,
    takes_pixels: bool,
}

impl Stage {
    fn open(bundle: &ModelBundle, id: &str, isa: Isa) -> Stage {
        let spec = bundle.manifest().network(id).unwrap();
        let execution = Execution::Kernels(isa);
        let model = open_network(bundle, spec, execution.into(), &mut |_| {}).unwrap();
        Stage {
            session: Session::new(&model).unwrap(),
            preprocessor: Preprocessor::new(&spec.input).unwrap(),
            values: spec.input.make_tensor().unwrap(),
            takes_pixels: takes_pixels(&model, &spec.input),
            spec: spec.clone(),
        }
    }
}

impl Classifier<[u8]> for Stage {
    fn classify(&mut self, digit: &[u8], output: &mut Vec<f32>) -> biglittle::Result<()> {
        if self.takes_pixels {
            return self.session.run(digit, output);
        }
        let frame = FrameView::packed(PixelFormat::Gray8, 28, 28, digit, 28)?;
        self.preprocessor.run(&frame, &mut self.values)?;
        self.session.run(self.values.data(), output)
    }

    fn macs(&self) -> u64 {
        self.spec.macs
    }
}

/// Of the answers of both networks in int8.
const BOTH_INT8: &str = "e650139e4b5b368d01a4b6f80d80d62d95c59ec01e160f5df72d06fc5c95f458";

/// What the MNIST pair answers, its little network and its big one each from the
/// bundle that is given; the threshold lets about a fifth of the digits escalate.
fn answers([little, big]: [&ModelBundle; 2], isa: Isa, digits: &[Vec<u8>]) -> Vec<Outcome> {
    let level = |bundle: &ModelBundle, id: &str, threshold| {
        let classifier = Stage::open(bundle, id, isa);
        let output = classifier.spec.output.clone();
        let members = vec![Member { classifier, output }];
        Level { members, committee: false, confidence: Confidence::Margin, threshold }
    };
    let levels = vec![
        level(little, "little", Threshold::new(0.999).unwrap()),
        level(big, "big", Threshold::NEVER_ESCALATE),
    ];
    let mut cascade = Cascade::new(levels, little.labels().len()).unwrap();
    let clock = SystemClock::new();
    digits.iter().map(|digit| cascade.run(&digit[..], &clock).unwrap()).collect()
}

#[test]
fn cascades_of_one_and_of_mixed_precision_answer_the_same_on_every_machine() {
    let open = |name| ModelBundle::open(format!("../../models/mnist/{name}")).unwrap();
    let (float, int8) = (open("bundle"), open("bundle-int8"));
    let digits = &digits(200);
    let sets: &Vec<Isa> = &Isa::available().into_iter().filter(|isa| isa.has_int8()).collect();
    let all = |networks| sets.iter().map(move |&isa| (isa, answers(networks, isa, digits)));

    // Both in int8: the same to the last bit, here and on a phone.
    let mut reference = vec![];
    for (isa, outcomes) in all([&int8, &int8]) {
        let escalated = outcomes.iter().filter(|outcome| outcome.tier == 1).count();
        assert!((10..100).contains(&escalated), "{escalated}");
        let mut bytes = vec![];
        for outcome in &outcomes {
            bytes.extend(outcome.label.unwrap().to_le_bytes());
            bytes.push(outcome.tier);
            bytes.extend(outcome.levels.iter().flat_map(|level| level.score.to_le_bytes()));
        }
        assert_eq!(sha256_hex(&bytes), BOTH_INT8, "on {isa}");
        reference = outcomes;
    }

    // A big one in float32 differs in the last bits of its score, never in its answer.
    for (isa, outcomes) in all([&int8, &float]) {
        for (outcome, reference) in outcomes.iter().zip(&reference) {
            assert_eq!((outcome.label, outcome.tier), (reference.label, reference.tier), "{isa}");
            let little = [outcome, reference].map(|outcome| outcome.levels[0].score.to_bits());
            assert_eq!(little[0], little[1], "{isa}");
            // What int8 costs the big one.
            assert!((outcome.score - reference.score).abs() < 0.1, "{isa}");
        }
        if isa == sets[0] {
            reference = outcomes;
            continue;
        }
        for (outcome, reference) in outcomes.iter().zip(&reference) {
            assert!((outcome.score - reference.score).abs() < 1e-4, "{isa}");
        }
    }
}

#[test]
fn a_network_for_int8_that_is_run_in_float32_is_warned_of() {
    logged::keep();
    let [float, int8] = ["bundle", "bundle-int8"].map(|name| format!("../../models/mnist/{name}"));
    let open = |bundle: &str, execution| {
        let bundle = ModelBundle::open(bundle).unwrap();
        let spec = bundle.manifest().network("little").unwrap();
        let model = open_network(&bundle, spec, OpenOptions::from(execution), &mut |_| {});
        model.unwrap().runtime().to_string()
    };
    let warnings = |runtime: &str| {
        let sentence = format!("network \"little\" is run by {runtime}: its answers differ");
        logged::warnings(&[&sentence])
    };
    let mut runtimes = vec![];
    for isa in Isa::available() {
        let runtime = open(&int8, Execution::Kernels(isa));
        assert_eq!(runtime.contains("in float32 because"), !isa.has_int8(), "{runtime}");
        runtimes.push((runtime, usize::from(!isa.has_int8())));
        runtimes.push((open(&float, Execution::Kernels(isa)), 0));
    }
    runtimes.push((open(&int8, Execution::Tract), 1));
    for (runtime, expected) in runtimes {
        assert_eq!(warnings(&runtime), expected, "{runtime}");
    }
}
