//! Random graphs on every instruction set of the machine against an f64
//! reference: fused and not, several strip heights, with and without Winograd.

mod common;

use biglittle_kernels::{Isa, Options, WinogradUse};
use common::{Rng, generate, reference, run};

/// Of the largest intermediate value.
const TOLERANCE: f64 = 1e-5;

fn graphs() -> u64 {
    let n = std::env::var("KERNELS_GRAPHS").ok().and_then(|n| n.parse().ok());
    n.unwrap_or(2_400)
}

fn check(seeds: std::ops::Range<u64>) {
    let sets = Isa::available();
    let mut worst = 0.0f64;
    for seed in seeds {
        let mut r = Rng::new(seed);
        let net = generate::network(&mut r);
        let x = r.floats(net.input.len());
        let (want, largest) = reference::evaluate(&net, &x);
        for &isa in &sets {
            for fuse in [false, true] {
                let options = Options {
                    isa: Some(isa),
                    fuse,
                    strip_bytes: r.pick(&[1, 3_000, 20_000, 1 << 20]),
                    winograd: r.pick(&[WinogradUse::Auto, WinogradUse::Always, WinogradUse::Off]),
                    ..Options::default()
                };
                let got = run(&net, &x, &options);
                assert_eq!(got.len(), want.len());
                for (i, (&a, &b)) in got.iter().zip(&want).enumerate() {
                    let error = (f64::from(a) - b).abs() / largest;
                    // written so that NaN fails
                    assert!(
                        error <= TOLERANCE,
                        "seed {seed} {options:?}: output {i} is {a}, not {b} (largest \
                         {largest})\n{}",
                        describe(&net)
                    );
                    worst = worst.max(error);
                }
            }
        }
    }
    report(worst);
}

#[allow(clippy::print_stdout, reason = "shown with --nocapture")]
fn report(worst: f64) {
    println!("worst error {worst:.2e} of the largest intermediate");
}

fn describe(net: &common::Network) -> String {
    let mut text = format!("input {}", net.input);
    for (op, out) in &net.nodes {
        let mut op = format!("{op:?}");
        op.truncate(60);
        text += &format!("\n{:?} {}: {op}", out, net.shape(*out));
    }
    text
}

// quarters, so that they run side by side
#[test]
fn first_quarter() {
    check(0..graphs() / 4);
}

#[test]
fn second_quarter() {
    check(graphs() / 4..graphs() / 2);
}

#[test]
fn third_quarter() {
    check(graphs() / 2..graphs() * 3 / 4);
}

#[test]
fn fourth_quarter() {
    check(graphs() * 3 / 4..graphs());
}
