//! A network that is opened to be measured, with an input.

use std::path::Path;

use biglittle::bundle::NetworkSpec;
use biglittle::clock::{Clock, Times};
use biglittle::engine::{SystemClock, open_network, takes_pixels};
use biglittle::network::{Execution, Input, Model, Profile, Session};
use biglittle::{Error, ErrorKind, InputTensor, ModelBundle, Result};

/// Runs before counting begins.
const WARM_UP_RUNS: usize = 3;

/// Where a network is opened from.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    File { path: &'a Path, bytes: &'a [u8] },
    OfBundle { bundle: &'a ModelBundle, spec: &'a NetworkSpec },
}

impl Source<'_> {
    /// Opens the network, as an engine would for a bundle's, and warms it up.
    pub fn open(&self, execution: Execution) -> Result<Subject> {
        let name = match self {
            Source::File { path, .. } => path.display().to_string(),
            Source::OfBundle { spec, .. } => spec.id.clone(),
        };
        let subject = self.opened(&name, execution);
        subject.map_err(|error| error.context(name))
    }

    fn opened(&self, name: &str, execution: Execution) -> Result<Subject> {
        let clock = SystemClock::new();
        let before = clock.now();
        let model = match self {
            Source::File { bytes, .. } => Model::open_with(bytes, execution.into())?,
            Source::OfBundle { bundle, spec } => {
                open_network(bundle, spec, execution.into(), &mut |_| {})?
            }
        };
        let mut session = Session::new(&model)?;
        let open = clock.now() - before;
        if let (Execution::Kernels(isa), None) = (execution, model.isa()) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("cannot be run with {isa} only: it runs on {}", model.runtime()),
            ));
        }
        let mut floats = image_input(&model)?;
        for (index, value) in floats.data_mut().iter_mut().enumerate() {
            // Any numbers will do, but not zeros: they would be fast on some CPUs.
            *value = (index % 255) as f32 / 127.5 - 1.0;
        }
        let mut values = Values::Floats(floats);
        if let Source::OfBundle { spec, .. } = self
            && takes_pixels(&model, &spec.input)
        {
            let mut pixels = spec.input.make_tensor()?;
            for (index, value) in pixels.data_mut().iter_mut().enumerate() {
                *value = (index % 255) as u8;
            }
            values = Values::Pixels(pixels);
        }
        let mut output = Vec::new();
        for _ in 0..WARM_UP_RUNS {
            session.run(values.input(), &mut output)?;
        }
        Ok(Subject { name: name.to_owned(), model, open, clock, session, values, output })
    }
}

/// An opened network, warmed up.
pub struct Subject {
    pub name: String,
    pub model: Model,
    pub open: Times,
    clock: SystemClock,
    session: Session,
    values: Values,
    output: Vec<f32>,
}

/// What the network is run on.
enum Values {
    Floats(InputTensor),
    Pixels(InputTensor<u8>),
}

impl Values {
    fn input(&self) -> Input<'_> {
        match self {
            Values::Floats(tensor) => tensor.data().into(),
            Values::Pixels(tensor) => tensor.data().into(),
        }
    }
}

impl Subject {
    /// Runs once and says how long it took.
    pub fn run(&mut self) -> Result<Times> {
        let before = self.clock.now();
        self.session.run(self.values.input(), &mut self.output)?;
        Ok(self.clock.now() - before)
    }

    /// Runs once, adding the time of every layer to `profile`.
    pub fn run_profiled(&mut self, profile: &mut Profile) -> Result<()> {
        self.session.run_profiled(self.values.input(), &mut self.output, profile)
    }
}

fn image_input(model: &Model) -> Result<InputTensor> {
    let shape = &model.summary().input_shape;
    let sides: Vec<u32> = shape.iter().filter_map(|side| u32::try_from(*side).ok()).collect();
    match sides[..] {
        [1, channels, height, width] => InputTensor::new(channels, height, width),
        _ => Err(Error::new(
            ErrorKind::InvalidModel,
            format!(
                "the input has shape {shape:?}: an image of [1, channels, height, width] is needed"
            ),
        )),
    }
}
