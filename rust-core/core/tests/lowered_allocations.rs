//! A session on the kernels allocates nothing once it is warm.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::alloc::System;

use biglittle::network::{Model, ModelLimits, Runtime, Session};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use support::networks;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn no_allocation_per_run() {
    for (name, bytes) in [
        ("lenet", networks::lenet()),
        ("resnet", networks::resnet()),
        ("mobilenet_v2", networks::mobilenet_v2()),
        ("mobilenet_v3", networks::mobilenet_v3()),
        ("shufflenet_v2", networks::shufflenet_v2()),
    ] {
        let model = Model::open(&bytes, &ModelLimits::default()).unwrap();
        assert!(matches!(model.runtime(), Runtime::Kernels { .. }), "{name}: {}", model.runtime());
        let mut session = Session::new(&model).unwrap();
        let input = vec![0.5; model.summary().input_shape.iter().product()];
        let mut output = Vec::new();
        session.run(&input, &mut output).unwrap();
        let region = Region::new(ALLOCATOR);
        for _ in 0..20 {
            session.run(&input, &mut output).unwrap();
        }
        let change = region.change();
        assert_eq!((change.allocations, change.reallocations), (0, 0), "{name}: {change:?}");
    }
}
