//! One network of a bundle as the cascade sees it: frame in, raw values out.

use std::sync::Arc;

use once_cell::sync::OnceCell;

use super::inputs::{Inputs, Shot};
use crate::bundle::{ModelBundle, NetworkSpec};
use crate::cascade::Classifier;
use crate::error::{Error, ErrorKind, Result};
use crate::network::{
    CalibrationTable, Model, ModelLimits, OpenOptions, OpenPhase, Precision, Quantization, Runtime,
    Session,
};
use crate::preprocess::PreprocessSpec;
use crate::tensor::InputTensor;

/// Opens a network of a bundle as [`Engine`](super::Engine) does: by its
/// calibration table, where it has one; the `table` of `options` is not used. Calls
/// `watch` at the end of each phase.
///
/// # Errors
/// Those of [`Model::open_with`], and [`ErrorKind::InvalidBundle`] when the table is
/// malformed or for another file.
///
/// # Panics
/// When `spec` is of another bundle.
pub fn open_network(
    bundle: &ModelBundle,
    spec: &NetworkSpec,
    options: OpenOptions<'_>,
    watch: &mut dyn FnMut(OpenPhase),
) -> Result<Model> {
    let bytes = bundle.network_bytes(spec).expect("a checked bundle has every file it names");
    let table = bundle.table_bytes(spec).map(|json| CalibrationTable::from_json(json));
    let table = table.transpose()?;
    if let Some(table) = &table {
        table.check(&spec.file.sha256)?;
    }
    let model =
        Model::open_watched(bytes, OpenOptions { table: table.as_ref(), ..options }, watch)?;
    let in_int8 = matches!(model.runtime(), Runtime::Kernels { precision: Precision::Int8, .. });
    if table.is_some() && !in_int8 {
        log::warn!(
            "network {:?} is run by {}: its answers differ a little from those in int8, which \
             certificates are of",
            spec.id,
            model.runtime()
        );
    }
    Ok(model)
}

/// Whether the pixels of a frame in the input's size are the quantized input of a
/// network of a bundle, so that an engine does not normalise them.
#[must_use]
pub fn takes_pixels(model: &Model, input: &PreprocessSpec) -> bool {
    let quantization = model.input_quantization();
    quantization
        .is_some_and(|Quantization { scale, zero_point }| input.keeps_pixels(scale, zero_point))
}

/// A network that engines share and that whoever needs it first opens.
#[derive(Debug)]
pub(super) struct SharedModel {
    bundle: Arc<ModelBundle>,
    /// Of the bundle's networks.
    number: usize,
    limits: ModelLimits,
    model: OnceCell<Model>,
    /// Why it cannot be opened: its bytes do not change, so neither does that.
    failure: OnceCell<Error>,
}

impl SharedModel {
    pub fn all_of(bundle: &Arc<ModelBundle>, limits: &ModelLimits) -> Vec<Arc<Self>> {
        let shared = |number| {
            Arc::new(SharedModel {
                bundle: bundle.clone(),
                number,
                limits: *limits,
                model: OnceCell::new(),
                failure: OnceCell::new(),
            })
        };
        (0..bundle.manifest().networks.len()).map(shared).collect()
    }

    fn spec(&self) -> &NetworkSpec {
        &self.bundle.manifest().networks[self.number]
    }

    fn get(&self) -> Result<&Model> {
        if let Some(error) = self.failure.get() {
            return Err(Error::new(error.kind(), error.to_string()));
        }
        self.model.get_or_try_init(|| {
            let opened = self.open();
            opened.map_err(|error| {
                let error = error.context(format!("network {:?}", self.spec().id));
                let again = Error::new(error.kind(), error.to_string());
                self.failure.get_or_init(|| again);
                error
            })
        })
    }

    fn open(&self) -> Result<Model> {
        let NetworkSpec { input, output, macs, .. } = self.spec();
        let model = open_network(&self.bundle, self.spec(), (&self.limits).into(), &mut |_| {})?;
        let size = [1, input.channels.count(), input.height, input.width].map(|n| n as usize);
        let summary = model.summary();
        if summary.input_shape != size {
            return Err(Error::new(
                ErrorKind::InvalidBundle,
                format!(
                    "its input has shape {:?}, but the manifest's preprocessing makes {size:?}: \
                     correct `input`",
                    summary.input_shape
                ),
            ));
        }
        let delivered: usize = summary.output_shape.iter().product();
        let expected = output.output_count(self.bundle.labels().len());
        if delivered != expected {
            return Err(Error::new(
                ErrorKind::InvalidBundle,
                format!(
                    "it delivers {delivered} values, but by the bundle's labels and its `output` \
                     they are {expected}: correct the labels, dropped_outputs or label_map"
                ),
            ));
        }
        if summary.macs != *macs {
            return Err(Error::new(
                ErrorKind::InvalidBundle,
                format!(
                    "it takes {} multiply-accumulates, but the manifest says {macs}: pack the \
                     bundle again",
                    summary.macs
                ),
            ));
        }
        Ok(model)
    }
}

/// A network and the number of its input, with the memory of one engine.
#[derive(Debug)]
pub(super) struct Stage {
    shared: Arc<SharedModel>,
    input: usize,
    opened: Option<Opened>,
}

#[derive(Debug)]
struct Opened {
    session: Session,
    /// Whether the pixels are the network's quantized input.
    takes_pixels: bool,
}

impl Stage {
    pub fn new(shared: Arc<SharedModel>, inputs: &mut Inputs) -> Result<Self> {
        let input = inputs.add(&shared.spec().input)?;
        Ok(Stage { shared, input, opened: None })
    }

    pub fn open(&mut self) -> Result<()> {
        self.opened().map(|_| ())
    }

    /// Runs once on an empty input and forgets the answer.
    pub fn warm_up(&mut self) -> Result<()> {
        let empty: InputTensor = self.shared.spec().input.make_tensor()?;
        self.opened()?.session.run(empty.data(), &mut Vec::new())
    }

    fn opened(&mut self) -> Result<&mut Opened> {
        match &mut self.opened {
            Some(opened) => Ok(opened),
            empty => {
                let model = self.shared.get()?;
                let takes_pixels = takes_pixels(model, &self.shared.spec().input);
                Ok(empty.insert(Opened { session: Session::new(model)?, takes_pixels }))
            }
        }
    }
}

impl Classifier<Shot<'_>> for Stage {
    fn classify(&mut self, shot: &Shot<'_>, output: &mut Vec<f32>) -> Result<()> {
        let input = self.input;
        let Opened { session, takes_pixels } = self.opened()?;
        if *takes_pixels {
            session.run(shot.pixels(input)?.data(), output)
        } else {
            session.run(shot.input(input)?.data(), output)
        }
    }

    fn macs(&self) -> u64 {
        self.shared.spec().macs
    }
}
