//! A part of a network that the kernels run, as an operator inside tract's
//! model.
//!
//! Decides nothing: `lower` has found the part and `load` has it put in its place
//! here. The operator's tensors have tract's shapes; the kernels read and
//! write them in whatever order their elements are in.

use std::collections::HashMap;
use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;

use super::program::{Compiled, CompiledSession, Input};

/// A part of a network with one input and one output.
#[derive(Debug, Clone)]
struct Region {
    compiled: Compiled,
    /// The output's shape.
    shape: TVec<usize>,
}

impl PartialEq for Region {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.compiled.model, &other.compiled.model) && self.shape == other.shape
    }
}

impl Eq for Region {}

impl Op for Region {
    fn name(&self) -> StaticName {
        "Kernels".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Region {
    not_out_of_plan!();

    fn state(&self, _: &EvalContext) -> TractResult<Option<Box<dyn OpState>>> {
        Ok(Some(Box::new(RegionState { region: self.clone(), memory: None })))
    }
}

impl TypedOp for Region {
    fn output_facts(&self, _: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(f32::fact(&self.shape)))
    }

    as_op!();
}

/// The memory is made by the first run: tract also asks for states that are
/// never run.
#[derive(Debug)]
struct RegionState {
    region: Region,
    memory: Option<(CompiledSession, Arc<Tensor>)>,
}

impl Clone for RegionState {
    fn clone(&self) -> Self {
        // No run reads what another has left.
        RegionState { region: self.region.clone(), memory: None }
    }
}

impl OpState for RegionState {
    fn eval(
        &mut self,
        _: &EvalContext,
        _: &dyn Op,
        inputs: TVec<TValue>,
    ) -> TractResult<TVec<TValue>> {
        let (session, output) = match &mut self.memory {
            Some(memory) => memory,
            none => {
                let output = Tensor::zero::<f32>(&self.region.shape)?;
                none.insert((CompiledSession::new(&self.region.compiled), Arc::new(output)))
            }
        };
        // Nobody holds the last run's output any more, so this does not copy.
        let input = inputs[0].try_as_plain_ram()?;
        let mut ram = Arc::make_mut(output).try_as_plain_ram_mut()?;
        session.run(Input::Floats(input.as_slice::<f32>()?), ram.as_slice_mut::<f32>()?, None)?;
        Ok(tvec!(TValue::from_const(output.clone())))
    }

    fn reset_lanes(&mut self, _: &[LaneId]) -> TractResult<()> {
        Ok(())
    }
}

/// Puts the compiled parts in the places of the layers that they stand for.
pub(super) fn replaced(
    mut typed: TypedModel,
    parts: Vec<(OutletId, OutletId, Compiled)>,
) -> TractResult<TypedModel> {
    // The output of a part may be the input of the next.
    let mut renamed = HashMap::new();
    for (index, (entry, exit, compiled)) in parts.into_iter().enumerate() {
        let entry = renamed.get(&entry).copied().unwrap_or(entry);
        let shape = typed.outlet_fact(exit)?.shape.eval_to_usize(&SymbolValues::default())?;
        let shape = shape.into_owned();
        let mut patch = TypedModelPatch::default();
        let input = patch.tap_model(&typed, entry)?;
        let name = format!("kernels.{index}");
        let output = patch.wire_node(name, Region { compiled, shape }, &[input])?[0];
        patch.shunt_outside(&typed, exit, output)?;
        patch.apply(&mut typed)?;
        renamed.insert(exit, OutletId::new(typed.nodes().len() - 1, 0));
    }
    typed.compact()?;
    Ok(typed)
}
