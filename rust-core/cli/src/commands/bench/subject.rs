//! A network that is opened to be measured, with an input.

use biglittle::clock::{Clock, Times};
use biglittle::engine::SystemClock;
use biglittle::network::{Isa, Model, ModelLimits, Profile, Session};
use biglittle::{Error, ErrorKind, InputTensor, Result};

/// Runs before counting begins.
const WARM_UP_RUNS: usize = 3;

/// What shall run a network.
#[derive(Debug, Clone, Copy)]
pub enum Choice {
    /// As an engine would choose.
    Fastest,
    /// The kernels with this instruction set.
    Kernels(Isa),
    /// tract, unchanged.
    Tract,
}

/// An opened network, warmed up.
pub struct Subject {
    pub name: String,
    pub model: Model,
    pub open: Times,
    clock: SystemClock,
    session: Session,
    input: InputTensor,
    output: Vec<f32>,
}

impl Subject {
    pub fn open(name: &str, bytes: &[u8], choice: Choice) -> Result<Self> {
        Self::new(name, bytes, choice).map_err(|error| error.context(name))
    }

    fn new(name: &str, bytes: &[u8], choice: Choice) -> Result<Self> {
        let clock = SystemClock::new();
        let limits = ModelLimits::default();
        let before = clock.now();
        let model = match choice {
            Choice::Fastest => Model::open(bytes, &limits)?,
            Choice::Kernels(isa) => Model::open_with_isa(bytes, &limits, isa)?,
            Choice::Tract => Model::open_for_tract(bytes, &limits)?,
        };
        let mut session = Session::new(&model)?;
        let open = clock.now() - before;
        if let (Choice::Kernels(isa), None) = (choice, model.isa()) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("cannot be run with {isa} only: it runs on {}", model.runtime()),
            ));
        }
        let mut input = image_input(&model)?;
        for (index, value) in input.data_mut().iter_mut().enumerate() {
            // Any numbers will do, but not zeros: they would be fast on some CPUs.
            *value = (index % 255) as f32 / 127.5 - 1.0;
        }
        let mut output = Vec::new();
        for _ in 0..WARM_UP_RUNS {
            session.run(input.data(), &mut output)?;
        }
        Ok(Subject { name: name.to_owned(), model, open, clock, session, input, output })
    }

    /// Runs once and says how long it took.
    pub fn run(&mut self) -> Result<Times> {
        let before = self.clock.now();
        self.session.run(self.input.data(), &mut self.output)?;
        Ok(self.clock.now() - before)
    }

    /// Runs once, adding the time of every layer to `profile`.
    pub fn run_profiled(&mut self, profile: &mut Profile) -> Result<()> {
        self.session.run_profiled(self.input.data(), &mut self.output, profile)
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
