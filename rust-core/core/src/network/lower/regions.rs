//! Which parts of a network the kernels run where they cannot run all of it.
//!
//! Decides how a network is cut. A region has one tensor going in and one coming
//! out, so it is given by the two: its layers are those that the output needs
//! and that need the input, each of them lowered and none, but the last, read
//! from outside. Between two such tensors the largest region is taken, beginning
//! at the network's input and going on behind each region and each layer that
//! stays with tract. A region that is not worth the copies at its borders is
//! left to tract too.

use std::collections::BTreeSet;

use biglittle_kernels::DataLayout;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::Cost;
use tract_onnx::tract_core::ops::source::TypedSource;

use super::super::runtime::{Part, TractLayer};
use super::{End, Lowered, Lowering, ORDERS, sizes};

/// A part of a network for the kernels.
pub(in super::super) struct Region {
    pub(in super::super) entry: OutletId,
    pub(in super::super) exit: OutletId,
    /// Elements of the two tensors.
    pub(in super::super) lengths: [usize; 2],
    pub(in super::super) lowered: Lowered,
}

/// How a network is cut.
pub(in super::super) struct Cut {
    pub(in super::super) regions: Vec<Region>,
    /// All layers in an order of execution.
    pub(in super::super) layers: Vec<Layer>,
}

/// A layer of a network that is cut.
pub(in super::super) struct Layer {
    name: String,
    operator: String,
    macs: u64,
    /// The index of its region, or why it has none.
    pub(in super::super) place: Result<usize, String>,
}

/// Multiply-accumulates that a region must have for each element of its input and
/// output, which are copied. Measured with AVX-512: a pointwise convolution alone,
/// which tract is good at, breaks even at 28, and every other kind far below.
const MACS_PER_BORDER_ELEMENT: u64 = 32;

/// Multiply-accumulates that a region must have beside: a call takes 1 to 2 us.
const LEAST_WORK: u64 = 50_000;

/// What an element that an operator without multiplications makes counts for.
const WORK_PER_ELEMENT: u64 = 4;

/// Why a layer that could be lowered is not: it has inputs from outside one part,
/// or the part is too small.
const JOINS: &str = "joins tensors from outside one part";
const SMALL: &str = "is in a part too small for the copies at its borders";

/// Bounds on the search in a network that is made to be slow: layers that are
/// lowered, for each layer of the network, and steps of the search for ends.
const MAX_LOWERED_PER_LAYER: usize = 8;
const MAX_STEPS: usize = 1 << 18;

/// Cuts a network, which has nothing to hide from `lower`.
pub(in super::super) fn cut(model: &TypedModel) -> TractResult<Cut> {
    let mut search = Search::new(model)?;
    for at in 0..search.order.len() {
        let id = search.order[at];
        if search.region_of[id].is_some() {
            continue;
        }
        let mut entries: Vec<OutletId> =
            (0..model.node(id).outputs.len()).map(|slot| OutletId::new(id, slot)).collect();
        // Behind a region it goes on with what that makes.
        while let Some(entry) = entries.pop() {
            entries.extend(search.take(entry));
        }
    }
    Ok(search.finish())
}

/// What is lowered from a tensor on.
struct Reached<'a> {
    found: Option<Found<'a>>,
    /// How many layers, in the region or not.
    layers: usize,
    /// The layers that were not, and why.
    refused: Vec<(usize, String)>,
}

/// The largest region from a tensor on.
struct Found<'a> {
    lowering: Lowering<'a>,
    end: End,
    exit: OutletId,
    nodes: Vec<usize>,
    work: u64,
}

struct Search<'a> {
    model: &'a TypedModel,
    order: Vec<usize>,
    /// The place of a node in `order`.
    place: Vec<usize>,
    /// What a node costs tract.
    work: Vec<u64>,
    region_of: Vec<Option<usize>>,
    reasons: Vec<Option<String>>,
    regions: Vec<Region>,
    lowered: usize,
    steps: usize,
}

impl<'a> Search<'a> {
    fn new(model: &'a TypedModel) -> TractResult<Self> {
        let order = model.eval_order()?;
        let count = model.nodes().len();
        let mut place = vec![usize::MAX; count];
        for (at, &id) in order.iter().enumerate() {
            place[id] = at;
        }
        let mut work = vec![0; count];
        for &id in &order {
            work[id] = macs(model, id) + WORK_PER_ELEMENT * elements(model, id.into());
        }
        let lowered = order.len() * MAX_LOWERED_PER_LAYER;
        Ok(Search {
            model,
            order,
            place,
            work,
            region_of: vec![None; count],
            reasons: vec![None; count],
            regions: vec![],
            lowered,
            steps: MAX_STEPS,
        })
    }

    /// Whether a node computes anything from the network's input.
    fn is_layer(&self, id: usize) -> bool {
        let node = self.model.node(id);
        !node.op_is::<TypedSource>() && node.outputs.iter().any(|o| o.fact.konst.is_none())
    }

    /// Takes the largest region that begins with a tensor, if it is worth it, and
    /// gives its exit.
    fn take(&mut self, entry: OutletId) -> Option<OutletId> {
        let mut reached = ORDERS.map(|order| self.reach(entry, order));
        // What one order of the axes cannot lower may be no fault of the layer.
        let refusals = reached.iter_mut().rev().flatten().max_by_key(|reached| reached.layers);
        for (id, reason) in refusals.map(|reached| std::mem::take(&mut reached.refused))? {
            self.reasons[id].get_or_insert(reason);
        }
        let found = reached.into_iter().rev().flatten().filter_map(|reached| reached.found);
        let Found { lowering, end, exit, nodes, work } = found.max_by_key(|found| found.work)?;
        let lengths = [entry, exit].map(|outlet| elements(self.model, outlet));
        if work < LEAST_WORK + MACS_PER_BORDER_ELEMENT * (lengths[0] + lengths[1]) {
            return None;
        }
        for &id in &nodes {
            self.region_of[id] = Some(self.regions.len());
        }
        let lengths = lengths.map(|length| length as usize);
        self.regions.push(Region { entry, exit, lengths, lowered: lowering.finish(end) });
        Some(exit)
    }

    /// Lowers what can be lowered from a tensor on; nothing where the tensor
    /// itself cannot be taken.
    fn reach(&mut self, entry: OutletId, order: DataLayout) -> Option<Reached<'a>> {
        let model = self.model;
        let fact = model.outlet_fact(entry).ok()?;
        if fact.konst.is_some() || fact.datum_type != f32::datum_type() {
            return None;
        }
        let mut lowering = Lowering::new(model, entry, order).ok()?;
        let (mut nodes, mut refused) = (vec![], vec![]);
        let mut ahead: BTreeSet<usize> = self.readers(entry).collect();
        while let Some(at) = ahead.pop_first() {
            let id = self.order[at];
            let node = model.node(id);
            let reached = |outlet: &OutletId| {
                lowering.tensors.contains_key(outlet) || is_constant(model, *outlet)
            };
            if self.region_of[id].is_some() || !node.inputs.iter().all(reached) {
                continue;
            }
            self.lowered = self.lowered.checked_sub(1)?;
            match lowering.node(node) {
                Ok(()) => {
                    nodes.push(id);
                    ahead.extend(self.readers(id.into()));
                }
                Err(reason) => refused.push((id, reason)),
            }
        }
        let found = self.furthest(entry, lowering, &nodes);
        Some(Reached { found, layers: nodes.len(), refused })
    }

    fn readers(&self, outlet: OutletId) -> impl Iterator<Item = usize> + '_ {
        let successors = &self.model.node(outlet.node).outputs[outlet.slot].successors;
        successors.iter().map(|inlet| self.place[inlet.node])
    }

    /// The end that makes the largest region.
    fn furthest(
        &mut self,
        entry: OutletId,
        mut lowering: Lowering<'a>,
        lowered: &[usize],
    ) -> Option<Found<'a>> {
        let mut below: u64 = lowered.iter().map(|&id| self.work[id]).sum();
        let mut best: Option<(OutletId, End, Vec<usize>, u64)> = None;
        for &last in lowered.iter().rev() {
            // All that comes before it is no larger.
            if best.as_ref().is_some_and(|best| best.3 >= below) {
                break;
            }
            let exit = OutletId::from(last);
            if let Some(nodes) = self.between(entry, exit) {
                let work = nodes.iter().map(|&id| self.work[id]).sum();
                if best.as_ref().is_none_or(|best| work > best.3)
                    && let Ok(end) = lowering.end(exit)
                {
                    best = Some((exit, end, nodes, work));
                }
            }
            below -= self.work[last];
        }
        let (exit, end, nodes, work) = best?;
        Some(Found { lowering, end, exit, nodes, work })
    }

    /// The layers of the region between two tensors, if it is one.
    fn between(&mut self, entry: OutletId, exit: OutletId) -> Option<Vec<usize>> {
        let model = self.model;
        let mut inside = BTreeSet::from([self.place[exit.node]]);
        let mut ahead = vec![exit.node];
        while let Some(id) = ahead.pop() {
            for &input in model.node(id).inputs.iter().filter(|&&input| input != entry) {
                if !is_constant(model, input) && inside.insert(self.place[input.node]) {
                    ahead.push(input.node);
                }
            }
        }
        self.steps = self.steps.checked_sub(inside.len())?;
        let nodes: Vec<usize> = inside.iter().map(|&at| self.order[at]).collect();
        let within = nodes.iter().filter(|&&id| id != exit.node).all(|&id| {
            let outlet = OutletId::from(id);
            !model.outputs.contains(&outlet) && self.readers(outlet).all(|at| inside.contains(&at))
        });
        within.then_some(nodes)
    }

    fn finish(self) -> Cut {
        let layer = |&id: &usize| {
            let node = self.model.node(id);
            Layer {
                name: node.name.clone(),
                operator: node.op.name().to_string(),
                macs: macs(self.model, id),
                place: self.region_of[id].ok_or_else(|| self.reason(id)),
            }
        };
        let layers = self.order.iter().filter(|&&id| self.is_layer(id)).map(layer).collect();
        Cut { regions: self.regions, layers }
    }

    /// Why a layer is in no region.
    fn reason(&self, id: usize) -> String {
        if let Some(reason) = &self.reasons[id] {
            return reason.clone();
        }
        let several = |id: usize| {
            let inputs = self.model.node(id).inputs.iter();
            inputs.filter(|&&input| !is_constant(self.model, input)).count() > 1
        };
        if several(id) { JOINS.to_owned() } else { SMALL.to_owned() }
    }
}

/// The first layer that cannot be lowered, or else the first.
pub(in super::super) fn culprit(layers: &[TractLayer]) -> Option<&TractLayer> {
    let itself = |layer: &&TractLayer| layer.reason != JOINS && layer.reason != SMALL;
    layers.iter().find(itself).or(layers.first())
}

/// Which layers run where: each region once, in the place of its first layer.
pub(in super::super) fn parts(layers: Vec<Layer>) -> Vec<Part> {
    let mut parts: Vec<(Option<usize>, Part)> = vec![];
    for Layer { name, operator, macs: work, place } in layers {
        let part = match &place {
            Ok(region) => parts.iter_mut().find(|(index, _)| index.as_ref() == Some(region)),
            Err(_) => parts.last_mut().filter(|(index, _)| index.is_none()),
        };
        match (part, place) {
            (Some((_, Part::Kernels { layers, macs })), Ok(_)) => {
                layers.push(name);
                *macs += work;
            }
            (Some((_, Part::Tract { layers, macs })), Err(reason)) => {
                layers.push(TractLayer { name, operator, reason });
                *macs += work;
            }
            (_, Ok(region)) => {
                parts.push((Some(region), Part::Kernels { layers: vec![name], macs: work }));
            }
            (_, Err(reason)) => {
                let layers = vec![TractLayer { name, operator, reason }];
                parts.push((None, Part::Tract { layers, macs: work }));
            }
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

/// The multiply-accumulates of a node.
fn macs(model: &TypedModel, id: usize) -> u64 {
    let cost = model.node_input_facts(id).and_then(|facts| model.node(id).op.cost(&facts));
    let counts = cost.unwrap_or_default().into_iter().filter_map(|(cost, count)| match cost {
        Cost::FMA(_) => count.to_i64().ok(),
        _ => None,
    });
    counts.map(i64::unsigned_abs).fold(0, u64::saturating_add)
}

fn elements(model: &TypedModel, outlet: OutletId) -> u64 {
    sizes(model, outlet).map_or(0, |sizes| sizes.iter().map(|&size| size as u64).product())
}

fn is_constant(model: &TypedModel, outlet: OutletId) -> bool {
    model.outlet_fact(outlet).is_ok_and(|fact| fact.konst.is_some())
}
