//! Asserts that a file is refused, and builds graphs of one node to refuse.

use biglittle::ErrorKind;
use biglittle::clock::Clock;
use biglittle::engine::SystemClock;
use biglittle::network::{ModelLimits, check_model};
use tract_onnx::pb::AttributeProto;

use super::*;

/// Asserts that `bytes` are refused in time with all of `parts` in the text.
pub fn refuse(name: &str, bytes: &[u8], parts: &[&str]) {
    let clock = SystemClock::new();
    let start = clock.now();
    let result = check_model(bytes, &ModelLimits::default());
    let took = Duration::from_nanos((clock.now() - start).cpu_ns);
    let error = match result {
        Ok(summary) => panic!("{name}: accepted as {summary:?}"),
        Err(error) => error,
    };
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::InvalidModel, "{name}: {text}");
    for part in parts {
        assert!(text.contains(part), "{name}: {part:?} is not in: {text}");
    }
    assert!(!text.contains("tract"), "{name} got as far as tract: {text}");
    assert!(text.len() < 600, "{name}: too long: {text}");
    assert!(took < time_limit(), "{name} took {took:?}");
}

/// A graph with one node `n_y` that makes `y` from an 8 x 8 image of 4
/// channels.
pub fn one(op: &str, constants: &[&[f32]], attributes: Vec<AttributeProto>) -> Vec<u8> {
    let mut b = Builder::new(13, &[1, 4, 8, 8]);
    let mut inputs = vec!["x".to_owned()];
    for values in constants {
        inputs.push(b.floats(&[values.len() as i64], values));
    }
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    b.node_to(op, &inputs, &["y"], attributes);
    b.finish("y")
}

/// As [`one`] with lists of integers as further inputs.
pub fn listed(opset: i64, op: &str, lists: &[&[i64]], attributes: Vec<AttributeProto>) -> Vec<u8> {
    let mut b = Builder::new(opset, &[1, 4, 8, 8]);
    let mut inputs = vec!["x".to_owned()];
    for values in lists {
        inputs.push(b.ints(values));
    }
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    b.node_to(op, &inputs, &["y"], attributes);
    b.finish("y")
}

/// A convolution with weights of `dims`.
pub fn conv(dims: &[i64], attributes: Vec<AttributeProto>) -> Vec<u8> {
    let mut b = Builder::new(13, &[1, 4, 8, 8]);
    let w = b.weights(dims);
    b.node_to("Conv", &["x", &w], &["y"], attributes);
    b.finish("y")
}
