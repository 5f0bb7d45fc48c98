//! Where the axes of a tract tensor are in a kernels' tensor.
//!
//! tract's tensors have any number of axes in any order, and its graph is full
//! of operators that only rearrange them; the kernels know height, width and
//! channels. A [`Layout`] says what each axis of a tensor is made of, so that
//! rearranging costs nothing and no assumption is made about the order of axes
//! (tract moves some networks to channels last, depending on the processor).
//! Decides nothing about operators: the files beside it ask.

use biglittle_kernels::Shape;

use super::Step;

/// A dimension of a kernels' tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dim {
    Channel,
    Row,
    Column,
}

impl Dim {
    pub(super) const ALL: [Dim; 3] = [Dim::Channel, Dim::Row, Dim::Column];

    pub(super) fn size(self, shape: Shape) -> usize {
        match self {
            Dim::Channel => shape.c,
            Dim::Row => shape.h,
            Dim::Column => shape.w,
        }
    }
}

/// A part of a dimension: `digit = position / stride % size`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Atom {
    pub(super) dim: Dim,
    pub(super) size: usize,
    pub(super) stride: usize,
}

/// What the axes of a tensor are made of, outermost part first. An axis of size
/// 1 has no parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) axes: Vec<Vec<Atom>>,
}

impl Layout {
    /// Axes that are one whole dimension each, or of size 1.
    pub(super) fn of(roles: &[Option<Dim>], shape: Shape) -> Layout {
        Layout { axes: roles.iter().map(|role| role.map_or(vec![], |d| whole(d, shape))).collect() }
    }

    /// The only dimension on `axis`, where all of it is there in its order.
    pub(super) fn whole(&self, axis: usize, shape: Shape) -> Option<Dim> {
        let &[atom] = &self.axes.get(axis)?[..] else { return None };
        (atom.stride == 1 && atom.size == atom.dim.size(shape)).then_some(atom.dim)
    }

    /// Adds an axis of size 1.
    pub(super) fn add(&mut self, axis: usize) -> Step<()> {
        if axis > self.axes.len() {
            return Err(format!("adds axis {axis} of {}", self.axes.len()));
        }
        self.axes.insert(axis, vec![]);
        Ok(())
    }

    /// Removes an axis of size 1.
    pub(super) fn remove(&mut self, axis: usize) -> Step<()> {
        match self.axes.get(axis) {
            Some(atoms) if atoms.is_empty() => {
                self.axes.remove(axis);
                Ok(())
            }
            _ => Err(format!("removes axis {axis}, which is not of size 1")),
        }
    }

    /// Moves an axis elsewhere.
    pub(super) fn shift(&mut self, from: usize, to: usize) -> Step<()> {
        if from.max(to) >= self.axes.len() {
            return Err(format!("moves axis {from} to {to} of {}", self.axes.len()));
        }
        let atoms = self.axes.remove(from);
        self.axes.insert(to, atoms);
        Ok(())
    }

    /// Replaces `count` axes from `at` on by axes of the sizes `to`, in
    /// row-major order.
    pub(super) fn reshape(&mut self, at: usize, count: usize, to: &[usize]) -> Step<()> {
        let Some(old) = at.checked_add(count).and_then(|end| self.axes.get(at..end)) else {
            return Err(format!("reshapes {count} axes from {at} on of {}", self.axes.len()));
        };
        // The next part is at the end.
        let mut parts: Vec<Atom> = old.iter().flatten().rev().copied().collect();
        let mut new = Vec::with_capacity(to.len());
        for &size in to {
            let (mut atoms, mut left) = (vec![], size);
            while left > 1 {
                let Some(atom) = parts.pop() else {
                    return Err("is reshaped to another number of elements".to_owned());
                };
                if left.is_multiple_of(atom.size) {
                    left /= atom.size;
                    atoms.push(atom);
                } else if atom.size.is_multiple_of(left) {
                    let inner = atom.size / left;
                    parts.push(Atom { size: inner, ..atom });
                    atoms.push(Atom { size: left, stride: atom.stride * inner, ..atom });
                    left = 1;
                } else {
                    return Err(format!(
                        "is reshaped across the axes of an image ({} elements into {size})",
                        atom.size
                    ));
                }
            }
            new.push(merged(atoms));
        }
        if !parts.is_empty() {
            return Err("is reshaped to another number of elements".to_owned());
        }
        self.axes.splice(at..at + count, new);
        Ok(())
    }

    /// Whether an element of the whole tensor is found in row-major order by
    /// these dimensions, outermost first.
    pub(super) fn is_in_order(&self, dims: [Dim; 3], shape: Shape) -> bool {
        let flat = merged(self.axes.iter().flatten().copied().collect());
        flat == dims.iter().flat_map(|&dim| whole(dim, shape)).collect::<Vec<_>>()
    }

    /// For each position in `dim`, its offset in a tensor with these axes and
    /// `strides`, from the parts on the axes that `chosen` accepts.
    pub(super) fn offsets(
        &self,
        dim: Dim,
        shape: Shape,
        strides: &[usize],
        chosen: impl Fn(usize) -> bool,
    ) -> Vec<usize> {
        let mut offsets = vec![0; dim.size(shape)];
        for (axis, &stride) in strides.iter().enumerate().filter(|(axis, _)| chosen(*axis)) {
            let mut unit = stride;
            for atom in self.axes[axis].iter().rev() {
                if atom.dim == dim {
                    for (position, offset) in offsets.iter_mut().enumerate() {
                        *offset += position / atom.stride % atom.size * unit;
                    }
                }
                unit *= atom.size;
            }
        }
        offsets
    }

    /// The elements of `dim` that the parts on the chosen axes count.
    pub(super) fn covered(&self, dim: Dim, chosen: impl Fn(usize) -> bool) -> usize {
        let axes = self.axes.iter().enumerate().filter(|(axis, _)| chosen(*axis));
        axes.flat_map(|(_, atoms)| atoms).filter(|a| a.dim == dim).map(|a| a.size).product()
    }

    /// The groups of a channel shuffle that stands between this layout and one
    /// with the channels in order; the layout is then the latter.
    pub(super) fn take_shuffle(&mut self, shape: Shape) -> Option<usize> {
        for atoms in &mut self.axes {
            if let &mut [a, b] = &mut atoms[..]
                && (a.dim, b.dim) == (Dim::Channel, Dim::Channel)
                && (a.stride, b.stride) == (1, a.size)
                && a.size * b.size == shape.c
            {
                *atoms = whole(Dim::Channel, shape);
                return Some(b.size);
            }
        }
        None
    }
}

fn whole(dim: Dim, shape: Shape) -> Vec<Atom> {
    let size = dim.size(shape);
    if size == 1 { vec![] } else { vec![Atom { dim, size, stride: 1 }] }
}

/// Joins neighbours that are one part cut in two.
fn merged(atoms: Vec<Atom>) -> Vec<Atom> {
    let mut result: Vec<Atom> = Vec::with_capacity(atoms.len());
    for atom in atoms.into_iter().filter(|atom| atom.size > 1) {
        match result.last_mut() {
            Some(outer) if outer.dim == atom.dim && outer.stride == atom.stride * atom.size => {
                *outer = Atom { size: outer.size * atom.size, ..atom };
            }
            _ => result.push(atom),
        }
    }
    result
}

/// Row-major strides of a tensor.
pub(super) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { h: 4, w: 5, c: 6 };

    fn image() -> Layout {
        Layout::of(&[None, Some(Dim::Channel), Some(Dim::Row), Some(Dim::Column)], SHAPE)
    }

    #[test]
    fn reshape_transpose_reshape_is_a_shuffle() {
        let mut layout = image();
        layout.reshape(1, 1, &[2, 3]).unwrap();
        layout.shift(1, 2).unwrap();
        layout.reshape(1, 2, &[6]).unwrap();
        assert_eq!(layout.whole(1, SHAPE), None);
        assert_eq!(layout.take_shuffle(SHAPE), Some(2));
        assert_eq!(layout, image());
        layout.reshape(1, 1, &[2, 3]).unwrap();
        layout.reshape(1, 2, &[6]).unwrap();
        assert_eq!(layout, image(), "back again is no shuffle");
    }

    #[test]
    fn a_flattened_image_keeps_its_order() {
        let mut layout = image();
        assert!(layout.is_in_order([Dim::Channel, Dim::Row, Dim::Column], SHAPE));
        layout.shift(1, 3).unwrap();
        assert!(layout.is_in_order([Dim::Row, Dim::Column, Dim::Channel], SHAPE));
        layout.reshape(0, 4, &[1, 120]).unwrap();
        let offsets = |dim| layout.offsets(dim, SHAPE, &[120, 1], |axis| axis == 1);
        assert_eq!(offsets(Dim::Channel), [0, 1, 2, 3, 4, 5]);
        assert_eq!(offsets(Dim::Row), [0, 30, 60, 90]);
        assert_eq!(offsets(Dim::Column), [0, 6, 12, 18, 24]);
        assert_eq!(layout.covered(Dim::Row, |axis| axis == 1), 4);
    }

    #[test]
    fn a_reshape_that_mixes_axes_is_refused() {
        assert!(image().reshape(1, 3, &[8, 15]).unwrap_err().contains("across the axes"));
        assert!(image().reshape(1, 1, &[2, 2]).is_err());
        assert!(image().reshape(3, 2, &[5]).is_err());
        assert!(image().remove(1).is_err());
        assert!(image().shift(1, 4).is_err());
    }
}
