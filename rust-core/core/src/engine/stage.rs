//! One network of a bundle as the cascade sees it: frame in, raw values out.

use std::sync::Arc;

use once_cell::sync::OnceCell;

use super::inputs::{Inputs, Shot};
use crate::bundle::{ModelBundle, NetworkSpec};
use crate::cascade::Classifier;
use crate::error::{Error, ErrorKind, Result};
use crate::network::{Model, ModelLimits, Session};
use crate::tensor::InputTensor;

/// A network that engines share and that whoever needs it first opens.
#[derive(Debug)]
pub(super) struct SharedModel {
    spec: NetworkSpec,
    bytes: Arc<[u8]>,
    limits: ModelLimits,
    /// The values that the network has to deliver.
    output_count: usize,
    model: OnceCell<Model>,
    /// Why it cannot be opened: its bytes do not change, so neither does that.
    failure: OnceCell<Error>,
}

impl SharedModel {
    pub fn all_of(bundle: &ModelBundle, limits: &ModelLimits) -> Result<Vec<Arc<Self>>> {
        let shared = |spec: &NetworkSpec| {
            let bytes = bundle.network_bytes(spec);
            let bytes = bytes.expect("a checked bundle has every file it names").clone();
            Ok(Arc::new(SharedModel {
                spec: spec.clone(),
                bytes,
                limits: *limits,
                output_count: spec.output.output_count(bundle.labels().len()),
                model: OnceCell::new(),
                failure: OnceCell::new(),
            }))
        };
        bundle.manifest().networks.iter().map(shared).collect()
    }

    fn get(&self) -> Result<&Model> {
        if let Some(error) = self.failure.get() {
            return Err(Error::new(error.kind(), error.to_string()));
        }
        self.model.get_or_try_init(|| {
            let opened = self.open();
            opened.map_err(|error| {
                let error = error.context(format!("network {:?}", self.spec.id));
                let again = Error::new(error.kind(), error.to_string());
                self.failure.get_or_init(|| again);
                error
            })
        })
    }

    fn open(&self) -> Result<Model> {
        let model = Model::open(&self.bytes, &self.limits)?;
        let NetworkSpec { input, macs, .. } = &self.spec;
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
        if delivered != self.output_count {
            return Err(Error::new(
                ErrorKind::InvalidBundle,
                format!(
                    "it delivers {delivered} values, but by the bundle's labels and its `output` \
                     they are {}: correct the labels, dropped_outputs or label_map",
                    self.output_count
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
    session: Option<Session>,
}

impl Stage {
    pub fn new(shared: Arc<SharedModel>, inputs: &mut Inputs) -> Result<Self> {
        let input = inputs.add(&shared.spec.input)?;
        Ok(Stage { shared, input, session: None })
    }

    pub fn open(&mut self) -> Result<()> {
        self.opened().map(|_| ())
    }

    /// Runs once on an empty input and forgets the answer.
    pub fn warm_up(&mut self) -> Result<()> {
        let spec = &self.shared.spec.input;
        let empty = InputTensor::new(spec.channels.count(), spec.height, spec.width)?;
        self.opened()?.run(empty.data(), &mut Vec::new())
    }

    fn opened(&mut self) -> Result<&mut Session> {
        match &mut self.session {
            Some(session) => Ok(session),
            empty => Ok(empty.insert(Session::new(self.shared.get()?)?)),
        }
    }
}

impl Classifier<Shot<'_>> for Stage {
    fn classify(&mut self, shot: &Shot<'_>, output: &mut Vec<f32>) -> Result<()> {
        let input = self.input;
        let session = self.opened()?;
        session.run(shot.input(input)?.data(), output)
    }

    fn macs(&self) -> u64 {
        self.shared.spec.macs
    }
}
