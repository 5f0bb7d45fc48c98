//! Random graphs and the f64 reference that the executor is held to.
#![allow(dead_code, reason = "each test binary uses a part")]

pub mod generate;
pub mod integers;
pub mod reference;

use biglittle_kernels::{
    DataLayout, Error, ErrorKind, Graph, Model, Op, Options, Session, Shape, Value,
};
use std::sync::Arc;

/// xorshift64*: small and repeatable.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        let mut rng = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..4 {
            rng.bits();
        }
        rng
    }

    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }

    /// A number in `lo..=hi`.
    pub fn range(&mut self, lo: usize, hi: usize) -> usize {
        lo + (self.bits() % (hi - lo + 1) as u64) as usize
    }

    pub fn chance(&mut self, one_in: usize) -> bool {
        self.range(1, one_in) == 1
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.range(0, of.len() - 1)]
    }

    /// A number in -1..1.
    pub fn float(&mut self) -> f32 {
        (self.bits() % 20_001) as f32 / 10_000.0 - 1.0
    }

    pub fn floats(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.float()).collect()
    }
}

/// A graph together with what the reference needs to interpret it.
pub struct Network {
    pub graph: Graph,
    pub input: Shape,
    pub nodes: Vec<(Op, Value)>,
    pub output: Value,
}

impl Network {
    pub fn new(input: Shape) -> Self {
        let graph = Graph::new(input).expect("a valid input");
        let output = graph.input();
        Self { graph, input, nodes: Vec::new(), output }
    }

    pub fn try_add(&mut self, op: impl Into<Op>) -> Result<Value, Error> {
        let op = op.into();
        let out = self.graph.add(format!("n{}", self.nodes.len()), op.clone())?;
        self.nodes.push((op, out));
        self.output = out;
        Ok(out)
    }

    pub fn add(&mut self, op: impl Into<Op>) -> Value {
        self.try_add(op).expect("the generator makes valid nodes")
    }

    pub fn shape(&self, v: Value) -> Shape {
        self.graph.shape(v).expect("a value of this graph")
    }
}

/// CHW to NHWC.
pub fn to_nhwc(s: Shape, x: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    for c in 0..s.c {
        for p in 0..s.h * s.w {
            out[p * s.c + c] = x[c * s.h * s.w + p];
        }
    }
    out
}

/// Runs the network on an NHWC input, the output as NHWC; the session first
/// meets an input of NaN, which must leave no trace.
pub fn run(net: &Network, x: &[f32], options: &Options) -> Vec<f32> {
    let options =
        Options { input_layout: DataLayout::Nhwc, output_layout: DataLayout::Nhwc, ..*options };
    let model = Model::compile(net.graph.clone(), &options).expect("compiles");
    let mut out = vec![0.0; model.output_shape().len()];
    let mut session = Session::new(Arc::new(model));
    session.run(&vec![f32::NAN; x.len()], &mut out).expect("runs");
    session.run(x, &mut out).expect("runs");
    out
}

/// The error is of this kind, and its sentence has all parts.
#[track_caller]
pub fn says<T>(result: Result<T, Error>, kind: ErrorKind, parts: &[&str]) {
    let error = result.err().expect("refused");
    assert_eq!(error.kind(), kind, "{error}");
    for part in parts {
        assert!(error.to_string().contains(part), "'{error}' lacks '{part}'");
    }
}
