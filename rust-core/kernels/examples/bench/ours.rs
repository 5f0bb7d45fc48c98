//! The builder of this crate's graphs.

use crate::nets::Builder;
use biglittle_kernels::{
    Activation, Conv, Graph, Linear, Op, Padding, Pool, PoolKind, Shape, Value,
};

pub struct Ours {
    pub graph: Graph,
    nodes: usize,
    seed: u32,
}

impl Ours {
    pub fn new(side: usize, channels: usize) -> Self {
        let graph = Graph::new(Shape::new(side, side, channels)).expect("a valid input");
        Self { graph, nodes: 0, seed: 1 }
    }

    fn random(&mut self, n: usize, fan_in: usize) -> Vec<f32> {
        let scale = 2.4 / (fan_in as f32).sqrt();
        let mut next = || {
            self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (f32::from((self.seed >> 16) as u16) / 65536.0 - 0.5) * scale
        };
        (0..n).map(|_| next()).collect()
    }

    fn add(&mut self, op: impl Into<Op>) -> Value {
        self.nodes += 1;
        self.graph.add(format!("n{}", self.nodes), op).expect("a valid node")
    }
}

fn clamp(hi: Option<f32>) -> Activation {
    hi.map_or(Activation::None, |hi| Activation::Clip { lo: 0.0, hi })
}

impl Builder for Ours {
    type T = Value;

    fn conv(
        &mut self,
        x: Value,
        out: usize,
        (k, stride): (usize, usize),
        hi: Option<f32>,
        residual: Option<Value>,
    ) -> Value {
        let fan_in = self.channels(x) * k * k;
        let weights = self.random(out * fan_in, fan_in);
        let bias = self.random(out, 100);
        self.add(Conv {
            bias,
            stride: [stride, stride],
            padding: Padding::same(k / 2),
            activation: clamp(hi),
            residual,
            ..Conv::new(x, out, [k, k], weights)
        })
    }

    fn depthwise(&mut self, x: Value, (k, stride): (usize, usize), hi: Option<f32>) -> Value {
        let c = self.channels(x);
        let weights = self.random(c * k * k, k * k);
        let bias = self.random(c, 100);
        self.add(Conv {
            bias,
            stride: [stride, stride],
            padding: Padding::same(k / 2),
            activation: clamp(hi),
            groups: c,
            ..Conv::new(x, c, [k, k], weights)
        })
    }

    fn linear(&mut self, x: Value, out_channels: usize, hi: Option<f32>) -> Value {
        let n = self.graph.shape(x).expect("of this graph").len();
        let weights = self.random(out_channels * n, n).into();
        let bias = self.random(out_channels, 100);
        self.add(Linear { x, out_channels, weights, bias, activation: clamp(hi) })
    }

    fn max_pool(&mut self, x: Value, kernel: usize) -> Value {
        self.add(Pool {
            x,
            kind: PoolKind::Max,
            kernel: [kernel, kernel],
            stride: [2, 2],
            padding: Padding::default(),
        })
    }

    fn global_average(&mut self, x: Value) -> Value {
        self.add(Op::GlobalAverage(x))
    }

    fn channels(&self, x: Value) -> usize {
        self.graph.shape(x).expect("of this graph").c
    }
}
