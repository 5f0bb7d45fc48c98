//! The inputs that a frame becomes: one for all networks that take the same, made
//! when the first of them runs.

use std::cell::{RefCell, RefMut};

use crate::error::Result;
use crate::frame::FrameView;
use crate::preprocess::{PreprocessSpec, Preprocessor};
use crate::tensor::InputTensor;

/// All inputs of one engine's networks, with their memory.
#[derive(Debug, Default)]
pub(super) struct Inputs(Vec<Input>);

#[derive(Debug)]
struct Input {
    spec: PreprocessSpec,
    preprocessor: Preprocessor,
    tensor: Option<InputTensor>,
    /// Whether the tensor is that of the present frame.
    filled: bool,
}

impl Inputs {
    /// The number of the input that `spec` describes.
    pub fn add(&mut self, spec: &PreprocessSpec) -> Result<usize> {
        if let Some(known) = self.0.iter().position(|input| input.spec == *spec) {
            return Ok(known);
        }
        let preprocessor = Preprocessor::new(spec)?;
        self.0.push(Input { spec: spec.clone(), preprocessor, tensor: None, filled: false });
        Ok(self.0.len() - 1)
    }

    /// A new frame, of which no input has been made.
    pub fn shot<'a>(&'a mut self, frame: &'a FrameView<'a>) -> Shot<'a> {
        self.0.iter_mut().for_each(|input| input.filled = false);
        Shot { frame, inputs: RefCell::new(self) }
    }
}

impl Input {
    fn tensor(&mut self, frame: &FrameView<'_>) -> Result<&InputTensor> {
        let tensor = match &mut self.tensor {
            Some(tensor) => tensor,
            empty => empty.insert(self.preprocessor.make_tensor()?),
        };
        if !self.filled {
            self.preprocessor.run(frame, tensor)?;
            self.filled = true;
        }
        Ok(tensor)
    }
}

/// One frame on its way through the cascade.
pub(super) struct Shot<'a> {
    frame: &'a FrameView<'a>,
    inputs: RefCell<&'a mut Inputs>,
}

impl Shot<'_> {
    pub fn frame(&self) -> &FrameView<'_> {
        self.frame
    }

    /// Input `number`, made if no network has asked for it before.
    pub fn input(&self, number: usize) -> Result<RefMut<'_, InputTensor>> {
        let mut inputs = self.inputs.borrow_mut();
        inputs.0[number].tensor(self.frame)?;
        Ok(RefMut::map(inputs, |inputs| {
            inputs.0[number].tensor.as_mut().expect("it was made above")
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::PixelFormat;
    use crate::preprocess::{ChannelOrder, Fit, ResizeFilter};

    fn spec(width: u32) -> PreprocessSpec {
        PreprocessSpec {
            width,
            height: 1,
            channels: ChannelOrder::Gray,
            fit: Fit::Stretch,
            filter: ResizeFilter::Nearest,
            antialias: true,
            mean: vec![0.0],
            std: vec![1.0],
        }
    }

    #[test]
    fn networks_that_take_the_same_share_it() {
        let mut inputs = Inputs::default();
        let numbers = [2, 3, 2].map(|width| inputs.add(&spec(width)).unwrap());
        assert_eq!(numbers, [0, 1, 0]);
        for value in [7u8, 9] {
            let pixels = [value; 4];
            let frame = FrameView::packed(PixelFormat::Gray8, 4, 1, &pixels, 4).unwrap();
            let shot = inputs.shot(&frame);
            assert_eq!(shot.input(0).unwrap().data(), [f32::from(value); 2]);
            // Made once: what is changed stays.
            shot.input(0).unwrap().data_mut()[0] = -1.0;
            assert_eq!(shot.input(0).unwrap().data(), [-1.0, f32::from(value)]);
            assert_eq!(shot.frame().width(), 4);
        }
        assert!(inputs.0[0].tensor.is_some());
        assert!(inputs.0[1].tensor.is_none(), "nothing asked for it");
    }
}
