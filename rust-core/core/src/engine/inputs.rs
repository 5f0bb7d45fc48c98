//! The inputs that a frame becomes: one for all networks that take the same, made
//! when the first of them runs.

use std::cell::{RefCell, RefMut};

use crate::error::Result;
use crate::frame::FrameView;
use crate::preprocess::{PreprocessSpec, Preprocessor, Resized};
use crate::tensor::InputTensor;

/// All inputs of one engine's networks, with their memory.
#[derive(Debug, Default)]
pub(super) struct Inputs(Vec<Input>);

#[derive(Debug)]
struct Input {
    spec: PreprocessSpec,
    preprocessor: Preprocessor,
    /// Whether the preprocessor holds the present frame.
    resized: bool,
    floats: Made<f32>,
    bytes: Made<u8>,
}

/// A tensor once something has asked for it.
#[derive(Debug)]
struct Made<T> {
    tensor: Option<InputTensor<T>>,
    /// Whether it is that of the present frame.
    filled: bool,
}

impl<T> Default for Made<T> {
    fn default() -> Self {
        Made { tensor: None, filled: false }
    }
}

impl Inputs {
    /// The number of the input that `spec` describes.
    pub fn add(&mut self, spec: &PreprocessSpec) -> Result<usize> {
        if let Some(known) = self.0.iter().position(|input| input.spec == *spec) {
            return Ok(known);
        }
        let preprocessor = Preprocessor::new(spec)?;
        self.0.push(Input {
            spec: spec.clone(),
            preprocessor,
            resized: false,
            floats: Made::default(),
            bytes: Made::default(),
        });
        Ok(self.0.len() - 1)
    }

    /// A new frame, of which no input has been made.
    pub fn shot<'a>(&'a mut self, frame: &'a FrameView<'a>) -> Shot<'a> {
        for input in &mut self.0 {
            (input.resized, input.floats.filled, input.bytes.filled) = (false, false, false);
        }
        Shot { frame, inputs: RefCell::new(self) }
    }
}

impl Input {
    fn floats(&mut self, frame: &FrameView<'_>) -> Result<&mut InputTensor> {
        let resized = resized(&mut self.preprocessor, &mut self.resized, frame);
        self.floats.fill(&self.spec, |tensor| resized.normalize(tensor))
    }

    fn bytes(&mut self, frame: &FrameView<'_>) -> Result<&mut InputTensor<u8>> {
        let resized = resized(&mut self.preprocessor, &mut self.resized, frame);
        self.bytes.fill(&self.spec, |tensor| resized.copy(tensor))
    }
}

fn resized<'a>(
    preprocessor: &'a mut Preprocessor,
    done: &mut bool,
    frame: &FrameView<'_>,
) -> Resized<'a> {
    if !*done {
        preprocessor.resize(frame);
        *done = true;
    }
    preprocessor.resized().expect("a frame was resized")
}

impl<T: Copy + Default> Made<T> {
    fn fill(
        &mut self,
        spec: &PreprocessSpec,
        write: impl FnOnce(&mut InputTensor<T>),
    ) -> Result<&mut InputTensor<T>> {
        let tensor = match &mut self.tensor {
            Some(tensor) => tensor,
            empty => empty.insert(spec.make_tensor()?),
        };
        if !self.filled {
            write(tensor);
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
        try_map(self.inputs.borrow_mut(), |inputs| inputs.0[number].floats(self.frame))
    }

    /// As [`input`](Shot::input), but its pixels, not normalised.
    pub fn pixels(&self, number: usize) -> Result<RefMut<'_, InputTensor<u8>>> {
        try_map(self.inputs.borrow_mut(), |inputs| inputs.0[number].bytes(self.frame))
    }
}

fn try_map<'a, T, U>(
    borrowed: RefMut<'a, T>,
    part: impl FnOnce(&mut T) -> Result<&mut U>,
) -> Result<RefMut<'a, U>> {
    let mut failure = None;
    RefMut::filter_map(borrowed, |whole| match part(whole) {
        Ok(part) => Some(part),
        Err(error) => {
            failure = Some(error);
            None
        }
    })
    .map_err(|_| failure.expect("only a failure leaves nothing"))
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
        assert!(inputs.0[0].floats.tensor.is_some());
        assert!(inputs.0[0].bytes.tensor.is_none(), "nothing asked for it");
        assert!(inputs.0[1].floats.tensor.is_none(), "nothing asked for it");
    }

    #[test]
    fn pixels_and_floats_are_of_one_frame() {
        let mut inputs = Inputs::default();
        let spec = PreprocessSpec { mean: vec![2.0], std: vec![4.0], ..spec(2) };
        inputs.add(&spec).unwrap();
        for pixels in [[10, 30], [50, 70]] {
            let frame = FrameView::packed(PixelFormat::Gray8, 2, 1, &pixels, 2).unwrap();
            let shot = inputs.shot(&frame);
            assert_eq!(shot.pixels(0).unwrap().data(), pixels);
            let normalized = pixels.map(|pixel| (f32::from(pixel) - 2.0) / 4.0);
            assert_eq!(shot.input(0).unwrap().data(), normalized);
            assert_eq!(shot.pixels(0).unwrap().data(), pixels);
        }
    }
}
