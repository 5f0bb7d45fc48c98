//! A session on the kernels allocates nothing once it is warm, and parts on the
//! kernels less than tract would.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::alloc::System;

use biglittle::network::{Execution, Model, ModelLimits, Runtime, Session};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};
use support::networks;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Allocations of 20 runs of a warm session.
fn allocations(model: &Model) -> Stats {
    let mut session = Session::new(model).unwrap();
    let input = vec![0.5; model.summary().input_shape.iter().product()];
    let mut output = Vec::new();
    session.run(&input, &mut output).unwrap();
    let region = Region::new(ALLOCATOR);
    for _ in 0..20 {
        session.run(&input, &mut output).unwrap();
    }
    region.change()
}

/// One after the other: the allocator counts for the whole process.
#[test]
fn allocations_per_run() {
    whole_networks();
    parts();
}

/// A network in parts allocates less than all of it on tract.
fn parts() {
    let mut b = support::Builder::new(13, &[1, 16, 28, 28]);
    let x = b.conv("x", 16, 16, 3, 1, 1);
    let x = b.node("Erf", &[&x], vec![]);
    let x = b.conv(&x, 16, 16, 3, 1, 1);
    let bytes = b.finish(&x);
    let limits = ModelLimits::default();
    let parts = Model::open(&bytes, &limits).unwrap();
    assert!(matches!(parts.runtime(), Runtime::Mixed { .. }), "{}", parts.runtime());
    let tract = allocations(&Model::open_with(&bytes, Execution::Tract.into()).unwrap());
    let parts = allocations(&parts);
    assert!(parts.allocations < tract.allocations, "{parts:?} {tract:?}");
    assert!(parts.bytes_allocated < tract.bytes_allocated, "{parts:?} {tract:?}");
}

fn whole_networks() {
    for (name, bytes) in [
        ("lenet", networks::lenet()),
        ("resnet", networks::resnet()),
        ("mobilenet_v2", networks::mobilenet_v2()),
        ("mobilenet_v3", networks::mobilenet_v3()),
        ("shufflenet_v2", networks::shufflenet_v2()),
    ] {
        let model = Model::open(&bytes, &ModelLimits::default()).unwrap();
        assert!(matches!(model.runtime(), Runtime::Kernels { .. }), "{name}: {}", model.runtime());
        let change = allocations(&model);
        assert_eq!((change.allocations, change.reallocations), (0, 0), "{name}: {change:?}");
    }
}
